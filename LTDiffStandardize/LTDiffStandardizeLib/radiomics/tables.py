"""Feature values and region lists as CSV files (UTF-8, comma, point; floats in full precision)."""
from __future__ import annotations

import csv
from pathlib import Path
from typing import Iterable, Iterator, Sequence

from ..volumes.atomic import file_aside
from .pyradiomics_profile import Features
from .regions import Region

FEATURE_COLUMNS = ("series", "region", "range", "method", "class", "feature", "value")
REGION_COLUMNS = ("region", "range", "kind", "group", "z_start", "z_stop", "y_start", "y_stop", "x_start", "x_stop",
                  "voxels")


def feature_rows(series: str, method: str, regions: Sequence[Region], features: Sequence[Features]) -> Iterator[dict]:
    """One dict of `FEATURE_COLUMNS` per region, class and feature; `features` as `extract_many` returns them."""
    for region, classes in zip(regions, features):
        for feature_class, values in classes.items():
            for name, value in values.items():
                row = (series, region.name, region.hu_range, method, feature_class, name, value)
                yield dict(zip(FEATURE_COLUMNS, row))


def region_rows(regions: Iterable[Region]) -> Iterator[dict]:
    """One dict of `REGION_COLUMNS` per region (voxel indices, stop excluded): the list published with a result."""
    for region in regions:
        limits = [limit for box in region.slices for limit in (box.start, box.stop)]
        row = (region.name, region.hu_range, region.kind, region.group, *limits, region.number_of_voxels)
        yield dict(zip(REGION_COLUMNS, row))


def write_features_csv(path: str | Path, rows: Iterable[dict], overwrite: bool = False) -> None:
    """Write `feature_rows`. The file appears whole or not at all; OutputError where it exists or cannot be written."""
    write_csv(path, FEATURE_COLUMNS, rows, overwrite)


def write_regions_csv(path: str | Path, regions: Iterable[Region], overwrite: bool = False) -> None:
    """Write `region_rows`, as `write_features_csv` does."""
    write_csv(path, REGION_COLUMNS, region_rows(regions), overwrite)


def write_csv(path: str | Path, columns: Sequence[str], rows: Iterable[dict], overwrite: bool = False) -> None:
    """Write dicts that have the keys `columns`; OutputError where the file exists (unless `overwrite`) or fails."""
    with file_aside(path, overwrite) as partial, open(partial, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
