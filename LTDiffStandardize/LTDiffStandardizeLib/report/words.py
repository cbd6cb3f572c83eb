"""What the agreement table says, in sentences computed from its numbers."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping, Sequence

import numpy as np

from ..comparison import STANDARD, Comparison
from ..radiomics.agreement import paired_difference

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

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0


def means(comparison: Comparison) -> dict[Cell, dict[str, float]]:
    """{(HU range, feature class): {method: mean CCC}}, in the order of the table; NaN where undefined."""
    cells: dict[Cell, dict[str, float]] = {}
    for row in comparison.agreement:
        cells.setdefault((row["regions"], row["feature_class"]), {})[row["method"]] = row["ccc_mean"]
    return cells


def best_of(values: Mapping[str, float]) -> set[str]:
    """The methods whose value is the highest in the two decimals that are printed; undefined values never are."""
    rounded = {method: round(value, 2) for method, value in values.items() if np.isfinite(value)}
    return {method for method, value in rounded.items() if value == max(rounded.values())}


def best_overall(comparison: Comparison, methods: Sequence[str]) -> str:
    """The method with the highest mean CCC over all rows of the table; the first of equals."""
    averages = {method: _mean([values[method] for values in means(comparison).values()]) for method in methods}
    return max(methods, key=lambda method: -2.0 if np.isnan(averages[method]) else averages[method])


def contests(comparison: Comparison, ours: str) -> list[Contest]:
    """`ours` against the best of the other methods, for every row in which both have a CCC."""
    features = comparison.features
    paired = {other: {(row["regions"], row["feature_class"]): row for row in
                      paired_difference(features[ours], features[other], features[STANDARD], comparison.regions)}
              for other in comparison.volumes if other != ours}  # fmt: skip
    found = []
    for cell, values in means(comparison).items():
        others = {method: value for method, value in values.items() if method != ours and np.isfinite(value)}
        if others and np.isfinite(values[ours]):
            best = max(others, key=others.get)
            row = paired[best][cell]
            found.append(Contest(cell, best, values[ours], others[best], row["difference"], row["low"], row["high"]))
    return found


def verdict(found: Sequence[Contest], ours: str, labels: Mapping[str, str]) -> list[str]:
    """Sentences in plain text: who has the highest CCC how often, and where the difference is more than chance."""
    if not found:
        return ["No row of the table has a CCC for every method, so nothing can be said about which is best."]
    name = labels[ours]
    ahead, behind, level = _by_rounded(found)
    sentences = [f"Of {len(found)} rows of the table, {name} alone has the highest mean CCC in {len(ahead)}, another method (a filter or "
                 f"the untouched image) in {len(behind)}, and both are equal in two decimals in {len(level)}."]  # fmt: skip
    wins = [contest for contest in found if contest.clear and contest.difference > 0]
    losses = [contest for contest in found if contest.clear and contest.difference < 0]
    sentences.append(_listed("Where another method wins, beyond the 90 % interval of the paired difference: ", losses, labels)
                     or f"No other method is ahead of {name} beyond the 90 % interval of the paired difference.")
    sentences.append(_listed(f"Where {name} wins over the best other method in the same sense: ", wins, labels)
                     or f"{name} is nowhere ahead of the best other method beyond that interval.")
    return sentences


def _by_rounded(found):
    ahead, behind, level = [], [], []
    for contest in found:
        ours, other = round(contest.ccc, 2), round(contest.opponent_ccc, 2)
        (ahead if ours > other else behind if ours < other else level).append(contest)
    return ahead, behind, level


def _listed(beginning, chosen, labels):
    if not chosen:
        return ""
    ordered = sorted(chosen, key=lambda contest: -abs(contest.difference))
    return beginning + "; ".join(
        f"{cell_name(contest.cell)} ({labels[contest.opponent]} {contest.opponent_ccc:.2f}, here {contest.ccc:.2f}, "
        f"difference {contest.difference:+.3f} [{contest.low:+.3f}, {contest.high:+.3f}])" for contest in ordered) + "."  # fmt: skip


def cell_name(cell: Cell) -> str:
    return f"{cell[0]} {cell[1]}"


def _mean(values):
    values = [value for value in values if np.isfinite(value)]
    return float(np.mean(values)) if values else float("nan")
