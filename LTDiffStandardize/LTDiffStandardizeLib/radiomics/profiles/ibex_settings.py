"""Every parameter of the IBEX-compatible features, in one object that is written with the results.

The release of IBEX that the paper used is not named, and its parameter files could not be found. The defaults here are those of
published example sets where there are such, which the comments say; a cohort that was measured with others sets them.
"""
from __future__ import annotations

from dataclasses import dataclass

ALL_DIRECTIONS = -333
"""How IBEX writes "all directions together"."""


@dataclass(frozen=True)
class Scale:
    """Grey levels: level = round((levels - 1) (I - low) / (high - low) + 1), intensities I beyond the limits clipped to them."""

    low: float = 0.0
    high: float = 2100.0  # GrayLimits of the example sets
    levels: int = 100  # NumLevels of the example sets


@dataclass(frozen=True)
class CooccurrenceSettings:
    """directions: within slices in degrees, in three dimensions as numbers of IBEX's list of 13. offsets: in voxels."""

    directions: tuple[int, ...]
    offsets: tuple[int, ...] = (1, 4, 7)  # of the example sets
    symmetric: bool = False  # of the example sets: pairs are counted from their first voxel only
    scale: Scale = Scale()


@dataclass(frozen=True)
class RunSettings:
    directions: tuple[int, ...] = (0, 90)
    scale: Scale = Scale()


@dataclass(frozen=True)
class HistogramSettings:
    low: float
    high: float
    bins: int


@dataclass(frozen=True)
class NeighbourhoodSettings:
    """size: odd number of columns. same_mm: rows and slices get the odd number that comes nearest to the same length (NHoodSym)."""

    size: int = 5  # of the CT example set
    same_mm: bool = True
    histogram: HistogramSettings = HistogramSettings(0.0, 2000.0, 2000)  # of the CT example set


@dataclass(frozen=True)
class LocalSettings:
    """Of the 15 local features and EnergyNorm, which are none of the 1,401. Sizes of the square are MATLAB's defaults."""

    wanted: bool = False
    entropy_size: int = 9
    range_size: int = 3
    sd_size: int = 3
    entropy_histogram: HistogramSettings = HistogramSettings(0.0, 4096.0, 256)


@dataclass(frozen=True)
class IbexSettings:
    """Intensities are HU + `intensity_offset`, as IBEX stores CT. Percentages are those of all lists of percentiles."""

    intensity_offset: float = 1000.0
    percentiles: tuple[int, ...] = tuple(range(5, 100, 5))
    orientation_histogram: HistogramSettings = HistogramSettings(0.0, 360.0, 64)
    glcm25: CooccurrenceSettings = CooccurrenceSettings((0, 45, 90, 135))
    glcm3: CooccurrenceSettings = CooccurrenceSettings(tuple(range(13)))
    glrlm25: RunSettings = RunSettings()
    direct_histogram: HistogramSettings = HistogramSettings(0.0, 4096.0, 256)
    intensity_histogram: HistogramSettings = HistogramSettings(0.0, 4096.0, 256)
    nid25: NeighbourhoodSettings = NeighbourhoodSettings()
    nid3: NeighbourhoodSettings = NeighbourhoodSettings()
    local: LocalSettings = LocalSettings()
