"""Regions as a DICOM Segmentation (PS3.3: Segmentation IOD, A.51; Segmentation Image Module, C.8.20.2)."""
from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...volumes.derivation import LONG_STRING, plain, stable_uid
from ..regions import Region, told_apart
from .series import DerivedSeries, making, save

SERIES_NUMBER_OFFSET = 1000
SOURCE = "From a label map that the user gave; how it was drawn is not known."


def write_segmentation(path: Path, series: DerivedSeries, regions: Sequence[Region]):
    """Writes a binary segment for each region, in their order, and returns the pydicom dataset.

    Frames refer to the images of the series and lie on their pixels; slices that a region does not touch have no frame of it.
    A segment's label is the region's name in ASCII, made distinct. Its property is "Tissue", as nothing is known of it but the name.
    Raises OutputError where the file exists, cannot be written, or headers of the series do not allow it.
    """
    from highdicom.seg import Segmentation

    with making(path):
        labelled = told_apart(replace(region, name=plain(region.name)[:LONG_STRING - 6].strip() or "region") for region in regions)
        first, last = min(region.slices[0].start for region in regions), max(region.slices[0].stop for region in regions)
        made = Segmentation(
            source_images=series.images[first:last],
            pixel_array=_pixels([_moved(region, -first) for region in labelled], (last - first, *_matrix(series))),
            segmentation_type="BINARY",
            segment_descriptions=[_description(number, region, series) for number, region in enumerate(labelled, 1)],
            content_label="REGIONS",
            content_description="Regions in which features were measured",
            **series.attributes_of("regions", SERIES_NUMBER_OFFSET, _digest(labelled)),
        )
        _name_dimensions(made)
        save(made, series, path)
    return made


def _matrix(series: DerivedSeries) -> tuple[int, int]:
    return series.images[0].Rows, series.images[0].Columns


def _moved(region: Region, slices: int) -> Region:
    z, y, x = region.slices
    return replace(region, slices=(slice(z.start + slices, z.stop + slices), y, x))


def _pixels(regions: Sequence[Region], shape: tuple[int, int, int]) -> np.ndarray:
    """(slices, rows, columns) segment numbers; where regions overlap, which takes more memory, (slices, rows, columns, segments) bool."""
    numbers = np.zeros(shape, np.min_scalar_type(len(regions)))
    for number, region in enumerate(regions, 1):
        box = region.crop(numbers)
        if box[region.mask].any():
            return _stacked(regions, shape)
        box[region.mask] = number
    return numbers


def _stacked(regions: Sequence[Region], shape: tuple[int, int, int]) -> np.ndarray:
    masks = np.zeros((*shape, len(regions)), bool)
    for index, region in enumerate(regions):
        masks[(*region.slices, index)] = region.mask
    return masks


def _description(number: int, region: Region, series: DerivedSeries):
    from highdicom.seg import SegmentDescription
    from pydicom.sr.codedict import codes

    made = SegmentDescription(
        segment_number=number,
        segment_label=region.name,
        segmented_property_category=codes.SCT.Tissue,
        segmented_property_type=codes.SCT.Tissue,
        algorithm_type="MANUAL",  # the one type that does not ask which algorithm it was
        tracking_uid=stable_uid(series.uid, "region", region.name),
        tracking_id=region.name,
    )
    made.SegmentDescription = SOURCE
    return made


def _name_dimensions(made) -> None:
    """highdicom draws this UID at random."""
    uid = stable_uid(made.SOPInstanceUID, "dimensions")
    for item in (*made.DimensionOrganizationSequence, *made.DimensionIndexSequence):
        item.DimensionOrganizationUID = uid


def _digest(regions: Sequence[Region]) -> str:
    digest = hashlib.sha256()
    for region in regions:
        digest.update(repr((region.name, region.slices)).encode())
        digest.update(region.mask.tobytes())
    return digest.hexdigest()
