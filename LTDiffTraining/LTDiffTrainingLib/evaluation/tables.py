"""Tables of agreement as files: rows in JSON and CSV, tables in Markdown, charts."""
from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from LTDiffStandardizeLib.comparison import Comparison, with_combat
from LTDiffStandardizeLib.radiomics.agreement import paired_difference
from LTDiffStandardizeLib.volumes.atomic import file_aside

from .measuring import FILTERS, sd_rows

RETEST = "second scan (ceiling)"


@dataclass(frozen=True)
class Table:
    """`rows`: as of `agreement_table` with a "table"; `deviations`: as of `sd_rows`; `differences`: of `ours` to the best filter."""

    title: str
    about: str
    rows: list[dict]
    deviations: list[dict]
    differences: list[dict]

    def as_dict(self) -> dict:
        return dict(vars(self))


def table_of(title: str, about: str, made: Comparison, ours: str | None = None, combat: bool = False) -> Table:
    """`ours`: the method to set against the best filter of each class and range; `combat`: with ComBat on the features of "none"."""
    deviations = sd_rows(made)
    made = with_combat(made, "none") if combat else made
    rows = [{"table": title, **row} for row in made.agreement]
    return Table(title, about, rows, deviations, _differences(made, rows, ours) if ours else [])


def _differences(made: Comparison, rows: Sequence[Mapping], ours: str) -> list[dict]:
    """Ours minus the best filter, class by class and range by range, with the interval of the paired bootstrap."""
    figure = {(r["method"], r["regions"], r["feature_class"]): r["ccc_mean"] for r in rows}
    features, standard = made.compared()
    paired = {f: paired_difference(features[ours], features[f], standard, made.regions) for f in FILTERS if f in features}
    found = []
    for place in zip(*paired.values()):
        label, name = place[0]["regions"], place[0]["feature_class"]
        best = max(paired, key=lambda f: _or_low(figure.get((f, label, name))))
        row = dict(zip(paired, place))[best]
        found.append({"regions": label, "feature_class": name, "ours": figure[ours, label, name], "best_filter": best,
                      "filter": figure[best, label, name], "ceiling": figure.get((RETEST, label, name)),
                      **{key: row[key] for key in ("difference", "low", "high", "n_regions")}})
    return found


def _or_low(value: float | None) -> float:
    return -2.0 if value is None or math.isnan(value) else value


def write_all(folder: Path, tables: Sequence[Table], published: Sequence[Mapping]) -> None:
    """tables.json, tables.csv, sd_ratios.json, differences.json, tables.md."""
    rows = [row for table in tables for row in table.rows] + list(published)
    deviations = [{"table": t.title, **row} for t in tables for row in t.deviations]
    differences = [{"table": t.title, **row} for t in tables for row in t.differences]
    for name, content in (("tables", rows), ("sd_ratios", deviations), ("differences", differences)):
        _write(folder / f"{name}.json", json.dumps(_finite(content), indent=1) + "\n")
    _write(folder / "tables.csv", _csv(rows))
    _write(folder / "tables.md", markdown(tables, published))


def write_charts(folder: Path, tables: Sequence[Table]) -> str:
    """One chart per table and HU range under `folder`/figures; the sentence that says why there is none, or ""."""
    from LTDiffStandardizeLib.report.charts import available, ccc_bars

    usable, why_not = available()
    if not usable:
        return why_not
    (folder / "figures").mkdir(exist_ok=True)
    for table in tables:
        methods = list(dict.fromkeys(row["method"] for row in table.rows))
        for label in dict.fromkeys(row["regions"] for row in table.rows):
            chart = ccc_bars(table.rows, methods, {m: m for m in methods}, label, f"{table.title}: {label}")
            if chart:
                _write(folder / "figures" / f"{_file_name(table.title)}-{_file_name(label)}.svg", chart)
    return ""


def markdown(tables: Sequence[Table], published: Sequence[Mapping]) -> str:
    """A section per table, in it a table per HU range: methods down, classes across, mean CCC with its 90 % interval."""
    parts = ["# Agreement of radiomic features with the target kernel\n",
             "Mean of Lin's CCC per feature over the regions of a range, 90 % bootstrap interval over phantoms or patients (over regions where "
             "there is one patient), SD ratio to the target. Research use only.\n"]
    for table in tables:
        parts.append(f"## {table.title}\n\n{table.about}\n")
        parts += [_range_table(table, label) for label in dict.fromkeys(row["regions"] for row in table.rows)]
        if table.differences:
            parts.append(_difference_table(table.differences))
    parts.append("## As the paper published them\n\nOther data, mean and SD over the features of a class; quoted, not compared.\n")
    parts += [_published_table(published, title) for title in dict.fromkeys(row["table"] for row in published)]
    return "\n".join(parts)


def _range_table(table: Table, label: str) -> str:
    rows = [row for row in table.rows if row["regions"] == label]
    classes = list(dict.fromkeys(row["feature_class"] for row in rows))
    ratio = {row["method"]: row for row in table.deviations if row["regions"] == label}
    lines = [f"**{label}**, n = {rows[0]['n_regions']}\n", "| method | " + " | ".join(classes) + " | SD ratio |", "|---" * (len(classes) + 2) + "|"]
    for method in dict.fromkeys(row["method"] for row in rows):
        cells = {row["feature_class"]: row for row in rows if row["method"] == method}
        sd = f"{ratio[method]['sd_ratio']:.2f}" if method in ratio else ""
        lines.append(f"| {method} | " + " | ".join(_cell(cells[name]) for name in classes) + f" | {sd} |")
    return "\n".join(lines) + "\n"


def _cell(row: Mapping) -> str:
    interval = "" if math.isnan(row["ccc_low"]) else f" [{row['ccc_low']:.2f}, {row['ccc_high']:.2f}]"
    return f"{row['ccc_mean']:.2f}{interval}"


def _difference_table(differences: Sequence[Mapping]) -> str:
    lines = ["**Ours minus the best filter**\n", "| regions | class | ours | best filter | ceiling | difference [90 %] | |", "|---" * 7 + "|"]
    for row in differences:
        ceiling = "" if row["ceiling"] is None else f"{row['ceiling']:.3f}"
        verdict = "above" if row["low"] > 0 else "below" if row["high"] < 0 else "level"
        lines.append(f"| {row['regions']} | {row['feature_class']} | {row['ours']:.3f} | {row['best_filter']} {row['filter']:.3f} | {ceiling} | "
                     f"{row['difference']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}] | {verdict} |")
    return "\n".join(lines) + "\n"


def _published_table(published: Sequence[Mapping], title: str) -> str:
    rows = [row for row in published if row["table"] == title]
    classes = list(dict.fromkeys(row["feature_class"] for row in rows))
    lines = [f"**{title}**\n", "| method | " + " | ".join(classes) + " |", "|---" * (len(classes) + 1) + "|"]
    for method in dict.fromkeys(row["method"] for row in rows):
        cells = {row["feature_class"]: row for row in rows if row["method"] == method}
        lines.append(f"| {method} | " + " | ".join(f"{cells[c]['ccc_mean']:.2f} ± {cells[c]['ccc_sd']:.2f}" for c in classes) + " |")
    return "\n".join(lines) + "\n"


def _csv(rows: Sequence[Mapping]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _finite(content):
    """NaN is no JSON."""
    return json.loads(json.dumps(content), parse_constant=lambda name: None)


def _file_name(title: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in title.lower()).strip("-")


def _write(path: Path, text: str) -> None:
    with file_aside(path, overwrite=True) as aside:
        aside.write_bytes(text.encode())
