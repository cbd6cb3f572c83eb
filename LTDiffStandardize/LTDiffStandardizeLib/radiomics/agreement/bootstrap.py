"""Intervals from a bootstrap that draws whole patients."""
from __future__ import annotations

from typing import Sequence

import numpy as np

INTERVAL = (5.0, 95.0)  # percentiles of the bootstrap: a 90 % interval
DRAWS = 500

# Below this, a variance of values scaled to +-1 is rounding error.
_ZERO = 1e-14


def bootstrap_weights(groups: Sequence[str], draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """(draws, regions): how often each region enters a draw; groups are drawn whole, or regions when there is one."""
    labels, members = np.unique(groups, return_inverse=True)
    if len(labels) == 1:
        members = np.arange(len(groups))
    units = members.max() + 1
    counts = np.random.default_rng(seed).multinomial(units, np.full(units, 1.0 / units), size=draws)
    return counts[:, members].astype(float)


def ccc_draws(weights: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(draws, features): Lin's CCC in every draw, as `lin_ccc` has it. One matrix product per moment, no loop over draws.

    weights: (draws, regions). x, y: (regions, features), all finite.
    """
    if len(x) < 2 or x.shape[1] == 0:
        return np.full((len(weights), x.shape[1]), np.nan)
    # The CCC does not change when both are shifted and scaled alike; small numbers keep E[x^2] - E[x]^2 exact.
    x, y = x - y[0], y - y[0]
    scale = np.maximum(np.abs(x).max(axis=0), np.abs(y).max(axis=0))
    scale[scale == 0] = 1.0
    x, y = x / scale, y / scale

    weights = weights / weights.sum(axis=1, keepdims=True)
    x_mean, y_mean = weights @ x, weights @ y
    variances = weights @ (x * x + y * y) - x_mean ** 2 - y_mean ** 2
    covariance = weights @ (x * y) - x_mean * y_mean
    offset = (x_mean - y_mean) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        ccc = 2.0 * covariance / (variances + offset)
    return np.where(variances <= _ZERO, np.where(offset <= _ZERO, 1.0, np.nan), ccc)


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
