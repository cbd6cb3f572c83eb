"""In which direction the image changes within the slices."""
from __future__ import annotations

from typing import Sequence

import numpy as np


def orientations(values: np.ndarray, mask: np.ndarray, spacing_xy: Sequence[float] = (1.0, 1.0)) -> np.ndarray:
    """(n,) float64: degrees in [0, 180) of the masked voxels that have a gradient.

    The gradient is the central difference along rows and columns, one-sided at the border of the box, divided by the spacing; it may
    read neighbours outside the mask, and where one is no number there is no gradient. Dark-to-bright and bright-to-dark edges count
    alike. None for a box one pixel wide.

    values: (z, y, x); mask: bool, same shape; spacing_xy: of columns and rows.
    """
    if min(values.shape[1:]) < 2:
        return np.empty(0)
    along_x = _gradient(values, 2)[mask].astype(np.float64) / spacing_xy[0]
    along_y = _gradient(values, 1)[mask].astype(np.float64) / spacing_xy[1]
    changing = ((along_x != 0) | (along_y != 0)) & np.isfinite(along_x) & np.isfinite(along_y)
    with np.errstate(divide="ignore"):
        angles = np.degrees(np.arctan(along_y[changing] / along_x[changing]))
    angles[angles < 0] += 180.0
    angles[angles >= 180.0] = 0.0  # a tiny negative angle, rounded: the same orientation as 0
    return angles


def _gradient(values: np.ndarray, axis: int) -> np.ndarray:
    """np.gradient along one axis; halves of whole numbers below 2^23 are exact in the float32 that it then has."""
    found = np.empty(values.shape, np.float64 if values.dtype == np.float64 else np.float32)
    values, gradient, kind = np.moveaxis(values, axis, 0), np.moveaxis(found, axis, 0), found.dtype
    np.subtract(values[2:], values[:-2], out=gradient[1:-1], dtype=kind)  # in floats: two 16-bit integers may lie too far apart
    gradient[1:-1] *= 0.5
    np.subtract(values[1], values[0], out=gradient[0], dtype=kind)
    np.subtract(values[-1], values[-2], out=gradient[-1], dtype=kind)
    return found
