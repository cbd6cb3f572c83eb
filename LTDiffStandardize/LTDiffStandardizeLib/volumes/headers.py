"""The header of one DICOM file, read without its pixels, and whether the file can be a slice of a CT volume."""
from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from sys import intern
from typing import Any

import numpy as np

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
DICOM_DIRECTORY = "1.2.840.10008.1.3.10"
ENHANCED_CT = ("1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2")

# Fields of SliceHeader that are the text, the number or the numbers of one element.
TEXTS = {
    "modality": "Modality", "sop_class_uid": "SOPClassUID", "sop_instance_uid": "SOPInstanceUID",
    "series_instance_uid": "SeriesInstanceUID", "frame_of_reference_uid": "FrameOfReferenceUID", "series_number": "SeriesNumber",
    "photometric": "PhotometricInterpretation", "rescale_type": "RescaleType", "kernel": "ConvolutionKernel",
    "manufacturer": "Manufacturer", "model": "ManufacturerModelName",
}  # fmt: skip
NUMBERS = {
    "slice_thickness": "SliceThickness", "spacing_between_slices": "SpacingBetweenSlices", "gantry_tilt": "GantryDetectorTilt",
    "slope": "RescaleSlope", "intercept": "RescaleIntercept", "kvp": "KVP", "fov": "ReconstructionDiameter",
}  # fmt: skip
VECTORS = {"pixel_spacing": "PixelSpacing", "orientation": "ImageOrientationPatient", "position": "ImagePositionPatient"}
COUNTS = {"rows": "Rows", "columns": "Columns", "frames": "NumberOfFrames", "samples": "SamplesPerPixel"}
PADDING = ("PixelPaddingValue", "PixelPaddingRangeLimit")
OTHERS = ("SpecificCharacterSet", "ImageType", "PixelRepresentation", "XRayTubeCurrent", "ExposureTime", "Exposure")
KEYWORDS = (*TEXTS.values(), *NUMBERS.values(), *VECTORS.values(), *COUNTS.values(), *PADDING, *OTHERS)


@dataclass(frozen=True, slots=True)
class SliceHeader:
    """What one DICOM file says of itself; empty text, None or () where it says nothing. Lengths in mm."""

    path: Path
    problem: str | None = None  # why the header could not be read
    modality: str = ""
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    series_instance_uid: str = ""
    frame_of_reference_uid: str = ""
    series_number: str = ""
    image_type: tuple[str, ...] = ()
    rows: int = 0
    columns: int = 0
    frames: int = 1
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
    kernel: str = ""
    manufacturer: str = ""
    model: str = ""
    kvp: float | None = None
    mas: float | None = None
    fov: float | None = None

    @property
    def is_localizer(self) -> bool:
        return "LOCALIZER" in self.image_type

    @property
    def normal(self) -> np.ndarray:
        return np.cross(self.orientation[:3], self.orientation[3:])

    def why_not_a_slice(self) -> str | None:
        """The cause and remedy, a piece of a sentence, for which the file cannot be a slice of a CT volume; None where it can."""
        checks = (
            (self.problem, f"has a DICOM header that cannot be read ({self.problem}); export it again"),
            (self.modality != "CT", f"is not CT but {self.modality or 'of no stated modality'}; choose a CT series"),
            (self.sop_class_uid == SECONDARY_CAPTURE, "is a secondary capture (a picture of a screen); choose the CT series itself"),
            (self.is_localizer, "is a localizer (scout view); choose the series of axial slices"),
            (self.sop_class_uid in ENHANCED_CT or self.frames > 1,
             "is a multi-frame object (Enhanced CT), which is not supported; convert it to single-frame CT"),
            (not (self.rows and self.columns), "holds no image; choose a CT series"),
            (self.samples != 1 or self.photometric != "MONOCHROME2",
             f"holds {self.photometric} pictures, not HU (MONOCHROME2 with one sample per pixel); choose the CT series itself"),
            (not _positive(self.pixel_spacing, 2), "has no valid PixelSpacing, so its size is unknown; export it again"),
            (not self._is_placed, "has no valid ImagePositionPatient and ImageOrientationPatient; export it again with them"),
            (self.slope in (None, 0) or self.intercept is None,
             "has no valid RescaleSlope and RescaleIntercept, so its HU are unknown; export it again with them"),
            (self.rescale_type not in ("", "HU", "US", "HU_MOD"),
             f"holds {self.rescale_type} values, not HU (RescaleType); choose a series in HU"),
        )  # fmt: skip
        return next((sentence for wrong, sentence in checks if wrong), None)

    @property
    def _is_placed(self) -> bool:
        if len(self.position) != 3 or len(self.orientation) != 6:
            return False
        row, column = np.array(self.orientation[:3]), np.array(self.orientation[3:])
        lengths_and_cosine = np.array([row @ row, column @ column, row @ column])
        return bool(np.allclose(lengths_and_cosine, [1, 1, 0], atol=0.01))


