"""Feature values and region lists as CSV files (UTF-8, comma, point; floats in full precision)."""
from __future__ import annotations

import csv
import io
from dataclasses import astuple, fields
from pathlib import Path
from typing import Iterable, Iterator, Sequence

from ..volumes.atomic import write_text
from ..volumes.volume import CTVolume
from .features import FeatureTable
from .regions import Region
from .regions.facts import RegionFacts, region_facts

FEATURE_COLUMNS = ("patient", "series", "region", "range", "method", "class", "feature", "value")
REGION_COLUMNS = ("region", "range", "kind", "group", "z_start", "z_stop", "y_start", "y_stop", "x_start", "x_stop",
                  "voxels")


def feature_rows(series: str, method: str, regions: Sequence[Region], features: FeatureTable) -> Iterator[tuple]:
    """The values of `FEATURE_COLUMNS` per region, class and feature. The patient is the region's group, or else the series."""
    for region, values in zip(regions, features.values):
        for (feature_class, name), value in zip(features.names, values.tolist()):
            yield region.group or series, series, region.name, region.hu_range, method, feature_class, name, value


def region_rows(regions: Iterable[Region]) -> Iterator[tuple]:
    """The values of `REGION_COLUMNS` per region (voxel indices, stop excluded): the list published with a result."""
    for region in regions:
        limits = [limit for box in region.slices for limit in (box.start, box.stop)]
        yield region.name, region.hu_range, region.kind, region.group, *limits, region.number_of_voxels


def write_features_csv(path: str | Path, rows: Iterable[tuple], overwrite: bool = False) -> None:
    """Write `feature_rows`. The file appears whole or not at all; OutputError where it exists or cannot be written."""
    write_csv(path, FEATURE_COLUMNS, rows, overwrite)


def write_regions_csv(path: str | Path, regions: Iterable[Region], overwrite: bool = False) -> None:
    """Write `region_rows`, as `write_features_csv` does."""
    write_csv(path, REGION_COLUMNS, region_rows(regions), overwrite)


def write_region_facts(path: Path, regions: Iterable[Region], volume: CTVolume, overwrite: bool = False) -> Path:
    """Write `region_facts`, a row a region, as `write_features_csv` does; returns the path."""
    rows = (astuple(region_facts(region, volume)) for region in regions)
    write_csv(path, [field.name for field in fields(RegionFacts)], rows, overwrite)
    return path


def write_csv(path: str | Path, columns: Sequence[str], rows: Iterable[Sequence], overwrite: bool = False) -> None:
    """Write rows of values in the order of `columns`; OutputError where the file exists (unless `overwrite`) or fails."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    write_text(path, text.getvalue(), overwrite)
