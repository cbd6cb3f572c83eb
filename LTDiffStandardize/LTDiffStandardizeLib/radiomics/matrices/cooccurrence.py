"""Grey level co-occurrence: how often level j lies at a given distance and direction from level i.

All features are sums over p(i, j), the share of the pairs with levels i and j, or over its marginals: p_x(i) of the first voxel,
p_y(j) of the second, p_sum(k) of k = i + j and p_diff(k) of k = |i - j|; m_x and m_y are the means of p_x and p_y. Levels are
counted from 1, logarithms are to the base 2, 0 log 0 is 0, N is the number of levels. Each feature gives one value a matrix,
(matrices,) float64, and is the same for a matrix and its transpose.

A matrix without a pair (an empty region, one voxel, or nothing at that distance) has no features: all of them are NaN.
"Constant" below is what a region of one level g has. No feature but AutoCorrelation and the averages depends on g.

Sources: Haralick 1973 (IEEE T Syst Man Cyb 3:610), and the IBSI reference manual, section 3.6, whose four-character codes are
given.
"""
from __future__ import annotations

from functools import cached_property

import numpy as np

from .levels import Levels

PAIRS_AT_ONCE = 1 << 15  # what is counted in one pass stays in the processor's cache


def count_pairs(levels: Levels, vectors: np.ndarray) -> np.ndarray:
    """(vectors, count, count) int: pairs of voxels of the region, by level of the first and of the second.

    vectors: (vectors, 3) int, steps in (slices, rows, columns) from the first voxel to the second.
    """
    vectors = np.asarray(vectors, np.intp).reshape(-1, 3)
    flat, strides = levels.padded(np.abs(vectors).max(axis=0, initial=0))
    side = levels.count + 1
    flat = flat.astype(np.min_scalar_type(side))  # small, so that what several steps read stays in the processor's cache
    shifts = vectors @ strides
    counts = np.zeros((len(vectors), side, side), np.int32)
    voxels = np.flatnonzero(flat)
    for start in range(0, len(voxels), PAIRS_AT_ONCE):
        first = voxels[start:start + PAIRS_AT_ONCE]
        rows = flat[first].astype(np.intp) * side
        several = PAIRS_AT_ONCE // len(first)  # small regions: all vectors in one pass
        for vector in range(0, len(vectors), several):
            matrices = counts[vector:vector + several]
            second = flat.take(first + shifts[vector:vector + several, None], mode="wrap")  # a step off either end meets the zeros at the far one
            pairs = rows + second + np.arange(len(matrices))[:, None] * side ** 2
            matrices += np.bincount(pairs.ravel(), minlength=matrices.size).reshape(matrices.shape)
    return counts[:, 1:, 1:]


