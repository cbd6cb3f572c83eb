"""Regions from DICOM Segmentation (SEG) and RT Structure Set (RTSTRUCT) objects, placed by geometry alone."""
from __future__ import annotations

from pathlib import Path
from typing import Iterator, Sequence

import numpy as np

from ...errors import InputError
from ...volumes.volume import CTVolume
from .region import Region
from .shapes import voxel_coordinates

SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
ON_THE_GRID = 0.05  # of a voxel
ON_A_SLICE = 0.1  # of the slice distance
SAME_DIRECTION = 1e-3


def regions_from_dicom(path: str | Path, volume: CTVolume, hu_range: str = "tumour", group: str = "") -> list[Region]:
    """One region for every segment of a SEG file or every ROI of an RTSTRUCT file that marks a voxel.

    A binary segment is taken as it is, a fractional one where it reaches half of its maximum (DICOM PS3.3 C.8.20.2); its frames must lie
    on the voxels of the volume. Closed planar contours (PS3.3 C.8.8.6) hold the voxels whose centres lie inside; where contours of one
    ROI overlap in a slice they exclude each other, so that an inner one is a hole.

    Raises InputError where the file is neither, is damaged, does not fit the volume, or marks nothing.
    """
    import pydicom

    path = Path(path)
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True)
        kind = str(header.get("SOPClassUID", ""))
        if kind == STRUCTURE_SET:
            masks = list(_structures(header, volume))
        elif kind == SEGMENTATION:
            masks = list(_segments(path, header, volume))
        else:
            raise _Misfit(f"it is a {header.get('Modality', 'file')} of another kind, neither a segmentation nor a structure set")
    except _Misfit as misfit:
        raise InputError(f"The regions in {path.name} cannot be used on {volume.name}: {misfit}; export them again from this volume as DICOM SEG, "
                         "RTSTRUCT or a label map.") from misfit  # fmt: skip
    except Exception as error:  # a damaged object fails in as many ways as it has elements
        raise InputError(f"The regions in {path.name} cannot be read ({type(error).__name__}: {error}); export them again.") from error
    if not masks:
        raise InputError(f"{path.name} marks no voxel of {volume.name}; draw a region in it, or choose the file of this volume.")
    what = "RTSTRUCT" if kind == STRUCTURE_SET else "SEG"
    return [Region(f"{name} {number}", hu_range, what, box, mask, group) for number, name, box, mask in masks]


class _Misfit(Exception):
    """Why an object cannot be laid on a volume."""


def _segments(path: Path, header, volume: CTVolume) -> Iterator[tuple[int, str, tuple, np.ndarray]]:
    import pydicom

    names = {int(item.SegmentNumber): str(item.get("SegmentLabel", "segment")) for item in header.SegmentSequence}
    frames = int(header.NumberOfFrames)
    if (header.Rows, header.Columns) != volume.hu.shape[1:]:
        raise _Misfit(f"its frames have {header.Rows} x {header.Columns} pixels, the slices {volume.hu.shape[1]} x {volume.hu.shape[2]}")
    if frames > len(names) * len(volume.hu):
        raise _Misfit(f"it has {frames} frames for {len(names)} segments of {len(volume.hu)} slices")
    if header.SegmentationType not in ("BINARY", "FRACTIONAL"):
        raise _Misfit(f"segments of the type {header.SegmentationType} are not supported")
    half = 1 if header.SegmentationType == "BINARY" else int(header.MaximumFractionalValue) / 2
    where = [_frame(header, item, volume) for item in header.PerFrameFunctionalGroupsSequence]
    pixels = pydicom.dcmread(path).pixel_array.reshape(frames, *volume.hu.shape[1:])
    for number, name in names.items():
        planes: dict[int, np.ndarray] = {}
        for (segment, index), frame in zip(where, pixels):
            if segment == number and (frame >= half).any():
                planes[index] = planes.get(index, False) | (frame >= half)
        if planes:
            yield number, name, *_boxed(planes)


