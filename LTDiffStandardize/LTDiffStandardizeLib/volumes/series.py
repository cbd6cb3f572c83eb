"""Finding the CT series below a folder: told apart by what their headers say, without reading pixels."""
from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Iterable, Iterator, Sequence

import numpy as np

from ..errors import InputError
from .headers import SliceHeader, read_headers
from .image_files import image_file_header, is_image_file
from .names import safe_name, told_apart
from .stack import in_order, why_not_a_stack, why_overlaid
from .suitability import why_not_a_slice


@dataclass(frozen=True)
class SeriesEntry:
    """A series that was found: one volume, or the reason why it is none.

    name: safe as file or folder name on every system, unique within a search and the same in every search from the same
        folder; made of folder names, series number and kernel, without what names the patient.
    path: the file, or the folder that all files of the series are in.
    kernel: ConvolutionKernel; "" where unknown. number_of_slices: 0 where unknown.
    refusal: None, or one sentence that names the series, the cause and the remedy; such an entry cannot be read.
    slices: headers in slice order; empty for a NRRD or NIfTI file.
    """

    name: str
    path: Path
    kernel: str
    number_of_slices: int
    refusal: str | None = None
    slices: tuple[SliceHeader, ...] = field(default=(), repr=False)


def find_series(path: str | Path) -> list[SeriesEntry]:
    """All series in a folder and its sub-folders (DICOM, NRRD, NIfTI), or the one in a file, ordered by name.

    Slices belong together by SeriesInstanceUID (without one: by folder, series number and frame of reference), image type,
    kernel, matrix, pixel spacing and orientation; files of any name and folder count, copies of an instance once. Where the
    slices under one UID are no volume but those of each folder are, each folder is a series; where they lie over one another,
    those of each phase, acquisition, tube voltage or thickness may be. Names that begin with a dot, pipes and devices, files that are neither DICOM, NRRD nor NIfTI, and DICOM directories
    are passed over.
    Raises InputError where `path` does not exist, or there is DICOM and no pydicom.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path} does not exist; check the path.")
    root = path.absolute() if path.is_dir() else path.absolute().parent
    headers, entries = [], []
    for file in _files(path, entries):
        if is_image_file(file):
            refusal, number_of_slices, kernel = image_file_header(file)
            entries.append(SeriesEntry(safe_name(root, file.parent, file.name.split(".")[0]), file, kernel, number_of_slices, refusal))
        else:
            headers.extend(read_headers(file))
    for group in _groups(headers):
        entries.append(_entry(root, group, path))
    files = [[(header.path, header.frame) for header in entry.slices] or [(entry.path, None)] for entry in entries]
    named = [replace(entry, name=name) for entry, name in zip(entries, told_apart(root, [entry.name for entry in entries], files))]
    return sorted(named, key=lambda entry: entry.name)


def _files(path: Path, refused: list[SeriesEntry]) -> Iterator[Path]:
    """The files below `path`, in one order on every system; folders that cannot be opened are added to `refused`."""
    if not path.is_dir():
        yield from [path] * path.is_file()  # to open a pipe would wait for its writer
        return

    def refuse(error: OSError) -> None:
        folder = Path(error.filename)
        sentence = f"The folder {folder} cannot be opened ({error.strerror}); check its permissions."
        refused.append(SeriesEntry(safe_name(path.absolute(), folder), folder, "", 0, sentence))

    for folder, folders, files in os.walk(path, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__MACOSX")
        for name in sorted(files):
            file = Path(folder, name)
            if not name.startswith(".") and file.is_file():
                yield file


def _entry(root: Path, group: Sequence[SliceHeader], searched: Path) -> SeriesEntry:
    first = group[0]
    folder = Path(os.path.commonpath([header.path.parent for header in group]))
    parts = [f"s{first.series_number}" if first.series_number else "", first.kernel]
    if searched.is_file():
        folder, subject = searched, str(searched)
    elif why_not_a_slice(first) and len(group) == 1:
        subject = str(first.path)
    else:
        subject = " ".join(filter(None, ["Series", first.series_number, first.kernel and f"({first.kernel})", f"in {folder}"]))
    cause = why_not_a_slice(first) or why_not_a_stack(group)
    return SeriesEntry(
        name=safe_name(root, first.path.parent if searched.is_file() else folder, *parts, without=first.identifiers),
        path=folder,
        kernel=first.kernel,
        number_of_slices=len(group),
        refusal=f"{subject} {cause}." if cause else None,
        slices=tuple(group),
    )


def _groups(headers: Iterable[SliceHeader]) -> Iterator[list[SliceHeader]]:
    """The headers that may make one volume, in slice order."""
    by_key = defaultdict(list)
    for header in headers:
        by_key[_series_key(header)].append(header)
    for same_series in by_key.values():
        if why_not_a_slice(same_series[0]):
            yield same_series
            continue
        for same_plane in _by_plane(_without_copies(same_series)):
            yield from _apart_if_needed(in_order(same_plane))


def _series_key(header: SliceHeader) -> tuple:
    """What all slices of a volume have in common, but for the plane. Broken files stand alone."""
    if header.problem:
        return (header.path,)
    identity = header.series_instance_uid or (header.path.parent, header.series_number, header.frame_of_reference_uid)
    return (identity, why_not_a_slice(header), header.kernel, header.rows, header.columns)


def _by_plane(headers: Iterable[SliceHeader]) -> list[list[SliceHeader]]:
    planes: list[list[SliceHeader]] = []
    for header in headers:
        own = header.orientation + header.pixel_spacing
        for plane in planes:
            if np.allclose(own, plane[0].orientation + plane[0].pixel_spacing, rtol=0, atol=1e-3):
                plane.append(header)
                break
        else:
            planes.append([header])
    return planes


def _without_copies(headers: Iterable[SliceHeader]) -> list[SliceHeader]:
    """One of each instance. The position counts too: some de-identification gives all slices one UID."""
    instances = {}
    for header in headers:
        instances.setdefault((header.sop_instance_uid or header.path, header.frame, header.position), header)
    return list(instances.values())


# What tells the volumes of one series apart where they lie over one another: phases, acquisitions, energies, thicknesses. Slices that
# do not are never divided by these, since a gap would then make two volumes of one.
APART = (
    lambda header: header.temporal_position,
    lambda header: header.cardiac_phase,
    lambda header: header.acquisition,
    lambda header: header.kvp,
    lambda header: header.slice_thickness,
)


def _apart_if_needed(group: list[SliceHeader]) -> list[list[SliceHeader]]:
    """The group, or the volumes in it where it is none itself but all its parts are."""
    if why_not_a_stack(group) is None:
        return [group]
    for key in (lambda header: header.path.parent, *(APART if why_overlaid(group) else ())):
        parts = defaultdict(list)
        for header in group:
            parts[key(header)].append(header)
        if len(parts) > 1 and all(len(part) > 1 and why_not_a_stack(part) is None for part in parts.values()):
            return list(parts.values())
    return [group]