class Cooccurrence:
    """Counted matrices, the marginals of their p(i, j), and what several features share; each is computed when first asked for."""

    def __init__(self, counts: np.ndarray, levels: Levels) -> None:
        """counts: (matrices, count, count), pairs by level; `levels`: those that they were counted from."""
        self.number, self.side = len(counts), levels.count
        self.below, self.scale, self.levels = levels.below, levels.scale, levels.numbers()
        counts = counts.reshape(self.number, -1)
        where = np.flatnonzero(counts != 0)
        self._matrix = where // max(1, self.side ** 2)
        row = where // max(1, self.side)
        self._i, self._j = row - self._matrix * self.side, where - row * self.side
        self._starts = np.searchsorted(self._matrix, np.arange(self.number))
        self.pairs = counts.sum(axis=1).astype(np.float64)
        self.p = counts.ravel()[where] / self.pairs[self._matrix]
        self._largest = counts.max(axis=1, initial=0)

    def over_pairs(self, values: np.ndarray) -> np.ndarray:
        """(matrices,): the sum of a value for every entry of p that is not 0; of a matrix without a pair it means nothing."""
        return np.add.reduceat(np.append(values, 0.0), self._starts)

    def features(self, functions) -> np.ndarray:
        """(functions, matrices) float64: what the functions of this module give; NaN for matrices without a pair."""
        if not self.pairs.any():
            return np.full((len(functions), self.number), np.nan)
        with np.errstate(invalid="ignore", divide="ignore"):
            values = np.array([function(self) for function in functions], np.float64)
        values[:, self.pairs == 0] = np.nan
        return values

    @cached_property
    def maximum(self) -> np.ndarray:
        return self._largest / self.pairs

    @cached_property
    def p_x(self) -> np.ndarray:
        """(matrices, count)"""
        return self._marginal(self._i, self.side)

    @cached_property
    def p_y(self) -> np.ndarray:
        """(matrices, count)"""
        return self._marginal(self._j, self.side)

    @cached_property
    def p_sum(self) -> np.ndarray:
        """(matrices, 2 count - 1), for the sums `k_sum`"""
        return self._marginal(self._i + self._j, max(2 * self.side - 1, 0))

    @cached_property
    def p_diff(self) -> np.ndarray:
        """(matrices, count), for the differences `k_diff`"""
        return self._marginal(np.abs(self._i - self._j), self.side)

    @cached_property
    def k_sum(self) -> np.ndarray:
        return 2.0 * self.below + np.arange(2.0, 2.0 * self.side + 1.0)

    @cached_property
    def k_diff(self) -> np.ndarray:
        return np.arange(float(self.side))

    @cached_property
    def m_x(self) -> np.ndarray:
        return self.p_x @ self.levels

    @cached_property
    def m_y(self) -> np.ndarray:
        return self.p_y @ self.levels

    @cached_property
    def centred_sum(self) -> np.ndarray:
        """(matrices, 2 count - 1): k - m_x - m_y"""
        return self.k_sum - (self.m_x + self.m_y)[:, None]

    @cached_property
    def squared_sum(self) -> np.ndarray:
        """(matrices, 2 count - 1): p_sum (k - m_x - m_y)^2"""
        return self.p_sum * self.centred_sum ** 2

    @cached_property
    def sum_entropy(self) -> np.ndarray:
        return entropy_of(self.p_sum)

    @cached_property
    def covariance(self) -> np.ndarray:
        """Of i and j: a quarter of the variance of their sum less that of their difference, so that nothing large cancels."""
        return (cluster_tendency(self) - contrast(self) + (self.m_x - self.m_y) ** 2) / 4

    @cached_property
    def vary(self) -> np.ndarray:
        """(matrices,) bool: both the first and the second voxels have several levels; else i and j share nothing but rounding."""
        return ((self.p_x != 0).sum(axis=1) > 1) & ((self.p_y != 0).sum(axis=1) > 1)

    @cached_property
    def entropies(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of p_x, p_y and p."""
        return entropy_of(self.p_x), entropy_of(self.p_y), -self.over_pairs(self.p * np.log2(self.p))

    @cached_property
    def information(self) -> np.ndarray:
        """H_x + H_y - H, what i tells of j in bits: never below 0, and 0 unless both vary."""
        h_x, h_y, h = self.entropies
        return np.where(self.vary, np.maximum(h_x + h_y - h, 0.0), 0.0)

    def _marginal(self, index: np.ndarray, size: int) -> np.ndarray:
        return np.bincount(self._matrix * size + index, self.p, self.number * size).reshape(self.number, size)


def entropy_of(p: np.ndarray) -> np.ndarray:
    """-sum p log2 p along the last axis, bits."""
    return -(p * np.log2(np.where(p > 0, p, 1.0))).sum(axis=-1)


def variance_of(p: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(rows,): variance of the (n,) values under each row of the shares p, (rows, n)."""
    return (p * (values - (p @ values)[:, None]) ** 2).sum(axis=-1)


def autocorrelation(c: Cooccurrence) -> np.ndarray:
    """Sum of i j p. Unit: level squared. IBSI QWB0. Constant: g squared."""
    return c.covariance + c.m_x * c.m_y


def cluster_prominence(c: Cooccurrence) -> np.ndarray:
    """Sum of (i + j - m_x - m_y)^4 p. Unit: level to the 4th. IBSI AE86. Constant: 0."""
    return (c.squared_sum * c.centred_sum ** 2).sum(axis=1)


def cluster_shade(c: Cooccurrence) -> np.ndarray:
    """Sum of (i + j - m_x - m_y)^3 p. Unit: level cubed. IBSI 7NFM. Constant: 0."""
    return (c.squared_sum * c.centred_sum).sum(axis=1)


def cluster_tendency(c: Cooccurrence) -> np.ndarray:
    """Sum of (i + j - m_x - m_y)^2 p. Unit: level squared. IBSI DG8W, and OEEB (sum variance), which is the same. Constant: 0."""
    return c.squared_sum.sum(axis=1)


def contrast(c: Cooccurrence) -> np.ndarray:
    """Sum of (i - j)^2 p. Unit: level squared. Haralick f2, IBSI ACUI. Constant: 0."""
    return c.p_diff @ c.k_diff ** 2


def correlation(c: Cooccurrence) -> np.ndarray:
    """Covariance of i and j divided by the product of their SDs; NaN where i or j has one level only.

    Unit: none, -1 to 1. Haralick f3, IBSI NI2N. Constant: NaN.
    """
    spread = np.sqrt(variance_of(c.p_x, c.levels) * variance_of(c.p_y, c.levels))
    return np.where(c.vary, c.covariance / spread, np.nan)


def difference_average(c: Cooccurrence) -> np.ndarray:
    """Sum of |i - j| p, or dissimilarity. Unit: level. IBSI TF7R (difference average) and 8S9J (dissimilarity). Constant: 0."""
    return c.p_diff @ c.k_diff


def difference_entropy(c: Cooccurrence) -> np.ndarray:
    """-sum of p_diff log2 p_diff. Unit: bit. Haralick f11, IBSI NTRS. Constant: 0."""
    return entropy_of(c.p_diff)


def difference_variance(c: Cooccurrence) -> np.ndarray:
    """Variance of |i - j|. Unit: level squared. Haralick f10, IBSI D3YU. Constant: 0."""
    return variance_of(c.p_diff, c.k_diff)


def energy(c: Cooccurrence) -> np.ndarray:
    """Sum of p^2, the angular second moment. Unit: none, above 0 to 1. Haralick f1, IBSI 8ZQL. Constant: 1."""
    return c.over_pairs(c.p ** 2)


def entropy(c: Cooccurrence) -> np.ndarray:
    """-sum of p log2 p. Unit: bit. Haralick f9, IBSI TU9B. Constant: 0."""
    return c.entropies[2]


def information_correlation_1(c: Cooccurrence) -> np.ndarray:
    """(H - H_x - H_y) / max(H_x, H_y), H the entropies of p, p_x and p_y: HXY1 of Haralick is H_x + H_y.

    Unit: none, -1 (j follows from i) to 0 (independent). Haralick f12, IBSI R8DG. Constant: NaN.
    """
    h_x, h_y, _ = c.entropies
    larger = np.maximum(h_x, h_y)
    return np.where(larger > 0, -c.information / larger, np.nan)


def information_correlation_2(c: Cooccurrence) -> np.ndarray:
    """sqrt(1 - exp(-2 (H_x + H_y - H))), entropies in bits, as IBSI and IBEX have it: HXY2 of Haralick is H_x + H_y.

    Unit: none, 0 (independent) to below 1. Haralick f13, IBSI JN9H. Constant: 0.
    """
    return np.sqrt(1 - np.exp(-2 * c.information))


def inverse_difference(c: Cooccurrence) -> np.ndarray:
    """Sum of p / (1 + |i - j|). Unit: none, above 0 to 1. IBSI IB1Z. Constant: 1."""
    return c.p_diff @ (1 / (1 + c.k_diff))


def inverse_difference_moment(c: Cooccurrence) -> np.ndarray:
    """Sum of p / (1 + (i - j)^2). Unit: none, above 0 to 1. Haralick f5, IBSI WF0Z. Constant: 1."""
    return c.p_diff @ (1 / (1 + c.k_diff ** 2))


def inverse_difference_moment_normalised(c: Cooccurrence) -> np.ndarray:
    """Sum of p / (1 + ((i - j) / N)^2). Unit: none, above 0.5 to 1. IBSI 1QCO. Constant: 1."""
    return c.p_diff @ (1 / (1 + (c.k_diff / c.scale) ** 2))


def inverse_difference_normalised(c: Cooccurrence) -> np.ndarray:
    """Sum of p / (1 + |i - j| / N). Unit: none, above 0.5 to 1. IBSI NDRX. Constant: 1."""
    return c.p_diff @ (1 / (1 + c.k_diff / c.scale))


def inverse_variance(c: Cooccurrence) -> np.ndarray:
    """Sum over i unlike j of p / (i - j)^2. Unit: none, 0 to 1. IBSI E8JP. Constant: 0."""
    return c.p_diff[:, 1:] @ (1 / c.k_diff[1:] ** 2)


def joint_average(c: Cooccurrence) -> np.ndarray:
    """Mean of i, m_x. Unit: level. IBSI 60VM. Constant: g."""
    return c.m_x


def joint_variance(c: Cooccurrence) -> np.ndarray:
    """Variance of i. Unit: level squared. Haralick f4, IBSI UR99. Constant: 0."""
    return variance_of(c.p_x, c.levels)


def maximum_probability(c: Cooccurrence) -> np.ndarray:
    """The largest p. Unit: none, above 0 to 1. IBSI GYBY. Constant: 1."""
    return c.maximum


def sum_average(c: Cooccurrence) -> np.ndarray:
    """Mean of i + j. Unit: level. Haralick f6, IBSI ZGXS. Constant: 2 g."""
    return c.m_x + c.m_y


def sum_entropy(c: Cooccurrence) -> np.ndarray:
    """-sum of p_sum log2 p_sum. Unit: bit. Haralick f8, IBSI P6QZ. Constant: 0."""
    return c.sum_entropy


def sum_variance_about_entropy(c: Cooccurrence) -> np.ndarray:
    """Sum of (k - sum entropy)^2 p_sum: Haralick's f7 as it was printed, with f8 where the average is meant.

    Unit: level squared. IBEX SumVariance; IBSI's sum variance is `cluster_tendency`. Constant: 4 g squared.
    """
    return (c.p_sum * (c.k_sum - c.sum_entropy[:, None]) ** 2).sum(axis=1)