def _frame(header, item, volume: CTVolume) -> tuple[int, int]:
    """(segment number, slice index) of one frame, from its own functional groups or those shared by all."""
    def group(sequence):
        for source in (item, *header.get("SharedFunctionalGroupsSequence", [])):
            if sequence in source:
                return source[sequence][0]
        raise _Misfit(f"a frame has no {sequence}")

    cosines = np.reshape(np.array(group("PlaneOrientationSequence").ImageOrientationPatient, float), (2, 3))
    if np.abs(cosines.T - volume.direction[:, :2]).max() > SAME_DIRECTION:
        raise _Misfit("its rows and columns run in other directions")
    spacing = np.array(group("PixelMeasuresSequence").PixelSpacing, float)[::-1]
    if np.abs(spacing * volume.hu.shape[:0:-1] - np.multiply(volume.spacing[:2], volume.hu.shape[:0:-1])).max() > ON_THE_GRID * min(volume.spacing):
        raise _Misfit(f"its pixels measure {spacing[0]:g} x {spacing[1]:g} mm")
    at = voxel_coordinates(volume, [np.array(group("PlanePositionSequence").ImagePositionPatient, float)])[0]
    index = int(np.rint(at[0]))
    if np.abs(at - (index, 0, 0)).max() > ON_THE_GRID or not 0 <= index < len(volume.hu):
        raise _Misfit("a frame lies beside the slices")
    return int(group("SegmentIdentificationSequence").ReferencedSegmentNumber), index


def _structures(header, volume: CTVolume) -> Iterator[tuple[int, str, tuple, np.ndarray]]:
    names = {int(item.ROINumber): str(item.get("ROIName", "ROI")) for item in header.StructureSetROISequence}
    for item in header.get("ROIContourSequence", []):
        number = int(item.ReferencedROINumber)
        planes: dict[int, np.ndarray] = {}
        for contour in item.get("ContourSequence", []):
            index, polygon = _contour(contour, names.get(number, "ROI"), volume)
            planes[index] = planes.get(index, False) ^ fill(polygon, volume.hu.shape[1:])
        planes = {index: plane for index, plane in planes.items() if plane.any()}
        if planes:
            yield number, names.get(number, "ROI"), *_boxed(planes)


def _contour(contour, name: str, volume: CTVolume) -> tuple[int, np.ndarray]:
    """The slice of a contour, and its (n, 2) points as (row, column)."""
    if contour.ContourGeometricType != "CLOSED_PLANAR":
        raise _Misfit(f"{name} has a contour of the type {contour.ContourGeometricType}, not CLOSED_PLANAR")
    points = voxel_coordinates(volume, np.reshape(np.array(contour.ContourData, float), (-1, 3)))
    index = int(np.rint(points[:, 0].mean()))
    if np.abs(points[:, 0] - index).max() > ON_A_SLICE:
        raise _Misfit(f"a contour of {name} lies between the slices or slopes across them")
    if not 0 <= index < len(volume.hu):
        raise _Misfit(f"a contour of {name} lies outside the slices")
    return index, points[:, 1:]


def fill(polygon: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Bool (rows, columns): pixels whose centres lie inside a closed polygon, (n, 2) points (row, column), by the even-odd rule."""
    inside = np.zeros(shape, bool)
    (y0, x0), (y1, x1) = polygon.T, np.roll(polygon, -1, axis=0).T
    first, last = max(0, int(np.ceil(y0.min()))), min(shape[0] - 1, int(np.floor(y0.max())))
    for row in range(first, last + 1):
        crossing = (y0 > row) != (y1 > row)
        at = np.sort(x0[crossing] + (row - y0[crossing]) / (y1[crossing] - y0[crossing]) * (x1[crossing] - x0[crossing]))
        for left, right in zip(at[::2], at[1::2]):
            inside[row, max(0, int(np.ceil(left))):max(0, int(np.floor(right)) + 1)] = True
    return inside


def _boxed(planes: dict[int, np.ndarray]) -> tuple[tuple[slice, slice, slice], np.ndarray]:
    """The smallest box around the marked pixels of some slices, and the mask in it."""
    marked = np.logical_or.reduce(list(planes.values()))
    rows, columns = (np.flatnonzero(marked.any(axis=axis)) for axis in (1, 0))
    first, last = min(planes), max(planes)
    box = (slice(first, last + 1), slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1))
    mask = np.zeros([limit.stop - limit.start for limit in box], bool)
    for index, plane in planes.items():
        mask[index - first] = plane[box[1:]]
    return box, mask
