"""Grey level runs: how often voxels of one level i follow one another j times along a direction.

r(i, j) is the number of runs, or a mean of such numbers; R their sum; V the number of voxels in them. Levels and lengths are
counted from 1. Each feature gives one value a matrix, (matrices,) float64.

A matrix without a run (an empty region) has no features: all of them are NaN. "Constant" below is a region of one level g in which
all runs have the length l; two voxels or more along the direction make l above 1.

Sources: Galloway 1975 (Comput Graph Image Process 4:172), Chu 1990 and Dasarathy 1991 for the emphases of levels, Tang 1998 (IEEE T
Image Process 7:1602), and the IBSI reference manual, section 3.7, whose four-character codes are given.
"""
from __future__ import annotations

from functools import cached_property
from typing import Sequence

import numpy as np

from .cooccurrence import entropy_of
from .levels import Levels


def count_runs(levels: Levels, vectors: Sequence[Sequence[int]]) -> np.ndarray:
    """(vectors, count, longest) int: runs inside the region along each direction.

    vectors: (vectors, 3) int, each step -1, 0 or 1, in (slices, rows, columns).
    """
    flat, strides = levels.padded((1, 1, 1))
    flat = flat.astype(np.min_scalar_type(levels.count))  # small: the whole row is read and turned for every direction
    longest = max(levels.array.shape)
    width = longest + 1
    counts = np.empty((len(vectors), levels.count + 1, width), np.intp)
    for matrix, shift in zip(counts, np.abs(np.asarray(vectors) @ strides)):
        line = _along(flat, int(shift))
        ends = np.flatnonzero(line[1:] != line[:-1])  # the last run is one of zeros, so its end is not needed
        level = line[ends].astype(np.intp)
        lengths = ends.copy()
        lengths[1:] -= ends[:-1]
        lengths[:1] += 1
        inside = np.flatnonzero(level)
        matrix[:] = np.bincount(level[inside] * width + lengths[inside], minlength=matrix.size).reshape(matrix.shape)
    return counts[:, 1:, 1:]


def _along(flat: np.ndarray, shift: int) -> np.ndarray:
    """All voxels of the padded row, so that what is `shift` apart comes one after the other."""
    if shift == 1:
        return flat
    short = -len(flat) % shift
    return np.concatenate([flat, np.zeros(short, flat.dtype)]).reshape(-1, shift).T.ravel()


class Runs:
    """Counted matrices and their marginals; each is computed when first asked for."""

    def __init__(self, counts: np.ndarray, levels: Levels) -> None:
        """counts: (matrices, count, longest), runs by level and length, or means of such; `levels`: those they were counted from."""
        self.r = np.asarray(counts, np.float64)
        self.i = levels.numbers()
        self.j = np.arange(1.0, self.r.shape[2] + 1.0)
        self.by_level, self.by_length = self.r.sum(axis=2), self.r.sum(axis=1)
        self.total = self.by_level.sum(axis=1)

    def features(self, functions) -> np.ndarray:
        """(functions, matrices) float64: what the functions of this module give; NaN for matrices without a run."""
        if not self.total.any():
            return np.full((len(functions), len(self.r)), np.nan)
        with np.errstate(invalid="ignore", divide="ignore"):
            values = np.array([function(self) for function in functions], np.float64)
        values[:, self.total == 0] = np.nan
        return values

    @cached_property
    def voxels(self) -> np.ndarray:
        return self.by_length @ self.j

    def emphasis(self, of_level: np.ndarray, of_length: np.ndarray) -> np.ndarray:
        """(matrices,): sum of a(i) b(j) r(i, j) / R."""
        return (self.r @ of_length) @ of_level / self.total


def short_run_emphasis(r: Runs) -> np.ndarray:
    """Sum of r / j^2, over R. Unit: none, above 0 to 1. IBSI 22OV. Constant: 1 / l^2."""
    return r.by_length @ r.j ** -2 / r.total


def long_run_emphasis(r: Runs) -> np.ndarray:
    """Sum of j^2 r, over R. Unit: voxel squared. IBSI W4KF. Constant: l^2."""
    return r.by_length @ r.j ** 2 / r.total


