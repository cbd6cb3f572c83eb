"""Statistics of the intensity histogram: voxels counted in bins of fixed width with an edge at 0 HU."""

import numpy as np


def histogram_features(values, bin_width=25.0):
    """Seven statistics of the binned values, none of which depends on where the bins are anchored.

    Variance, Skewness, Kurtosis (3 for a Gaussian), MeanAbsoluteDeviation (from the mean) and MedianAbsoluteDeviation
    (mean distance from the median) are those of the bin numbers; MaximumGradient and MinimumGradient are the steepest
    rise and fall of the histogram per bin, as a share of the voxels so that they do not grow with the region.
    IBSI reference manual, section 3.4 (DIUX, 88K1, C3I7, D2ZX, 4RNL, 12CE, VQB3); IBSI's Kurtosis is 3 lower and its
    gradients are in voxels. Skewness and Kurtosis of a constant region are 0, as in PyRadiomics.

    Args
        values: (n,) HU, n >= 1.
        bin_width: HU.
    """
    levels = np.floor(np.asarray(values, dtype=np.float64) / bin_width).astype(np.int64)
    levels -= levels.min()
    share = np.bincount(levels) / levels.size
    number = np.arange(share.size)
    distance = number - share @ number
    variance = share @ distance ** 2
    gradient = np.gradient(share) if share.size > 1 else np.zeros(1)
    return {
        "Variance": float(variance),
        "Skewness": float(share @ distance ** 3 / variance ** 1.5) if variance else 0.0,
        "Kurtosis": float(share @ distance ** 4 / variance ** 2) if variance else 0.0,
        "MeanAbsoluteDeviation": float(share @ np.abs(distance)),
        "MedianAbsoluteDeviation": float(share @ np.abs(number - np.median(levels))),
        "MaximumGradient": float(gradient.max()),
        "MinimumGradient": float(gradient.min()),
    }
