"""What of a volume standardization does not change but features depend on: contrast medium and metal."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..model.protocols import probe_indices
from ..volumes.volume import CTVolume

METAL_HU = 2900
"""Above what bone reaches: 1,904 HU in real patients with soft and sharp kernels, 2,852 (one voxel) in a chest phantom with a
sharp one, where edges overshoot; below where 12 bits end (3,071 HU, 2,976 of some scanners). Tooth enamel may reach it, and small
clips may not: the one bright spot of a patient (13 voxels above 2,000 HU, 0.03 mL) peaks at 2,855."""
SLICES, CELL_MM = 16, 2.6
BODY_HU = -300
ENHANCED = (130.0, 375.0)
"""HU of blood with contrast medium. Unenhanced blood ends at 70; the solid bone of a phantom begins at 383."""
MOST_SPREAD = 15.0
"""HU among neighbouring cell means: 5 to 10 within large vessels, more in marrow and at borders."""
RIM_HU, RIM_CELLS, MOST_RIM = 80.0, 3, 0.6
"""Marrow is enclosed by harder bone within 8 mm on 81 to 100 % of its rim, an aorta beside a spine on 47 to 56 % (one on 81 %)."""


@dataclass(frozen=True)
class Enhanced:
    """Blood-like tissue with contrast medium: the volume that was found for sure, mL, and its median, HU (None of nothing)."""

    volume_ml: float
    hu: float | None


def metal_ml(volume: CTVolume) -> float:
    """Volume of all voxels from 2,900 HU on, mL, those in padding left out."""
    count = 0
    for index, image in enumerate(volume.hu):
        if image.max() >= METAL_HU:
            bright = image >= METAL_HU
            count += np.count_nonzero(bright if volume.padding is None else bright & ~volume.padding[index])
    return float(count * np.prod(volume.spacing) / 1000)


def enhanced(volume: CTVolume) -> Enhanced | None:
    """Homogeneous regions of 130 to 375 HU at least 13 mm wide, that no harder bone encloses, in slices spread over the volume.

    A lower bound: rims and vessels narrower than that are not counted. None where the pixels or slices are too few or too large.
    """
    cell = round(CELL_MM / max(volume.spacing[:2]))
    if cell < 1 or min(volume.hu.shape[1:]) < 16 * cell:
        return None
    indices = probe_indices(len(volume.hu), SLICES)
    found = np.concatenate([_enhanced_cells(volume.hu[index], cell) for index in indices])
    each = cell**2 * float(np.prod(volume.spacing)) / 1000 * len(volume.hu) / len(indices)
    return Enhanced(len(found) * each, float(np.median(found)) if len(found) else None)


def _enhanced_cells(image: np.ndarray, cell: int) -> np.ndarray:
    """Mean HU of the cells of a slice in which enhanced blood was found."""
    from scipy.ndimage import binary_dilation, binary_opening, label, maximum_filter, uniform_filter

    rows, columns = (size // cell for size in image.shape)
    means = image[: rows * cell, : columns * cell].reshape(rows, cell, columns, cell).mean((1, 3), dtype=np.float32)
    local = uniform_filter(means, 3)
    spread = np.sqrt(np.maximum(uniform_filter(means**2, 3) - local**2, 0) * 9 / 8)
    calm = (spread < MOST_SPREAD) & (local > ENHANCED[0]) & (local < ENHANCED[1])
    square = np.ones((3, 3), bool)
    regions, count = label(binary_opening(calm & _body(means), square))
    harder, kept = maximum_filter(means, 2 * RIM_CELLS + 1), np.zeros(means.shape, bool)
    for number in range(1, count + 1):
        region = binary_dilation(regions == number, square)
        rim = binary_dilation(region) & ~region
        if np.mean(harder[rim] > np.median(means[region]) + RIM_HU) < MOST_RIM:
            kept |= region
    return means[kept]


def _body(means: np.ndarray) -> np.ndarray:
    """The largest connected thing in a slice, so that the table is none of it."""
    from scipy.ndimage import binary_opening, label

    things, count = label(binary_opening(means > BODY_HU, np.ones((3, 3), bool)))
    return things == np.argmax(np.bincount(things.ravel())[1:]) + 1 if count else things > 0
