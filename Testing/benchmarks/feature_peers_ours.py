"""The classes that other packages have too, put together from the parts of our engine: bins of 25 HU, neighbours one voxel away in
space, matrices symmetric, features averaged over the 13 directions. Runs in the environment of the peers as well.
"""
from __future__ import annotations

import numpy as np

import environment  # noqa: F401, the path to our modules
from LTDiffStandardizeLib.radiomics.matrices.cooccurrence import Cooccurrence, count_pairs
from LTDiffStandardizeLib.radiomics.matrices.differences import level_differences
from LTDiffStandardizeLib.radiomics.matrices.histograms import entropy, uniformity
from LTDiffStandardizeLib.radiomics.matrices.levels import Levels, box_of, wide_levels
from LTDiffStandardizeLib.radiomics.matrices.runs import Runs, count_runs
from LTDiffStandardizeLib.radiomics.matrices.statistics import Sample
from LTDiffStandardizeLib.radiomics.profiles import ibsi

WIDTH = 25.0


class Ours:
    """A method for each class, which gives {tag: value}. What several of them need is made by each anew when called alone."""

    def __init__(self, hu: np.ndarray, mask: np.ndarray) -> None:
        self.hu, self.mask = hu, mask
        self.low = lowest_edge(hu, mask)

    def calls(self) -> dict:
        parts = {"first-order": self._first_order, "GLCM": self._glcm, "GLRLM": self._glrlm, "NGTDM": self._ngtdm}
        alone = {name: lambda part=part: part(*self._levels()) for name, part in parts.items()}
        return {**alone, "together": lambda: self._together(parts.values())}

    def _together(self, parts) -> dict:
        shared = self._levels()
        return {tag: value for part in parts for tag, value in part(*shared).items()}

    def _levels(self) -> tuple[np.ndarray, Levels]:
        box = box_of(self.mask)
        hu, mask = self.hu[box], self.mask[box]
        return hu[mask], wide_levels(hu, mask, WIDTH, self.low)

    def _first_order(self, voxels: np.ndarray, levels: Levels) -> dict:
        counts = np.bincount(levels.array.ravel(), minlength=levels.count + 1)[1:]
        statistics = Sample(voxels, from_the_ends=True).features(ibsi.INTENSITY.values())
        return {**dict(zip(ibsi.INTENSITY, statistics)), "entropy": entropy(counts), "uniformity": uniformity(counts)}

    def _glcm(self, voxels: np.ndarray, levels: Levels) -> dict:
        counts = count_pairs(levels, np.array(ibsi.IN_SPACE))
        found = Cooccurrence(counts + counts.swapaxes(1, 2), levels).features(ibsi.COOCCURRENCE.values())
        return _averaged("cm", ibsi.COOCCURRENCE, found)

    def _glrlm(self, voxels: np.ndarray, levels: Levels) -> dict:
        return _averaged("rlm", ibsi.RUN_LENGTH, Runs(count_runs(levels, ibsi.IN_SPACE), levels).features(ibsi.RUN_LENGTH.values()))

    def _ngtdm(self, voxels: np.ndarray, levels: Levels) -> dict:
        found = level_differences(levels).features(ibsi.DIFFERENCES.values())
        return {f"ngt_{name}": value for name, value in zip(ibsi.DIFFERENCES, found)}


def lowest_edge(hu: np.ndarray, mask: np.ndarray) -> float:
    """The lower edge of the bin of the smallest value: edges lie at whole multiples of the width."""
    return float(np.floor(hu[mask].min() / WIDTH) * WIDTH)


def _averaged(prefix: str, names, values: np.ndarray) -> dict:
    return {f"{prefix}_{name}": value for name, value in zip(names, np.nanmean(values, axis=1))}
