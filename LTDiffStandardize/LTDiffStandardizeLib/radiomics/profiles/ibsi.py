"""Features under the tags of the IBSI reference values, computed by our own engine: 302 numbers that can be checked one by one.

    stat_*  18   ID     statistics of the intensities, HU
    ih_*    23   IH     the same of the levels, and the histogram
    cm_*   150   GLCM   25 features, in each of six ways of putting matrices together
    rlm_*   96   GLRLM  16 features, likewise
    ngt_*   15   NID    5 features, three ways

Ways: 2D_avg (a matrix a slice and direction, features averaged), 2D_comb (directions of a slice merged), 2_5D_avg (slices merged),
2_5D_comb (all merged), 3D_avg and 3D_comb. Neighbours are one voxel away, matrices symmetric, nothing is weighted by distance or
resampled. Of a region whose levels are not `countable`, `values_of` gives stat_* alone.

Source: Zwanenburg et al. 2020 (Radiology 295:328) and the IBSI reference manual, sections 3.3, 3.4, 3.6, 3.7 and 3.11.
"""
from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Callable, Iterator, Sequence

import numpy as np

from ..features import Name
from ..matrices import cooccurrence as c
from ..matrices import differences as d
from ..matrices import histograms
from ..matrices import runs as r
from ..matrices import statistics as s
from ..matrices.levels import Levels, box_of, wide_levels
from .checks import check, finite

STATISTICS = {
    "mean": s.mean, "var": s.variance, "skew": s.skewness, "kurt": s.excess_kurtosis, "median": s.median, "min": s.minimum,
    "p10": s.percentile_10, "p90": s.percentile_90, "max": s.maximum, "iqr": s.interquartile_range, "range": s.value_range,
    "mad": s.mean_absolute_deviation, "rmad": s.robust_mean_absolute_deviation, "medad": s.mean_deviation_from_median,
    "cov": s.coefficient_of_variation, "qcod": s.quartile_coefficient,
}  # fmt: skip
INTENSITY = {**STATISTICS, "energy": s.energy, "rms": s.root_mean_square}
HISTOGRAM = ("mode", "entropy", "uniformity", "max_grad", "max_grad_g", "min_grad", "min_grad_g")
COOCCURRENCE = {
    "joint_max": c.maximum_probability, "joint_avg": c.joint_average, "joint_var": c.joint_variance, "joint_entr": c.entropy,
    "diff_avg": c.difference_average, "diff_var": c.difference_variance, "diff_entr": c.difference_entropy,
    "sum_avg": c.sum_average, "sum_var": c.cluster_tendency, "sum_entr": c.sum_entropy, "energy": c.energy, "contrast": c.contrast,
    "dissimilarity": c.difference_average, "inv_diff": c.inverse_difference, "inv_diff_norm": c.inverse_difference_normalised,
    "inv_diff_mom": c.inverse_difference_moment, "inv_diff_mom_norm": c.inverse_difference_moment_normalised,
    "inv_var": c.inverse_variance, "corr": c.correlation, "auto_corr": c.autocorrelation, "clust_tend": c.cluster_tendency,
    "clust_shade": c.cluster_shade, "clust_prom": c.cluster_prominence, "info_corr1": c.information_correlation_1,
    "info_corr2": c.information_correlation_2,
}  # fmt: skip
RUN_LENGTH = {
    "sre": r.short_run_emphasis, "lre": r.long_run_emphasis, "lgre": r.low_level_emphasis, "hgre": r.high_level_emphasis,
    "srlge": r.short_run_low_level_emphasis, "srhge": r.short_run_high_level_emphasis, "lrlge": r.long_run_low_level_emphasis,
    "lrhge": r.long_run_high_level_emphasis, "glnu": r.level_non_uniformity, "glnu_norm": r.level_non_uniformity_normalised,
    "rlnu": r.length_non_uniformity, "rlnu_norm": r.length_non_uniformity_normalised, "r_perc": r.run_percentage,
    "gl_var": r.level_variance, "rl_var": r.length_variance, "rl_entr": r.run_entropy,
}  # fmt: skip
DIFFERENCES = {
    "coarseness": d.coarseness, "contrast": d.contrast, "busyness": d.busyness, "complexity": d.complexity, "strength": d.strength,
}  # fmt: skip
WAYS = ("2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb", "3D_avg", "3D_comb")

IN_SLICES = ((0, 0, 1), (0, -1, 1), (0, -1, 0), (0, -1, -1))
IN_SPACE = tuple((z, y, x) for z in (0, 1) for y in (-1, 0, 1) for x in (-1, 0, 1) if (z, y, x) > (0, 0, 0))
ENTRIES_AT_ONCE = 1 << 22  # of all matrices of some slices, so that many slices and levels do not fill the memory


