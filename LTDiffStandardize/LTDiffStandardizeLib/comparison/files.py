"""A comparison as plain files: CSV with one value a row, and JSON."""
from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Iterator, Mapping, Sequence

import numpy as np

from ..radiomics.agreement import THRESHOLD, feature_agreement, paper_protocol, trustworthy
from ..radiomics.agreement.classes import few_regions, few_regions_warning
from ..radiomics.features import FeatureTable
from ..radiomics.regions import Region
from ..radiomics.regions.random_boxes import shortfall
from ..radiomics.tables import feature_rows, write_csv, write_features_csv, write_regions_csv
from ..volumes.atomic import file_aside
from ..volumes.derivation import RESEARCH_USE
from .comparing import Comparison, hu_shifts, sd_ratios

RESULTS = ("features.csv", "regions.csv", "agreement.json", "feature_agreement.csv", "summary.json")
VALUES = "values.npz"
AGREEMENT_KEYS = ("method", "regions", "feature_class", "ccc_mean", "ccc_sd", "ccc_low", "ccc_high", "share_085", "share_090",
                  "n_features", "n_left_out", "n_regions")  # fmt: skip


def write_tables(comparison: Comparison, folder: str | Path, series: str, overwrite: bool = False) -> list[Path]:
    """Writes features.csv (tidy: one value a row), regions.csv and agreement.json (undefined numbers are null); returns the paths.

    Raises OutputError where a file exists (unless `overwrite`) or cannot be written.
    """
    features, regions, agreement = (Path(folder) / name for name in RESULTS[:3])
    write_features_csv(features, _all_feature_rows(comparison, series), overwrite)
    write_regions_csv(regions, comparison.regions, overwrite)
    write_agreement(comparison, agreement, overwrite)
    return [features, regions, agreement]


def write_values(folder: str | Path, features: Mapping[str, FeatureTable], regions: Sequence[Region], overwrite: bool = False) -> Path:
    """Writes all values as one array (volumes, regions, features) with the names of its axes, for programs; see `findings.Values`."""
    path, tables = Path(folder) / VALUES, list(features.values())
    with file_aside(path, overwrite) as partial, open(partial, "wb") as file:
        np.savez_compressed(
            file, values=np.stack([table.values for table in tables]), volumes=list(features), regions=[region.name for region in regions],
            ranges=[region.hu_range for region in regions], names=["\t".join(name) for name in tables[0].names],
        )  # fmt: skip
    return path


def write_agreement(comparison: Comparison, path: Path, overwrite: bool = False) -> Path:
    """Writes the rows of the table, one a method, HU range and class, and returns the path."""
    write_json(path, [{key: row[key] for key in AGREEMENT_KEYS} for row in comparison.agreement], overwrite)
    return path


def write_figures(comparison: Comparison, folder: str | Path, before: str, after: str, overwrite: bool = False) -> list[Path]:
    """Writes feature_agreement.csv (each feature by itself: CCC, ICC, limits of agreement, error) and summary.json; returns the paths.

    before, after: the methods between which features became trustworthy.
    """
    tables, standard = comparison.compared()
    rows = feature_agreement(tables, standard, comparison.regions)
    one_to_one, summary = (Path(folder) / name for name in RESULTS[3:])
    write_csv(one_to_one, list(rows[0]), (row.values() for row in rows), overwrite)
    lists = {hu_range: lists._asdict() for hu_range, lists in trustworthy(rows, before, after).items()}
    write_json(summary, {
        "note": RESEARCH_USE,
        "profile": {"name": comparison.profile.name, "about": comparison.profile.about(), "settings": comparison.profile.as_dict()},
        "missing": comparison.missing,
        "patients": len(comparison.patients()),
        "methods": comparison.methods,
        "regions": [{"regions": hu_range, "n": len(comparison.regions_of(hu_range))} for hu_range in comparison.ranges()],
        "few_regions": few_regions(comparison.regions),
        "random_regions": list(comparison.candidates),
        "warnings": warnings_of(comparison),
        "sd_ratio": _by_range_and_method(sd_ratios(comparison), "sd_ratio"),
        "hu_shift": _by_range_and_method(hu_shifts(comparison), "hu_shift"),
        "paper_protocol": paper_protocol(tables, standard, comparison.regions),
        "trustworthy": {"before": before, "after": after, "threshold": THRESHOLD, "regions": lists},
    }, overwrite)  # fmt: skip
    return [one_to_one, summary]


def warnings_of(comparison: Comparison) -> list[str]:
    """A sentence on ranges of too few regions, and one on random regions that found no room; where they apply."""
    return list(filter(None, (few_regions_warning(comparison.regions), shortfall(comparison.candidates))))


def _by_range_and_method(values: dict[tuple[str, str], float], name: str) -> list[dict]:
    return [{"regions": hu_range, "method": method, name: value} for (hu_range, method), value in values.items()]


def _all_feature_rows(comparison: Comparison, series: str) -> Iterator[tuple]:
    for method, features in comparison.features.items():
        yield from feature_rows(series, method, comparison.regions, features)


def write_json(path: Path, content: Any, overwrite: bool = False) -> None:
    """Numbers that are not finite become null. OutputError where the file exists (unless `overwrite`) or cannot be written."""
    with file_aside(path, overwrite) as partial:
        partial.write_bytes((json.dumps(_finite(content), indent=1, allow_nan=False) + "\n").encode())


def _finite(value: Any) -> Any:
    """The same with null for numbers that are not finite, which JSON does not know."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
