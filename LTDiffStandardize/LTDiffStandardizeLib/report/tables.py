"""The tables of the report."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Iterable, Mapping, NamedTuple, Sequence

from ..comparison import Comparison, hu_shifts, sd_ratios
from ..radiomics.agreement.classes import few_regions
from . import words
from .markup import cell, escape, interval, number, row, table

RANGE_NOTES = {"[-800,-300]": "lung", "[-100,250]": "soft tissue and fat", "[10,250]": "soft tissue", "[300,800]": "bone"}


class Time(NamedTuple):
    """Seconds per slice: of all processors together, and by the clock."""

    cpu: float
    wall: float


@dataclass(frozen=True)
class Names:
    """labels: {method: its name}. notes: {HU range: what it is}."""

    labels: Mapping[str, str]
    notes: Mapping[str, str]

    def of_method(self, method: str) -> str:
        return self.labels.get(method, method)

    def of_methods(self, comparison: Comparison) -> list[str]:
        """Of those that made a volume."""
        return [self.of_method(method) for method in comparison.volumes]

    def all_methods(self, comparison: Comparison) -> list[str]:
        """Of those with features, a volume or not."""
        return [self.of_method(method) for method in comparison.methods]

    def all_labels(self, comparison: Comparison) -> dict[str, str]:
        return {method: self.of_method(method) for method in comparison.methods}

    def of_range(self, hu_range: str) -> str:
        note = self.notes.get(hu_range)
        return f"{hu_range} ({note})" if note else hu_range


def ccc_table(comparison: Comparison, names: Names) -> str:
    rows = {(item["regions"], item["feature_class"], item["method"]): item for item in comparison.agreement}
    bodies, few = [], few_regions(comparison.regions)
    for hu_range in comparison.ranges():
        of_range = {feature_class: values for (label, feature_class), values in words.means(comparison).items() if label == hu_range}
        body = []
        for feature_class, values in of_range.items():
            best = set() if hu_range in few else words.best_of(values)
            cells = [_ccc_cell(rows[hu_range, feature_class, method], method in best) for method in comparison.methods]
            first = "" if body else _range_head(comparison, names, hu_range, len(of_range))
            body.append(row(feature_class, cells, before=first))
        bodies.append(body)
    return table("Mean CCC with the standard per feature class (± SD over the features; 90 % interval of the mean)",
                 ["Regions", "Class", *names.all_methods(comparison)], bodies)  # fmt: skip


def _ccc_cell(item: dict, best: bool) -> str:
    note = f"± {number(item['ccc_sd'])}, {interval(item['ccc_low'], item['ccc_high'])}"
    return cell(number(item["ccc_mean"]), note, best)


def share_table(comparison: Comparison, names: Names) -> str:
    def cells(hu_range):
        for method in comparison.methods:
            mine = [item for item in comparison.agreement if (item["regions"], item["method"]) == (hu_range, method) and item["n_features"]]
            features = sum(item["n_features"] for item in mine)
            shares = (sum(item[key] * item["n_features"] for item in mine) / features if features else float("nan")
                      for key in ("share_085", "share_090"))  # fmt: skip
            yield cell(" / ".join(number(100 * share, ".0f") for share in shares))

    return _by_range("Percentage of the features of all classes with a CCC of at least 0.85 / 0.90", names.all_methods(comparison), names,
                     comparison.ranges(), cells)  # fmt: skip


def sd_table(comparison: Comparison, names: Names) -> str:
    ratios = sd_ratios(comparison)
    return _by_range("Median ratio of the SD within regions to the standard's (1: same strength of noise and texture)", names.of_methods(comparison),
                     names, comparison.ranges(), lambda hu_range: (cell(number(ratios[hu_range, method])) for method in comparison.volumes))  # fmt: skip


def shift_table(comparison: Comparison, names: Names) -> str:
    shifts = hu_shifts(comparison)
    measured = dict.fromkeys(hu_range for hu_range, _ in shifts)
    return _by_range("Mean HU minus the standard's, in the most homogeneous quarter of the random regions", names.of_methods(comparison), names,
                     measured, lambda hu_range: (cell(number(shifts[hu_range, method], "+.1f")) for method in comparison.volumes))  # fmt: skip


def time_table(times: Mapping[str, Time], names: Names) -> str:
    if not times:
        return ""
    rows = [row(names.labels[method], [cell(number(time.cpu, ".3f")), cell(number(time.wall, ".3f"))]) for method, time in times.items()]
    return table("Seconds per slice to standardize, measured in this run", ["Method", "Processor time", "Clock time"], [rows])


def _by_range(caption: str, methods: Sequence[str], names: Names, ranges: Iterable[str], cells: Callable[[str], Iterable[str]]) -> str:
    return table(caption, ["Regions", *methods], [[row(names.of_range(hu_range), cells(hu_range)) for hu_range in ranges]])


def _range_head(comparison: Comparison, names: Names, hu_range: str, height: int) -> str:
    notes = (names.notes.get(hu_range, ""), f"n = {len(comparison.regions_of(hu_range))}")
    shown = "".join(f"<small>{escape(note)}</small>" for note in notes if note)
    return f'<th scope="rowgroup" rowspan="{height}">{escape(hu_range)}{shown}</th>'
