"""How features change from one volume to another, where no reference says which value is right."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..radiomics.features import FeatureTable, relative_change
from ..radiomics.measuring import measure
from ..radiomics.profiles import Profile
from ..radiomics.regions import Region
from ..radiomics.tables import write_csv, write_regions_csv
from ..volumes.derivation import RESEARCH_USE
from ..volumes.volume import CTVolume
from .comparing import check_regions, check_same_grid
from .files import write_json

CHANGE_RESULTS = ("changes.csv", "regions.csv", "changes.json")
CHANGE_COLUMNS = ("patient", "region", "range", "voxels", "class", "feature", "before", "after", "relative_change")
NO_REFERENCE = ("There is no reference, so nothing says which values are right: these are changes, not errors, and there is no CCC. "
                "Give a reference volume, such as the same scan with the target kernel, to see agreement.")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Changes:
    """The features of one patient's regions, before and after; rows in the order of the regions."""

    regions: Sequence[Region]
    before: FeatureTable
    after: FeatureTable

    def relative(self) -> np.ndarray:
        """(regions, features), see `relative_change`."""
        return relative_change(self.before.values, self.after.values)


def changes(before: CTVolume, after: CTVolume, regions: Sequence[Region], profile: Profile, processes: int = 1,
            progress: Callable[[int, int], None] | None = None) -> Changes:
    """Measures both volumes. Raises InputError where they do not lie on one grid."""
    check_same_grid("after", after, before)
    check_regions(regions, before)
    measured = measure(profile, {"before": before.hu, "after": after.hu}, regions, before.spacing, processes, progress)
    return Changes(regions, measured["before"], measured["after"])


def change_rows(found: Changes, patient: str) -> Iterator[tuple]:
    """The values of `CHANGE_COLUMNS`, one row a region and feature. The patient is the region's group, or else `patient`."""
    for region, old, new, relative in zip(found.regions, found.before.values.tolist(), found.after.values.tolist(), found.relative().tolist()):
        for (feature_class, name), *values in zip(found.before.names, old, new, relative):
            yield region.group or patient, region.name, region.hu_range, region.number_of_voxels, feature_class, name, *values


def class_changes(found: Sequence[Changes]) -> list[dict]:
    """Per HU range and class: median and 90th percentile of |relative change| over regions and features, and how many had one."""
    rows = []
    regions = [region for one in found for region in one.regions]
    sizes = np.abs(np.concatenate([one.relative() for one in found]))
    for hu_range in dict.fromkeys(region.hu_range for region in regions):
        where = [index for index, region in enumerate(regions) if region.hu_range == hu_range]
        for feature_class, columns in found[0].before.classes().items():
            values = sizes[where, columns]
            values = values[np.isfinite(values)]
            median, high = np.percentile(values, [50, 90]) if values.size else (np.nan, np.nan)
            rows.append({"regions": hu_range, "feature_class": feature_class, "median_change": float(median), "high_change": float(high),
                         "n_regions": len(where), "n_values": int(values.size)})  # fmt: skip
    return rows


def write_changes(found: Sequence[Changes], profile: Profile, folder: str | Path, patient: str, names: tuple[str, str],
                  overwrite: bool = False) -> list[Path]:
    """Writes changes.csv, regions.csv and changes.json (medians a class); returns the paths. names: of the volumes.

    Raises OutputError where a file exists (unless `overwrite`) or cannot be written.
    """
    table, regions, summary = (Path(folder) / name for name in CHANGE_RESULTS)
    write_csv(table, CHANGE_COLUMNS, (row for one in found for row in change_rows(one, patient)), overwrite)
    write_regions_csv(regions, [region for one in found for region in one.regions], overwrite)
    write_json(summary, {
        "note": f"{RESEARCH_USE} {NO_REFERENCE}", "before": names[0], "after": names[1],
        "profile": {"name": profile.name, "about": profile.about(), "settings": profile.as_dict()},
        "classes": class_changes(found),
    }, overwrite)  # fmt: skip
    return [table, regions, summary]
