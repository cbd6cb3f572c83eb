"""How well the features of a volume agree with those of its reference, over regions.

The figure is Lin's concordance correlation coefficient (CCC) of each feature across the regions of one HU range; a
class is summarised by mean and standard deviation over its features, with an interval from a bootstrap that draws whole
patients. Features come as `extract_many` returns them: one {class: {feature: value}} per region.
"""
from __future__ import annotations

from typing import Mapping, NamedTuple, Sequence

import numpy as np

from .pyradiomics_profile import Features
from .regions import Region

INTERVAL = (5.0, 95.0)  # percentiles of the bootstrap: a 90 % interval
DRAWS = 500

# Below this, a variance of values scaled to +-1 is rounding error.
_ZERO = 1e-14


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


def agreement_table(features_by_method: Mapping[str, Sequence[Features]], reference: Sequence[Features],
                    regions: Sequence[Region], draws: int = DRAWS, seed: int = 0) -> list[dict]:
    """One row per method, HU range and feature class, in the order in which they first occur.

    Args
        features_by_method: {method: features}, the features of that method's volume in every region.
        reference: features of the reference volume in the same regions.
        regions: list of Region; `hu_range` labels the rows, `group` clusters the bootstrap.
        draws, seed: of the bootstrap.

    Returns list of dicts with keys
        method, regions (range label), feature_class;
        ccc_mean, ccc_sd (ddof 0) over the features of the class; ccc_low, ccc_high: 90 % interval of ccc_mean;
        share_085, share_090: share of the features with a CCC of at least 0.85 and 0.90;
        n_features: features that entered; n_left_out: those without a CCC (undefined in a region); n_regions.
    """
    rows = []
    for method, features in features_by_method.items():
        for label, feature_class, mine, standard, weights in _cells(features, reference, regions, draws, seed):
            ccc = lin_ccc(mine, standard)
            entered = np.isfinite(ccc)
            low, high = _interval(_class_means(weights, mine[:, entered], standard[:, entered]))
            ccc = ccc[entered]
            rows.append({
                "method": method, "regions": label, "feature_class": feature_class,
                "ccc_mean": _mean(ccc), "ccc_sd": float(ccc.std()) if ccc.size else float("nan"),
                "ccc_low": low, "ccc_high": high,
                "share_085": _mean(ccc >= 0.85), "share_090": _mean(ccc >= 0.90),
                "n_features": int(entered.sum()), "n_left_out": int((~entered).sum()), "n_regions": len(mine),
            })
    return rows


def paired_difference(features_a: Sequence[Features], features_b: Sequence[Features], reference: Sequence[Features],
                      regions: Sequence[Region], draws: int = DRAWS, seed: int = 0) -> list[dict]:
    """Mean CCC of method A minus that of method B, with an interval from the same draws for both.

    Features enter that have a CCC for both methods. Returns a list of dicts per HU range and class with keys regions,
    feature_class, difference, low, high (90 % interval), n_features, n_regions.
    """
    cells_a = _cells(features_a, reference, regions, draws, seed)
    cells_b = _cells(features_b, reference, regions, draws, seed)
    rows = []
    for (label, feature_class, a, standard, weights), (_, _, b, _, _) in zip(cells_a, cells_b):
        ccc_a, ccc_b = lin_ccc(a, standard), lin_ccc(b, standard)
        entered = np.isfinite(ccc_a) & np.isfinite(ccc_b)
        a, b, standard = a[:, entered], b[:, entered], standard[:, entered]
        low, high = _interval(_class_means(weights, a, standard) - _class_means(weights, b, standard))
        rows.append({
            "regions": label, "feature_class": feature_class,
            "difference": _mean(ccc_a[entered] - ccc_b[entered]), "low": low, "high": high,
            "n_features": int(entered.sum()), "n_regions": len(a),
        })
    return rows


class SDRatio(NamedTuple):
    """Standard deviation in the regions, relative to the reference's."""

    median: float    # median over the regions; 1 where noise and texture have the reference's strength
    log_sd: float    # SD (ddof 0) over the regions of the ratio's natural logarithm: 0.1 is about 10 %
    n_regions: int   # regions in which both volumes vary


def sd_ratio(volume_hu: np.ndarray, reference_hu: np.ndarray, regions: Sequence[Region]) -> SDRatio:
    """`SDRatio` of two volumes (z, y, x) HU; NaN where no region varies in both."""
    pairs = np.array([[region.crop(hu)[region.mask].std(dtype=float) for hu in (volume_hu, reference_hu)]
                      for region in regions]).reshape(-1, 2)
    pairs = pairs[(pairs > 0).all(axis=1)]
    if not len(pairs):
        return SDRatio(float("nan"), float("nan"), 0)
    ratio = pairs[:, 0] / pairs[:, 1]
    return SDRatio(float(np.median(ratio)), float(np.log(ratio).std()), len(ratio))


def _cells(features, reference, regions, draws, seed):
    """Per range and class: (range label, class, values, reference values, bootstrap weights)."""
    if not len(features) == len(reference) == len(regions):
        raise ValueError(f"Features of {len(features)} and {len(reference)} regions were given for {len(regions)}.")
    for label in dict.fromkeys(region.hu_range for region in regions):
        where = [index for index, region in enumerate(regions) if region.hu_range == label]
        weights = _bootstrap_weights([regions[index].group for index in where], draws, seed)
        for feature_class, names in reference[where[0]].items():
            mine, standard = (np.array([[source[index][feature_class][name] for name in names] for index in where])
                              for source in (features, reference))
            yield label, feature_class, mine, standard, weights


def _bootstrap_weights(groups, draws, seed):
    """(draws, regions): how often each region enters a draw; groups are drawn whole, or regions when there is one."""
    labels, members = np.unique(groups, return_inverse=True)
    if len(labels) == 1:
        members = np.arange(len(groups))
    units = members.max() + 1
    counts = np.random.default_rng(seed).multinomial(units, np.full(units, 1.0 / units), size=draws)
    return counts[:, members].astype(float)


def _class_means(weights, x, y):
    """(draws,): mean over the features of the CCC in every draw. One matrix product per moment, no loop over draws."""
    if len(x) < 2 or x.shape[1] == 0:
        return np.full(len(weights), np.nan)
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
    ccc = np.where(variances <= _ZERO, np.where(offset <= _ZERO, 1.0, np.nan), ccc)

    defined = np.isfinite(ccc)
    with np.errstate(invalid="ignore"):
        return np.where(defined, ccc, 0.0).sum(axis=1) / defined.sum(axis=1)


def _interval(samples):
    samples = samples[np.isfinite(samples)]
    if not samples.size:
        return float("nan"), float("nan")
    return tuple(float(limit) for limit in np.percentile(samples, INTERVAL))


def _mean(values):
    return float(np.mean(values)) if len(values) else float("nan")
