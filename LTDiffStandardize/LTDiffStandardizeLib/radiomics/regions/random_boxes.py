"""Random boxes inside a HU range of the body, drawn on a smoothed reference."""
from __future__ import annotations

from collections import Counter
from typing import Mapping, Sequence

import numpy as np

from ...volumes.volume import CTVolume
from .reference import region_reference
from .region import Region, range_label

# The ranges of LTDiff++ (arXiv 2410.04000, section on random ROIs), in HU; both limits belong to the range.
HU_RANGES = ((-800, -300), (-100, 250), (10, 250), (300, 800))

# Smallest share of a box that must lie inside the range. Lung parenchyma and muscle fill a box, vessels and airways
# interrupt it; ribs and vertebral cortex are a few millimetres thin, so bone gets by with a tenth.
MINIMUM_FILL = {(-800, -300): 0.5, (-100, 250): 0.6, (10, 250): 0.6, (300, 800): 0.1}

# 20 x 24 x 24 voxels of 1.0 x 0.7 x 0.7 mm.
DEFAULT_SIZE_MM = (20.0, 17.0, 17.0)

# Two boxes stay this share of their size apart along at least one axis: they share a quarter of their voxels at most.
SEPARATION = 0.75


def random_regions(reference_hu: np.ndarray, spacing_mm: Sequence[float], hu_range: tuple[float, float], count: int,
                   seed: int, size_mm: Sequence[float] = DEFAULT_SIZE_MM, size_voxels: Sequence[int] | None = None,
                   minimum_fill: float | None = None, padding: np.ndarray | None = None,
                   reference_is_prepared: bool = False, group: str = "") -> tuple[list[Region], int]:
    """Draw boxes of one size whose voxels lie mostly inside a HU range of the smoothed reference, within the body.

    The mask of a region is the part of its box inside the range. Boxes lie on a grid of a quarter of their size,
    contain no padding and keep `SEPARATION`. The same arguments give the same regions.

    Args
        reference_hu: (z, y, x) HU of the standard volume, or with `reference_is_prepared` what `region_reference` made
            of it, for callers that draw several ranges.
        spacing_mm: (x, y, z) mm.
        hu_range: (low, high) HU, both included.
        count: number of regions wanted; fewer come back when fewer fit.
        seed: int.
        size_mm, size_voxels: (z, y, x) box size; voxels win over mm; never larger than the volume.
        minimum_fill: share of the box inside the range; `MINIMUM_FILL` (0.5 for other ranges) when None.
        padding: bool (z, y, x), True outside the field of view, or None.

    Returns
        (list of Region, number of candidate boxes before they were thinned out).
    """
    shape = np.array(reference_hu.shape)
    size = np.minimum(_size_in_voxels(size_mm, size_voxels, spacing_mm), shape).astype(int)
    fill = MINIMUM_FILL.get(tuple(hu_range), 0.5) if minimum_fill is None else minimum_fill
    reference = reference_hu if reference_is_prepared else region_reference(reference_hu, spacing_mm, padding)
    inside = (reference >= hu_range[0]) & (reference <= hu_range[1])

    step = np.maximum(1, size // 4)
    wanted = _box_sums(inside, size, step) >= max(1.0, fill * size.prod())
    if padding is not None:
        wanted &= _box_sums(padding, size, step) == 0
    candidates = np.argwhere(wanted) * step
    starts = _apart(np.random.default_rng(seed).permutation(candidates), count, SEPARATION * size)

    label = range_label(hu_range)
    regions = []
    for number, start in enumerate(starts, 1):
        box = tuple(slice(int(low), int(low + length)) for low, length in zip(start, size))
        regions.append(Region(f"{label} {number:03d}", label, "random", box, inside[box].copy(), group))
    return regions, len(candidates)


def draw_regions(reference: CTVolume, count: int = 100, seed: int = 0, size_mm: Sequence[float] = DEFAULT_SIZE_MM, group: str = "",
                 ranges: Sequence[tuple[float, float]] = HU_RANGES, minimum_fill: float | None = None) -> tuple[list[Region], list[dict]]:
    """At most `count` random regions for each HU range, all drawn on the smoothed reference; see `random_regions`.

    Returns the regions, and for each range a row {"regions": its label, "wanted", "drawn", "candidates": places before thinning out}.
    """
    prepared = region_reference(reference.hu, reference.spacing, reference.padding)
    regions, rows = [], []
    for hu_range in ranges:
        drawn, candidates = random_regions(prepared, reference.spacing, hu_range, count, seed, size_mm, minimum_fill=minimum_fill,
                                           padding=reference.padding, reference_is_prepared=True, group=group)  # fmt: skip
        regions += drawn
        rows.append({"regions": range_label(hu_range), "wanted": count, "drawn": len(drawn), "candidates": candidates})
    return regions, rows


def shortfall(rows: Sequence[Mapping]) -> str:
    """One sentence on the ranges of tables of `draw_regions` in which fewer were drawn than wanted; "" where there is none."""
    wanted, drawn = Counter(), Counter()
    for row in rows:
        wanted[row["regions"]] += row["wanted"]
        drawn[row["regions"]] += row["drawn"]
    told = ", ".join(f"{drawn[label]} of {wanted[label]} in {label}" for label in wanted if drawn[label] < wanted[label])
    return told and f"Fewer random regions found room than were wanted, {told}; give them a smaller size= or fill= for more."


def _size_in_voxels(size_mm, size_voxels, spacing_mm):
    if size_voxels is None:
        size_voxels = np.rint(np.asarray(size_mm, dtype=float) / np.array(spacing_mm[::-1], dtype=float))
    return np.maximum(1, np.asarray(size_voxels))


def _box_sums(flags, size, step):
    """Number of true voxels in every box of `size` whose start is a multiple of `step`: (n_z, n_y, n_x) int."""
    sums = flags
    for axis in (2, 1, 0):
        cumulative = np.cumsum(sums, axis=axis, dtype=np.int32)
        zero = np.zeros_like(np.take(cumulative, [0], axis=axis))
        cumulative = np.concatenate([zero, cumulative], axis=axis)
        starts = np.arange(0, flags.shape[axis] - size[axis] + 1, step[axis])
        sums = np.take(cumulative, starts + size[axis], axis=axis) - np.take(cumulative, starts, axis=axis)
    return sums


def _apart(candidates, count, separation):
    """The first `count` starts, in the given order, that keep `separation` along at least one axis."""
    chosen = []
    while len(chosen) < count and len(candidates):
        chosen.append(candidates[0])
        candidates = candidates[(np.abs(candidates - chosen[-1]) >= separation).any(axis=1)]
    return chosen
