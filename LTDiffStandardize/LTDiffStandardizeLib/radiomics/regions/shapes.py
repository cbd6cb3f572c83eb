"""Regions from label maps and from shapes in the space of the patient."""
from __future__ import annotations

from typing import Mapping, Sequence

import numpy as np

from ...errors import InputError
from .region import Region


def regions_from_label_map(labels: np.ndarray, names: Mapping[int, str] | None = None, hu_range: str = "tumour",
                           group: str = "") -> list[Region]:
    """One region per positive label of an integer array (z, y, x); `names` maps labels to region names."""
    from scipy.ndimage import find_objects

    regions = []
    for label, box in enumerate(find_objects(np.asarray(labels)), 1):
        if box is not None:
            name = (names or {}).get(label, f"label {label:03d}")
            regions.append(Region(name, hu_range, "label", box, labels[box] == label, group))
    return regions


def region_from_sphere(centre_zyx: Sequence[float], radius_mm: float, spacing_mm: Sequence[float],
                       shape: Sequence[int], name: str = "sphere", hu_range: str = "tumour",
                       group: str = "") -> Region:
    """Voxels whose centres lie within `radius_mm` of `centre_zyx` (voxel coordinates, fractions allowed).

    The sphere is cut at the borders of `shape` (z, y, x). Raises InputError when no voxel centre lies in it.
    """
    steps = np.array(spacing_mm[::-1], dtype=float)
    centre = np.asarray(centre_zyx, dtype=float)
    low = np.maximum(0, np.ceil(centre - radius_mm / steps)).astype(int)
    high = np.minimum(shape, np.floor(centre + radius_mm / steps) + 1).astype(int)
    box = tuple(slice(int(a), int(max(a, b))) for a, b in zip(low, high))
    axes = np.ogrid[box]
    distance_squared = sum(((axis - c) * s) ** 2 for axis, c, s in zip(axes, centre, steps))
    mask = distance_squared <= radius_mm ** 2
    if not mask.any():
        raise InputError(f"The sphere '{name}' of {radius_mm:g} mm holds no voxel of the volume: move it inside or "
                         f"enlarge it.")
    return Region(name, hu_range, "sphere", box, mask, group)