def read_dataset(path: Path, **options: Any):
    """pydicom's dataset of a file that `is_dicom`; files without a Part 10 header are read too."""
    import pydicom

    dataset = pydicom.dcmread(path, force=True, **options)
    if "TransferSyntaxUID" not in dataset.file_meta:
        explicit, implicit = pydicom.uid.ExplicitVRLittleEndian, pydicom.uid.ImplicitVRLittleEndian
        dataset.file_meta.TransferSyntaxUID = implicit if dataset.is_implicit_VR else explicit
    return dataset


def is_dicom(path: Path) -> bool:
    """Whether the file begins as DICOM does: with the Part 10 preamble, or bare with an element of group 0002 or 0008."""
    with open(path, "rb") as file:
        head = file.read(132)
    return head[128:] == b"DICM" or (head[:2] in (b"\x02\x00", b"\x08\x00") and head[3:4] == b"\x00" and len(head) == 132)


def read_header(path: Path) -> SliceHeader | None:
    """The header of a file; None where the file is not DICOM, or a DICOM directory. Pixels are not read."""
    try:
        if not is_dicom(path):
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid values are common in archives, and judged by `why_not_a_slice`
            dataset = read_dataset(path, stop_before_pixels=True, specific_tags=list(KEYWORDS))
            if dataset.file_meta.get("MediaStorageSOPClassUID") == DICOM_DIRECTORY:
                return None
            return _header_of(path, dataset)
    except OSError as error:
        return SliceHeader(path, problem=error.strerror or type(error).__name__)
    except Exception as error:  # a damaged header makes pydicom raise almost anything
        return SliceHeader(path, problem=type(error).__name__)


def _header_of(path: Path, dataset) -> SliceHeader:
    counts = {name: _number(dataset, keyword) for name, keyword in COUNTS.items()}
    return SliceHeader(
        path,
        **{name: _text(dataset, keyword) for name, keyword in TEXTS.items()},
        **{name: _number(dataset, keyword) for name, keyword in NUMBERS.items()},
        **{name: _numbers(dataset, keyword) for name, keyword in VECTORS.items()},
        **{name: int(count) for name, count in counts.items() if count},
        image_type=tuple(part.strip() for part in _text(dataset, "ImageType").split("\\")),
        padding_range=_padding_range(dataset),
        mas=_mas(dataset),
    )


def _mas(dataset) -> float | None:
    """Tube current times exposure time; Exposure only without them, since scanners disagree on what it means.

    Siemens divides it by the pitch, some GE scanners write it in other units.
    """
    current, milliseconds = _number(dataset, "XRayTubeCurrent"), _number(dataset, "ExposureTime")
    if current and milliseconds:
        return current * milliseconds / 1000
    return _number(dataset, "Exposure")


def _padding_range(dataset) -> tuple[int, int] | None:
    """PixelPaddingValue and PixelPaddingRangeLimit (PS3.3 C.7.5.1.1.2) in the signedness of the pixels, whatever their VR says."""
    signed = bool(_number(dataset, "PixelRepresentation"))
    values = []
    for keyword in PADDING:
        value = _number(dataset, keyword)
        if value is not None:
            value = int(value) % 65536
            values.append(value - 65536 if signed and value > 32767 else value)
    return (min(values), max(values)) if values else None


def _text(dataset, keyword: str) -> str:
    value = dataset.get(keyword)
    if value is None or isinstance(value, bytes):
        return ""
    parts = [value] if isinstance(value, str) or not hasattr(value, "__iter__") else value
    return intern("\\".join(str(part).strip() for part in parts))  # mostly the same in all slices of a cohort


def _numbers(dataset, keyword: str) -> tuple[float, ...]:
    """The finite numbers of an element; () where one of them is none."""
    try:
        value = dataset.get(keyword)
        values = [] if value is None or value == "" else np.atleast_1d(np.asarray(value, np.float64)).tolist()
    except (TypeError, ValueError):
        return ()
    return tuple(values) if np.isfinite(values).all() else ()


def _number(dataset, keyword: str) -> float | None:
    return next(iter(_numbers(dataset, keyword)), None)


def _positive(values: tuple[float, ...], count: int) -> bool:
    return len(values) == count and min(values) > 0
