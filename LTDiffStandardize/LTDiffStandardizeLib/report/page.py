"""The report as one self-contained HTML file: no script, no font, no picture from elsewhere."""
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Mapping, Sequence

from ..comparison import Comparison
from ..radiomics.agreement.classes import FEWEST_UNITS, few_regions_warning
from ..radiomics.regions import Region
from ..volumes.atomic import file_aside
from ..volumes.derivation import RESEARCH_USE
from . import evidence, tables, words
from .figures import figures
from .markup import definitions, details, escape, items, paragraphs

TEMPLATE = Path(__file__).resolve().parents[2] / "Resources" / "Report" / "page.html"
SHOWN = 4  # volumes in the pictures beside the standard

_CLASSES = {
    "GOH": "gradient orientation histogram", "GLCM": "grey level co-occurrence matrix", "GLRLM": "grey level run length matrix",
    "ID": "intensity, first order", "IH": "intensity histogram", "NID": "neighbourhood intensity difference",
    "GLSZM": "grey level size zone matrix", "GLDM": "grey level dependence matrix",
}  # fmt: skip


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


@dataclass(frozen=True)
class ReportChoices:
    """What the report shows of a comparison.

    ours: the method that is judged against the others. before: the one it started from, for the features that became trustworthy.
    shown: the methods in the pictures, in this order, before the standard; None: the first four. focus: the region in the close-up;
    None: the largest. charted: names of features for the scatter and Bland-Altman charts; none: the median one of every class.
    times: per method, seconds per slice; methods without one are left out. also: further comparisons of the same volumes, with other
    features, whose tables follow.
    """

    ours: str
    before: str
    shown: Sequence[str] | None = None
    focus: Region | None = None
    charted: Sequence[str] = ()
    times: Mapping[str, tables.Time] = field(default_factory=dict)
    also: Sequence[Comparison] = ()


def write_report(path: str | Path, comparison: Comparison, texts: ReportTexts, choices: ReportChoices, overwrite: bool = False) -> Path:
    """Writes the report and returns its path.

    Raises OutputError where the file exists (unless `overwrite`) or cannot be written; InputError where a charted feature is unknown.
    """
    path = Path(path)
    with file_aside(path, overwrite) as partial:
        partial.write_bytes(report_html(comparison, texts, choices).encode("utf-8"))
    return path


def report_html(comparison: Comparison, texts: ReportTexts, choices: ReportChoices) -> str:
    labels, names = texts.labels, tables.Names(texts.labels, {**tables.RANGE_NOTES, **texts.range_notes})
    template = Template(TEMPLATE.read_text(encoding="utf-8"))
    shown = list(comparison.volumes)[:SHOWN] if choices.shown is None else choices.shown
    focus = choices.focus or max(comparison.regions_of_the_pictures(), key=lambda region: region.number_of_voxels)
    charted = evidence.named_features(comparison, choices.charted) if choices.charted else evidence.median_features(comparison, choices.ours)
    return template.substitute(
        title=escape(texts.title),
        research_use=escape(RESEARCH_USE),
        missing=_notices(comparison),
        verdict=_verdict(comparison, choices.ours, labels),
        facts=definitions(texts.facts),
        methods=definitions(texts.methods),
        figures=figures(comparison, shown, {**labels, **texts.captions}, focus),
        charts=evidence.overview_charts(comparison, names),
        unit=f"{'patients' if len(comparison.patients()) > 1 else 'the regions'}, of which it needs {FEWEST_UNITS} or more",
        ccc=tables.ccc_table(comparison, names),
        classes=escape(_legend(comparison)),
        shares=tables.share_table(comparison, names),
        also="\n".join(_also(other, names) for other in choices.also),
        trustworthy=evidence.trustworthy_features(comparison, names, choices.before, choices.ours),
        features=evidence.feature_charts(comparison, names, charted),
        paper=details("Table of the paper protocol", evidence.paper_table(comparison, names)),
        sd=tables.sd_table(comparison, names),
        shifts=tables.shift_table(comparison, names),
        candidates=evidence.candidate_table(comparison, names),
        times=_headed("Time", tables.time_table(choices.times, names)),
        limits=items(texts.limits),
        attribution=_headed("Source of the data", paragraphs(texts.attribution)),
    )


def _legend(comparison: Comparison) -> str:
    standard = comparison.compared()[1]
    counted = (f"{name}: {_CLASSES.get(name, 'features')} ({columns.stop - columns.start})" for name, columns in standard.classes().items())
    return f"{'; '.join(counted)}. {comparison.profile.about()}"


def _also(comparison: Comparison, names: tables.Names) -> str:
    return (f"<h3>{escape(comparison.profile.about())}</h3>\n" + tables.ccc_table(comparison, names)
            + f"<p>{escape(_legend(comparison))}</p>" + tables.share_table(comparison, names))  # fmt: skip


def _headed(title: str, body: str) -> str:
    return f"<h2>{escape(title)}</h2>\n{body}" if body else ""


def _verdict(comparison: Comparison, ours: str, labels: Mapping[str, str]) -> str:
    return "\n".join(paragraphs([statement.text]) + (items(statement.listed) if statement.listed else "")
                     for statement in words.verdict(comparison, ours, labels))  # fmt: skip


def _notices(comparison: Comparison) -> str:
    missing = comparison.missing and (f"{comparison.missing} The tables show what needs no PyRadiomics: the IBEX-compatible "
                                      "features, computed by LTDiff.")  # fmt: skip
    sentences = filter(None, (missing, few_regions_warning(comparison.regions)))
    return "\n".join(f'<p class="notice">{escape(sentence)}</p>' for sentence in sentences)
