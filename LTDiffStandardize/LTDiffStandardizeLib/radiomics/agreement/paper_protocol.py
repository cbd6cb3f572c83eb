"""The CCC as the paper words it: "of the radiomic features belonging to the same feature class", within one region.

It is secondary here. On raw values the feature with the largest numbers decides it, since the classes mix numbers of 0.001 with such of
a million; and a class whose features are nearly constants (percentiles of an angle) comes near 1 for any two images. Z-scored, a feature
counts by how much it differs between regions. arXiv 2410.04000, section IV.B, equation 1, with Lin's denominator where it has a product.
"""
from __future__ import annotations

from typing import Mapping, Sequence

import numpy as np

from ..features import FeatureTable
from ..regions import Region
from .classes import cells
from .concordance import lin_ccc


def paper_protocol(features_by_method: Mapping[str, FeatureTable], reference: FeatureTable, regions: Sequence[Region]) -> list[dict]:
    """One row per method, HU range and class, in the order in which they first occur.

    Returns dicts with keys method, regions, feature_class; ccc_raw_mean, ccc_raw_sd (ddof 0) over the regions of the CCC across the
    features of a class; ccc_z_mean, ccc_z_sd: the same after both volumes' values have been standardized by the reference's mean and SD
    over the regions, features without spread there left out; n_regions; n_features: those defined in all regions of both volumes, which
    alone enter. Figures are NaN for a class of fewer than two such features.
    """
    rows = []
    for method, features in features_by_method.items():
        for label, feature_class, mine, standard, _ in cells(features, reference, regions, draws=0):
            whole = np.isfinite(mine).all(axis=0) & np.isfinite(standard).all(axis=0)
            mine, standard = mine[:, whole], standard[:, whole]
            raw, scored = _across_features(mine, standard), _across_features(*_z_scored(mine, standard))
            rows.append({
                "method": method, "regions": label, "feature_class": feature_class,
                "ccc_raw_mean": _mean(raw), "ccc_raw_sd": _sd(raw), "ccc_z_mean": _mean(scored), "ccc_z_sd": _sd(scored),
                "n_regions": len(mine), "n_features": int(whole.sum()),
            })  # fmt: skip
    return rows


def _z_scored(mine: np.ndarray, standard: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean, sd = standard.mean(axis=0), standard.std(axis=0)
    spread = np.ptp(standard, axis=0) > 0
    return tuple(((values - mean)[:, spread] / sd[spread]) for values in (mine, standard))


def _across_features(mine: np.ndarray, standard: np.ndarray) -> np.ndarray:
    """(regions,) finite values only."""
    ccc = lin_ccc(mine.T, standard.T)
    return ccc[np.isfinite(ccc)]


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")


def _sd(values: np.ndarray) -> float:
    return float(values.std()) if values.size else float("nan")
