"""What a derived CT image takes over from the slice that it was made from."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError, OutputError
from . import functional_groups
from .conformity import make_valid
from .elements import quiet, read_dataset
from .pseudonyms import METHOD, Pseudonyms
from .volume import CTVolume

# True of the source's pixels, series or file, not of the derived ones. Without dates of its own, the same run twice writes
# the same bytes, as the same UIDs demand.
NOT_INHERITED = (
    "SmallestImagePixelValue", "LargestImagePixelValue", "SmallestPixelValueInSeries", "LargestPixelValueInSeries",
    "IconImageSequence", "MACParametersSequence", "DigitalSignaturesSequence", "InstanceCreationDate", "InstanceCreationTime",
    "InstanceCreatorUID", "SeriesDate", "SeriesTime", "ConvolutionKernelGroup", "DerivationCodeSequence", "SourceImageSequence",
    "ModalityLUTSequence", "DataSetTrailingPadding",
)  # fmt: skip
CURVES, OVERLAYS = range(0x5000, 0x5100), range(0x6000, 0x6100)  # overlay bits may lie within the source's pixels

# How an image was made and where it lies (PS3.3: General Series, Frame of Reference, General Equipment, General Image, Image Plane,
# Image Pixel, CT Image). Nothing here identifies a patient, a place or a device of its own.
TECHNICAL = (
    "ImageType", "Modality", "Manufacturer", "ManufacturerModelName", "SoftwareVersions", "BodyPartExamined", "PatientPosition", "Laterality",
    "SeriesNumber", "AcquisitionNumber", "InstanceNumber", "KVP", "XRayTubeCurrent", "ExposureTime", "Exposure", "ScanOptions", "FilterType",
    "FocalSpots", "GeneratorPower", "ExposureModulationType", "CTDIvol", "DataCollectionDiameter", "ReconstructionDiameter", "ConvolutionKernel",
    "GantryDetectorTilt", "TableHeight", "RotationDirection", "RevolutionTime", "SingleCollimationWidth", "TotalCollimationWidth", "TableSpeed",
    "TableFeedPerRotation", "SpiralPitchFactor", "DistanceSourceToDetector", "DistanceSourceToPatient", "SliceThickness", "SpacingBetweenSlices",
    "SliceLocation", "ImagePositionPatient", "ImageOrientationPatient", "PositionReferenceIndicator", "Rows", "Columns", "PixelSpacing",
    "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue",
    "PixelPaddingRangeLimit", "RescaleSlope", "RescaleIntercept", "RescaleType", "WindowCenter", "WindowWidth", "LossyImageCompression",
    "LossyImageCompressionRatio", "LossyImageCompressionMethod", "BurnedInAnnotation",
)  # fmt: skip
# Whose image it is and why it was made (PS3.3: Patient, General Study, Patient Study), and its frame of reference.
IDENTIFYING = (
    "SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID", "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex", "PatientAge", "PatientSize",
    "PatientWeight", "PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence", "StudyInstanceUID", "StudyDate", "StudyTime",
    "StudyID", "StudyDescription", "AccessionNumber", "ReferringPhysicianName", "FrameOfReferenceUID", "ContributingEquipmentSequence",
    "InstitutionName", "StationName", "DeviceSerialNumber", "ProtocolName", "AcquisitionDate", "AcquisitionTime", "ContentDate", "ContentTime",
    "ContrastBolusAgent",
)  # fmt: skip


@dataclass(frozen=True)
class Inheritance:
    """private: private elements are kept too. pseudonyms: of the source only what is technical is kept, under new identifiers."""

    private: bool = False
    pseudonyms: Pseudonyms | None = None


def inherited_header(volume: CTVolume, index: int, inheritance: Inheritance):
    """The header of the source of a slice, as a single-frame image has it, in a form that the standard allows.

    Raises InputError where the file is gone or damaged, OutputError where it has another matrix than the volume.
    """
    path, frame = volume.source.paths[index], volume.source.frame(index)
    try:
        header = read_dataset(path, stop_before_pixels=True)
        with quiet():
            header = _kept(header, frame, inheritance)
    except OSError as error:
        raise not_read_again(path, error) from error
    except Exception as error:  # damaged elements make pydicom raise almost anything
        raise header_not_copied(path, error) from error
    if (header.get("Rows"), header.get("Columns")) != volume.hu.shape[1:]:
        raise OutputError(f"{path} has another matrix than the volume {volume.name}; write it without its DICOM source.")
    return header


def _kept(source, frame: int | None, inheritance: Inheritance):
    header = source if frame is None else functional_groups.frame(source, frame)
    if inheritance.pseudonyms:
        header = _pseudonymized(header, inheritance.pseudonyms)
    elif frame is not None:
        header = _only(header, (*TECHNICAL, *IDENTIFYING))
        header.InstanceNumber = frame + 1
    elif not inheritance.private:
        header.remove_private_tags()
    for tag in [tag for tag in header.keys() if tag.group in CURVES or tag.group in OVERLAYS]:
        del header[tag]
    for keyword in NOT_INHERITED:
        if keyword in header:
            delattr(header, keyword)
    make_valid(header)  # this decodes every element
    return header


def _only(header, keywords):
    from pydicom.dataset import Dataset

    kept = Dataset()
    for keyword in keywords:
        if keyword in header:
            kept[keyword] = header[keyword]
    return kept


def _pseudonymized(source, pseudonyms: Pseudonyms):
    header = _only(source, TECHNICAL)
    name = pseudonyms.patient(str(source.get("IssuerOfPatientID") or ""), str(source.get("PatientID") or source.get("PatientName") or ""))
    header.PatientID = header.PatientName = name
    for keyword in ("StudyInstanceUID", "FrameOfReferenceUID", "SOPInstanceUID"):
        if source.get(keyword):
            setattr(header, keyword, uid_of(pseudonyms, str(source.get(keyword))))
    header.PatientIdentityRemoved, header.DeidentificationMethod, header.LongitudinalTemporalInformationModified = "YES", METHOD, "REMOVED"
    return header


def uid_of(pseudonyms: Pseudonyms, uid: str) -> str:
    """The UID that takes the place of another one."""
    from .derivation import stable_uid

    return stable_uid("pseudonym", pseudonyms.digest("uid", uid))


def header_not_copied(origin: Path | str, error: Exception) -> InputError:
    cause = type(error).__name__
    return InputError(f"{origin} has a header that cannot be copied ({cause}); write the volume as NRRD or NIfTI instead.")


def not_read_again(path: Path, error: OSError) -> InputError:
    return InputError(f"{path}, a slice of the source, cannot be read again ({error.strerror}); put it back as it was.")
