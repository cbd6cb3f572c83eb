"""Regions from DICOM Segmentation (SEG) and RT Structure Set (RTSTRUCT) objects, placed by geometry alone."""
from __future__ import annotations

from pathlib import Path
from typing import Callable, Iterator, Sequence

import numpy as np

from ...errors import InputError
from ...volumes.volume import CTVolume
from .region import Region
from .shapes import voxel_coordinates

SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
ON_THE_GRID = 0.05  # of a voxel
ON_A_SLICE = 0.1  # of the slice distance
SAME_DIRECTION, SAME_SPACING = 1e-3, 1e-3  # to say what differs; whether a frame fits its corners decide
CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
ROUNDING = 1e-6  # of a pixel, of where an edge meets a row


def regions_from_dicom(path: str | Path, volume: CTVolume, hu_range: str = "tumour", group: str = "") -> list[Region]:
    """One region for every segment of a SEG file or every ROI of an RTSTRUCT file that marks a voxel.

    A binary segment is taken as it is, a fractional one where it reaches half of its maximum (DICOM PS3.3 C.8.20.2); its frames must lie
    on the voxels of the volume, whose rows and columns may run the other way. Closed planar contours (PS3.3 C.8.8.6) hold the voxels whose
    centres lie inside or on a contour; what two contours of one ROI hold in a slice belongs to neither, so that an inner one is a hole.
    Points, such as an isocentre, mark no voxel and are passed over.

    Raises InputError where the file is neither, is damaged, does not fit the volume, or marks nothing; a region that skips every other
    slice or more was drawn on thicker slices and does not fit.
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
            what = getattr(header.get("SOPClassUID"), "name", "not named")
            raise _Misfit(f"its kind is {what}, and only structure sets and binary or fractional segmentations are read")
    except _Misfit as misfit:
        raise InputError(f"The regions in {path.name} cannot be used on {volume.name}: {misfit}; export them again from this volume as DICOM SEG, "
                         "RTSTRUCT or a label map.") from misfit  # fmt: skip
    except Exception as error:  # a damaged object fails in as many ways as it has elements
        raise InputError(f"The regions in {path.name} cannot be read ({type(error).__name__}: {error}); export them again.") from error
    if not masks:
        raise InputError(f"{path.name} marks no voxel of {volume.name}, as single points do not; draw a region, or choose the file of this volume.")
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
    if len(header.PerFrameFunctionalGroupsSequence) != frames:
        raise _Misfit(f"it says of {len(header.PerFrameFunctionalGroupsSequence)} of its {frames} frames where they lie")
    half = 1 if header.SegmentationType == "BINARY" else int(header.MaximumFractionalValue) / 2
    where = [_frame(header, item, volume) for item in header.PerFrameFunctionalGroupsSequence]
    frame_of = _frames(pydicom.dcmread(path), frames, volume.hu.shape[1:])
    for number, name in names.items():
        planes: dict[int, np.ndarray] = {}
        for position, (segment, index, way) in enumerate(where):
            if segment == number and (marked := frame_of(position)[way] >= half).any():
                planes[index] = planes.get(index, False) | marked
        if planes:
            yield number, name, *_boxed(name, planes)


def _frames(data, frames: int, shape: tuple[int, int]) -> Callable[[int], np.ndarray]:
    """A function that gives one frame of the pixel data by its position, (rows, columns)."""
    if data.BitsAllocated != 1 or data.file_meta.TransferSyntaxUID.is_encapsulated:
        pixels = data.pixel_array.reshape(frames, *shape)
        return lambda position: pixels[position]
    # Frames follow each other bit by bit, the lowest bit of a byte first (PS3.5 8.1.1). Only one at a time is unpacked, since many segments
    # of a long series would fill the memory.
    packed, size = np.frombuffer(data.PixelData, np.uint8), shape[0] * shape[1]

    def unpacked(position):
        first, last = position * size, (position + 1) * size
        bits = np.unpackbits(packed[first // 8:-(-last // 8)], bitorder="little")
        return bits[first % 8:first % 8 + size].reshape(shape)

    return unpacked


def _frame(header, item, volume: CTVolume) -> tuple[int, int, tuple[slice, slice]]:
    """(segment number, slice index, index that turns the frame the way of the slice), from the frame's functional groups or the shared ones."""
    def group(sequence):
        for source in (item, *header.get("SharedFunctionalGroupsSequence", [])):
            if sequence in source:
                return source[sequence][0]
        raise _Misfit(f"a frame has no {sequence}")

    cosines = np.reshape(np.array(group("PlaneOrientationSequence").ImageOrientationPatient, float), (2, 3)).T
    signs = np.where((cosines * volume.direction[:, :2]).sum(axis=0) < 0, -1, 1)
    if np.abs(cosines * signs - volume.direction[:, :2]).max() > SAME_DIRECTION:
        raise _Misfit("its rows and columns run in other directions")
    spacing = np.array(group("PixelMeasuresSequence").PixelSpacing, float)[::-1]
    if np.abs(spacing / volume.spacing[:2] - 1).max() > SAME_SPACING:
        raise _Misfit(f"its pixels measure {spacing[0]:g} x {spacing[1]:g} mm")
    last = np.array(volume.hu.shape[:0:-1]) - 1  # column, row
    first_pixel = np.array(group("PlanePositionSequence").ImagePositionPatient, float)
    at = voxel_coordinates(volume, [first_pixel, first_pixel + cosines @ (spacing * last)])
    index = int(np.rint(at[0, 0]))
    corners = [np.where(signs == way, 0, last)[::-1] for way in (1, -1)]
    if np.abs(at - [(index, *corner) for corner in corners]).max() > ON_THE_GRID or not 0 <= index < len(volume.hu):
        raise _Misfit("a frame lies beside the slices")
    way = (slice(None, None, int(signs[1])), slice(None, None, int(signs[0])))
    return int(group("SegmentIdentificationSequence").ReferencedSegmentNumber), index, way


