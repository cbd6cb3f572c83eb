"""Which voxels lie outside the scanner's field of view: filled in by the scanner, not measured.

Scanners reconstruct a circle and fill the rest of the square: GE with -3024, -2000 or -1500 HU, Toshiba with -2048, some
Siemens with -8192. Air itself is clipped, at -1024 (Siemens, Philips) or -1000 (Philips), so those values alone mean nothing.
Three rules tell padding from clipped air and from dark streaks in the body:

- declared: within PixelPaddingValue .. PixelPaddingRangeLimit (DICOM PS3.3 C.7.5.1.1.2), unless air or tissue can have such
  values, and connected to the border of the slice;
- below air: a corner of the slice is constant at a value below -1024 HU; all voxels connected to the border and within
  16 HU of that value (lossy compression blurs it);
- at the floor of air: the volume's minimum is between -1024 and -1000 HU, and a solid area that begins in a corner, lies
  outside the circle inscribed in a square slice and has exactly this value in all slices. That is how Siemens and Philips
  show what lies outside the scan circle when a chest is reconstructed wide or off-centre. Noise in air never looks like it.
"""
from __future__ import annotations

from typing import Sequence

import numpy as np

LOWEST_AIR, HIGHEST_FLOOR, HIGHEST_TISSUE = -1024, -1000, 4095  # HU
LOSSY_TOLERANCE = 16  # HU
CORNER_SHARE = 32  # a corner block is 1/32 of the side: 16 pixels of 512, well outside the inscribed circle


def padding_mask(hu: np.ndarray, declared: Sequence[tuple[float, float] | None] | None = None) -> np.ndarray | None:
    """(slices, rows, columns) bool, read-only, True in padding; None where there is none.

    hu: (slices, rows, columns). declared: a slice's lowest and highest padding value in HU, None for none.
    Where all slices are padded alike, as is usual, the mask is one slice, broadcast, and costs no memory.
    """
    shared, mask = None, None
    at_floor = _at_floor(hu)
    for index, values in enumerate(hu):
        padded = at_floor | _beyond_air(values, declared[index] if declared else None)
        if shared is None:
            shared = padded
        if mask is None and not np.array_equal(padded, shared):
            mask = np.empty(hu.shape, bool)
            mask[:index] = shared
        if mask is not None:
            mask[index] = padded
    mask = np.broadcast_to(shared, hu.shape) if mask is None else mask
    mask.flags.writeable = False
    return mask if mask.any() else None


def _beyond_air(values: np.ndarray, declared: tuple[float, float] | None) -> np.ndarray:
    """The first two rules, for one slice."""
    padded = np.zeros(values.shape, bool)
    if declared and (declared[1] < LOWEST_AIR or declared[0] > HIGHEST_TISSUE):
        padded |= (values >= declared[0]) & (values <= declared[1])
    for block in _corners(values):
        value = np.median(block)
        if value < LOWEST_AIR and np.abs(block - value).max() <= LOSSY_TOLERANCE:
            padded |= np.abs(values - np.float32(value)) <= LOSSY_TOLERANCE
            break
    edge = np.zeros(values.shape, bool)
    edge[[0, -1], :] = edge[:, [0, -1]] = True
    return _connected(padded, edge)


def _at_floor(hu: np.ndarray) -> np.ndarray:
    """The third rule: (rows, columns), for all slices alike."""
    from scipy.ndimage import binary_opening

    rows, columns = hu.shape[1:]
    nowhere = np.zeros((rows, columns), bool)
    floor = hu.min()
    if rows != columns or not LOWEST_AIR <= floor <= HIGHEST_FLOOR:
        return nowhere
    from_centre = np.arange(rows) - (rows - 1) / 2
    constant = np.hypot(from_centre[:, None], from_centre) > rows / 2
    for values in hu:
        constant &= values == floor
    corners = nowhere.copy()
    for block, corner in zip(_corners(constant), _corners(corners)):
        corner[...] = block.all()
    # Beyond the edge counts as constant too, so that the opening does not eat the border.
    solid = binary_opening(np.pad(constant, 2, mode="edge"), np.ones((3, 3), bool))[2:-2, 2:-2]
    return _connected(solid & constant, corners)


def _corners(values: np.ndarray) -> list[np.ndarray]:
    rows, columns = (max(2, side // CORNER_SHARE) for side in values.shape)
    return [values[:rows, :columns], values[:rows, -columns:], values[-rows:, :columns], values[-rows:, -columns:]]


def _connected(mask: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """The parts of the mask that hold a seed."""
    from scipy.ndimage import label

    if not (mask & seeds).any():
        return np.zeros(mask.shape, bool)
    regions, count = label(mask)
    held = np.zeros(count + 1, bool)
    held[regions[seeds]] = True
    held[0] = False
    return held[regions]
