"""Which series make up a simulated data set: groups of phantoms that share kernels and pixel size, split by phantom."""
from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .pairs import Acquisition

FIRST_SEED = {"train": 1001, "validation": 10**8, "test": 2 * 10**8}
"""Phantoms of different splits never share a seed: a data set has fewer than 1,000 series and its seed is below 99,000."""


@dataclass(frozen=True)
class PlannedSeries:
    name: str
    group: str
    phantom_seed: int
    acquisition: Acquisition
    heights: tuple[float, ...]


def training_plan(nominal: int = 24, groups: int = 6, per_group: int = 4, slices: int = 8, seed: int = 0) -> list[PlannedSeries]:
    """`nominal` phantoms with the default acquisition, then `groups` of random kernels, pixels and thicknesses.

    Every third of the groups goes from the sharp kernel to the soft one.
    """
    rng = np.random.default_rng((seed, 7))
    heights = tuple(np.linspace(2, 46, slices))
    distance = float(heights[1] - heights[0]) if slices > 1 else 1.0
    acquisitions = [("nominal", Acquisition(distance=distance))] * nominal
    for index in range(groups):
        drawn = replace(Acquisition.random(rng), distance=distance)
        acquisitions += [(f"group{index}", drawn.reversed() if index % 3 == 2 else drawn)] * per_group
    return [_series(f"train-{i:03d}-{group}", group, FIRST_SEED["train"] + 1000 * seed + i, acquisition, heights, rng)
            for i, (group, acquisition) in enumerate(acquisitions)]


def held_out_plan(split: str, phantoms: int, slices: int, seed: int = 0, distance: float = 1.0) -> list[PlannedSeries]:
    """Contiguous slices of phantoms that training never sees; `split` is "validation" or "test"."""
    rng = np.random.default_rng((seed, FIRST_SEED[split]))
    heights = tuple(4 + distance * np.arange(slices))
    return [_series(f"{split}-{i:03d}", "nominal", FIRST_SEED[split] + 1000 * seed + i, Acquisition(distance=distance), heights, rng)
            for i in range(phantoms)]


def varied_plan(split: str, phantoms: int, slices: int, seed: int = 0) -> list[tuple[PlannedSeries, PlannedSeries]]:
    """Held-out phantoms each with kernels, pixel size, thickness and dose of its own, and for each a second phantom of the
    same acquisition (12 slices, 3 mm apart) to which its protocol is fitted; soft to sharp.

    Slices are contiguous: their distance is the thickness, at least 1 mm.
    """
    rng = np.random.default_rng((seed, FIRST_SEED[split], 1))
    first, plan = FIRST_SEED[split] + 1000 * seed + 500, []
    for index in range(phantoms):
        drawn = Acquisition.random(rng)
        distance = max(drawn.thickness, 1.0)
        scanned, fitted = replace(drawn, distance=distance), replace(drawn, distance=3.0)
        heights, few = tuple(4 + distance * np.arange(slices)), tuple(6 + 3.0 * np.arange(12))
        name = f"{split}-varied-{index:03d}"
        plan.append((_series(name, name, first + 2 * index, scanned, heights, rng),
                     _series(f"{name}-calibration", name, first + 2 * index + 1, fitted, few, rng)))
    return plan


def _series(name, group, phantom_seed, acquisition, heights, rng) -> PlannedSeries:
    dose = float(np.exp(rng.uniform(np.log(0.45), np.log(2.2))))
    return PlannedSeries(name, group, phantom_seed, replace(acquisition, photons=acquisition.photons * dose), heights)
