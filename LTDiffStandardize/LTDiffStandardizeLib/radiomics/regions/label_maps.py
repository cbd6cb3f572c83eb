"""Regions from label maps in files, which must lie on the voxels of the volume that they mark."""
from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...errors import InputError
from ...volumes.image_files import read_volume_file
from ...volumes.volume import CTVolume, why_not_on_grid
from .region import Region
from .shapes import regions_from_label_map


@dataclass(frozen=True, eq=False)
class MarkedRegions:
    """The regions of one label map, and the map itself without its values, which says where it lies."""

    path: str
    grid: CTVolume
    regions: tuple[Region, ...]

    def why_not_on(self, volume: CTVolume) -> str | None:
        """One sentence; None where the map lies on the voxels of the volume."""
        cause = why_not_on_grid(self.grid, volume)
        return cause and (f"The label map {self.path} does not lie on the voxels of {volume.name}: {cause}; "
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
    named = tuple(replace(region, name=f"{stem} {region.name}" if len(regions) > 1 else stem) for region in regions)
    return MarkedRegions(path, replace(labels, hu=np.broadcast_to(np.int16(0), values.shape), padding=None), named)
