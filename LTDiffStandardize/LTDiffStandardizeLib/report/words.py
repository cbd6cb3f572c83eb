"""What the agreement table says, in sentences computed from its numbers."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping, Sequence

import numpy as np

from ..comparison import STANDARD, Comparison
from ..radiomics.agreement import paired_difference
from ..radiomics.agreement.classes import FEWEST_REGIONS, few_regions

RELEVANT = 0.01  # differences of the CCC below this are counted, not told
Cell = tuple[str, str]  # (HU range, feature class): one row of the CCC table


@dataclass(frozen=True)
class Contest:
    """One method against the best of the others in one row of the table.

    difference: its mean CCC minus the opponent's, over the features that both have; low, high: 90 % interval.
    """

    cell: Cell
    opponent: str
    ccc: float
    opponent_ccc: float
    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class Statement:
    """A sentence in plain text and, where it ends with a colon, what it lists."""

    text: str
    listed: tuple[str, ...] = ()


def means(comparison: Comparison) -> dict[Cell, dict[str, float]]:
    """{(HU range, feature class): {method: mean CCC}}, in the order of the table; NaN where undefined.

    Methods without a volume are left out: ComBat was fitted on the very values that it is judged by.
    """
    cells: dict[Cell, dict[str, float]] = {}
    for row in comparison.agreement:
        if row["method"] in comparison.volumes:
            cells.setdefault((row["regions"], row["feature_class"]), {})[row["method"]] = row["ccc_mean"]
    return cells


def best_of(values: Mapping[str, float]) -> set[str]:
    """The methods whose value is the highest in the two decimals that are printed; undefined values never are."""
    rounded = {method: round(value, 2) for method, value in values.items() if np.isfinite(value)}
    return {method for method, value in rounded.items() if value == max(rounded.values())}


def average(comparison: Comparison, method: str) -> float:
    """Mean CCC of a method over all rows of the table."""
    return _mean([values[method] for values in means(comparison).values()])


def best_overall(comparison: Comparison, methods: Sequence[str]) -> str:
    """The method with the highest average; the first of equals."""
    return max(methods, key=lambda method: np.nan_to_num(average(comparison, method), nan=-np.inf))


def contests(comparison: Comparison, ours: str) -> list[Contest]:
    """`ours` against the best of the other methods, for every row in which both have a CCC of enough regions."""
    features, few = comparison.features, few_regions(comparison.regions)
    paired = {other: {(row["regions"], row["feature_class"]): row for row in
                      paired_difference(features[ours], features[other], features[STANDARD], comparison.regions)}
              for other in comparison.volumes if other != ours}  # fmt: skip
    found = []
    for cell, values in means(comparison).items():
        others = {method: value for method, value in values.items() if method != ours and np.isfinite(value)}
        if others and np.isfinite(values[ours]) and cell[0] not in few:
            best = max(others, key=others.get)
            row = paired[best][cell]
            found.append(Contest(cell, best, values[ours], others[best], row["difference"], row["low"], row["high"]))
    return found


def verdict(comparison: Comparison, ours: str, labels: Mapping[str, str]) -> list[Statement]:
    """Who has the highest CCC how often, and where the difference is more than chance."""
    found = contests(comparison, ours)
    if len(comparison.volumes) == 1 and np.isfinite(average(comparison, ours)):
        return [Statement(f"Mean CCC over all rows of the table: {labels[ours]} {average(comparison, ours):.2f}. There is no other volume to compare it with.")]
    if not found:
        return [Statement(f"No row of the table has a CCC for two methods from {FEWEST_REGIONS} regions or more, so nothing can "
                          "be said about which is best.")]  # fmt: skip
    name, (ahead, behind, level) = labels[ours], _by_printed_number(found)
    averages = ", ".join(f"{labels[method]} {average(comparison, method):.2f}" for method in comparison.volumes)
    return [
        Statement(f"Mean CCC over all rows of the table: {averages}."),
        Statement(f"{name} alone has the highest mean CCC in {ahead} of {_rows(len(found))}, another method (a filter or the untouched image) in "
                  f"{behind}, and in {level} both are equal in the two decimals that are printed."),
        _wins("Another method wins", [contest for contest in found if contest.high < 0], labels),
        _wins(f"{name} wins", [contest for contest in found if contest.low > 0], labels),
    ]  # fmt: skip


def _by_printed_number(found: Sequence[Contest]) -> tuple[int, int, int]:
    gaps = [round(contest.ccc, 2) - round(contest.opponent_ccc, 2) for contest in found]
    return sum(gap > 0 for gap in gaps), sum(gap < 0 for gap in gaps), sum(gap == 0 for gap in gaps)


def _wins(who: str, chosen: Sequence[Contest], labels: Mapping[str, str]) -> Statement:
    """The rows of which the interval leaves out 0: those that matter one by one, the others by number."""
    relevant = sorted((contest for contest in chosen if abs(contest.difference) >= RELEVANT), key=lambda contest: -abs(contest.difference))
    minor = len(chosen) - len(relevant)
    text = f"{who} by {RELEVANT} or more in {_rows(len(relevant))}" + (f", and by less in {minor} more" if minor else "")
    text += ", counting rows in which the 90 % interval of the paired difference leaves out 0"
    return Statement(text + (":" if relevant else "."), tuple(_told(contest, labels) for contest in relevant))


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number or 'no'} rows"


def _told(contest: Contest, labels: Mapping[str, str]) -> str:
    hu_range, feature_class = contest.cell
    numbers = (format(value, "+.3f").replace("-", "\u2212") for value in (contest.difference, contest.low, contest.high))
    return (f"{hu_range} {feature_class}: {contest.ccc:.2f} against {contest.opponent_ccc:.2f} of {labels[contest.opponent]}, "
            "difference {} ({} to {})".format(*numbers))  # fmt: skip


def _mean(values):
    values = [value for value in values if np.isfinite(value)]
    return float(np.mean(values)) if values else float("nan")
