"""How the slices of a series stack up to a volume: their order, the grid, and when there is none.

File names, InstanceNumber, SliceLocation and SliceThickness are not asked: only ImagePositionPatient and
ImageOrientationPatient say where a slice lies (DICOM PS3.3 C.7.6.2.1.1).
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Sequence

import numpy as np

from .headers import SliceHeader

SAME_POSITION_MM = 1e-3
# Positions are often rounded to 0.1 mm. A missing slice puts its neighbours off an even grid by a third of a step or more.
UNEVEN_SHARE = 0.2
# Sideways drift over the whole stack, in pixels, below which the grid is right-angled for every use.
DRIFT_PIXELS = 0.5


@dataclass(frozen=True)
class StackGeometry:
    """The grid of a volume, in the terms of `CTVolume`."""

    spacing: tuple[float, float, float]
    origin: tuple[float, float, float]
    direction: np.ndarray


def in_order(slices: Iterable[SliceHeader]) -> list[SliceHeader]:
    """The slices by ascending position along the normal of their plane; equal positions by path."""
    slices = list(slices)
    normal = slices[0].normal
    return sorted(slices, key=lambda header: (float(normal @ header.position), str(header.path)))


def why_not_a_stack(slices: Sequence[SliceHeader]) -> str | None:
    """Why ordered slices of one plane are not a volume: cause and remedy, a piece of a sentence; None where they are one."""
    if len(slices) == 1:
        return None if _single_slice_distance(slices[0]) else "is one slice without SliceThickness; export it again with it"
    along, sideways = _displacements(slices)
    gaps = np.diff(along)
    if gaps.min() < SAME_POSITION_MM:
        return (f"has several slices at one position ({_at(slices[int(gaps.argmin())])}), as a time series or mixed reconstructions "
                "have; split it into one series for each")  # fmt: skip
    drift = float(np.abs(sideways).max())
    if drift > DRIFT_PIXELS * min(slices[0].pixel_spacing):
        tilt = slices[0].gantry_tilt
        cause = f"a gantry tilt of {tilt:g} degrees" if tilt else "as a gantry tilt does"
        return (f"has slices displaced sideways by up to {drift:.1f} mm ({cause}); resample it to a right-angled grid first, "
                "for example with the DICOM module of 3D Slicer (acquisition geometry regularization)")  # fmt: skip
    distance = (along[-1] - along[0]) / (len(slices) - 1)
    if np.abs(along - along[0] - distance * np.arange(len(slices))).max() > UNEVEN_SHARE * distance:
        widest = int(gaps.argmax())
        return (f"has uneven slice distances, {gaps.min():.4g} to {gaps.max():.4g} mm (widest after {_at(slices[widest])}), so slices "
                "are missing or several scans are mixed; export the whole series again or split it")  # fmt: skip
    return None


def stack_geometry(slices: Sequence[SliceHeader]) -> StackGeometry:
    """The grid of slices for which `why_not_a_stack` has no objection."""
    first = slices[0]
    row, column = np.array(first.orientation[:3]), np.array(first.orientation[3:])
    row /= np.linalg.norm(row)
    column -= (column @ row) * row
    column /= np.linalg.norm(column)
    if len(slices) == 1:
        distance = _single_slice_distance(first)
    else:
        along, _ = _displacements(slices)
        distance = float(along[-1] - along[0]) / (len(slices) - 1)
    between_rows, between_columns = first.pixel_spacing
    direction = np.column_stack([row, column, np.cross(row, column)])
    return StackGeometry((between_columns, between_rows, distance), first.position, direction + 0.0)  # + 0.0: no -0.0


def _displacements(slices: Sequence[SliceHeader]) -> tuple[np.ndarray, np.ndarray]:
    """From the first slice: along the normal (slices,), and within the plane (slices, 3); mm."""
    normal = slices[0].normal
    normal = normal / np.linalg.norm(normal)
    offsets = np.array([header.position for header in slices]) - np.array(slices[0].position)
    along = offsets @ normal
    return along, offsets - np.outer(along, normal)


def _single_slice_distance(header: SliceHeader) -> float | None:
    candidates = (header.spacing_between_slices, header.slice_thickness)
    return next((abs(value) for value in candidates if value), None)


def _at(header: SliceHeader) -> str:
    return f"{header.path.name} at {header.position[2]:g} mm"
