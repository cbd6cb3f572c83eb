"""The header of one slice: of a DICOM file, or of a frame of an Enhanced CT file; read without its pixels."""
from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError
from .elements import TooLarge, is_dicom, number, numbers, quiet, read_dataset, text
from .functional_groups import PER_FRAME, SHARED, frames, is_multi_frame

SHORTEST_WORD = 3  # letters of a name that can be told from chance
DICOM_DIRECTORY = "1.2.840.10008.1.3.10"

# Fields of SliceHeader that are the text, the number or the numbers of one element.
TEXTS = {
    "modality": "Modality", "sop_class_uid": "SOPClassUID", "sop_instance_uid": "SOPInstanceUID",
    "series_instance_uid": "SeriesInstanceUID", "frame_of_reference_uid": "FrameOfReferenceUID", "series_number": "SeriesNumber",
    "photometric": "PhotometricInterpretation", "rescale_type": "RescaleType", "kernel": "ConvolutionKernel",
    "manufacturer": "Manufacturer", "model": "ManufacturerModelName", "pixel_presentation": "PixelPresentation",
    "lossy": "LossyImageCompression",
    "acquisition": "AcquisitionNumber", "temporal_position": "TemporalPositionIndex", "cardiac_phase": "NominalPercentageOfCardiacPhase",
}  # fmt: skip
NUMBERS = {
    "slice_thickness": "SliceThickness", "spacing_between_slices": "SpacingBetweenSlices", "gantry_tilt": "GantryDetectorTilt",
    "slope": "RescaleSlope", "intercept": "RescaleIntercept", "kvp": "KVP", "fov": "ReconstructionDiameter", "lossy_ratio": "LossyImageCompressionRatio",
}  # fmt: skip
VECTORS = {"pixel_spacing": "PixelSpacing", "orientation": "ImageOrientationPatient", "position": "ImagePositionPatient"}
COUNTS = {"rows": "Rows", "columns": "Columns", "frames": "NumberOfFrames", "samples": "SamplesPerPixel"}
PADDING = ("PixelPaddingValue", "PixelPaddingRangeLimit")
IDENTITY = ("PatientName", "PatientID", "PatientIdentityRemoved")
OTHERS = ("SpecificCharacterSet", "ImageType", "PixelRepresentation", "XRayTubeCurrent", "ExposureTime", "Exposure", SHARED, PER_FRAME, *IDENTITY)
KEYWORDS = (*TEXTS.values(), *NUMBERS.values(), *VECTORS.values(), *COUNTS.values(), *PADDING, *OTHERS)


@dataclass(frozen=True, slots=True)
class SliceHeader:
    """What one slice says of itself; empty text, None or () where it says nothing. Lengths in mm."""

    path: Path
    frame: int | None = None  # of the file, from 0; None where the file is one slice
    problem: str | None = None  # why the header could not be read
    transfer_syntax: str = ""
    modality: str = ""
    sop_class_uid: str = ""
    sop_instance_uid: str = ""  # of the file
    series_instance_uid: str = ""
    frame_of_reference_uid: str = ""
    series_number: str = ""
    image_type: tuple[str, ...] = ()
    pixel_presentation: str = ""
    rows: int = 0
    columns: int = 0
    frames: int = 1  # in the file
    samples: int = 1
    photometric: str = ""
    pixel_spacing: tuple[float, ...] = ()  # between rows, between columns
    orientation: tuple[float, ...] = ()  # direction of increasing column, of increasing row; LPS
    position: tuple[float, ...] = ()  # centre of the first pixel, LPS
    slice_thickness: float | None = None
    spacing_between_slices: float | None = None
    gantry_tilt: float | None = None  # degrees
    slope: float | None = None
    intercept: float | None = None
    rescale_type: str = ""
    padding_range: tuple[int, int] | None = None  # stored values, lowest and highest
    lossy: str = ""  # "01" where it was ever compressed with loss, "00" where not
    lossy_ratio: float | None = None
    kernel: str = ""
    manufacturer: str = ""
    model: str = ""
    acquisition: str = ""
    temporal_position: str = ""
    cardiac_phase: str = ""
    kvp: float | None = None
    mas: float | None = None
    fov: float | None = None
    identifiers: frozenset[str] = frozenset()  # words, in lower case, that name the patient

    @property
    def normal(self) -> np.ndarray:
        return np.cross(self.orientation[:3], self.orientation[3:])

    @property
    def place(self) -> str:
        """Which slice it is, for a sentence."""
        where = f"frame {self.frame + 1} of {self.path.name}" if self.frame is not None else self.path.name
        return f"{where} at {self.position[2]:g} mm"


