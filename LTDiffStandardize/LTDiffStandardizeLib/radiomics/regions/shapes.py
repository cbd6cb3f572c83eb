"""Regions from label maps and from shapes in the space of the patient."""
from __future__ import annotations

from dataclasses import replace
from typing import Iterable, Mapping, Sequence

import numpy as np

from ...errors import InputError
from ...volumes.volume import CTVolume
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
    low = np.clip(np.ceil(centre - radius_mm / steps), 0, shape).astype(int)
    high = np.clip(np.floor(centre + radius_mm / steps) + 1, 0, shape).astype(int)
    box = tuple(slice(int(a), int(max(a, b))) for a, b in zip(low, high))
    axes = np.ogrid[box]
    distance_squared = sum(((axis - c) * s) ** 2 for axis, c, s in zip(axes, centre, steps))
    mask = distance_squared <= radius_mm ** 2
    if not mask.any():
        raise InputError(f"The sphere '{name}' of {radius_mm:g} mm holds no voxel of the volume: move it inside or "
                         f"enlarge it.")
    return Region(name, hu_range, "sphere", box, mask, group)


def voxel_coordinates(volume: CTVolume, points: np.ndarray) -> np.ndarray:
    """(n, 3) fractional (slice, row, column) indices of (n, 3) points in LPS mm."""
    return ((np.asarray(points, float) - volume.origin) @ volume.direction / volume.spacing)[:, ::-1]


def region_from_box(volume: CTVolume, centre: Sequence[float], size: Sequence[float], axes: np.ndarray | None = None, name: str = "box",
                    hu_range: str = "tumour", group: str = "") -> Region:
    """Voxels whose centres lie in a box or on its faces, however box and volume are turned.

    Args
        centre: (3,) LPS mm. size: (3,) mm, whole lengths along the axes of the box.
        axes: (3, 3), the box's axes as columns, unit vectors in LPS; None: those of the patient.

    The box is cut at the borders of the volume. Raises InputError where no voxel centre lies in it.
    """
    centre, half = np.asarray(centre, float), np.asarray(size, float) / 2
    axes = np.eye(3) if axes is None else np.asarray(axes, float).reshape(3, 3)
    signs = np.stack(np.meshgrid(*[(-1, 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    corners = voxel_coordinates(volume, centre + (signs * half) @ axes.T)
    low = np.clip(np.ceil(corners.min(axis=0) - 1e-6), 0, volume.hu.shape).astype(int)
    high = np.clip(np.floor(corners.max(axis=0) + 1e-6) + 1, 0, volume.hu.shape).astype(int)
    slices = tuple(slice(int(a), int(max(a, b))) for a, b in zip(low, high))
    z, y, x = np.ogrid[slices]
    # Along each axis of the box, how far a voxel lies from its centre: linear in the three indices.
    steps = axes.T @ (volume.direction * volume.spacing)
    start = axes.T @ (np.asarray(volume.origin) - centre)
    mask = np.ones(np.broadcast_shapes(z.shape, y.shape, x.shape), bool)
    for plane, index in zip(mask, z.ravel()):  # slice by slice, since a box as large as the volume would need eight times its memory
        for (along_x, along_y, along_z), offset, limit in zip(steps, start, half):
            plane &= np.abs(along_x * x[0] + along_y * y[0] + (along_z * index + offset)) <= limit + 1e-6
    if not mask.any():
        raise InputError(f"The box '{name}' holds no voxel of {volume.name}: move it inside or enlarge it.")
    return Region(name, hu_range, "box", slices, mask, group)


def region_from_ball(volume: CTVolume, centre: Sequence[float], radius_mm: float, name: str = "sphere", hu_range: str = "tumour",
                     group: str = "") -> Region:
    """`region_from_sphere` of a volume, with the centre in LPS mm."""
    at = voxel_coordinates(volume, [centre])[0]
    return region_from_sphere(at, radius_mm, volume.spacing, volume.hu.shape, name, hu_range, group)


def whole_slices(volume: CTVolume, group: str = "") -> list[Region]:
    """One region for every slice, all of it: the level of the whole image in the paper's section IV.B."""
    rows, columns = volume.hu.shape[1:]
    mask = np.ones((1, rows, columns), bool)
    return [Region(f"slice {index + 1:03d}", "whole slice", "slice", (slice(index, index + 1), slice(0, rows), slice(0, columns)), mask, group)
            for index in range(len(volume.hu))]  # fmt: skip


def without_padding(regions: Iterable[Region], padding: np.ndarray | None) -> list[Region]:
    """The regions without voxels outside the field of view; those that hold nothing else are left out.

    padding: bool (z, y, x), or None where there is none.
    """
    if padding is None:
        return list(regions)
    cut = (replace(region, mask=region.mask & ~region.crop(padding)) if region.crop(padding).any() else region for region in regions)
    return [region for region in cut if region.mask.any()]
