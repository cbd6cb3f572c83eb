"""Volumes turned so that their slices are axial, however they were stored: scanners reconstruct axial slices, and kernels act in them."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .volume import CTVolume

Turn = Callable[[np.ndarray], np.ndarray]


def axial(volume: CTVolume) -> tuple[CTVolume, Turn]:
    """A view of the volume with slices towards the head, rows towards the back and columns towards the left (the order of LPS), and how
    arrays of its shape are turned back. Axes are swapped and flipped, never resampled; of oblique ones the nearest are taken.

    Where anything had to be turned, the view has no DICOM source, whose slices it does not follow.
    """
    index_axes = _nearest_axes(volume.direction)
    signs = [1.0 if volume.direction[axis, index_axes[axis]] >= 0 else -1.0 for axis in range(3)]
    if index_axes == [0, 1, 2] and min(signs) > 0:
        return volume, lambda values: values
    order = [2 - index_axes[axis] for axis in (2, 1, 0)]  # arrays are (z, y, x), directions (x, y, z)
    flipped = tuple(number for number, axis in enumerate((2, 1, 0)) if signs[axis] < 0)
    turned = lambda values: np.flip(np.transpose(values, order), flipped)
    back = lambda values: np.transpose(np.flip(values, flipped), np.argsort(order))
    direction = np.column_stack([sign * volume.direction[:, axis] for sign, axis in zip(signs, index_axes)])
    spacing = tuple(volume.spacing[axis] for axis in index_axes)
    sizes = [volume.hu.shape[2 - axis] for axis in index_axes]
    origin = np.array(volume.origin)
    for size, step, axis, sign in zip(sizes, spacing, index_axes, signs):
        if sign < 0:
            origin += (size - 1) * step * volume.direction[:, axis]
    padding = None if volume.padding is None else turned(volume.padding)
    return replace(volume, hu=turned(volume.hu), spacing=spacing, origin=tuple(origin), direction=direction, padding=padding, source=None), back


def _nearest_axes(direction: np.ndarray) -> list[int]:
    """For each of the patient's axes x, y, z the index axis that runs along it; along z first, then along y."""
    left, found = {0, 1, 2}, {}
    for axis in (2, 1, 0):
        # Rounded, so that of two that are as near it is the same one however the volume was stored.
        found[axis] = max(sorted(left), key=lambda index: round(abs(float(direction[axis, index])), 6))
        left.remove(found[axis])
    return [found[0], found[1], found[2]]
