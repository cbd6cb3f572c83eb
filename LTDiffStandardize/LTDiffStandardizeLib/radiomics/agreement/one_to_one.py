"""Every feature by itself: the one-to-one comparison of the paper (section IV.B), beside the group-wise one of `classes`."""
from __future__ import annotations

import math
from typing import Mapping, NamedTuple, Sequence

import numpy as np

from ..features import FeatureTable
from ..regions import Region
from .bootstrap import DRAWS, INTERVAL, ccc_draws
from .classes import cells
from .concordance import bland_altman, icc_3_1, lin_ccc, relative_error

THRESHOLD = 0.85
"""CCC from which a feature counts as reproducible, as in Choe 2019 (Radiology 292:365) and Park 2019 (Korean J Radiol 20:1431)."""

FEATURE_AGREEMENT_KEYS = ("method", "regions", "feature_class", "feature", "ccc", "ccc_low", "ccc_high", "icc", "bias", "loa_low", "loa_high",
                          "relative_error", "n_regions", "n_defined")  # fmt: skip


def feature_agreement(features_by_method: Mapping[str, FeatureTable], reference: FeatureTable, regions: Sequence[Region],
                      draws: int = DRAWS, seed: int = 0) -> list[dict]:
    """One row per method, HU range and feature, in the order in which they first occur.

    Args as `agreement_table`. Returns dicts with the keys `FEATURE_AGREEMENT_KEYS`:
        ccc; ccc_low, ccc_high: its 90 % interval from the bootstrap of whole patients; icc: ICC(3,1);
        bias, loa_low, loa_high: mean difference from the reference and the limits of agreement, in the unit of the feature;
        relative_error: median over the regions of |value - reference| / |reference|;
        n_regions; n_defined: regions in which the feature is defined in both volumes. Where that is less than all of them, every
        figure is NaN, as such a feature is left out of the class tables.
    """
    rows = []
    for method, features in features_by_method.items():
        for label, feature_class, mine, standard, weights in cells(features, reference, regions, draws, seed):
            figures = _figures(mine, standard, weights)
            defined = (np.isfinite(mine) & np.isfinite(standard)).sum(axis=0)
            for column, feature in enumerate(reference.names_of(feature_class)):
                head = (method, label, feature_class, feature)
                rows.append(dict(zip(FEATURE_AGREEMENT_KEYS, (*head, *figures[:, column].tolist(), len(mine), int(defined[column])))))
    return rows


def _figures(mine: np.ndarray, standard: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(8, features): the figures from ccc to relative_error."""
    figures = np.full((8, mine.shape[1]), np.nan)
    whole = np.isfinite(mine).all(axis=0) & np.isfinite(standard).all(axis=0)
    if whole.any():
        mine, standard = mine[:, whole], standard[:, whole]
        low, high = _intervals(ccc_draws(weights, mine, standard))
        error = relative_error(mine, standard)
        median = np.full(error.shape[1], np.nan)
        known = np.isfinite(error).any(axis=0)
        median[known] = np.nanmedian(error[:, known], axis=0)
        figures[:, whole] = [lin_ccc(mine, standard), low, high, icc_3_1(mine, standard), *bland_altman(mine, standard), median]
    return figures


def _intervals(ccc: np.ndarray) -> np.ndarray:
    """(2, features): `INTERVAL` of the defined draws; NaN for a feature that has none."""
    intervals = np.full((2, ccc.shape[1]), np.nan)
    known = np.isfinite(ccc).any(axis=0)
    intervals[:, known] = np.nanpercentile(ccc[:, known], INTERVAL, axis=0)
    return intervals


class Trustworthy(NamedTuple):
    """(class, feature) of the features whose CCC reaches a threshold: after alone, before and after, before alone, never.

    undefined: those that have no CCC before or none after.
    """

    became: list[tuple[str, str]]
    stayed: list[tuple[str, str]]
    lost: list[tuple[str, str]]
    never: list[tuple[str, str]]
    undefined: list[tuple[str, str]]


def trustworthy(rows: Sequence[dict], before: str, after: str, threshold: float = THRESHOLD) -> dict[str, Trustworthy]:
    """{HU range: `Trustworthy`} from the rows of `feature_agreement`."""
    ccc: dict[tuple, dict[str, float]] = {}
    for row in rows:
        if row["method"] in (before, after):
            ccc.setdefault((row["regions"], row["feature_class"], row["feature"]), {})[row["method"]] = row["ccc"]
    found: dict[str, Trustworthy] = {}
    for (label, *name), of_method in ccc.items():
        lists = found.setdefault(label, Trustworthy([], [], [], [], []))
        getattr(lists, _kind(of_method[before], of_method[after], threshold)).append(tuple(name))
    return found


def _kind(before: float, after: float, threshold: float) -> str:
    """The field of `Trustworthy` for a feature of these CCC."""
    if not (math.isfinite(before) and math.isfinite(after)):
        return "undefined"
    if after >= threshold:
        return "stayed" if before >= threshold else "became"
    return "lost" if before >= threshold else "never"
