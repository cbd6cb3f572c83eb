"""The IBEX-compatible set: 1,401 features in eight categories, under the names that IBEX gives them.

    GradientOrientHistogram        44   GOH    angles of the gradient within slices
    GrayLevelCooccurenceMatrix25  330   GLCM   22 features x (4 directions + all) x 3 offsets, pairs within slices, summed over slices
    GrayLevelCooccurenceMatrix3   924   GLCM   22 features x (13 directions + all) x 3 offsets
    GrayLevelRunLengthMatrix25     33   GLRLM  11 features x (2 directions + their mean), runs within slices, summed over slices
    IntensityDirect                16   ID     statistics of the intensities; 32 with the local features, an extension
    IntensityHistogram             44   IH     statistics and percentiles of the intensities
    NeighborIntensityDifference25   5   NID    neighbourhoods within slices
    NeighborIntensityDifference3    5   NID    neighbourhoods in three dimensions

A name is CATEGORY.FEATURE, for matrices CATEGORY.DIRECTION-OFFSETFEATURE (direction -333: all together), for percentiles
CATEGORY.PERCENTAGEFeature. IBEX's spelling is kept ("Cooccurence", "ClusterTendendcy", "Empha"). What each feature means, its unit,
and what it is for a constant or an empty region, is said by the functions of `matrices` that the tables here name; `describe` gives
the text. Definitions: Zhang et al. 2015 (Med Phys 42:1341) and the public sources of IBEX.
"""
from __future__ import annotations

from functools import lru_cache
from typing import Mapping, Sequence

from ..features import Name
from ..matrices import cooccurrence as c
from ..matrices import differences as d
from ..matrices import histograms, local
from ..matrices import runs as r
from ..matrices import statistics as s
from .ibex_settings import ALL_DIRECTIONS, CooccurrenceSettings, IbexSettings

STATISTICS = {  # of GradientOrientHistogram and IntensityHistogram, before their percentiles
    "InterQuartileRange": s.interquartile_range,
    "Kurtosis": s.kurtosis,
    "MeanAbsoluteDeviation": s.mean_absolute_deviation,
    "MedianAbsoluteDeviation": s.median_absolute_deviation,
    "Range": s.value_range,
    "Skewness": s.skewness,
}
COOCCURRENCE = {
    "AutoCorrelation": c.autocorrelation,
    "ClusterProminence": c.cluster_prominence,
    "ClusterShade": c.cluster_shade,
    "ClusterTendendcy": c.cluster_tendency,
    "Contrast": c.contrast,
    "Correlation": c.correlation,
    "DifferenceEntropy": c.difference_entropy,
    "Dissimilarity": c.difference_average,
    "Energy": c.energy,
    "Entropy": c.entropy,
    "Homogeneity": c.inverse_difference,
    "Homogeneity2": c.inverse_difference_moment,
    "InformationMeasureCorr1": c.information_correlation_1,
    "InformationMeasureCorr2": c.information_correlation_2,
    "InverseDiffMomentNorm": c.inverse_difference_moment_normalised,
    "InverseDiffNorm": c.inverse_difference_normalised,
    "InverseVariance": c.inverse_variance,
    "MaxProbability": c.maximum_probability,
    "SumAverage": c.sum_average,
    "SumEntropy": c.sum_entropy,
    "SumVariance": c.sum_variance_about_entropy,
    "Variance": c.cluster_tendency,  # so in IBEX
}
RUN_LENGTH = {
    "GrayLevelNonuniformity": r.level_non_uniformity_per_voxel,
    "HighGrayLevelRunEmpha": r.high_level_emphasis,
    "LongRunEmphasis": r.long_run_emphasis,
    "LongRunHighGrayLevelEmpha": r.long_run_high_level_emphasis,
    "LongRunLowGrayLevelEmpha": r.long_run_low_level_emphasis,
    "LowGrayLevelRunEmpha": r.low_level_emphasis,
    "RunLengthNonuniformity": r.length_non_uniformity_per_voxel,
    "RunPercentage": r.run_percentage,
    "ShortRunEmphasis": r.short_run_emphasis,
    "ShortRunHighGrayLevelEmpha": r.short_run_high_level_emphasis,
    "ShortRunLowGrayLevelEmpha": r.short_run_low_level_emphasis,
}
DIRECT = {
    "Energy": s.energy,
    "GlobalMax": s.maximum,
    "GlobalMean": s.mean,
    "GlobalMedian": s.median,
    "GlobalMin": s.minimum,
    "GlobalStd": s.sample_sd,
    "InterQuartileRange": s.interquartile_range,
    "Kurtosis": s.kurtosis,
    "MeanAbsoluteDeviation": s.mean_absolute_deviation,
    "MedianAbsoluteDeviation": s.median_absolute_deviation,
    "Range": s.value_range,
    "RootMeanSquare": s.root_mean_square,
    "Skewness": s.skewness,
    "Variance": s.sample_variance,
}
DIRECT_HISTOGRAM = {"GlobalEntropy": histograms.entropy, "GlobalUniformity": histograms.uniformity}
DIFFERENCES = {
    "Busyness": d.busyness_per_voxel,
    "Coarseness": d.coarseness_per_voxel,
    "Complexity": d.complexity,
    "Contrast": d.contrast_over_all_pairs,
    "TextureStrength": d.texture_strength,
}

