"""Regions from label maps in files, which must lie on the voxels of the volume that they mark."""
from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np

from ...errors import InputError
from ...volumes.image_files import read_volume_file
from ...volumes.volume import CTVolume
from .region import Region
from .shapes import regions_from_label_map

TOLERANCE_VOXELS = 0.05  # far below what shifts a mask, far above the single precision of NIfTI


@dataclass(frozen=True)
class MarkedRegions:
    """The regions of one label map and where its grid lies: its shape and its corners (8, 3), LPS mm."""

    path: str
    shape: tuple[int, ...]
    corners: np.ndarray
    regions: tuple[Region, ...]

    def why_not_on(self, volume: CTVolume) -> str | None:
        """One sentence; None where the map lies on the voxels of the volume."""
        if self.shape != volume.hu.shape:
            cause = "it has {} x {} x {} slices, rows and columns, not {} x {} x {}".format(*self.shape, *volume.hu.shape)
        else:
            distance = float(np.linalg.norm(self.corners - _corners(volume), axis=1).max())
            if distance <= TOLERANCE_VOXELS * min(volume.spacing):
                return None
            cause = f"its corners lie up to {distance:.3g} mm off"
        return (f"The label map {self.path} does not lie on the voxels of {volume.name}: {cause}; "
                "export it again with the CT volume as its reference geometry.")  # fmt: skip


def read_regions(path: str) -> MarkedRegions:
    """Raises InputError where the file is no image of whole numbers, or marks nothing."""
    labels = read_volume_file(path, Path(path).name)
    values = np.rint(labels.hu).astype(np.int32)
    if not np.array_equal(values, labels.hu):
        raise InputError(f"{path} holds fractions, not labels; give a label map of whole numbers, 0 outside the regions.")
    regions = regions_from_label_map(np.maximum(values, 0))
    if not regions:
        raise InputError(f"{path} marks no region, all its voxels are 0; give a label map with at least one region.")
    stem = Path(path).name.split(".")[0]
    named = tuple(replace(region, name=f"{stem} {region.name}") for region in regions)
    return MarkedRegions(path, values.shape, _corners(labels), named)


def _corners(volume: CTVolume) -> np.ndarray:
    indices = np.array(list(product(*((0, size - 1) for size in volume.hu.shape[::-1]))))
    return volume.origin + (indices * volume.spacing) @ volume.direction.T
