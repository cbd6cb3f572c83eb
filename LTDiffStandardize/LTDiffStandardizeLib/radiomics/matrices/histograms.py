"""Counts of values in bins, and what is read from them.

Each function gives one float (percentile_areas: one a percentage). An empty histogram has none: NaN. Sources: the IBSI reference
manual, section 3.4, whose codes are given, and IBEX.
"""
from __future__ import annotations

from typing import Sequence

import numpy as np

from .cooccurrence import entropy_of
from .levels import nearest_bins


def nearest_counts(values: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """(bins,) int: values by the nearest of evenly spaced centres, see `nearest_bins`."""
    return np.bincount(nearest_bins(values, centres[0], centres[1] - centres[0], len(centres)), minlength=len(centres))


def percentile_areas(counts: np.ndarray, centres: np.ndarray, percents: Sequence[float]) -> np.ndarray:
    """Where the cumulated histogram reaches each percentage, between the centres of its bins. Unit: value. IBEX PercentileArea.

    Of bins with one cumulated share the first stands for it; in particular 0 % lies at the first bin, however far from the values.
    A percentage below the share of that bin has no place: NaN. Constant: between the first bin and that of v, in proportion.
    """
    if not counts.sum():
        return np.full(len(percents), np.nan)
    shares = np.cumsum(counts) * (100 / counts.sum())
    rises = counts > 0
    rises[0] = True
    return np.interp(percents, shares[rises], centres[rises], left=np.nan)


def entropy(counts: np.ndarray) -> float:
    """-sum of p log2 p. Unit: bit. IBSI TLU2; IBEX GlobalEntropy. Constant: 0."""
    return float(entropy_of(counts / counts.sum())) if counts.sum() else np.nan


def uniformity(counts: np.ndarray) -> float:
    """Sum of p^2. Unit: none, above 0 to 1. IBSI BJ5W; IBEX GlobalUniformity. Constant: 1."""
    return float(((counts / counts.sum()) ** 2).sum()) if counts.sum() else np.nan


def mode(counts: np.ndarray) -> float:
    """Position of the fullest bin, from 1; of equal ones the one nearest the mean, then the lower. Unit: level. IBSI AMMC. Constant: 1."""
    if not counts.sum():
        return np.nan
    positions = np.arange(1.0, len(counts) + 1)
    fullest = positions[counts == counts.max()]
    return float(fullest[np.argmin(np.abs(fullest - counts @ positions / counts.sum()))])


def gradients(counts: np.ndarray) -> tuple[float, float, float, float]:
    """Steepest rise and its position from 1, steepest fall and its position; central differences, one-sided at the ends.

    Unit: voxels per level, and level. IBSI 12CE, 8E6O, VQB3, RHQZ. One bin: 0, 1, 0, 1.
    """
    if not len(counts):
        return (np.nan,) * 4
    slope = np.gradient(counts.astype(np.float64)) if len(counts) > 1 else np.zeros(1)
    rise, fall = int(slope.argmax()), int(slope.argmin())
    return float(slope[rise]), rise + 1.0, float(slope[fall]), fall + 1.0
