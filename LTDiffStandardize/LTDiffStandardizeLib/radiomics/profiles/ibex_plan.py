"""Which pairs of voxels to count, once each, for all co-occurrence matrices of the IBEX-compatible features.

The directions within slices are among the 13 in space, and a matrix and its transpose have the same features: both categories need
39 counts, not 51.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Mapping

import numpy as np

from ..matrices.cooccurrence import Cooccurrence, count_pairs
from ..matrices.levels import Levels
from .ibex_catalogue import COOCCURRENCE, matrices_of
from .ibex_settings import ALL_DIRECTIONS, IN_SLICES, IN_SPACE, CooccurrenceSettings

Sum = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True)
class Plan:
    """vectors: (vectors, 3) steps to count. sums: what is added up, indices of vectors as counted and of those transposed.

    rows: for each category its matrices in order; first the counts of the vectors are numbered, then the sums.
    """

    vectors: np.ndarray
    sums: tuple[tuple[np.ndarray, np.ndarray], ...]
    rows: tuple[tuple[int, ...], ...]

    def features(self, levels: Levels) -> list[np.ndarray]:
        """For each category the features of `COOCCURRENCE`, matrix by matrix, (features,) float64."""
        counts = count_pairs(levels, self.vectors)
        stack = np.empty((len(counts) + len(self.sums), *counts.shape[1:]), counts.dtype)
        stack[:len(counts)] = counts
        for matrix, parts in zip(stack[len(counts):], self.sums):
            straight, transposed = (stack[part].sum(axis=0, dtype=counts.dtype) for part in parts)
            np.add(straight, transposed.T, out=matrix)
        values = Cooccurrence(stack, levels).features(COOCCURRENCE.values()).T
        return [values[list(rows)].ravel() for rows in self.rows]


@lru_cache
def plan_of(in_slices: CooccurrenceSettings | None, in_space: CooccurrenceSettings | None) -> Plan:
    """The plan of both categories, or of one, which have one scale of grey levels."""
    vectors: dict[tuple[int, ...], int] = {}
    sums: dict[Sum, int] = {}
    wanted = [[_parts(vectors, settings, steps, *where) for where in matrices_of(settings)]
              for settings, steps in ((in_slices, IN_SLICES), (in_space, IN_SPACE)) if settings]  # fmt: skip
    rows = tuple(tuple((*straight, *transposed)[0] if len(straight + transposed) == 1
                       else len(vectors) + sums.setdefault((straight, transposed), len(sums)) for straight, transposed in category)
                 for category in wanted)  # fmt: skip
    indices = tuple((np.array(straight, np.intp), np.array(transposed, np.intp)) for straight, transposed in sums)
    return Plan(np.array(list(vectors)), indices, rows)


def _parts(vectors: dict, settings: CooccurrenceSettings, steps: Mapping, direction: int, offset: int) -> Sum:
    """What a matrix is the sum of; vectors that are not counted yet are added to `vectors`."""
    parts: tuple[list[int], list[int]] = [], []
    for step in (steps[one] for one in (settings.directions if direction == ALL_DIRECTIONS else [direction])):
        forwards = tuple(offset * component for component in step)
        backwards = tuple(-component for component in forwards)
        index, turned = vectors.setdefault(max(forwards, backwards), len(vectors)), forwards < backwards
        for side in (0, 1) if settings.symmetric else (turned,):
            parts[side].append(index)
    return tuple(parts[0]), tuple(parts[1])