def _structures(header, volume: CTVolume) -> Iterator[tuple[int, str, tuple, np.ndarray]]:
    names = {int(item.ROINumber): str(item.get("ROIName", "ROI")) for item in header.StructureSetROISequence}
    for item in header.get("ROIContourSequence", []):
        number = int(item.ReferencedROINumber)
        name = names.get(number, "ROI")
        planes: dict[int, np.ndarray] = {}
        outlines: dict[int, np.ndarray] = {}
        for contour in item.get("ContourSequence", []):
            if contour.ContourGeometricType != "POINT":
                index, polygon = _contour(contour, name, volume)
                planes[index] = planes.get(index, False) ^ inside(polygon, volume.hu.shape[1:])
                outlines[index] = outlines.get(index, False) | outline(polygon, volume.hu.shape[1:])
        planes = {index: marked for index, plane in planes.items() if (marked := plane | outlines[index]).any()}
        if planes:
            yield number, name, *_boxed(name, planes)


def _contour(contour, name: str, volume: CTVolume) -> tuple[int, np.ndarray]:
    """The slice of a contour, and its (n, 2) points as (row, column)."""
    if contour.ContourGeometricType not in CLOSED:
        raise _Misfit(f"{name} has a contour of the type {contour.ContourGeometricType}, not CLOSED_PLANAR")
    points = voxel_coordinates(volume, np.reshape(np.array(contour.ContourData, float), (-1, 3)))
    index = int(np.rint(points[:, 0].mean()))
    if np.abs(points[:, 0] - index).max() > ON_A_SLICE:
        raise _Misfit(f"a contour of {name} lies between the slices or slopes across them")
    if not 0 <= index < len(volume.hu):
        raise _Misfit(f"a contour of {name} lies outside the slices")
    return index, points[:, 1:].round(3)  # so that the last digits of a contour through pixel centres do not decide


def inside(polygon: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Bool (rows, columns): pixels whose centres lie inside a closed polygon, (n, 2) points (row, column), by the even-odd rule.

    Of the centres on its edges, see `outline`, it holds some.
    """
    held = np.zeros(shape, bool)
    (y0, x0), (y1, x1) = polygon.T, np.roll(polygon, -1, axis=0).T
    for row in _rows(polygon, shape):
        crossing = (y0 > row) != (y1 > row)
        at = np.sort(x0[crossing] + (row - y0[crossing]) / (y1[crossing] - y0[crossing]) * (x1[crossing] - x0[crossing]))
        _mark(held[row], at[::2], at[1::2])
    return held


def outline(polygon: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Bool (rows, columns): pixels whose centres lie on an edge of a closed polygon, (n, 2) points (row, column).

    Software that traces masks draws through the centres of their outermost pixels, so these are many.
    """
    held = np.zeros(shape, bool)
    (y0, x0), (y1, x1) = polygon.T, np.roll(polygon, -1, axis=0).T
    low, high, height = np.minimum(y0, y1), np.maximum(y0, y1), np.where(y0 == y1, 1, y1 - y0)
    for row in _rows(polygon, shape):
        met = (low <= row) & (row <= high)
        at = x0 + (row - y0) / height * (x1 - x0)
        _mark(held[row], np.where(y0 == y1, np.minimum(x0, x1), at)[met], np.where(y0 == y1, np.maximum(x0, x1), at)[met])
    return held


def _rows(polygon: np.ndarray, shape: Sequence[int]) -> range:
    """The rows that a polygon meets."""
    first, last = np.clip([np.ceil(polygon[:, 0].min()), np.floor(polygon[:, 0].max()) + 1], 0, shape[0])
    return range(int(first), int(last))


def _mark(row: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> None:
    """Marks the columns from each start to its end, both included."""
    firsts, lasts = (np.clip(limits, 0, len(row)).astype(int) for limits in (np.ceil(starts - ROUNDING), np.floor(ends + ROUNDING) + 1))
    for first, last in zip(firsts, lasts):
        row[first:last] = True


def _boxed(name: str, planes: dict[int, np.ndarray]) -> tuple[tuple[slice, slice, slice], np.ndarray]:
    """The smallest box around the marked pixels of some slices, and the mask in it."""
    if len(planes) > 2 and np.diff(sorted(planes)).min() > 1:
        raise _Misfit(f"{name} marks {len(planes)} slices of which no two are neighbours, so it was drawn on thicker ones")
    marked = np.logical_or.reduce(list(planes.values()))
    rows, columns = (np.flatnonzero(marked.any(axis=axis)) for axis in (1, 0))
    first, last = min(planes), max(planes)
    box = (slice(first, last + 1), slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1))
    mask = np.zeros([limit.stop - limit.start for limit in box], bool)
    for index, plane in planes.items():
        mask[index - first] = plane[box[1:]]
    return box, mask
