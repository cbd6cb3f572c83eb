"""Radiomic features of marked regions, before and after standardization."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import InputError
from ..radiomics.features import FeatureTable, relative_change
from ..radiomics.measuring import measure
from ..radiomics.profiles.pyradiomics import CLASSES, PyRadiomicsProfile
from ..radiomics.regions import Region
from ..radiomics.regions.label_maps import MarkedRegions
from ..radiomics.reporting.measurement_report import write_measurement_report
from ..radiomics.reporting.segmentation import write_segmentation
from ..radiomics.reporting.series import DerivedSeries
from ..radiomics.tables import write_csv
from ..volumes.volume import CTVolume

COLUMNS = ("series", "region", "voxels", "class", "feature", "input", "standardized", "relative_change")
PROFILE = PyRadiomicsProfile(CLASSES)


def regions_on(volume: CTVolume, marked: Sequence[MarkedRegions]) -> tuple[list[Region], list[str]]:
    """The regions that lie on the voxels of the volume, and a sentence for each label map that does not.

    Raises InputError where label maps were given and none fits.
    """
    misfits = [sentence for item in marked if (sentence := item.why_not_on(volume))]
    if marked and len(misfits) == len(marked):
        raise InputError(misfits[0])
    return [region for item in marked if item.why_not_on(volume) is None for region in item.regions], misfits


def write_feature_changes(path: Path, before: CTVolume, after: CTVolume, regions: Sequence[Region]) -> FeatureTable:
    """A CSV file of `COLUMNS`, one row a region and feature; relative_change is (standardized - input) / |input|, nan for 0.

    Returns the features of the standardized volume.
    """
    measured = measure(PROFILE, {"before": before.hu, "after": after.hu}, regions, before.spacing)
    write_csv(path, COLUMNS, _rows(before.name, regions, measured["before"], measured["after"]))
    return measured["after"]


def write_dicom_regions(folder: Path, segmentation: Path, report: Path, regions: Sequence[Region], measured: FeatureTable) -> None:
    """Writes the regions as SEG and what was measured in them as SR, both about the derived series in the folder."""
    series = DerivedSeries.read(folder)
    segments = write_segmentation(segmentation, series, regions)
    write_measurement_report(report, series, segments, regions, measured, PROFILE.about())


def _rows(series: str, regions: Sequence[Region], before: FeatureTable, after: FeatureTable) -> Iterator[tuple]:
    changes = relative_change(before.values, after.values)
    for region, *values in zip(regions, before.values.tolist(), after.values.tolist(), changes.tolist()):
        for (feature_class, name), old, new, change in zip(before.names, *values):
            yield series, region.name, region.number_of_voxels, feature_class, name, old, new, change