@dataclass(frozen=True)
class IbsiProfile:
    """See `Profile` for the methods.

    bin_width: HU. bin_origin: lower edge of the first bin, HU; None takes the smallest value of each region, which moves with the
    noise of a reconstruction: a feature that depends on the level then differs between kernels without any other reason.
    """

    bin_width: float = 25.0
    bin_origin: float | None = -1000.0
    name = "ibsi"

    def __post_init__(self) -> None:
        check("bin_width", self.bin_width, finite(self.bin_width) and self.bin_width > 0, "a finite number of HU above 0")
        check("bin_origin", self.bin_origin, self.bin_origin is None or finite(self.bin_origin), "null or a finite number of HU")

    def names(self) -> tuple[Name, ...]:
        ngt = [f"{name}_{way}" for way in ("2D", "2_5D", "3D") for name in DIFFERENCES]
        tags = {
            "ID": [f"stat_{name}" for name in INTENSITY],
            "IH": [f"ih_{name}" for name in (*STATISTICS, *HISTOGRAM)],
            "GLCM": [f"cm_{name}_{way}" for way in WAYS for name in COOCCURRENCE],
            "GLRLM": [f"rlm_{name}_{way}" for way in WAYS for name in RUN_LENGTH],
            "NID": [f"ngt_{name}" for name in ngt],
        }
        return tuple((feature_class, tag) for feature_class, listed in tags.items() for tag in listed)

    def values(self, hu: np.ndarray, mask: np.ndarray, spacing_xyz: Sequence[float]) -> np.ndarray:
        box = box_of(mask)
        hu, mask = hu[box], mask[box]
        levels = wide_levels(hu, mask, self.bin_width, self.bin_origin)
        return np.concatenate([
            s.Sample(hu[mask], from_the_ends=True).features(INTENSITY.values()),
            _histogram(levels),
            *_ways(levels, lambda part, steps: _symmetric(c.count_pairs(part, steps)), c.Cooccurrence, COOCCURRENCE.values()),
            *_ways(levels, r.count_runs, r.Runs, RUN_LENGTH.values()),
            *_differences(levels),
        ])  # fmt: skip

    def about(self) -> str:
        origin = "the smallest value of each region" if self.bin_origin is None else f"{self.bin_origin:g} HU"
        return f"{len(self.names())} features under IBSI's tags, computed by LTDiff: bins of {self.bin_width:g} HU from {origin}, no resampling."

    def as_dict(self) -> dict:
        return asdict(self)


def describe(name: str) -> str:
    """What a feature means: definition, unit, source, and what it is for a constant region; KeyError where the tag is unknown."""
    family, tag = name.split("_", 1)
    if tag in HISTOGRAM:
        return getattr(histograms, tag if tag in ("mode", "entropy", "uniformity") else "gradients").__doc__
    tables = {"stat": INTENSITY, "ih": STATISTICS, "cm": COOCCURRENCE, "rlm": RUN_LENGTH, "ngt": DIFFERENCES}
    return next(function for bare, function in tables[family].items() if tag == bare or tag.startswith(f"{bare}_2") or tag.startswith(f"{bare}_3")).__doc__


def _histogram(levels: Levels) -> np.ndarray:
    numbers = levels.array[levels.array > 0]
    counts = np.bincount(numbers, minlength=levels.count + 1)[1:]
    mode = levels.below + histograms.mode(counts)
    rise, rise_at, fall, fall_at = histograms.gradients(counts)
    others = [mode, histograms.entropy(counts), histograms.uniformity(counts), rise, levels.below + rise_at, fall, levels.below + fall_at]
    return np.array(s.Sample(numbers + levels.below, from_the_ends=True).features(STATISTICS.values()) + others)


def _symmetric(counts: np.ndarray) -> np.ndarray:
    return counts + counts.swapaxes(1, 2)


def _ways(levels: Levels, count: Callable, of: Callable, functions: Sequence[Callable]) -> Iterator[np.ndarray]:
    """(features,) for each of `WAYS`; a matrix of which nothing was counted does not enter an average."""
    slices, apart, merged, in_slices = levels.slices(), [], [], 0
    several = 1 + ENTRIES_AT_ONCE // (len(IN_SLICES) * levels.count ** 2)
    for start in range(0, len(slices), several):
        by_slice = np.array([count(part, IN_SLICES) for part in slices[start:start + several]])
        apart.append(of(by_slice.reshape(-1, *by_slice.shape[2:]), levels).features(functions))
        merged.append(of(by_slice.sum(axis=1), levels).features(functions))
        in_slices = in_slices + by_slice.sum(axis=0)
    yield from (_mean(np.concatenate(values, axis=1)) for values in (apart, merged))
    in_space = count(levels, IN_SPACE)
    for matrices in (in_slices, in_slices.sum(axis=0, keepdims=True), in_space, in_space.sum(axis=0, keepdims=True)):
        yield _mean(of(matrices, levels).features(functions))


def _mean(values: np.ndarray) -> np.ndarray:
    """(features,): mean over the matrices for which a feature is defined; NaN where there is none."""
    defined = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.where(defined, values, 0).sum(axis=1) / defined.sum(axis=1)


def _differences(levels: Levels) -> Iterator[np.ndarray]:
    def features(part, in_slices):
        return d.level_differences(part, in_slices).features(DIFFERENCES.values())

    yield _mean(np.array([features(part, True) for part in levels.slices()]).T)
    yield np.array(features(levels, True))
    yield np.array(features(levels, False))
