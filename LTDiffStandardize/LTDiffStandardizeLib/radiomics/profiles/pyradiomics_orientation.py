"""Gradient orientation (GOH): in which direction the image changes within the slices."""

import numpy as np

from ..matrices.orientation import orientations

PERCENTILES = (10, 25, 50, 75, 90)
FEATURES = tuple(f"Percentile{p}" for p in PERCENTILES) + (
    "Mean", "StandardDeviation", "MeanAbsoluteDeviation", "InterquartileRange", "Skewness", "Kurtosis")


def orientation_features(hu_crop, mask_crop, spacing_xyz):
    """Eleven statistics of the in-plane gradient orientation over the voxels of a mask.

    Of `orientations`, whose voxels without a gradient are left out. Where none remains (an empty mask, a constant region, a
    crop one pixel wide) all features are NaN; Skewness and Kurtosis are NaN, too, where all orientations are the same.

    Args
        hu_crop: (z, y, x) HU; mask_crop: bool, same shape; spacing_xyz: mm.

    Returns Percentile10 to Percentile90, Mean, StandardDeviation, MeanAbsoluteDeviation, InterquartileRange in degrees,
    Skewness and Kurtosis (3 for a Gaussian) without unit. The statistics are linear, not circular, as in IBEX.
    """
    angles = orientations(np.asarray(hu_crop), mask_crop, spacing_xyz[:2])
    if angles.size == 0:
        return dict.fromkeys(FEATURES, float("nan"))
    percentiles = np.percentile(angles, PERCENTILES)
    distance = angles - angles.mean()
    variance = np.mean(distance ** 2)
    values = [*percentiles, angles.mean(), np.sqrt(variance), np.mean(np.abs(distance)),
              percentiles[3] - percentiles[1],
              np.mean(distance ** 3) / variance ** 1.5 if variance else np.nan,
              np.mean(distance ** 4) / variance ** 2 if variance else np.nan]
    return dict(zip(FEATURES, map(float, values)))

