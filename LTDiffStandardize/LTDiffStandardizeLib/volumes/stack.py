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
MOST_NAMED = 3  # gaps in a sentence


@dataclass(frozen=True)
class StackGeometry:
    """The grid of a volume, in the terms of `CTVolume`."""

    spacing: tuple[float, float, float]
    origin: tuple[float, float, float]
    direction: np.ndarray


def in_order(slices: Iterable[SliceHeader]) -> list[SliceHeader]:
    """The slices by ascending position along the normal of their plane; equal positions by path and frame."""
    slices = list(slices)
    normal = slices[0].normal
    return sorted(slices, key=lambda header: (float(normal @ header.position), str(header.path), header.frame or 0))


def why_not_a_stack(slices: Sequence[SliceHeader]) -> str | None:
    """Why ordered slices of one plane are not a volume: cause and remedy, a piece of a sentence; None where they are one."""
    if len(slices) == 1:
        return None if _single_slice_distance(slices[0]) else "is one slice without SliceThickness; export it again with it"
    along, sideways = _displacements(slices)
    return why_overlaid(slices) or _drifting(slices, sideways) or _uneven(slices, along)


def why_overlaid(slices: Sequence[SliceHeader]) -> str | None:
    """What is wrong, a piece of a sentence, where ordered slices of one plane lie at one position; None where none do."""
    doubled = np.flatnonzero(np.diff(_displacements(slices)[0]) < SAME_POSITION_MM)
    if not len(doubled):
        return None
    first, second = slices[doubled[0]], slices[doubled[0] + 1]
    others = f", and {len(doubled) - 1} more" if len(doubled) > 1 else ""
    return (f"has several slices at one position ({first.place} and {second.path.name}{others}), as a time series, mixed "
            "reconstructions or slices sent twice have; split it into one series for each")  # fmt: skip


def _drifting(slices: Sequence[SliceHeader], sideways: np.ndarray) -> str | None:
    drift = float(np.abs(sideways).max())
    if drift <= DRIFT_PIXELS * min(slices[0].pixel_spacing):
        return None
    tilt = slices[0].gantry_tilt
    cause = f"a gantry tilt of {tilt:g} degrees" if tilt else "as a gantry tilt does"
    return (f"has slices displaced sideways by up to {drift:.1f} mm from {slices[0].place} to {slices[-1].place} ({cause}); resample it "
            "to a right-angled grid first, for example with the DICOM module of 3D Slicer (acquisition geometry regularization)")  # fmt: skip


def _uneven(slices: Sequence[SliceHeader], along: np.ndarray) -> str | None:
    gaps, distance = np.diff(along), (along[-1] - along[0]) / (len(slices) - 1)
    if np.abs(along - along[0] - distance * np.arange(len(slices))).max() <= UNEVEN_SHARE * distance:
        return None
    step = float(np.median(gaps))
    missing = np.rint(gaps / step) - 1
    wide = [f"{slices[index].position[2]:g} and {slices[index + 1].position[2]:g} mm" for index in np.flatnonzero(gaps > (1 + UNEVEN_SHARE) * step)]
    between = ", ".join(wide[:MOST_NAMED]) + (f" and {len(wide) - MOST_NAMED} more gaps" if len(wide) > MOST_NAMED else "")
    if wide and np.abs(gaps - (missing + 1) * step).max() <= UNEVEN_SHARE * step:
        return (f"lacks {int(missing.sum())} of {len(slices) + int(missing.sum())} slices {step:.4g} mm apart (between {between}); "
                "export the whole series again, or split it at the gap")  # fmt: skip
    return (f"has uneven slice distances, {gaps.min():.4g} to {gaps.max():.4g} mm (widest between {_widest(slices, gaps)}), so slices "
            "are missing or several scans are mixed; export the whole series again or split it")  # fmt: skip


def _widest(slices: Sequence[SliceHeader], gaps: np.ndarray) -> str:
    widest = int(gaps.argmax())
    return f"{slices[widest].position[2]:g} and {slices[widest + 1].position[2]:g} mm"


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
