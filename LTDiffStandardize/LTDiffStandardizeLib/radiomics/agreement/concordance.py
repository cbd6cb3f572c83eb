"""How well two measurements of the same regions agree, feature by feature."""
from __future__ import annotations

from typing import NamedTuple

import numpy as np


def lin_ccc(x: np.ndarray, y: np.ndarray) -> np.ndarray | float:
    """Lin's concordance correlation coefficient along the first axis.

    2 cov(x, y) / (var x + var y + (mean x - mean y)^2) with population moments (ddof 0); Lin 1989, Biometrics 45:255.
    Where x and y are both constant: 1 if they are equal, else NaN. NaN for fewer than two regions and wherever a value
    is NaN.

    Args
        x, y: (regions,) or (regions, features), same shape.

    Returns float or (features,).
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if x.shape != y.shape:
        raise ValueError(f"lin_ccc compares arrays of one shape, got {x.shape} and {y.shape}.")
    if len(x) < 2:
        return np.full(x.shape[1:], np.nan)[()]
    with np.errstate(invalid="ignore", divide="ignore"):
        x_mean, y_mean = x.mean(axis=0), y.mean(axis=0)
        covariance = ((x - x_mean) * (y - y_mean)).mean(axis=0)
        ccc = 2.0 * covariance / (x.var(axis=0) + y.var(axis=0) + (x_mean - y_mean) ** 2)
        both_constant = (np.ptp(x, axis=0) == 0) & (np.ptp(y, axis=0) == 0)
    return np.where(both_constant, np.where(x[0] == y[0], 1.0, np.nan), ccc)[()]


def icc_3_1(x: np.ndarray, y: np.ndarray) -> np.ndarray | float:
    """Intraclass correlation of two fixed measurements, single and for consistency, along the first axis: ICC(3,1).

    (MSR - MSE) / (MSR + MSE), the mean squares of the regions and of what is left after regions and measurements; Shrout and Fleiss
    1979 (Psychol Bull 86:420), ICC(C,1) of McGraw and Wong 1996. Unlike the CCC it does not see a constant offset. 1 where y is x plus a
    constant, even where both are constant; NaN for fewer than two regions and wherever a value is NaN.

    Args
        x, y: (regions,) or (regions, features), same shape.

    Returns float or (features,), -1 to 1.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if len(x) < 2:
        return np.full(x.shape[1:], np.nan)[()]
    between, difference = ((x + y) / 2).var(axis=0, ddof=1) * 2, (x - y).var(axis=0, ddof=1) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        icc = (between - difference) / (between + difference)
    constant = (np.ptp(x, axis=0) == 0) & (np.ptp(y, axis=0) == 0)
    return np.where(constant, 1.0, icc)[()]


class LimitsOfAgreement(NamedTuple):
    """Bland and Altman 1986 (Lancet 327:307); floats or (features,), in the unit of the feature."""

    bias: np.ndarray | float  # mean of x - y
    low: np.ndarray | float   # bias - 1.96 SD of x - y (ddof 1)
    high: np.ndarray | float  # bias + 1.96 SD


def bland_altman(x: np.ndarray, y: np.ndarray) -> LimitsOfAgreement:
    """Bias and 95 % limits of agreement of x with y along the first axis; NaN wherever a value is, the limits for one region too."""
    difference = np.asarray(x, dtype=float) - np.asarray(y, dtype=float)
    if not len(difference):
        return LimitsOfAgreement(*(np.full(difference.shape[1:], np.nan)[()] for _ in range(3)))
    bias = difference.mean(axis=0)
    half = 1.96 * difference.std(axis=0, ddof=1) if len(difference) > 1 else np.full(difference.shape[1:], np.nan)[()]
    return LimitsOfAgreement(bias, bias - half, bias + half)


def relative_error(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """|x - y| / |y|, the paper's relative error of x with y as the standard; no unit; NaN where y is 0 or either is NaN."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(y != 0, np.abs(x - y) / np.abs(y), np.nan)
