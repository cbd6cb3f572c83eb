"""Measures the IBEX-compatible features of `ibex_catalogue` in one region."""
from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Sequence

import numpy as np

from ...volumes.volume import fits_int16
from ..features import Name
from ..matrices import local
from ..matrices.differences import intensity_differences
from ..matrices.histograms import nearest_counts, percentile_areas
from ..matrices.levels import Levels, box_of, limited_levels
from ..matrices.orientation import orientations
from ..matrices.runs import Runs, count_runs
from ..matrices.statistics import Sample, energy_per_value
from . import ibex_catalogue as catalogue
from .ibex_plan import plan_of
from .ibex_settings import (IN_SLICES, CooccurrenceSettings, HistogramSettings, IbexSettings, NeighbourhoodSettings, RunSettings,
                            Scale)  # fmt: skip


@dataclass(frozen=True)
class IbexProfile:
    """The features under IBEX's names; see `Profile` for the methods."""

    settings: IbexSettings = IbexSettings()
    name = "ibex"
    bin_width = math.inf

    def names(self) -> tuple[Name, ...]:
        return catalogue.names(self.settings)

    def values(self, hu: np.ndarray, mask: np.ndarray, spacing_xyz: Sequence[float]) -> np.ndarray:
        settings, box = self.settings, box_of(mask)
        mask, image = mask[box], _image(hu[box], settings.intensity_offset)
        intensities = Sample(image[mask].astype(np.int16) if fits_int16(image) else image[mask])
        scales = {scale: limited_levels(image, mask, scale.low, scale.high, scale.levels)
                  for scale in {settings.glcm25.scale, settings.glcm3.scale, settings.glrlm25.scale}}  # fmt: skip
        return np.concatenate([
            _with_percentiles(Sample(orientations(image, mask)), settings.orientation_histogram, settings.percentiles, inner=False),
            *_cooccurrence(scales, settings.glcm25, settings.glcm3),
            _run_lengths(scales[settings.glrlm25.scale], settings.glrlm25),
            _direct(intensities, settings.direct_histogram),
            *([_local(image, mask, intensities, settings)] if settings.local.wanted else []),
            _with_percentiles(intensities, settings.intensity_histogram, settings.percentiles, inner=True),
            _differences(image, mask, spacing_xyz, settings.nid25, in_slices=True),
            _differences(image, mask, spacing_xyz, settings.nid3, in_slices=False),
        ])  # fmt: skip

    def about(self) -> str:
        scale = self.settings.glcm25.scale
        return (f"{len(self.names()):,} IBEX-compatible features, computed by LTDiff: {scale.levels} grey levels from "
                f"{scale.low - self.settings.intensity_offset:g} to {scale.high - self.settings.intensity_offset:g} HU, offsets "
                f"{', '.join(map(str, self.settings.glcm25.offsets))}, no resampling.")  # fmt: skip

    def as_dict(self) -> dict:
        return asdict(self.settings)


def _image(hu: np.ndarray, offset: float) -> np.ndarray:
    """HU + offset: whole numbers stay whole, for which much is faster, unless the offset is none."""
    return hu.astype(np.int32) + int(offset) if hu.dtype.kind != "f" and float(offset).is_integer() else hu + offset


def _with_percentiles(sample: Sample, histogram: HistogramSettings, percents: Sequence[int], inner: bool) -> np.ndarray:
    """inner: without what lies in the first and the last bin, where values beyond the limits are counted too."""
    if not sample.n:
        return np.full(len(catalogue.STATISTICS) + 2 * len(percents), np.nan)
    if inner:
        centres = np.linspace(histogram.low, histogram.high, histogram.bins + 1)
        counts, centres = nearest_counts(sample.values, centres)[1:-1], centres[1:-1]
    else:
        width = (histogram.high - histogram.low) / histogram.bins
        centres = histogram.low + width * (np.arange(histogram.bins) + 0.5)
        counts = nearest_counts(sample.values, centres)
    statistics = sample.features(catalogue.STATISTICS.values())
    return np.concatenate([statistics, sample.percentiles(percents), percentile_areas(counts, centres, percents)])


def _direct(sample: Sample, histogram: HistogramSettings) -> np.ndarray:
    counts = nearest_counts(sample.values, np.linspace(histogram.low, histogram.high, histogram.bins + 1))
    return np.array(sample.features(catalogue.DIRECT.values()) + [function(counts) for function in catalogue.DIRECT_HISTOGRAM.values()])


def _run_lengths(levels: Levels, settings: RunSettings) -> np.ndarray:
    counts = count_runs(levels, [IN_SLICES[direction] for direction in settings.directions])
    runs = Runs(np.concatenate([counts, counts.mean(axis=0, keepdims=True)]), levels)
    return runs.features(catalogue.RUN_LENGTH.values()).T.ravel()


def _differences(image: np.ndarray, mask: np.ndarray, spacing_xyz: Sequence[float], settings: NeighbourhoodSettings, in_slices: bool) -> np.ndarray:
    x, y, z = (_odd(settings.size * spacing_xyz[0] / step if settings.same_mm else settings.size) for step in spacing_xyz)
    size = (1 if in_slices else z, y, x)
    histogram = settings.histogram
    found = intensity_differences(image, mask, size, histogram.low, histogram.high, histogram.bins)
    return np.array(found.features(catalogue.DIFFERENCES.values()))


def _odd(size: float) -> int:
    """The whole number nearest to size, and if that is even the next above."""
    return int(np.floor(size + 0.5)) | 1


def _local(image: np.ndarray, mask: np.ndarray, sample: Sample, settings: IbexSettings) -> np.ndarray:
    sizes, histogram = settings.local, settings.local.entropy_histogram
    step = (histogram.high - histogram.low) / (histogram.bins - 1)
    maps = (local.local_entropy(image, mask, sizes.entropy_size, histogram.low, step, histogram.bins),
            local.local_range(image, mask, sizes.range_size), local.local_sd(image, mask, sizes.sd_size))  # fmt: skip
    return np.array([value for found in maps for value in local.summaries(found)] + sample.features([energy_per_value]))


def _cooccurrence(scales: dict[Scale, Levels], in_slices: CooccurrenceSettings, in_space: CooccurrenceSettings) -> list[np.ndarray]:
    if in_slices.scale == in_space.scale:
        return plan_of(in_slices, in_space).features(scales[in_space.scale])
    return plan_of(in_slices, None).features(scales[in_slices.scale]) + plan_of(None, in_space).features(scales[in_space.scale])
