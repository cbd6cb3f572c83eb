"""How well the features of a volume agree with those of its reference, over regions.

The figure is Lin's concordance correlation coefficient (CCC) of each feature across the regions of one HU range; a
class is summarised by mean and standard deviation over its features, with an interval from a bootstrap that draws whole
patients. This is the group-wise comparison; `one_to_one` has the figures of each feature.
"""
from __future__ import annotations

from collections import Counter
from typing import Mapping, Sequence

import numpy as np

from ..features import FeatureTable
from ..regions import Region
from .bootstrap import DRAWS, bootstrap_weights, class_means, interval
from .concordance import lin_ccc

FEWEST_UNITS = 3
"""Of the bootstrap (patients, or regions of one patient): fewer make hardly any unlike draws, so that there is no interval."""
FEWEST_REGIONS = 10
"""Of a HU range: from fewer its CCC cannot be relied on."""


def agreement_table(features_by_method: Mapping[str, FeatureTable], reference: FeatureTable,
                    regions: Sequence[Region], draws: int = DRAWS, seed: int = 0) -> list[dict]:
    """One row per method, HU range and feature class, in the order in which they first occur.

    Args
        features_by_method: {method: features}, the features of that method's volume in every region.
        reference: features of the reference volume in the same regions.
        regions: list of Region; `hu_range` labels the rows, `group` clusters the bootstrap.
        draws, seed: of the bootstrap, which gives no interval (NaN) where there are fewer than `FEWEST_UNITS`.

    Returns list of dicts with keys
        method, regions (range label), feature_class;
        ccc_mean, ccc_sd (ddof 0) over the features of the class; ccc_low, ccc_high: 90 % interval of ccc_mean;
        share_085, share_090: share of the features with a CCC of at least 0.85 and 0.90;
        n_features: features that entered; n_left_out: those without a CCC (undefined in a region); n_regions.
    """
    rows = []
    for method, features in features_by_method.items():
        for label, feature_class, mine, standard, weights in cells(features, reference, regions, draws, seed):
            ccc = lin_ccc(mine, standard)
            entered = np.isfinite(ccc)
            low, high = interval(class_means(weights, mine[:, entered], standard[:, entered]))
            ccc = ccc[entered]
            rows.append({
                "method": method, "regions": label, "feature_class": feature_class,
                "ccc_mean": _mean(ccc), "ccc_sd": float(ccc.std()) if ccc.size else float("nan"),
                "ccc_low": low, "ccc_high": high,
                "share_085": _mean(ccc >= 0.85), "share_090": _mean(ccc >= 0.90),
                "n_features": int(entered.sum()), "n_left_out": int((~entered).sum()), "n_regions": len(mine),
            })
    return rows


def paired_difference(features_a: FeatureTable, features_b: FeatureTable, reference: FeatureTable,
                      regions: Sequence[Region], draws: int = DRAWS, seed: int = 0) -> list[dict]:
    """Mean CCC of method A minus that of method B, with an interval from the same draws for both.

    Features enter that have a CCC for both methods. Returns a list of dicts per HU range and class with keys regions,
    feature_class, difference, low, high (90 % interval), n_features, n_regions.
    """
    cells_a = cells(features_a, reference, regions, draws, seed)
    cells_b = cells(features_b, reference, regions, draws, seed)
    rows = []
    for (label, feature_class, a, standard, weights), (_, _, b, _, _) in zip(cells_a, cells_b):
        ccc_a, ccc_b = lin_ccc(a, standard), lin_ccc(b, standard)
        entered = np.isfinite(ccc_a) & np.isfinite(ccc_b)
        a, b, standard = a[:, entered], b[:, entered], standard[:, entered]
        low, high = interval(class_means(weights, a, standard) - class_means(weights, b, standard))
        rows.append({
            "regions": label, "feature_class": feature_class,
            "difference": _mean(ccc_a[entered] - ccc_b[entered]), "low": low, "high": high,
            "n_features": int(entered.sum()), "n_regions": len(a),
        })
    return rows


def cells(features: FeatureTable, reference: FeatureTable, regions: Sequence[Region], draws: int = DRAWS, seed: int = 0):
    """Per HU range and class: (range label, class, values, reference values, bootstrap weights); values are (regions, features)."""
    if not len(features) == len(reference) == len(regions):
        raise ValueError(f"Features of {len(features)} and {len(reference)} regions were given for {len(regions)}.")
    if features.names != reference.names:
        raise ValueError("The two tables hold different features.")
    for label in dict.fromkeys(region.hu_range for region in regions):
        where = [index for index, region in enumerate(regions) if region.hu_range == label]
        groups = [regions[index].group for index in where]
        weights = bootstrap_weights(groups, draws if _units(groups) >= FEWEST_UNITS else 0, seed)
        for feature_class, columns in reference.classes().items():
            yield label, feature_class, features.values[where, columns], reference.values[where, columns], weights


def few_regions(regions: Sequence[Region]) -> dict[str, int]:
    """{HU range: number of its regions}, of the ranges that have fewer than `FEWEST_REGIONS`."""
    counts = Counter(region.hu_range for region in regions)
    return {label: count for label, count in counts.items() if count < FEWEST_REGIONS}


def few_regions_warning(regions: Sequence[Region]) -> str:
    """One sentence that names the ranges of `few_regions`; "" where there is none."""
    told = ", ".join(f"{label} ({count})" for label, count in few_regions(regions).items())
    return told and (f"Fewer than {FEWEST_REGIONS} regions lie in {told}, so the CCC there cannot be relied on and counts for no "
                     "method; measure more regions or more patients.")  # fmt: skip


def _units(groups: Sequence[str]) -> int:
    """What the bootstrap draws: patients, or the regions of one."""
    patients = len(set(groups))
    return patients if patients > 1 else len(groups)


def _mean(values):
    return float(np.mean(values)) if len(values) else float("nan")
