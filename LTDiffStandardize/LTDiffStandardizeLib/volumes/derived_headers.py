"""The headers of a derived CT series, all but the pixels (DICOM PS3.3: CT Image IOD, A.3; Image Derivation, C.7.6.1.1.3)."""
from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Iterator

from ..errors import InputError, OutputError
from .derivation import LONG_STRING, RESEARCH_USE, SHORT_STRING, SOFTWARE, Derivation, plain, stable_uid
from .elements import read_dataset
from .volume import CTVolume

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
SERIES_NUMBER_OFFSET = 9000

# True of the source's pixels, series or file, not of the derived ones. Without dates of its own, the same run twice writes
# the same bytes, as the same UIDs demand.
NOT_INHERITED = (
    "SmallestImagePixelValue", "LargestImagePixelValue", "SmallestPixelValueInSeries", "LargestPixelValueInSeries",
    "IconImageSequence", "MACParametersSequence", "DigitalSignaturesSequence", "InstanceCreationDate", "InstanceCreationTime",
    "InstanceCreatorUID", "SeriesDate", "SeriesTime", "ConvolutionKernelGroup", "DerivationCodeSequence", "SourceImageSequence",
)  # fmt: skip
OVERLAYS = range(0x6000, 0x6100)  # their bits may lie within the source's pixels


def derived_headers(volume: CTVolume, derivation: Derivation) -> Iterator:
    """One pydicom dataset a slice, in slice order, made when it is asked for.

    A volume from DICOM keeps the headers of its source files but for private elements and overlays; study and frame of
    reference stay the same. Any other volume becomes a minimal CT series without patient, in a study of its own.
    Raises InputError where a source file is gone or damaged, OutputError where it has another matrix than the volume.
    """
    identity = _identity(volume)
    for index in range(len(volume.hu)):
        header = _inherited(volume, index) if volume.source else _minimal(volume, index)
        _describe(header, derivation)
        header.SOPInstanceUID = derivation.uid(identity, header.get("SOPInstanceUID") or "", str(index))
        header.SeriesInstanceUID = derivation.uid(identity)
        header.StudyInstanceUID = header.get("StudyInstanceUID") or stable_uid(identity, "study")
        header.FrameOfReferenceUID = header.get("FrameOfReferenceUID") or stable_uid(identity, "frame of reference")
        header.InstanceNumber = header.get("InstanceNumber") or index + 1
        yield header


def _describe(header, derivation: Derivation) -> None:
    kernel = header.get("ConvolutionKernel") or ""
    source_kernel = kernel if isinstance(kernel, str) else " ".join(kernel)
    header.SOPClassUID = CT_IMAGE
    header.ImageType = ["DERIVED", "SECONDARY", "".join(list(header.get("ImageType") or [])[2:3]) or "AXIAL"]
    header.SeriesNumber = SERIES_NUMBER_OFFSET + int(header.get("SeriesNumber") or 0)
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
    header.ContributingEquipmentSequence = [*(header.get("ContributingEquipmentSequence") or []), equipment]


def _inherited(volume: CTVolume, index: int):
    """The header of a source file, in a form in which it can be written."""
    path = volume.source.paths[index]
    try:
        header = read_dataset(path, stop_before_pixels=True)
        header.remove_private_tags()  # this decodes every element
    except OSError as error:
        raise _not_read_again(path, error) from error
    except Exception as error:  # damaged elements make pydicom raise almost anything
        raise header_not_copied(path, error) from error
    if (header.get("Rows"), header.get("Columns")) != volume.hu.shape[1:]:
        raise OutputError(f"{path} has another matrix than the volume {volume.name}; write it without its DICOM source.")
    source_image = _dataset(
        ReferencedSOPClassUID=header.get("SOPClassUID") or CT_IMAGE,
        ReferencedSOPInstanceUID=header.get("SOPInstanceUID"),
        PurposeOfReferenceCodeSequence=[_code("121322", "Source image for image processing operation")],
        SpatialLocationsPreserved="YES",
    )
    for tag in [tag for tag in header.keys() if tag.group in OVERLAYS]:
        del header[tag]
    for keyword in NOT_INHERITED:
        if keyword in header:
            delattr(header, keyword)
    if header.get("SOPInstanceUID"):
        header.SourceImageSequence = [source_image]
    return header


def _minimal(volume: CTVolume, index: int):
    """What the CT Image IOD demands, for a volume without DICOM source."""
    facts, columns = volume.facts, volume.direction.T
    position = volume.origin + index * volume.spacing[2] * columns[2]
    name = plain(volume.name)[:LONG_STRING]
    return _dataset(
        PatientName=name, PatientID=name, PatientBirthDate="", PatientSex="",
        StudyDate="", StudyTime="", StudyID="", ReferringPhysicianName="", AccessionNumber="",
        Modality="CT", PatientPosition="", PositionReferenceIndicator="", AcquisitionNumber=None,
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


def header_not_copied(origin: Path | str, error: Exception) -> InputError:
    cause = type(error).__name__
    return InputError(f"{origin} has a header that cannot be copied ({cause}); write the volume as NRRD or NIfTI instead.")


def _identity(volume: CTVolume) -> str:
    """What the UIDs are made from: the source's own UID, or else a digest of what was read, or of the volume."""
    if volume.source and volume.source.series_instance_uid:
        return volume.source.series_instance_uid
    digest = hashlib.sha256(repr((volume.name, volume.origin, volume.spacing, volume.direction.tolist())).encode())
    try:
        digest.update(volume.source.paths[0].read_bytes() if volume.source else volume.hu.tobytes())
    except OSError as error:
        raise _not_read_again(volume.source.paths[0], error) from error
    return digest.hexdigest()


def _not_read_again(path: Path, error: OSError) -> InputError:
    return InputError(f"{path}, a slice of the source, cannot be read again ({error.strerror}); put it back as it was.")


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
