"""The study as files: every risk, the differences, and a page to read."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from LTDiffStandardizeLib.comparison.files import write_json
from LTDiffStandardizeLib.radiomics.agreement.bootstrap import DRAWS
from LTDiffStandardizeLib.radiomics.agreement.classes import FEWEST_UNITS
from LTDiffStandardizeLib.radiomics.tables import write_csv
from LTDiffStandardizeLib.report import charts
from LTDiffStandardizeLib.report.markup import interval, number
from LTDiffStandardizeLib.volumes.atomic import file_aside
from LTDiffStandardizeLib.volumes.derivation import RESEARCH_USE

from .cases import ROLES
from .chart import difference_chart
from .differences import ALL_YEARS, CLOSE, OTHERS, PAIRS, SPANS, difference_rows, gain_rows
from .study import Study
from .sybil import YEARS

RISKS, DIFFERENCES, FIGURES, PAGE, CHART = "risks.csv", "differences.csv", "risk_study.json", "risk_study.md", "risk_study.svg"
COLUMNS = ("years", "first", "second", "mean_absolute_difference", "low", "high", "mean_difference", "n_patients")
LIMITS = (
    f"Intervals hold 90 % of {DRAWS} bootstrap draws of whole patients; there are none for fewer than {FEWEST_UNITS} patients.",
    "Sybil was trained on low-dose screening scans. That two of its predictions agree says nothing about whether either is right.",
    "A series that is left as it is equals the non-standard one: only the distance to the standard series tells what standardization achieves.",
)  # fmt: skip


def write_study(study: Study, about: Sequence[str], output: Path) -> list[Path]:
    """Writes the files into the folder, in place of those of an earlier run, and returns their paths.

    about: sentences on where the series and the risks come from. Raises OutputError where a file cannot be written.
    """
    patients = study.complete()
    rows, gains = difference_rows(study.table()) if patients else [], _gains(study)
    refused = [{"patient": patient, "role": role, "sentence": sentence} for (patient, role), sentence in study.refused.items()]
    write_csv(output / RISKS, ("patient", "role", "year", "risk"), _risk_rows(study), overwrite=True)
    write_csv(output / DIFFERENCES, COLUMNS, ([row[name] for name in COLUMNS] for row in rows), overwrite=True)
    write_json(output / FIGURES, {
        "note": RESEARCH_USE, "about": about, "limits": LIMITS, "patients": patients,
        "left_out": [patient for patient in study.patients if patient not in patients],
        "differences": rows, "gains": gains, "refused": refused,
    }, overwrite=True)  # fmt: skip
    chart = _chart(rows, output / CHART)
    _write(output / PAGE, _page(study, about, rows, gains, chart))
    return [output / name for name in (RISKS, DIFFERENCES, FIGURES, PAGE)]


def verdicts(study: Study) -> list[str]:
    """A sentence on each other pair: whether the standard and the synthesized series lie closer, over all years."""
    return [f"{_label(CLOSE).capitalize()} risks lie {_verdict(row)} than {_label((row['first'], row['second']))} risks: closer by "
            f"{_points(row, 'closer_by')} percentage points, mean over the years of {row['n_patients']} patients."
            for row in _gains(study) if row["years"] == ALL_YEARS]  # fmt: skip


def _verdict(row: dict) -> str:
    if row["low"] > 0:  # NaN, where there is no interval, is neither
        return "closer together"
    return "farther apart" if row["high"] < 0 else "neither clearly closer nor farther apart"


def _gains(study: Study) -> list[dict]:
    return gain_rows(study.table()) if study.complete() else []


def _risk_rows(study: Study) -> Iterable[tuple]:
    for (patient, role), risks in study.risks.items():
        yield from ((patient, role, year, risk) for year, risk in zip(YEARS, risks))


def _chart(rows: Sequence[dict], path: Path) -> str:
    """Writes the chart; returns the lines of the page for it."""
    there, why_not = charts.available()
    if rows and there:
        svg = difference_chart(rows, [_label(pair) for pair in PAIRS])
        _write(path, svg.replace("<svg ", '<svg font-family="sans-serif" ', 1))  # alone it has no page to take its font from
        return f"![{_label(CLOSE)} and the other pairs, by year]({path.name})"
    path.unlink(missing_ok=True)  # of an earlier run, with other numbers
    return why_not


def _page(study: Study, about: Sequence[str], rows: Sequence[dict], gains: Sequence[dict], chart: str) -> str:
    """Markdown."""
    patients = study.complete()
    parts = ["# Predicted lung cancer risk", f"{RESEARCH_USE} {' '.join(about)}",
             f"{len(patients)} of {len(study.patients)} patients have risks of all three series ({', '.join(ROLES)}) and are compared."]  # fmt: skip
    if patients:
        apart, closer = (_table(pairs, found, key) for pairs, found, key in
                         ((PAIRS, rows, "mean_absolute_difference"), (OTHERS, gains, "closer_by")))  # fmt: skip
        parts += ["## How far the risks lie apart", "Mean |difference| of the risk within so many years, percentage points (90 % interval).",
                  apart, chart, f"## How much closer the {_label(CLOSE)} risks lie",
                  "Their mean |difference| is smaller than that of the pair of the column by so many percentage points (90 % interval).", closer,
                  "\n".join(f"- {sentence}" for sentence in verdicts(study))]  # fmt: skip
    if study.refused:
        parts += ["## Refused", "\n".join(f"- {patient} {role}: {sentence}" for (patient, role), sentence in study.refused.items())]
    parts += ["## Limits", "\n".join(f"- {sentence}" for sentence in LIMITS)]
    return "\n\n".join(filter(None, parts)) + "\n"


def _table(pairs: Sequence[tuple[str, str]], rows: Sequence[dict], key: str) -> str:
    """Spans down, pairs across."""
    cells = {(row["years"], (row["first"], row["second"])): _points(row, key) for row in rows}
    lines = [["Years", *map(_label, pairs)], ["---"] * (1 + len(pairs))]
    lines += [[span, *(cells[span, pair] for pair in pairs)] for span in SPANS]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _points(row: dict, key: str) -> str:
    """Percentage points with their interval."""
    return f"{number(100 * row[key])} ({interval(100 * row['low'], 100 * row['high'])})"


def _label(pair: Sequence[str]) -> str:
    return " and ".join(role.replace("_", "-") for role in pair)


def _write(path: Path, text: str) -> None:
    with file_aside(path, overwrite=True) as partial:
        partial.write_bytes(text.encode())
