"""The slices of two series that lie at the same places, read two by two."""
from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.volumes.dicom_reader import read_dicom_slices
from LTDiffStandardizeLib.volumes.headers import read_headers
from LTDiffStandardizeLib.volumes.suitability import why_not_a_slice
from LTDiffStandardizeLib.volumes.volume import CTVolume

from ..transfer_pairs import framed


class Unreadable(InputError):
    """`files`: [path, sentence] of each file that cannot be read."""

    def __init__(self, files: list[tuple[str, str]]) -> None:
        super().__init__(files[0][1])
        self.files = files


@dataclass(frozen=True)
class Partners:
    """files: of either series, ascending, the n-th of one being the partner of the n-th of the other. names: of the kernels.

    heights: where the slices lie along their normal; pixel: (row, column) spacing; mm.
    """

    files: tuple[list[Path], list[Path]]
    names: tuple[str, str]
    heights: list[float]
    pixel: tuple[float, float]

    @property
    def distance(self) -> float:
        """From slice to slice, mm; the usual one, where some are missing."""
        return float(np.median(np.diff(self.heights)))

    def __len__(self) -> int:
        return len(self.heights)

    def read(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Two slices, float32 HU, sides multiples of the model's; air where either lies outside its field of view. Raises Unreadable."""
        volumes, unreadable = [], []
        for files in self.files:
            try:
                volumes.append(_read(files[number], self.distance))
            except InputError as error:
                unreadable.append((str(files[number]), str(error)))
        if not unreadable and volumes[0].hu.shape != volumes[1].hu.shape:
            unreadable.append((path := str(self.files[1][number]), f"{path} has another size than when it was indexed; start again."))
        if unreadable:
            raise Unreadable(unreadable)
        air = np.zeros(volumes[0].hu.shape[1:], bool)
        for volume in volumes:
            if volume.padding is not None:
                air |= volume.padding[0]
        first, second = (framed(volume.hu[0], air).astype(np.float32) for volume in volumes)
        return first, second


def _read(path: Path, distance: float) -> CTVolume:
    headers = read_headers(path)
    if len(headers) != 1 or why_not_a_slice(headers[0]):
        raise InputError(f"{path} cannot be read any more; copy or export it again.")
    # One slice does not tell the distance to the next; its series does.
    return read_dicom_slices([replace(headers[0], spacing_between_slices=distance)], path.name)
