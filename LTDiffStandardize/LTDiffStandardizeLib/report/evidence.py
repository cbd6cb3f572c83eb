"""What the report shows beside the table of agreement: charts, features one by one, and the paper's own figure."""
from __future__ import annotations

from typing import Mapping, Sequence

import numpy as np

from ..comparison import Comparison
from ..radiomics.agreement import THRESHOLD, Trustworthy, feature_agreement, lin_ccc, paper_protocol, trustworthy
from ..radiomics.agreement.classes import few_regions_warning
from ..radiomics.regions.random_boxes import shortfall
from . import charts
from .markup import cell, chart, details, escape, number, paragraphs, row, table
from .tables import Names

Chosen = Sequence[tuple[str, str]]  # (class, feature)

_KINDS = (("became", "became trustworthy"), ("stayed", "were so before"), ("lost", "no longer are"), ("never", "did not become so"),
          ("undefined", "undefined"))  # fmt: skip


def overview_charts(comparison: Comparison, names: Names) -> str:
    """Bars of the mean CCC for every HU range, and the heat map of all."""
    usable, why_not = charts.available()
    if not usable:
        return paragraphs([why_not])
    rows, methods, labels = comparison.agreement, comparison.methods, names.all_labels(comparison)
    shown = {hu_range: names.of_range(hu_range) for hu_range in comparison.ranges()}
    bars = [chart(f"Bars of the mean CCC, {name}", charts.ccc_bars(rows, methods, labels, hu_range, name)) for hu_range, name in shown.items()]
    return "\n".join([*bars, chart("Heat map of the mean CCC", charts.heat_map(rows, methods, labels, comparison.ranges(), shown))])


def feature_charts(comparison: Comparison, names: Names, chosen: Chosen) -> str:
    """Scatter and Bland-Altman charts of some features over all regions."""
    usable, why_not = charts.available()
    if not usable:
        return paragraphs([why_not])
    tables, standard = comparison.compared()
    groups = [region.hu_range for region in comparison.regions]
    parts = []
    for feature_class, feature in chosen:
        column = standard.names.index((feature_class, feature))
        values = {method: table.values[:, column] for method, table in tables.items()}
        name = f"{feature_class}: {feature}"
        arguments = standard.values[:, column], values, names.all_labels(comparison), name
        parts += [chart(f"Scatter of {name}", charts.scatter(*arguments, groups=groups)),
                  chart(f"Bland-Altman chart of {name}", charts.bland_altman(*arguments, groups=groups))]  # fmt: skip
    return "\n".join(parts)


def median_features(comparison: Comparison, method: str) -> list[tuple[str, str]]:
    """Of each class the feature whose CCC over all regions is the median of the class, as its representative."""
    tables, standard = comparison.compared()
    ccc = lin_ccc(tables[method].values, standard.values)
    chosen = []
    for columns in standard.classes().values():
        defined = [index for index in range(columns.start, columns.stop) if np.isfinite(ccc[index])]
        if defined:
            chosen.append(standard.names[sorted(defined, key=lambda index: ccc[index])[len(defined) // 2]])
    return chosen


def named_features(comparison: Comparison, wanted: Sequence[str]) -> list[tuple[str, str]]:
    """Those of the features that are called so, with or without their class before them (CLASS.FEATURE)."""
    return [name for name in comparison.compared()[1].names if name[1] in wanted or ".".join(name) in wanted]


def trustworthy_features(comparison: Comparison, names: Names, before: str, after: str) -> str:
    """How many features crossed the threshold in each HU range, and which."""
    tables, standard = comparison.compared()
    rows = feature_agreement({method: tables[method] for method in {before, after}}, standard, comparison.regions, draws=0)
    found = trustworthy(rows, before, after)
    counts = [row(names.of_range(hu_range), [cell(str(len(getattr(lists, kind)))) for kind, _ in _KINDS]) for hu_range, lists in found.items()]
    caption = f"Features with a CCC of at least {THRESHOLD} (trustworthy) before, {names.of_method(before)}, and after, {names.of_method(after)}"
    listed = [details(f"{names.of_range(hu_range)}: the features by name", _listed(lists)) for hu_range, lists in found.items()]
    warning = paragraphs(filter(None, [few_regions_warning(comparison.regions)]))
    return table(caption, ["Regions", *(title for _, title in _KINDS)], [counts]) + warning + "\n".join(listed)


def _listed(lists: Trustworthy) -> str:
    parts = []
    for kind, title in _KINDS:
        by_class: dict[str, list[str]] = {}
        for feature_class, feature in getattr(lists, kind):
            by_class.setdefault(feature_class, []).append(feature)
        parts += [f"<h4>{escape(title.capitalize())}</h4>"] if by_class else []
        parts += [f"<p><b>{escape(name)}</b> {escape(', '.join(features))}</p>" for name, features in by_class.items()]
    return "\n".join(parts)


def paper_table(comparison: Comparison, names: Names) -> str:
    """The CCC within a class per region, raw and z-scored, as the paper words it."""
    rows = paper_protocol(*comparison.compared(), comparison.regions)
    found = {(item["regions"], item["feature_class"], item["method"]): item for item in rows}
    bodies = []
    for hu_range in comparison.ranges():
        classes = dict.fromkeys(item["feature_class"] for item in rows if item["regions"] == hu_range)
        bodies.append([row(f"{names.of_range(hu_range)} {feature_class}", [_paper_cell(found[hu_range, feature_class, method])
                                                                          for method in comparison.methods])
                       for feature_class in classes])  # fmt: skip
    return table("Paper protocol: CCC across the features of a class within one region, mean ± SD over the regions; below it z-scored",
                 ["Regions", *names.all_methods(comparison)], bodies)  # fmt: skip


def _paper_cell(item: Mapping) -> str:
    return cell(f"{number(item['ccc_raw_mean'])} ± {number(item['ccc_raw_sd'])}",
                f"z-scored {number(item['ccc_z_mean'])} ± {number(item['ccc_z_sd'])}")  # fmt: skip


def candidate_table(comparison: Comparison, names: Names) -> str:
    """How many places a random region could have had; nothing where none was drawn."""
    if not comparison.candidates:
        return ""
    rows = [row(" ".join(filter(None, (item.get("patient", ""), names.of_range(item["regions"])))),
                [cell(str(item[key])) for key in ("wanted", "drawn", "candidates")]) for item in comparison.candidates]  # fmt: skip
    caption = "Random regions: places inside the HU range before they were thinned out"
    told = paragraphs(filter(None, [shortfall(comparison.candidates)]))
    return table(caption, ["Regions", "Wanted", "Drawn", "Candidates"], [rows]) + told

