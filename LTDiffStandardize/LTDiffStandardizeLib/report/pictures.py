"""Slices as PNG pictures, displayed as radiology does: grey windows, the patient's right on the left, anterior up.

A picture is (rows, columns) uint8: 0..254 are greys, `MARK` is the one colour of outlines and scale bars.
"""
from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import dataclass
from typing import Sequence

import numpy as np

from ..radiomics.regions import Region
from ..volumes.volume import CTVolume

MARK, MARK_RGB = 255, (255, 214, 10)
_BAR_STEPS_MM = (1, 2, 5, 10, 20, 50, 100)


@dataclass(frozen=True)
class Window:
    """Grey values from black at level - width / 2 to white at level + width / 2, HU."""

    name: str
    level: float
    width: float

    def grey(self, hu: np.ndarray) -> np.ndarray:
        share = (np.asarray(hu, np.float32) - (self.level - self.width / 2)) / self.width
        return np.rint(np.clip(share, 0, 1) * (MARK - 1)).astype(np.uint8)


LUNG = Window("lung window", -600, 1500)
SOFT_TISSUE = Window("soft-tissue window", 40, 400)
DIFFERENCE = Window("difference", 0, 300)


@dataclass(frozen=True)
class View:
    """A rectangle of one slice of a volume, enlarged and turned for display.

    rows, columns: the rectangle, voxel indices. scale: screen pixels per voxel along the axis with the smaller voxels; cubic
    interpolation of the HU, so that noise keeps its look. mm_per_pixel: of the picture.
    """

    slice_index: int
    rows: slice
    columns: slice
    spacing: tuple[float, float]  # (row, column) mm
    flips: tuple[bool, bool]  # (rows, columns)
    is_axial: bool
    scale: float = 1.0

    @property
    def mm_per_pixel(self) -> float:
        return min(self.spacing) / self.scale

    def of(self, values: np.ndarray, order: int = 3) -> np.ndarray:
        """The view of one slice (rows, columns), float32; order 0 takes the nearest voxel."""
        from scipy.ndimage import zoom

        part = np.asarray(values[self.rows, self.columns], np.float32)
        factors = [step / self.mm_per_pixel for step in self.spacing]
        if not np.allclose(factors, 1.0):
            part = zoom(part, factors, order=order, mode="nearest", grid_mode=True)
        return part[tuple(slice(None, None, -1 if flip else 1) for flip in self.flips)]

    def outline(self, region: Region, shape: Sequence[int]) -> np.ndarray:
        """Bool, the picture's shape: a thin line just outside the region, so that it hides nothing of it.

        shape: (rows, columns) of a slice.
        """
        from scipy.ndimage import binary_dilation

        plane = np.zeros(shape, np.uint8)
        plane[region.slices[1:]] = region.mask[self.slice_index - region.slices[0].start]
        inside = self.of(plane, order=0) > 0.5
        return binary_dilation(inside, iterations=max(1, round(self.scale / 2))) & ~inside

    def bar_mm(self) -> int:
        """Length of the scale bar: the longest of the usual steps within a quarter of the picture's width."""
        width_mm = (self.columns.stop - self.columns.start) * self.spacing[1]
        return max((step for step in _BAR_STEPS_MM if step <= width_mm / 4), default=_BAR_STEPS_MM[0])


def whole_slice(volume: CTVolume, slice_index: int) -> View:
    rows, columns = volume.hu.shape[1:]
    return _view(volume, slice_index, slice(0, rows), slice(0, columns), 1.0)


def close_up(volume: CTVolume, region: Region, margin_mm: float = 10.0, scale: float = 4.0) -> View:
    """A square around the region on its slice with the most voxels, cut at the borders of the image."""
    slice_index = region.slices[0].start + int(np.argmax(region.mask.sum(axis=(1, 2))))
    spacing = (volume.spacing[1], volume.spacing[0])
    boxes = region.slices[1:]
    half_mm = max((box.stop - box.start) * step for box, step in zip(boxes, spacing)) / 2 + margin_mm
    limits = []
    for box, step, size in zip(boxes, spacing, volume.hu.shape[1:]):
        middle, half = (box.start + box.stop) / 2, half_mm / step
        limits.append(slice(max(0, round(middle - half)), min(size, round(middle + half))))
    return _view(volume, slice_index, *limits, scale)


def draw(view: View, hu: np.ndarray, window: Window, outline: np.ndarray | None = None) -> np.ndarray:
    """The picture of what `view.of` gave, in HU, with scale bar and, if given, an outline."""
    picture = window.grey(hu)
    if outline is not None:
        picture[outline] = MARK
    _draw_bar(picture, round(view.bar_mm() / view.mm_per_pixel))
    return picture


def png(picture: np.ndarray) -> bytes:
    """A palette PNG (ISO/IEC 15948) of the picture: greys and the one colour cost no more than greys alone."""
    rows, columns = picture.shape
    greys = np.rint(np.arange(MARK) * 255 / (MARK - 1)).astype(np.uint8)
    palette = np.repeat(greys, 3).tobytes() + bytes(MARK_RGB)
    lines = np.empty((rows, columns + 1), np.uint8)
    lines[:, 0] = 1  # filter type Sub: each byte minus the one on its left
    lines[:, 1] = picture[:, 0]
    lines[:, 2:] = picture[:, 1:] - picture[:, :-1]
    header = struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(lines.tobytes())), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks)  # fmt: skip


def data_uri(picture: np.ndarray) -> str:
    return "data:image/png;base64," + base64.b64encode(png(picture)).decode("ascii")


def _view(volume: CTVolume, slice_index: int, rows: slice, columns: slice, scale: float) -> View:
    x_axis, y_axis = volume.direction[:, 0], volume.direction[:, 1]
    is_axial = abs(x_axis[0]) > 0.7 and abs(y_axis[1]) > 0.7
    # LPS: columns should run to the patient's left, rows to the back. Other planes are shown as they are stored.
    flips = (bool(is_axial and y_axis[1] < 0), bool(is_axial and x_axis[0] < 0))
    return View(slice_index, rows, columns, (volume.spacing[1], volume.spacing[0]), flips, bool(is_axial), scale)


def _draw_bar(picture: np.ndarray, length: int) -> None:
    rows, columns = picture.shape
    thick, inset = max(2, rows // 130), max(2, rows // 40)
    picture[rows - inset - thick:rows - inset, inset:inset + length] = MARK
