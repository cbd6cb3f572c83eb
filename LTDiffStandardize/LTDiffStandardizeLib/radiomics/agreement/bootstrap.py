"""Intervals from a bootstrap that draws whole patients."""
from __future__ import annotations

from typing import Sequence

import numpy as np

INTERVAL = (5.0, 95.0)  # percentiles of the bootstrap: a 90 % interval
DRAWS = 500

_DOUBTFUL = 1e-6  # share of the second moment below which a variance is computed from the values themselves
_VALUES_AT_ONCE = 1 << 20


def bootstrap_weights(groups: Sequence[str], draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """(draws, regions): how often each region enters a draw; groups are drawn whole, or regions when there is one."""
    labels, members = np.unique(groups, return_inverse=True)
    if len(labels) == 1:
        members = np.arange(len(groups))
    units = members.max() + 1
    counts = np.random.default_rng(seed).multinomial(units, np.full(units, 1.0 / units), size=draws)
    return counts[:, members].astype(float)


def ccc_draws(weights: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(draws, features): Lin's CCC in every draw, as `lin_ccc` has it; NaN in a draw of one region, which tells no agreement.

    One matrix product per moment, no loop over draws. They are taken around a middle value of each feature, so that draws
    without its outliers lose no digits to these; where the variance is small beside the second moment even so, it is computed
    anew from the values themselves.

    weights: (draws, regions). x, y: (regions, features), all finite.
    """
    several = np.count_nonzero(weights, axis=1) > 1
    weights = weights / weights.sum(axis=1, keepdims=True)
    middle = len(x) // 2
    x_middle, y_middle = np.partition(x, middle, axis=0)[middle], np.partition(y, middle, axis=0)[middle]
    u, v = x - x_middle, y - y_middle
    u_mean, v_mean = weights @ u, weights @ v
    second = weights @ (u * u + v * v)
    variances = second - u_mean ** 2 - v_mean ** 2
    gap = u_mean - v_mean + (x_middle - y_middle)
    ccc = _ccc(weights @ (u * v) - u_mean * v_mean, variances, gap)
    ccc[~several] = np.nan
    doubtful = (variances <= _DOUBTFUL * second) & (second > 0)
    doubtful[~several] = False
    draws, columns = np.nonzero(doubtful)
    at_once = 1 + _VALUES_AT_ONCE // len(x)
    for start in range(0, len(draws), at_once):
        draw, column = draws[start:start + at_once], columns[start:start + at_once]
        ccc[draw, column] = _ccc_of_rows(weights[draw], x.T[column], y.T[column])
    return ccc


def _ccc_of_rows(weights: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(rows,): Lin's CCC of each row of x and y, around its own means, of the values that are drawn. All (rows, regions)."""
    rows = np.arange(len(x)), weights.argmax(axis=1)
    x_one, y_one = x[rows], y[rows]  # a drawn value: where all are the same, differences from it are 0 and not rounding
    u, v = np.where(weights > 0, x - x_one[:, None], 0.0), np.where(weights > 0, y - y_one[:, None], 0.0)
    u_mean, v_mean = (weights * u).sum(axis=1), (weights * v).sum(axis=1)
    gap = u_mean - v_mean + (x_one - y_one)
    u, v = u - u_mean[:, None], v - v_mean[:, None]
    return _ccc((weights * u * v).sum(axis=1), (weights * (u * u + v * v)).sum(axis=1), gap)


def _ccc(covariance: np.ndarray, variances: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """Lin's CCC from population moments; without any variance 1 where the means are equal, else NaN. variances: their sum."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ccc = 2.0 * covariance / (variances + gap ** 2)
    constant = variances == 0
    ccc[constant] = np.where(gap[constant] == 0, 1.0, np.nan)
    return ccc


def class_means(weights: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(draws,): mean of `ccc_draws` over the features; NaN in a draw in which no feature has a CCC."""
    ccc = ccc_draws(weights, x, y)
    defined = np.isfinite(ccc)
    with np.errstate(invalid="ignore"):
        return np.where(defined, ccc, 0.0).sum(axis=1) / defined.sum(axis=1)


def interval(samples: np.ndarray) -> tuple[float, float]:
    """`INTERVAL` of the finite samples; NaN where there are none."""
    samples = samples[np.isfinite(samples)]
    if not samples.size:
        return float("nan"), float("nan")
    return tuple(float(limit) for limit in np.percentile(samples, INTERVAL))
