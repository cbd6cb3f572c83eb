"""Where a region lies, how large it is, and what HU it holds: a line for a table of regions."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...volumes.volume import CTVolume
from .region import Region


@dataclass(frozen=True)
class RegionFacts:
    """ml: volume. mean, sd (ddof 0), minimum, maximum: HU. centre_x, centre_y, centre_z: centroid of the mask, LPS mm."""

    region: str
    range: str
    kind: str
    voxels: int
    ml: float
    mean: float
    sd: float
    minimum: float
    maximum: float
    centre_x: float
    centre_y: float
    centre_z: float


def region_facts(region: Region, volume: CTVolume) -> RegionFacts:
    """The facts of a region with at least one voxel on the voxels of the volume."""
    values = region.crop(volume.hu)[region.mask].astype(np.float64)
    index_zyx = np.argwhere(region.mask).mean(axis=0) + [limit.start for limit in region.slices]
    centre = volume.origin + volume.direction @ (index_zyx[::-1] * volume.spacing)
    size = values.size * float(np.prod(volume.spacing)) / 1000
    statistics = (values.mean(), values.std(), values.min(), values.max())
    return RegionFacts(region.name, region.hu_range, region.kind, values.size, size, *map(float, (*statistics, *centre)))
