"""Methods side by side: the features of several volumes in one list of regions, and how well they agree with a reference.

Nothing here knows how a volume was made; `report` shows the result.
"""
from __future__ import annotations

import json
import math
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Iterator, Mapping, Sequence

import numpy as np

from .errors import InputError
from .radiomics.agreement import agreement_table, sd_ratio
from .radiomics.gradient_orientation import orientation_features
from .radiomics.intensity_histogram import histogram_features
from .radiomics.pyradiomics_profile import Features, available, extract, within_slices
from .radiomics.reference import region_reference, smooth
from .radiomics.regions import DEFAULT_SIZE_MM, HU_RANGES, Region, random_regions
from .radiomics.tables import feature_rows, write_features_csv, write_regions_csv
from .volumes.atomic import file_aside
from .volumes.volume import CTVolume

STANDARD = "standard"  # the reference's name where a method's would stand
AGREEMENT_KEYS = ("method", "regions", "feature_class", "ccc_mean", "ccc_sd", "ccc_low", "ccc_high", "share_085", "share_090",
                  "n_features", "n_left_out", "n_regions")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Comparison:
    """What `compare` found.

    volumes: {method: CTVolume} on the grid of `reference`.
    features: {method or STANDARD: features per region}, as `extract_many` returns them.
    agreement: rows of `agreement_table`.
    within_slices: whether texture neighbours were looked for within slices only.
    missing: one sentence on the feature classes that could not be computed, or "".
    """

    reference: CTVolume
    volumes: dict[str, CTVolume]
    regions: list[Region]
    features: dict[str, list[Features]]
    agreement: list[dict]
    within_slices: bool
    missing: str

    def ranges(self) -> list[str]:
        """The labels of the HU ranges, in the order of the regions."""
        return list(dict.fromkeys(region.hu_range for region in self.regions))

    def regions_of(self, hu_range: str) -> list[Region]:
        return [region for region in self.regions if region.hu_range == hu_range]


def compare(reference: CTVolume, volumes: Mapping[str, CTVolume], regions: Sequence[Region], processes: int = 1) -> Comparison:
    """Measures every region in the reference and in the volume of every method.

    processes: above 1, worker processes are started; the calling script needs an `if __name__ == "__main__":` guard then.
    Raises InputError where a volume does not lie on the grid of the reference, or there is no region.
    """
    for method, volume in volumes.items():
        _check_same_grid(method, volume, reference)
    if not regions:
        raise InputError(f"No region was found in {reference.name}, so nothing can be compared; draw one, or take more slices.")
    usable, why_not = available()
    hu_of = {STANDARD: reference.hu, **{method: volume.hu for method, volume in volumes.items()}}
    tasks = [([region.crop(hu) for region in regions], [region.mask for region in regions], reference.spacing, usable)
             for hu in hu_of.values()]  # fmt: skip
    features = dict(zip(hu_of, _run(tasks, processes)))
    by_method = {method: features[method] for method in volumes}
    agreement = agreement_table(by_method, features[STANDARD], regions)
    return Comparison(reference, dict(volumes), list(regions), features, agreement, within_slices(reference.spacing), why_not)


def draw_regions(reference: CTVolume, count: int = 100, seed: int = 0, size_mm: Sequence[float] = DEFAULT_SIZE_MM,
                 group: str = "") -> list[Region]:
    """At most `count` random regions for each of `HU_RANGES`, all drawn on the smoothed reference; see `random_regions`."""
    prepared = region_reference(reference.hu, reference.spacing, reference.padding)
    drawn = (random_regions(prepared, reference.spacing, hu_range, count, seed, size_mm, padding=reference.padding,
                            reference_is_prepared=True, group=group)[0] for hu_range in HU_RANGES)  # fmt: skip
    return [region for regions in drawn for region in regions]


def slice_by_slice(region: Region) -> list[Region]:
    """One region for every slice in which the region has voxels, cut to them, so that a CCC across slices exists."""
    parts = []
    for offset in np.flatnonzero(region.mask.any(axis=(1, 2))):
        plane = region.mask[offset]
        rows, columns = (_extent(plane.any(axis)) for axis in (1, 0))
        z, y, x = (limit.start for limit in region.slices)
        z += int(offset)
        box = (slice(z, z + 1), slice(y + rows.start, y + rows.stop), slice(x + columns.start, x + columns.stop))
        parts.append(replace(region, name=f"{region.name} slice {z + 1:03d}", slices=box, mask=plane[None, rows, columns].copy()))
    return parts