def low_level_emphasis(r: Runs) -> np.ndarray:
    """Sum of r / i^2, over R. Unit: none, above 0 to 1. IBSI V3SW. Constant: 1 / g^2."""
    return r.by_level @ r.i ** -2 / r.total


def high_level_emphasis(r: Runs) -> np.ndarray:
    """Sum of i^2 r, over R. Unit: level squared. IBSI G3QZ. Constant: g^2."""
    return r.by_level @ r.i ** 2 / r.total


def short_run_low_level_emphasis(r: Runs) -> np.ndarray:
    """Sum of r / (i j)^2, over R. Unit: none, above 0 to 1. IBSI HTZT. Constant: 1 / (g l)^2."""
    return r.emphasis(r.i ** -2, r.j ** -2)


def short_run_high_level_emphasis(r: Runs) -> np.ndarray:
    """Sum of i^2 r / j^2, over R. Unit: level squared. IBSI GD3A. Constant: (g / l)^2."""
    return r.emphasis(r.i ** 2, r.j ** -2)


def long_run_low_level_emphasis(r: Runs) -> np.ndarray:
    """Sum of j^2 r / i^2, over R. Unit: voxel squared. IBSI IVPO. Constant: (l / g)^2."""
    return r.emphasis(r.i ** -2, r.j ** 2)


def long_run_high_level_emphasis(r: Runs) -> np.ndarray:
    """Sum of (i j)^2 r, over R. Unit: level and voxel squared. IBSI 3KUM. Constant: (g l)^2."""
    return r.emphasis(r.i ** 2, r.j ** 2)


def level_non_uniformity(r: Runs) -> np.ndarray:
    """Sum over the levels of their number of runs squared, over R. Unit: run, 1 to R. IBSI R5YN. Constant: R."""
    return (r.by_level ** 2).sum(axis=1) / r.total


def level_non_uniformity_normalised(r: Runs) -> np.ndarray:
    """`level_non_uniformity` over R. Unit: none, above 0 to 1. IBSI OVBL. Constant: 1."""
    return level_non_uniformity(r) / r.total


def level_non_uniformity_per_voxel(r: Runs) -> np.ndarray:
    """`level_non_uniformity` over V. Unit: run per voxel. IBEX GrayLevelNonuniformity, after Fave 2016. Constant: 1 / l."""
    return level_non_uniformity(r) / r.voxels


def length_non_uniformity(r: Runs) -> np.ndarray:
    """Sum over the lengths of their number of runs squared, over R. Unit: run, 1 to R. IBSI W92Y. Constant: R."""
    return (r.by_length ** 2).sum(axis=1) / r.total


def length_non_uniformity_normalised(r: Runs) -> np.ndarray:
    """`length_non_uniformity` over R. Unit: none, above 0 to 1. IBSI IC23. Constant: 1."""
    return length_non_uniformity(r) / r.total


def length_non_uniformity_per_voxel(r: Runs) -> np.ndarray:
    """`length_non_uniformity` over V. Unit: run per voxel. IBEX RunLengthNonuniformity, after Fave 2016. Constant: 1 / l."""
    return length_non_uniformity(r) / r.voxels


def run_percentage(r: Runs) -> np.ndarray:
    """R over V. Unit: none, above 0 to 1. IBSI 9ZK5. Constant: 1 / l."""
    return r.total / r.voxels


def level_variance(r: Runs) -> np.ndarray:
    """Variance of the level over the runs. Unit: level squared. IBSI 8CE5. Constant: 0."""
    return _variance(r.by_level, r.i, r.total)


def length_variance(r: Runs) -> np.ndarray:
    """Variance of the length over the runs. Unit: voxel squared. IBSI SXLW. Constant: 0."""
    return _variance(r.by_length, r.j, r.total)


def run_entropy(r: Runs) -> np.ndarray:
    """-sum of (r / R) log2 (r / R). Unit: bit. IBSI HJ9O. Constant: 0."""
    return entropy_of((r.r / r.total[:, None, None]).reshape(len(r.r), -1))


def _variance(counts, values, total):
    mean = counts @ values / total
    return (counts * (values - mean[:, None]) ** 2).sum(axis=1) / total
