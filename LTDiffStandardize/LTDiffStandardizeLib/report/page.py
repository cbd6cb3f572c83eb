"""The report as one self-contained HTML file: no script, no font, no picture from elsewhere."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Mapping, Sequence

from ..comparison import Comparison
from ..radiomics.regions import Region
from ..volumes.atomic import file_aside
from ..volumes.derivation import RESEARCH_USE
from . import tables, words
from .figures import figures
from .markup import definitions, escape, items, paragraphs

TEMPLATE = Path(__file__).resolve().parents[2] / "Resources" / "Report" / "page.html"

_CLASSES = ("GOH: gradient orientation histogram (11 features). GLCM: grey level co-occurrence matrix (24). GLRLM: grey level run length "
            "matrix (16). ID: first-order intensity (16). IH: intensity histogram (9). NID: neighbourhood intensity difference (5). "
            "GOH and most of IH are computed by LTDiff, the others by PyRadiomics.")  # fmt: skip


@dataclass(frozen=True)
class ReportTexts:
    """What the report says beyond its numbers; plain text throughout.

    labels: {method: name in the tables}. captions: {method: name under the pictures}, with STANDARD for the reference; methods
    without one keep their label.
    range_notes: {HU range: what it is}, for ranges that the report does not know. methods: (name, what it does) for every method.
    facts: (term, text) on input, settings, model, regions.
    """

    title: str
    labels: Mapping[str, str]
    captions: Mapping[str, str]
    range_notes: Mapping[str, str]
    methods: Sequence[tuple[str, str]]
    facts: Sequence[tuple[str, str]]
    limits: Sequence[str]
    attribution: Sequence[str]


def write_report(path: str | Path, comparison: Comparison, texts: ReportTexts, ours: str, shown: Sequence[str], focus: Region,
                 times: Mapping[str, tables.Time], overwrite: bool = False) -> Path:
    """Writes the report and returns its path.

    ours: the method that is judged against the others. shown: the methods in the pictures, in this order, before the standard.
    focus: the region in the close-up. times: per method, seconds per slice; methods without one are left out.
    Raises OutputError where the file exists (unless `overwrite`) or cannot be written.
    """
    path = Path(path)
    with file_aside(path, overwrite) as partial:
        partial.write_bytes(report_html(comparison, texts, ours, shown, focus, times).encode("utf-8"))
    return path


def report_html(comparison: Comparison, texts: ReportTexts, ours: str, shown: Sequence[str], focus: Region,
                times: Mapping[str, tables.Time]) -> str:
    labels, names = texts.labels, tables.Names(texts.labels, {**tables.RANGE_NOTES, **texts.range_notes})
    template = Template(TEMPLATE.read_text(encoding="utf-8"))
    return template.substitute(
        title=escape(texts.title),
        research_use=escape(RESEARCH_USE),
        missing=_missing(comparison),
        verdict=_verdict(comparison, ours, labels),
        facts=definitions(texts.facts),
        methods=definitions(texts.methods),
        figures=figures(comparison, shown, {**labels, **texts.captions}, focus),
        ccc=tables.ccc_table(comparison, names),
        classes=escape(_CLASSES),
        shares=tables.share_table(comparison, names),
        sd=tables.sd_table(comparison, names),
        shifts=tables.shift_table(comparison, names),
        times=tables.time_table(times, names),
        limits=items(texts.limits),
        attribution=paragraphs(texts.attribution),
    )


def _verdict(comparison: Comparison, ours: str, labels: Mapping[str, str]) -> str:
    return "\n".join(paragraphs([statement.text]) + (items(statement.listed) if statement.listed else "")
                     for statement in words.verdict(comparison, ours, labels))  # fmt: skip


def _missing(comparison: Comparison) -> str:
    if not comparison.missing:
        return ""
    return (f'<p class="notice">{escape(comparison.missing)} The tables show what needs no PyRadiomics: GOH, and seven of the nine '
            "features of IH.</p>")  # fmt: skip
