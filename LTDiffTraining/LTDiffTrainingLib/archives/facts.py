"""What the header of one file says that tells which slices belong together, and which were made from one acquisition."""
from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

import numpy as np

from LTDiffStandardizeLib.volumes.elements import quiet, read_dataset
from LTDiffStandardizeLib.volumes.headers import SliceHeader, read_headers
from LTDiffStandardizeLib.volumes.suitability import why_not_a_slice

CT, FOREIGN, CORRUPT, OTHER = "CT", "foreign", "corrupt", "no CT slice"
KEYWORDS = ("PatientID", "PatientBirthDate", "StudyInstanceUID", "XRayTubeCurrent", "AcquisitionDate", "AcquisitionTime", "AcquisitionDateTime")


@dataclass(frozen=True)
class SeriesFacts:
    """What all slices of a series have in common. Lengths in mm, kvp in kV; "" or None where unknown.

    key: the same for the slices of a series and for no others. patient, born: digests of PatientID (without one, of the study)
    and of the birth date; "" for no birth date. orientation: direction of increasing column, of increasing row; LPS.
    """

    key: str
    patient: str
    born: str
    kernel: str
    thickness: float | None
    kvp: float | None
    rows: int
    columns: int
    row_spacing: float
    column_spacing: float
    orientation: tuple[float, ...]


@dataclass(frozen=True)
class SliceFacts:
    """instance: SOPInstanceUID. z: along the normal of the slice; u, v: of its first pixel along its rows and columns; mm, LPS.

    day: AcquisitionDate as YYYYMMDD, "" where unknown. second: of the day at AcquisitionTime; current: mA; None where unknown.
    """

    instance: str
    z: float
    u: float
    v: float
    day: str
    second: float | None
    current: float | None


@dataclass(frozen=True)
class FileFacts:
    """kind: CT, FOREIGN, CORRUPT or OTHER. reason: why it is no CT slice, a piece of a sentence; "" for CT."""

    kind: str
    reason: str
    series: SeriesFacts | None = None
    slice: SliceFacts | None = None


def file_facts(archive: Path, relative: str) -> FileFacts:
    """Of the file at `relative` within `archive`; whatever it holds, nothing is raised and no pixels are read."""
    path = archive / relative
    headers = read_headers(path)
    if not headers:
        return FileFacts(FOREIGN, "is no DICOM file")
    if len(headers) > 1:
        return FileFacts(OTHER, "is a multi-frame object, and pairs are sought among single slices; convert it to single-frame CT")
    header = headers[0]
    if reason := why_not_a_slice(header):
        return FileFacts(CORRUPT if header.problem else OTHER, reason)
    try:
        with quiet():
            dataset = read_dataset(path, stop_before_pixels=True, specific_tags=list(KEYWORDS))
            texts = {keyword: _text(dataset, keyword) for keyword in KEYWORDS}
    except Exception as error:  # a damaged header makes pydicom raise almost anything
        return FileFacts(CORRUPT, f"has a DICOM header that cannot be read ({type(error).__name__}); export it again")
    return FileFacts(CT, "", _series_facts(header, texts, archive, PurePosixPath(relative).parent), _slice_facts(header, texts))


def _series_facts(header: SliceHeader, texts: dict[str, str], archive: Path, folder: PurePosixPath) -> SeriesFacts:
    patient = texts["PatientID"] or texts["StudyInstanceUID"] or f"{archive}/{folder}"
    identity = header.series_instance_uid or f"{archive}/{folder}/{header.series_number}/{header.frame_of_reference_uid}"
    about = {
        "patient": digest(patient), "born": texts["PatientBirthDate"] and digest(texts["PatientBirthDate"]),
        "kernel": header.kernel, "thickness": header.slice_thickness, "kvp": header.kvp, "rows": header.rows, "columns": header.columns,
        "row_spacing": round(header.pixel_spacing[0], 6), "column_spacing": round(header.pixel_spacing[1], 6),
        "orientation": tuple(round(value, 3) + 0.0 for value in header.orientation),
    }  # fmt: skip
    return SeriesFacts(digest(repr((identity, about))), **about)


def _slice_facts(header: SliceHeader, texts: dict[str, str]) -> SliceFacts:
    position, row, column = (np.asarray(v) for v in (header.position, header.orientation[:3], header.orientation[3:]))
    day, second = _acquired(texts)
    # An instance without UID is never the copy of another.
    return SliceFacts(header.sop_instance_uid, float(header.normal @ position), float(row @ position), float(column @ position),
                      day, second, _positive(texts["XRayTubeCurrent"]))  # fmt: skip


def _acquired(texts: dict[str, str]) -> tuple[str, float | None]:
    """Day and second of the day. Midnight exactly is what de-identification writes, so it says nothing."""
    day, time = re.sub(r"\D", "", texts["AcquisitionDate"])[:8], texts["AcquisitionTime"]
    if not (day and time) and texts["AcquisitionDateTime"]:
        day, time = texts["AcquisitionDateTime"][:8], re.split(r"[+-]", texts["AcquisitionDateTime"][8:])[0]
    try:
        datetime.strptime(day, "%Y%m%d")
    except ValueError:
        day = ""
    parts = re.fullmatch(r"(\d\d):?(\d\d):?(\d\d(?:\.\d*)?)?", time)
    seconds = sum(float(part or 0) * unit for part, unit in zip(parts.groups(), (3600, 60, 1))) if parts else 0.0
    return day, seconds or None


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:32]


def _text(dataset, keyword: str) -> str:
    value = dataset.get(keyword)
    return "" if value is None or isinstance(value, bytes) else str(value).strip()


def _positive(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 < value < float("inf") else None