LOCAL = {"LocalEntropy": local.local_entropy, "LocalRange": local.local_range, "LocalStd": local.local_sd}
CLASSES = {
    "GradientOrientHistogram": "GOH",
    "GrayLevelCooccurenceMatrix25": "GLCM",
    "GrayLevelCooccurenceMatrix3": "GLCM",
    "GrayLevelRunLengthMatrix25": "GLRLM",
    "IntensityDirect": "ID",
    "IntensityHistogram": "IH",
    "NeighborIntensityDifference25": "NID",
    "NeighborIntensityDifference3": "NID",
}
"""IBEX's categories and the columns of the paper's tables in which they stand."""


def matrices_of(settings: CooccurrenceSettings) -> list[tuple[int, int]]:
    """(direction, offset) of the matrices of a category, in the order of their features."""
    return [(direction, offset) for offset in settings.offsets for direction in (*settings.directions, ALL_DIRECTIONS)]


@lru_cache
def names(settings: IbexSettings) -> tuple[Name, ...]:
    """(class, feature) of every feature, in the order in which `ibex` measures them: 1,401 with the default settings."""
    features = {
        "GradientOrientHistogram": _histogram_names(settings),
        "GrayLevelCooccurenceMatrix25": _cooccurrence_names(settings.glcm25),
        "GrayLevelCooccurenceMatrix3": _cooccurrence_names(settings.glcm3),
        "GrayLevelRunLengthMatrix25": [f"{direction}{name}" for direction in (*settings.glrlm25.directions, ALL_DIRECTIONS) for name in RUN_LENGTH],
        "IntensityDirect": [*DIRECT, *DIRECT_HISTOGRAM, *(_local_names() if settings.local.wanted else ())],
        "IntensityHistogram": _histogram_names(settings),
        "NeighborIntensityDifference25": list(DIFFERENCES),
        "NeighborIntensityDifference3": list(DIFFERENCES),
    }
    return tuple((CLASSES[category], f"{category}.{feature}") for category, listed in features.items() for feature in listed)


def describe(name: str) -> str:
    """What a feature of `names` means: definition, unit, source, and what it is for a constant region; KeyError where it is unknown."""
    category, feature = name.split(".", 1)
    bare = feature.lstrip("-0123456789")
    if "Percentile" in bare:
        function = histograms.percentile_areas if bare == "PercentileArea" else s.Sample.percentiles
    else:
        tables: Mapping[str, Sequence[Mapping]] = {
            "GLCM": [COOCCURRENCE], "GLRLM": [RUN_LENGTH], "NID": [DIFFERENCES], "GOH": [STATISTICS], "IH": [STATISTICS],
            "ID": [DIRECT, DIRECT_HISTOGRAM, {"EnergyNorm": s.energy_per_value},
                   {kind + summary: function for kind, function in LOCAL.items() for summary in local.SUMMARIES}],
        }  # fmt: skip
        function = next(table[bare] for table in tables[CLASSES[category]] if bare in table)
    return function.__doc__


def _cooccurrence_names(settings: CooccurrenceSettings) -> list[str]:
    return [f"{direction}-{offset}{name}" for direction, offset in matrices_of(settings) for name in COOCCURRENCE]


def _histogram_names(settings: IbexSettings) -> list[str]:
    return [*STATISTICS, *(f"{percent}{kind}" for kind in ("Percentile", "PercentileArea") for percent in settings.percentiles)]


def _local_names() -> list[str]:
    return [*(kind + summary for kind in LOCAL for summary in local.SUMMARIES), "EnergyNorm"]
