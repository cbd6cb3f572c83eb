"""Neighbourhood grey tone differences: how much voxels of a level differ from the mean of their neighbours.

For every level i that occurs, n(i) voxels have it, a share p(i) = n(i) / N, and s(i) is the sum of |value - mean of the neighbours|
over them. Sums over i and j run over the levels that occur. Two readings of one idea are in use, whose features share names: that of
the IBSI manual, section 3.11, and that of IBEX, which counts intensities, only voxels whose whole neighbourhood lies in the region,
and divides by N or adds EPSILON so that the size of the region matters less. Source of both: Amadasun and King 1989 (IEEE T Syst Man
Cyb 19:1264).

Each feature is one float. Without a voxel that has neighbours (an empty region, one voxel, one too small for the neighbourhood) all
are NaN. "Constant" is a region of one level.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Sequence

import numpy as np

from .levels import Levels, nearest_bins

EPSILON = 1e-10
ENTRIES_AT_ONCE = 1 << 16  # tables of this size stay in the processor's cache


@dataclass(frozen=True, eq=False)
class Differences:
    """The levels (or intensities) that occur, ascending, with n(i) and s(i); all (levels,) float64."""

    i: np.ndarray
    n: np.ndarray
    s: np.ndarray

    def features(self, functions) -> list[float]:
        """What the functions of this module give; NaN where nothing was counted."""
        if not self.n.size:
            return [float("nan")] * len(functions)
        with np.errstate(invalid="ignore", divide="ignore"):
            return [float(function(self)) for function in functions]

    @cached_property
    def p(self) -> np.ndarray:
        return self.n / self.n.sum()

    @cached_property
    def mean_difference(self) -> float:
        """Sum of s over N."""
        return self.s.sum() / self.n.sum()

    @cached_property
    def square_distance(self) -> float:
        """Sum over i and j of p(i) p(j) (i - j)^2: twice the variance."""
        return 2 * (self.p @ (self.i - self.p @ self.i) ** 2)

    @cached_property
    def weighted_distance(self) -> float:
        """Sum over i and j of |i p(i) - j p(j)|, from the sorted products: each is above and below as many as its rank says.

        Of i n(i), which is exact for whole levels: equal products then give 0, and no quotient of rounding.
        """
        product = np.sort(self.i * self.n)
        return 2 * float(product @ (2 * np.arange(product.size) - (product.size - 1))) / self.n.sum()

    @cached_property
    def strength_numerator(self) -> float:
        """Sum over i and j of (p(i) + p(j)) (i - j)^2."""
        centred = self.i - self.p @ self.i
        return 2 * float(self.i.size * (self.p @ centred ** 2) + (centred ** 2).sum() - 2 * (self.p @ centred) * centred.sum())


def level_differences(levels: Levels, in_slices: bool = False) -> Differences:
    """Of the levels, neighbours one step away in the region (26, or the 8 of the slice); voxels without any are left out (IBSI)."""
    size = (1 if in_slices else 3, 3, 3)
    margins = [(side // 2, side // 2) for side in size]
    inside = levels.array > 0
    around = box_sums(np.pad(levels.array, margins), size) - levels.array
    neighbours = box_sums(np.pad(inside.astype(np.intp), margins), size) - inside
    counted = inside & (neighbours > 0)
    level = levels.array[counted]
    return _table(level, np.abs(level - around[counted] / neighbours[counted]), levels.below, 1.0)


def intensity_differences(values: np.ndarray, mask: np.ndarray, size: Sequence[int], low: float, high: float, bins: int) -> Differences:
    """Of intensities, for the voxels whose whole neighbourhood lies in the region (IBEX, IncludeEdge 0).

    values, mask: (z, y, x) on the region's box. size: odd numbers of voxels along z, y, x; the voxel itself is no neighbour.
    low, high, bins: an intensity counts as the nearest of `bins` + 1 values from low to high, beyond them as the first or last.
    """
    if any(length < side for length, side in zip(mask.shape, size)) or max(size) < 2:
        return _table(np.empty(0, np.intp), np.empty(0), low, 1.0)
    whole = box_sums(mask.astype(np.int32), size) == int(np.prod(size))
    middle = values[tuple(slice(side // 2, length - side // 2) for length, side in zip(values.shape, size))][whole]
    mean = (box_sums(values, size)[whole] - middle) / (np.prod(size) - 1.0)
    step = (high - low) / bins
    return _table(nearest_bins(middle, low, step, bins + 1), np.abs(middle - mean), low, step)


def box_sums(values: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """Sums over every box of `size` that lies within the array; along each axis shorter by the size less one."""
    for axis, side in enumerate(size):
        length = values.shape[axis] - side + 1
        parts = [values[(slice(None),) * axis + (slice(start, start + length),)] for start in range(side)]
        values = parts[0].copy() if side > 1 else values
        for part in parts[1:]:
            values += part
    return values


def _table(index: np.ndarray, difference: np.ndarray, low: float, step: float) -> Differences:
    """index: (n,) int, of the level low + step index; difference: (n,)."""
    n = np.bincount(index)
    occurring = np.flatnonzero(n)
    return Differences(low + step * occurring, n[occurring].astype(np.float64), np.bincount(index, difference)[occurring])


def coarseness(d: Differences) -> float:
    """1 / sum of p s. Unit: per level. IBSI QCDE. Constant: 1,000,000, where IBSI sets the bound."""
    return min(1 / (d.p @ d.s), 1e6) if d.p @ d.s else 1e6


def contrast(d: Differences) -> float:
    """(sum of p(i) p(j) (i - j)^2 over the ordered pairs of unlike levels) / (their number), times sum of s / N.

    Unit: level cubed. IBSI 65HE. Constant: 0.
    """
    pairs = d.i.size * (d.i.size - 1)
    return d.square_distance / pairs * d.mean_difference if pairs else 0.0


def busyness(d: Differences) -> float:
    """Sum of p s / sum over i and j of |i p(i) - j p(j)|. Unit: none. IBSI NQ30. Constant: 0, as IBSI sets it."""
    return d.p @ d.s / d.weighted_distance if d.weighted_distance else 0.0


def complexity(d: Differences) -> float:
    """Sum over i and j of |i - j| (p(i) s(i) + p(j) s(j)) / (n(i) + n(j)). Unit: level squared. IBSI HDEZ, and IBEX. Constant: 0."""
    weight, total, several = d.p * d.s, 0.0, 1 + ENTRIES_AT_ONCE // d.i.size
    for start in range(0, d.i.size, several):
        these = slice(start, start + several)
        table = d.i[start:] - d.i[these, None]  # with themselves and those above: the pairs with those below are in earlier tables
        table[:, :several] = np.abs(table[:, :several]) / 2  # here a pair is met twice
        table /= d.n[these, None] + d.n[start:]
        total += float((weight[these] @ table).sum() + (table @ weight[start:]).sum())
    return 2 * total


def strength(d: Differences) -> float:
    """Sum over i and j of (p(i) + p(j)) (i - j)^2, over sum of s. Unit: level. IBSI 1X9X. Constant: 0, as IBSI sets it."""
    return d.strength_numerator / d.s.sum() if d.s.sum() else 0.0


def coarseness_per_voxel(d: Differences) -> float:
    """1 / (EPSILON + sum of s / N). Unit: per HU. IBEX Coarseness. Constant: 1 / EPSILON."""
    return 1 / (EPSILON + d.mean_difference)


def contrast_over_all_pairs(d: Differences) -> float:
    """Mean over all pairs of levels, like ones too, of p(i) p(j) (i - j)^2, times sum of s / N. Unit: HU cubed. IBEX Contrast. Constant: 0."""
    return d.square_distance / d.i.size ** 2 * d.mean_difference


def busyness_per_voxel(d: Differences) -> float:
    """(Sum of s / N) / (EPSILON + sum over i and j of |i p(i) - j p(j)|). Unit: none. IBEX Busyness. Constant: 0."""
    return d.mean_difference / (EPSILON + d.weighted_distance)


def texture_strength(d: Differences) -> float:
    """Sum over i and j of (p(i) + p(j)) (i - j)^2, over EPSILON + sum of s. Unit: HU. IBEX TextureStrength. Constant: 0."""
    return d.strength_numerator / (EPSILON + d.s.sum())
