"""Regions as a label map, to be shown on the slices."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..radiomics.regions import Region
from ..volumes.volume import CTVolume


def label_volume(regions: Sequence[Region], volume: CTVolume) -> CTVolume:
    """On the grid of the volume: k in the k-th region (from 1), 0 elsewhere; where regions overlap the first has the voxel."""
    labels = np.zeros(volume.hu.shape, np.int16)
    for number, region in reversed(list(enumerate(regions, 1))):
        region.crop(labels)[region.mask] = number
    return CTVolume(labels, volume.spacing, volume.origin, volume.direction, name="regions")
