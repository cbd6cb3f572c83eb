"""Gradient orientation (GOH): in which direction the image changes within the slices."""

import numpy as np

PERCENTILES = (10, 25, 50, 75, 90)
FEATURES = tuple(f"Percentile{p}" for p in PERCENTILES) + (
    "Mean", "StandardDeviation", "MeanAbsoluteDeviation", "InterquartileRange", "Skewness", "Kurtosis")


def orientation_features(hu_crop, mask_crop, spacing_xyz):
    """Eleven statistics of the in-plane gradient orientation over the voxels of a mask.

    The gradient is the central difference along rows and columns (one-sided at the border of the crop), divided by the
    pixel spacing; it may read neighbours outside the mask. The orientation atan2(dy, dx) is taken modulo 180 degrees,
    so that dark-to-bright and bright-to-dark edges count alike (IBEX, GradientOrientHistogram). Voxels without a
    gradient have no orientation and are left out. Where none remains (an empty mask, a constant region, a crop one
    pixel wide) all features are NaN; Skewness and Kurtosis are NaN, too, where all orientations are the same.

    Args
        hu_crop: (z, y, x) HU; mask_crop: bool, same shape; spacing_xyz: mm.

    Returns Percentile10 to Percentile90, Mean, StandardDeviation, MeanAbsoluteDeviation, InterquartileRange in degrees,
    Skewness and Kurtosis (3 for a Gaussian) without unit. The statistics are linear, not circular, as in IBEX.
    """
    angles = _orientations(np.asarray(hu_crop), mask_crop, spacing_xyz)
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


def _orientations(hu, mask, spacing_xyz):
    """(n,) degrees in [0, 180) of the masked voxels with a gradient."""
    if min(hu.shape[1:]) < 2:
        return np.empty(0)
    along_x = np.gradient(hu, spacing_xyz[0], axis=2)[mask].astype(np.float64)
    along_y = np.gradient(hu, spacing_xyz[1], axis=1)[mask].astype(np.float64)
    changing = (along_x != 0) | (along_y != 0)
    angles = np.degrees(np.arctan2(along_y[changing], along_x[changing])) % 180.0
    # The remainder of a tiny negative angle rounds to 180, which is the same orientation as 0.
    angles[angles >= 180.0] = 0.0
    return angles