def sd_ratios(comparison: Comparison) -> dict[tuple[str, str], float]:
    """{(HU range, method): median over the regions of the SD relative to the reference's}; 1 is the reference's strength."""
    return {(hu_range, method): sd_ratio(volume.hu, comparison.reference.hu, comparison.regions_of(hu_range)).median
            for hu_range in comparison.ranges() for method, volume in comparison.volumes.items()}  # fmt: skip


def hu_shifts(comparison: Comparison) -> dict[tuple[str, str], float]:
    """{(HU range, method): mean HU minus the reference's in homogeneous regions}; ranges without random regions are left out.

    Homogeneous are the quarter of a range's random regions in which the smoothed reference varies least.
    """
    smoothed = smooth(comparison.reference.hu, comparison.reference.spacing, comparison.reference.padding)
    shifts = {}
    for hu_range in comparison.ranges():
        drawn = [region for region in comparison.regions_of(hu_range) if region.kind == "random"]
        quarter = sorted(drawn, key=lambda region: _inside(region, smoothed).std())[: math.ceil(len(drawn) / 4)]
        for method, volume in comparison.volumes.items() if quarter else ():
            means = [_inside(region, volume.hu).mean() - _inside(region, comparison.reference.hu).mean() for region in quarter]
            shifts[hu_range, method] = float(np.mean(means))
    return shifts


def write_tables(comparison: Comparison, folder: str | Path, series: str, overwrite: bool = False) -> list[Path]:
    """Writes features.csv (tidy: one value a row), regions.csv and agreement.json (undefined numbers are null); returns the paths.

    Raises OutputError where a file exists (unless `overwrite`) or cannot be written.
    """
    features, regions, agreement = (Path(folder) / name for name in ("features.csv", "regions.csv", "agreement.json"))
    write_features_csv(features, _all_feature_rows(comparison, series), overwrite)
    write_regions_csv(regions, comparison.regions, overwrite)
    rows = [{key: _finite(row[key]) for key in AGREEMENT_KEYS} for row in comparison.agreement]
    with file_aside(agreement, overwrite) as partial:
        partial.write_bytes((json.dumps(rows, indent=1, allow_nan=False) + "\n").encode())
    return [features, regions, agreement]


def _all_feature_rows(comparison: Comparison, series: str) -> Iterator[dict]:
    for method, features in comparison.features.items():
        yield from feature_rows(series, method, comparison.regions, features)


def _finite(value):
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _check_same_grid(method: str, volume: CTVolume, reference: CTVolume) -> None:
    same = volume.hu.shape == reference.hu.shape and all(
        np.allclose(getattr(volume, name), getattr(reference, name), rtol=0, atol=0.01) for name in ("spacing", "origin", "direction"))
    if not same:
        raise InputError(f"The volume of method {method} does not lie on the grid of {reference.name}; resample one of the two, or "
                         "choose series of one scan.")  # fmt: skip


def _run(tasks: list[tuple], processes: int) -> list[list[Features]]:
    if processes <= 1:
        return [_measure(*task) for task in tasks]
    # Spawned on every platform: a fork of a process in which torch has started threads can hang.
    with ProcessPoolExecutor(min(processes, len(tasks)), mp_context=get_context("spawn")) as pool:
        return list(pool.map(_measure, *zip(*tasks)))


def _measure(crops, masks, spacing, with_pyradiomics) -> list[Features]:
    if with_pyradiomics:
        return [extract(crop, mask, spacing) for crop, mask in zip(crops, masks)]
    return [{"GOH": orientation_features(crop, mask, spacing), "IH": histogram_features(crop[mask])} for crop, mask in zip(crops, masks)]


def _inside(region: Region, values: np.ndarray) -> np.ndarray:
    return region.crop(values)[region.mask].astype(np.float64)


def _extent(flags: np.ndarray) -> slice:
    where = np.flatnonzero(flags)
    return slice(int(where[0]), int(where[-1]) + 1)
