"""Every parameter of the IBEX-compatible features, in one object that is written with the results.

The release of IBEX that the paper used is not named, and its parameter files could not be found. The defaults here are those of
published example sets where there are such, which the comments say; a cohort that was measured with others sets them. Each object
raises InputError when it is made with values with which nothing can be measured.
"""
from __future__ import annotations

from dataclasses import dataclass

from ..matrices.levels import MOST_LEVELS
from .checks import check, check_between, check_limits, check_size, some_of, unlike_numbers

ALL_DIRECTIONS = -333
"""How IBEX writes "all directions together"."""
MOST_BINS = 1 << 16  # as many as 16 bits have values
LONGEST_OFFSET = 100  # voxels; the box of a region is enlarged by it

# (slices, rows, columns) of one step. The 13 are IBEX's, whose triples are read as (row, column, slice).
IN_SLICES = {0: (0, 0, 1), 45: (0, -1, 1), 90: (0, -1, 0), 135: (0, -1, -1)}
IN_SPACE = dict(enumerate((
    (0, 1, 0), (0, 0, 1), (1, 0, 0), (0, 1, 1), (0, -1, 1), (1, 0, 1), (-1, 0, 1), (1, 1, 0), (-1, 1, 0),
    (1, 1, 1), (1, -1, 1), (-1, 1, 1), (-1, -1, 1),
)))  # fmt: skip


@dataclass(frozen=True)
class Scale:
    """Grey levels: level = round((levels - 1) (I - low) / (high - low) + 1), intensities I beyond the limits clipped to them."""

    low: float = 0.0
    high: float = 2100.0  # GrayLimits of the example sets
    levels: int = 100  # NumLevels of the example sets

    def __post_init__(self) -> None:
        check_limits(self.low, self.high)
        check_between("levels", self.levels, 2, MOST_LEVELS)


@dataclass(frozen=True)
class CooccurrenceSettings:
    """directions: within slices in degrees, in three dimensions as numbers of IBEX's list of 13. offsets: in voxels."""

    directions: tuple[int, ...]
    offsets: tuple[int, ...] = (1, 4, 7)  # of the example sets
    symmetric: bool = False  # of the example sets: pairs are counted from their first voxel only
    scale: Scale = Scale()

    def __post_init__(self) -> None:
        check("offsets", self.offsets, *unlike_numbers(self.offsets, 1, LONGEST_OFFSET))


@dataclass(frozen=True)
class RunSettings:
    directions: tuple[int, ...] = (0, 90)
    scale: Scale = Scale()

    def __post_init__(self) -> None:
        check("directions", self.directions, *some_of(self.directions, IN_SLICES))


@dataclass(frozen=True)
class HistogramSettings:
    low: float
    high: float
    bins: int

    def __post_init__(self) -> None:
        check_limits(self.low, self.high)
        check_between("bins", self.bins, 2, MOST_BINS)


@dataclass(frozen=True)
class NeighbourhoodSettings:
    """size: odd number of columns. same_mm: rows and slices get the odd number that comes nearest to the same length (NHoodSym)."""

    size: int = 5  # of the CT example set
    same_mm: bool = True
    histogram: HistogramSettings = HistogramSettings(0.0, 2000.0, 2000)  # of the CT example set

    def __post_init__(self) -> None:
        check_size("size", self.size)


@dataclass(frozen=True)
class LocalSettings:
    """Of the 15 local features and EnergyNorm, which are none of the 1,401. Sizes of the square are MATLAB's defaults."""

    wanted: bool = False
    entropy_size: int = 9
    range_size: int = 3
    sd_size: int = 3
    entropy_histogram: HistogramSettings = HistogramSettings(0.0, 4096.0, 256)

    def __post_init__(self) -> None:
        for name in ("entropy_size", "range_size", "sd_size"):
            check_size(name, getattr(self, name))


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

    def __post_init__(self) -> None:
        check_between("intensity_offset", self.intensity_offset, -1_000_000, 1_000_000, " HU")
        check("percentiles", self.percentiles, *unlike_numbers(self.percentiles, 0, 100))
        check("glcm25.directions", self.glcm25.directions, *some_of(self.glcm25.directions, IN_SLICES))
        check("glcm3.directions", self.glcm3.directions, *some_of(self.glcm3.directions, IN_SPACE))