def read_headers(path: Path) -> tuple[SliceHeader, ...]:
    """The header of each slice in a file, at least one; none where the file is not DICOM, or a DICOM directory.

    Raises InputError where pydicom is missing.
    """
    try:
        if not is_dicom(path):
            return ()
        with quiet():
            dataset = read_dataset(path, stop_before_pixels=True, specific_tags=list(KEYWORDS))
            if dataset.file_meta.get("MediaStorageSOPClassUID") == DICOM_DIRECTORY:
                return ()
            return _headers_in(path, dataset)
    except ImportError as error:
        raise InputError(f"{path} is a DICOM file, and this Python has no {error.name or 'pydicom'} to read it with; install pydicom with pip.") from error
    except OSError as error:
        return (SliceHeader(path, problem=error.strerror or type(error).__name__),)
    except TooLarge as error:
        return (SliceHeader(path, problem=str(error)),)
    except Exception as error:  # a damaged header makes pydicom raise almost anything
        return (SliceHeader(path, problem=type(error).__name__),)


def _headers_in(path: Path, dataset) -> tuple[SliceHeader, ...]:
    syntax = str(dataset.file_meta.TransferSyntaxUID)
    if not is_multi_frame(dataset):
        return (_header_of(path, dataset, syntax, None),)
    stated, headers = number(dataset, "NumberOfFrames"), []
    for index, flat in enumerate(frames(dataset)):
        headers.append(_header_of(path, flat, syntax, index))
    if len(headers) != stated:
        return (SliceHeader(path, problem=f"it describes {len(headers)} of {stated:g} frames" if stated else "no number of frames"),)
    return tuple(headers)


def _header_of(path: Path, dataset, syntax: str, frame: int | None) -> SliceHeader:
    counts = {name: number(dataset, keyword) for name, keyword in COUNTS.items()}
    return SliceHeader(
        path,
        frame,
        transfer_syntax=syntax,
        **{name: text(dataset, keyword) for name, keyword in TEXTS.items()},
        **{name: number(dataset, keyword) for name, keyword in NUMBERS.items()},
        **{name: numbers(dataset, keyword) for name, keyword in VECTORS.items()},
        **{name: int(count) for name, count in counts.items() if count},
        image_type=tuple(part.strip() for part in text(dataset, "ImageType").split("\\")),
        padding_range=_padding_range(dataset),
        mas=_mas(dataset),
        identifiers=_identifiers(dataset),
    )


def _identifiers(dataset) -> frozenset[str]:
    """Words of the patient's name and ID; none where the header says, or shows by using one for both, that they are no longer his own."""
    name, number_of_patient, removed = (text(dataset, keyword).casefold() for keyword in IDENTITY)
    if removed == "yes" or name in ("", number_of_patient) or name.startswith(("anon", "unknown", "phantom")):
        return frozenset()
    return frozenset(word for word in re.findall(r"[^\W_]+", f"{name} {number_of_patient}") if len(word) >= SHORTEST_WORD)


def _mas(dataset) -> float | None:
    """Tube current times exposure time; Exposure only without them, since scanners disagree on what it means.

    Siemens divides it by the pitch, some GE scanners write it in other units.
    """
    current, milliseconds = number(dataset, "XRayTubeCurrent"), number(dataset, "ExposureTime")
    if current and milliseconds:
        return current * milliseconds / 1000
    return number(dataset, "Exposure")


def _padding_range(dataset) -> tuple[int, int] | None:
    """PixelPaddingValue and PixelPaddingRangeLimit (PS3.3 C.7.5.1.1.2) in the signedness of the pixels, whatever their VR says."""
    signed = bool(number(dataset, "PixelRepresentation"))
    values = []
    for keyword in PADDING:
        value = number(dataset, keyword)
        if value is not None:
            value = int(value) % 65536
            values.append(value - 65536 if signed and value > 32767 else value)
    return (min(values), max(values)) if values else None
