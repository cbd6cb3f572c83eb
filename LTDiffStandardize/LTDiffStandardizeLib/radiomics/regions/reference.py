"""The image on which masks are drawn: smoothed, and limited to the patient."""
from __future__ import annotations

from typing import Sequence

import numpy as np

# Standard deviation of the Gaussian that takes the noise of a sharp kernel (60-110 HU) below about 10 HU while ribs
# stay visible. In millimetres, so that thick slices are not mixed with their neighbours.
SMOOTHING_SIGMA_MM = 1.5

# The body is found on every fourth pixel; its outline need not be finer.
_COARSE = 4
_SOLID_HU = -400.0     # between lung or foam and soft tissue
_FREE_AIR_HU = -950.0  # between free air and lung


def smooth(hu: np.ndarray, spacing_mm: Sequence[float], padding: np.ndarray | None = None) -> np.ndarray:
    """Gaussian-smoothed HU, float32, so that masks follow anatomy and not the noise of one kernel.

    Args
        hu: (z, y, x) HU; spacing_mm: (x, y, z); padding: bool (z, y, x), True outside the field of view, or None.
            Padding takes no part in the average and comes back as NaN, which lies in no HU range.
    """
    from scipy.ndimage import gaussian_filter

    sigma = [SMOOTHING_SIGMA_MM / step for step in reversed(spacing_mm)]
    values = np.asarray(hu, dtype=np.float32)
    if padding is None or not padding.any():
        return gaussian_filter(values, sigma, truncate=3.0)
    inside = (~padding).astype(np.float32)
    smoothed = gaussian_filter(values * inside, sigma, truncate=3.0)
    weight = gaussian_filter(inside, sigma, truncate=3.0)
    smoothed[~padding] /= weight[~padding]
    smoothed[padding] = np.nan
    return smoothed


def region_reference(hu: np.ndarray, spacing_mm: Sequence[float], padding: np.ndarray | None = None) -> np.ndarray:
    """`smooth`, with NaN outside the body: no region is drawn on the couch, on clothes or in free air."""
    smoothed = smooth(hu, spacing_mm, padding)
    smoothed[~body_mask(smoothed)] = np.nan
    return smoothed


def body_mask(smoothed: np.ndarray) -> np.ndarray:
    """Bool (z, y, x): in every slice the largest object above -400 HU with its cavities, such as the lungs.

    Sheets thinner than about 8 mm, such as couch tops, are cut off first. Where the field of view cuts through the
    body, its edge closes the outline.
    """
    from scipy import ndimage

    coarse = smoothed[:, ::_COARSE, ::_COARSE]
    body = np.zeros(coarse.shape, dtype=bool)
    for index, plane in enumerate(coarse):
        edge_of_view = ~ndimage.binary_erosion(np.isfinite(plane), np.ones((3, 3)))
        solid = ndimage.binary_opening(plane > _SOLID_HU) | edge_of_view & (plane > _FREE_AIR_HU)
        objects, count = ndimage.label(solid)
        if count:
            largest = 1 + np.argmax(np.bincount(objects.ravel())[1:])
            body[index] = ndimage.binary_fill_holes(objects == largest)
    full = body.repeat(_COARSE, axis=1).repeat(_COARSE, axis=2)
    return full[:, :smoothed.shape[1], :smoothed.shape[2]]
