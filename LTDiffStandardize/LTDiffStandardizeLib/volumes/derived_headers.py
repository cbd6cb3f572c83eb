"""The headers of a derived CT series, all but the pixels (DICOM PS3.3: CT Image IOD, A.3; Image Derivation, C.7.6.1.1.3)."""
from __future__ import annotations

import hashlib
from typing import Any, Iterator

from .derivation import LONG_STRING, RESEARCH_USE, SHORT_STRING, SOFTWARE, Derivation, plain, stable_uid
from .elements import CT_IMAGE
from .inherited import Inheritance, inherited_header, not_read_again
from .volume import CTVolume

SERIES_NUMBER_OFFSET = 9000
LARGEST_INTEGER_STRING = 2**31 - 1  # (PS3.5, 6.2)


def derived_headers(volume: CTVolume, derivation: Derivation, inheritance: Inheritance = Inheritance()) -> Iterator:
    """One pydicom dataset a slice, in slice order, made when it is asked for.

    A volume from DICOM keeps what is valid of the headers of its source files; study and frame of reference stay the same, or
    become others where `inheritance` asks for pseudonyms. Any other volume becomes a minimal CT series in a study of its own.
    Raises InputError where a source file is gone or damaged, OutputError where it has another matrix than the volume.
    """
    pseudonyms = inheritance.pseudonyms
    identity = _identity(volume) if pseudonyms is None else pseudonyms.digest("series", _identity(volume))
    for index in range(len(volume.hu)):
        header = inherited_header(volume, index, inheritance) if volume.source else _minimal(volume, index)
        if volume.source and header.get("SOPInstanceUID") and pseudonyms is None:
            header.SourceImageSequence = [_source_image(header, volume.source.frame(index))]
        _describe(header, derivation)
        header.SOPInstanceUID = derivation.uid(identity, header.get("SOPInstanceUID") or "", str(index))
        header.SeriesInstanceUID = derivation.uid(identity)
        header.StudyInstanceUID = header.get("StudyInstanceUID") or stable_uid(identity, "study")
        header.FrameOfReferenceUID = header.get("FrameOfReferenceUID") or stable_uid(identity, "frame of reference")
        header.InstanceNumber = header.get("InstanceNumber") or index + 1
        yield header


def _source_image(header, frame: int | None):
    image = _dataset(
        ReferencedSOPClassUID=header.get("SOPClassUID") or CT_IMAGE,
        ReferencedSOPInstanceUID=header.SOPInstanceUID,
        PurposeOfReferenceCodeSequence=[_code("121322", "Source image for image processing operation")],
        SpatialLocationsPreserved="YES",
    )
    if frame is not None:
        image.ReferencedFrameNumber = frame + 1
    return image


def _describe(header, derivation: Derivation) -> None:
    kernel = header.get("ConvolutionKernel") or ""
    source_kernel = kernel if isinstance(kernel, str) else " ".join(kernel)
    header.SOPClassUID = CT_IMAGE
    header.ImageType = ["DERIVED", "SECONDARY", "".join(list(header.get("ImageType") or [])[2:3]) or "AXIAL"]
    header.SeriesNumber = min(SERIES_NUMBER_OFFSET + int(header.get("SeriesNumber") or 0), LARGEST_INTEGER_STRING)
    header.SeriesDescription = derivation.series_description()
    header.DerivationDescription = derivation.sentence(source_kernel)
    header.ImageComments = f"{RESEARCH_USE} HU beyond the range of the stored values are clipped."
    header.ConvolutionKernel = derivation.kernel_values(source_kernel)
    equipment = _dataset(
        Manufacturer=SOFTWARE,
        ManufacturerModelName=SOFTWARE,
        SoftwareVersions=plain(derivation.software_version)[:LONG_STRING],
        ContributionDescription="Standardization between reconstruction kernels",
        PurposeOfReferenceCodeSequence=[_code("109102", "Processing Equipment")],
    )
    header.DerivationAlgorithmSequence = [_algorithm(derivation)]
    header.ContributingEquipmentSequence = [*(header.get("ContributingEquipmentSequence") or []), equipment]


def _algorithm(derivation: Derivation):
    """Algorithm Identification Macro (PS3.3 10.16), as a standard extension of the CT Image IOD."""
    learned = derivation.model_name or derivation.weights_sha256
    family = ("123110", "Artificial Intelligence") if learned else ("123102", "Adaptive Filtering")
    return _dataset(
        AlgorithmFamilyCodeSequence=[_code(*family)],
        AlgorithmName=plain(f"{SOFTWARE} {derivation.method}")[:LONG_STRING],
        AlgorithmVersion=plain(derivation.software_version)[:LONG_STRING],
        AlgorithmSource=SOFTWARE,
    )


def _minimal(volume: CTVolume, index: int):
    """What the CT Image IOD demands, for a volume without DICOM source."""
    facts, columns = volume.facts, volume.direction.T
    position = volume.origin + index * volume.spacing[2] * columns[2]
    name = plain(volume.name)[:LONG_STRING]
    return _dataset(
        PatientName=name, PatientID=name, PatientBirthDate="", PatientSex="",
        StudyDate="", StudyTime="", StudyID="", ReferringPhysicianName="", AccessionNumber="",
        Modality="CT", Laterality="", PatientPosition="", PositionReferenceIndicator="", AcquisitionNumber=None,
        ConvolutionKernel=plain(facts.kernel)[:SHORT_STRING], Manufacturer=plain(facts.manufacturer), ManufacturerModelName=plain(facts.model),
        KVP=_decimal(facts.kvp), ReconstructionDiameter=_decimal(facts.fov_mm),
        SliceThickness=_decimal(facts.slice_thickness_mm or volume.spacing[2]),
        SpacingBetweenSlices=_decimal(volume.spacing[2]),
        PixelSpacing=[_decimal(volume.spacing[1]), _decimal(volume.spacing[0])],
        ImageOrientationPatient=[_decimal(value) for value in (*columns[0], *columns[1])],
        ImagePositionPatient=[_decimal(value) for value in position],
        Rows=volume.hu.shape[1], Columns=volume.hu.shape[2],
        SamplesPerPixel=1, PhotometricInterpretation="MONOCHROME2",
        BitsAllocated=16, BitsStored=16, HighBit=15, PixelRepresentation=1,
        RescaleSlope="1", RescaleIntercept="0", RescaleType="HU",
    )  # fmt: skip


def _identity(volume: CTVolume) -> str:
    """What the UIDs are made from: the source's own UID, or else a digest of what was read, or of the volume."""
    if volume.source and volume.source.series_instance_uid:
        return volume.source.series_instance_uid
    digest = hashlib.sha256(repr((volume.name, volume.origin, volume.spacing, volume.direction.tolist())).encode())
    try:
        digest.update(volume.source.paths[0].read_bytes() if volume.source else volume.hu.tobytes())
    except OSError as error:
        raise not_read_again(volume.source.paths[0], error) from error
    return digest.hexdigest()


def _dataset(**elements: Any):
    """A pydicom dataset of these elements."""
    from pydicom.dataset import Dataset

    made = Dataset()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def _code(value: str, meaning: str):
    return _dataset(CodeValue=value, CodingSchemeDesignator="DCM", CodeMeaning=meaning)


def _decimal(value: float | None):
    """A decimal string of at most 16 characters, about 12 digits."""
    from pydicom.valuerep import DSfloat

    return None if value is None else DSfloat(float(value), auto_format=True)
