"""Grey levels of a region: intensities sorted into numbered bins."""
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Sequence

import numpy as np

MOST_LEVELS = 2048
"""Of one region; matrices grow with the square, to 0.2 GB for 13 directions. In bins of 25 HU they span 51,200 HU, more than the
40,950 of the extended scale of CT, with which metal is stored."""
FARTHEST_LEVEL = 1 << 23
"""Beyond it neighbouring numbers of 32 bits are further apart than levels."""


@dataclass(frozen=True, eq=False)
class Levels:
    """The levels of a region on its box.

    Attributes
        array: (z, y, x) int; 0 outside the region, inside the level minus `below`, from 1 to `count`.
        below: the number of levels below the lowest one that occurs, so that small matrices serve any scale.
        count: number of levels from the lowest to the highest that occur; 0 for an empty region.
        scale: number of levels of the whole scale, N in the definitions.
    """

    array: np.ndarray
    below: int
    count: int
    scale: int

    def slices(self) -> list[Levels]:
        """The levels of every slice by itself, on the same scale."""
        return [replace(self, array=plane[None]) for plane in self.array]

    def padded(self, reach: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """The array as one row, in which a step of up to `reach` out of the box ends on a 0, and its strides in voxels.

        reach: (slices, rows, columns). Zeros at the far side of a line serve as those before the next line.
        """
        padded = np.zeros(np.add(self.array.shape, reach), self.array.dtype)
        padded[tuple(slice(size) for size in self.array.shape)] = self.array
        return padded.ravel(), np.array(padded.strides) // padded.itemsize

    def numbers(self) -> np.ndarray:
        """(count,) float64: the true level of each row of a matrix."""
        return self.below + np.arange(1.0, self.count + 1.0)


def box_of(mask: np.ndarray) -> tuple[slice, ...]:
    """The smallest box that holds a mask (empty: of no voxel), as slices with start and stop."""
    axes = range(mask.ndim)
    where = [np.flatnonzero(mask.any(axis=tuple(other for other in axes if other != axis))) for axis in axes]
    return tuple(slice(int(some[0]), int(some[-1]) + 1) if some.size else slice(0, 0) for some in where)


def limited_levels(values: np.ndarray, mask: np.ndarray, low: float, high: float, number: int) -> Levels:
    """`number` levels between two limits: level = round((number - 1) (value - low) / (high - low) + 1), halves upwards.

    Values beyond the limits get the first or the last level; none is left out (IBEX, GrayLimits and NumLevels).
    values, mask: (z, y, x), the latter bool.
    """
    numbers = np.floor((number - 1) / (high - low) * (values[mask].astype(np.float64) - low) + 1.5)
    return _on_box(np.clip(numbers, 1, number), mask, number)


def wide_levels(values: np.ndarray, mask: np.ndarray, width: float, origin: float | None) -> Levels:
    """Levels of one width: level = floor((value - origin) / width) + 1 (IBSI 3.2.2, fixed bin size).

    origin: lower edge of level 1; values below it get level 1. None: the smallest value of the region.
    """
    inside = values[mask].astype(np.float64)
    if origin is None:
        origin = inside.min() if inside.size else 0.0
    levels = _on_box(np.maximum(np.floor((inside - origin) / width) + 1, 1), mask, 0)
    return replace(levels, scale=levels.count)


def countable(low: float, high: float, width: float) -> bool:
    """Whether values from `low` to `high` span at most `MOST_LEVELS` levels of one width, none beyond `FARTHEST_LEVEL`."""
    return high - low <= MOST_LEVELS * width and max(-low, high) <= FARTHEST_LEVEL * width


def nearest_bins(values: np.ndarray, low: float, step: float, number: int) -> np.ndarray:
    """Index of the nearest of `number` evenly spaced centres from `low` on; beyond the ends the first or last.

    Halfway between two it is the lower (MATLAB's hist).
    """
    return np.clip(np.ceil((values - low) / step - 0.5), 0, number - 1).astype(np.intp)


def _on_box(numbers: np.ndarray, mask: np.ndarray, scale: int) -> Levels:
    if not numbers.size:
        return Levels(np.zeros(mask.shape, np.intp), 0, 0, scale)
    lowest, highest = int(numbers.min()), int(numbers.max())
    array = np.zeros(mask.shape, np.intp)
    array[mask] = numbers - (lowest - 1)
    return Levels(array, lowest - 1, highest - lowest + 1, scale)
