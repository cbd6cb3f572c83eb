"""Features as a DICOM Structured Report (PS3.16: TID 1500 Measurement Report; TID 1411 Volumetric ROI Measurements)."""
from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from ...volumes.derivation import SOFTWARE, stable_uid
from ..features import FeatureTable, Name
from ..regions import Region
from .codes import concept_of, private_scheme, unit_of
from .series import DerivedSeries, making, save

SERIES_NUMBER_OFFSET = 2000


def write_measurement_report(path: Path, series: DerivedSeries, segmentation, regions: Sequence[Region], features: FeatureTable, about: str) -> None:
    """Writes a Comprehensive SR with a measurement group for each region, which refers to its segment and its images.

    segmentation: what `write_segmentation` returned for the same regions. features: measured in the series, a row a region; what is
    undefined (NaN) or infinite is left out. about: how they were measured, a sentence.
    Raises OutputError where the file exists, cannot be written, or headers of the series do not allow it.
    """
    from highdicom.sr import ComprehensiveSR

    with making(path):
        groups = [_group(series, segmentation, number, region, features.names, values, about)
                  for number, (region, values) in enumerate(zip(regions, features.values.tolist()))]  # fmt: skip
        touched = sorted({index for region in regions for index in _slices(region)})
        made = ComprehensiveSR(
            evidence=[*(series.images[index] for index in touched), segmentation],
            content=_report(series, groups),
            is_complete=True,
            coding_schemes=[private_scheme()],
            **series.attributes_of("features", SERIES_NUMBER_OFFSET, _digest(segmentation, features, about)),
        )
        save(made, series, path)


def _report(series: DerivedSeries, groups: Sequence):
    from highdicom.sr import (DeviceObserverIdentifyingAttributes, MeasurementReport, ObservationContext, ObserverContext, RelationshipTypeValues,
                              TextContentItem)  # fmt: skip
    from pydicom.sr.codedict import codes

    device = DeviceObserverIdentifyingAttributes(stable_uid("device", series.version), SOFTWARE, SOFTWARE, SOFTWARE)
    report = MeasurementReport(
        observation_context=ObservationContext(observer_device_context=ObserverContext(codes.DCM.Device, device)),
        procedure_reported=codes.LN.CTUnspecifiedBodyRegion,
        imaging_measurements=groups,
        title=codes.DCM.ImagingMeasurementReport,
    )
    words = f"Measured in a standardized volume, not in the scan that it was made from. {series.derivation}"
    report[0].ContentSequence.append(TextContentItem(codes.DCM.Comment, words, RelationshipTypeValues.CONTAINS))  # TID 1500 is extensible
    return report


def _group(series: DerivedSeries, segmentation, index: int, region: Region, names: Sequence[Name], values: Sequence[float], about: str):
    from highdicom.sr import (AlgorithmIdentification, Measurement, ReferencedSegment, SourceImageForSegmentation, TrackingIdentifier,
                              VolumetricROIMeasurementsAndQualitativeEvaluations)  # fmt: skip
    from pydicom.sr.codedict import codes

    segment = segmentation.SegmentSequence[index]
    images = [series.images[number] for number in _slices(region)]
    return VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(segment.TrackingUID, segment.TrackingID),
        referenced_segment=ReferencedSegment(
            segmentation.SOPClassUID,
            segmentation.SOPInstanceUID,
            int(segment.SegmentNumber),
            source_images=[SourceImageForSegmentation(image.SOPClassUID, image.SOPInstanceUID) for image in images],
        ),
        finding_type=codes.SCT.Tissue,
        algorithm_id=AlgorithmIdentification(SOFTWARE, series.version, [about]),
        measurements=[Measurement(concept_of(name), value, unit_of(name)) for name, value in zip(names, values) if math.isfinite(value)],
    )


def _slices(region: Region) -> Iterator[int]:
    """The numbers of the slices that a region touches."""
    return (region.slices[0].start + int(index) for index in region.mask.any(axis=(1, 2)).nonzero()[0])


def _digest(segmentation, features: FeatureTable, about: str) -> str:
    digest = hashlib.sha256(repr((segmentation.SOPInstanceUID, features.names, about)).encode())
    digest.update(features.values.tobytes())
    return digest.hexdigest()
