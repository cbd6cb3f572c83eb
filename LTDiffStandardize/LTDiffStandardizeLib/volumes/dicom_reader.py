"""Reading the pixels of a DICOM series, slice by slice into one array."""
from __future__ import annotations

from statistics import median
from typing import Sequence

import numpy as np

from ..errors import InputError
from .elements import quiet, read_dataset
from .headers import SliceHeader
from .memory import why_too_large
from .padding import padding_mask
from .pixels import is_lossy, stored_values
from .stack import stack_geometry
from .volume import CTFacts, CTVolume, DicomSource, fits_int16


def read_dicom_slices(slices: Sequence[SliceHeader], name: str) -> CTVolume:
    """The volume of ordered slices in which neither `why_not_a_slice` nor `why_not_a_stack` finds fault.

    HU = slope * stored + intercept, exactly: int16 where all slices have whole slopes and intercepts and the values fit, else
    float32. Beside the volume, no more than one single-frame file is in memory; files of many frames are, until the end.
    Raises InputError where it would not fit into memory, or a file is gone, damaged, or compressed in a way that nothing here decodes.
    """
    first, geometry = slices[0], stack_geometry(slices)
    if cause := why_too_large((len(slices), first.rows, first.columns)):
        raise InputError(f"{name} {cause}.")
    hu, datasets = np.empty((len(slices), first.rows, first.columns), np.int16), {}
    for index, header in enumerate(slices):
        dataset = datasets.get(header.path) or _dataset_of(header)
        if header.frame is not None:
            datasets[header.path] = dataset
        values = _hu_values(dataset, header)
        if hu.dtype == np.int16 and not fits_int16(values):
            hu = hu.astype(np.float32)
        hu[index] = values
    return CTVolume(
        hu=hu,
        spacing=geometry.spacing,
        origin=geometry.origin,
        direction=geometry.direction,
        padding=padding_mask(hu, [_declared_padding(header) for header in slices]),
        facts=_facts(slices, geometry.spacing[2]),
        source=DicomSource(
            tuple(header.path for header in slices),
            tuple(header.sop_instance_uid for header in slices),
            first.series_instance_uid,
            tuple(header.frame for header in slices),
        ),
        name=name,
    )


def _dataset_of(header: SliceHeader):
    try:
        dataset = read_dataset(header.path)
    except Exception as error:  # a damaged file makes pydicom raise almost anything
        raise InputError(f"{header.path} cannot be read ({_short(error)}); copy or export it again.") from error
    if "PixelData" not in dataset:
        raise InputError(f"{header.path} holds no pixel data; export the series again.")
    return dataset


def _hu_values(dataset, header: SliceHeader) -> np.ndarray:
    """One slice in HU: (rows, columns), int32 where exact, else float32."""
    try:
        values = _rescaled(stored_values(dataset, header.frame), header)
    except Exception as error:  # damaged pixels make decoders raise almost anything
        raise InputError(f"{header.path} {_why_not_decoded(dataset.file_meta.TransferSyntaxUID)}.") from error
    if values.shape != (header.rows, header.columns):
        raise InputError(f"{header.path} has pixel data of another size than its header states; copy or export it again.")
    return values


def _why_not_decoded(syntax) -> str:
    if not getattr(syntax, "is_transfer_syntax", False):
        return "is in a transfer syntax that DICOM does not know; export it again"
    if not syntax.is_compressed:
        return "has incomplete or invalid pixel data; copy or export it again"
    return (f"is compressed as {syntax.name} and cannot be decoded, so it is damaged or its decoder is missing; export the series "
            "uncompressed, or install the Python packages SimpleITK or python-gdcm")  # fmt: skip


def _rescaled(stored: np.ndarray, header: SliceHeader) -> np.ndarray:
    if header.slope.is_integer() and header.intercept.is_integer():
        return stored.astype(np.int32) * int(header.slope) + int(header.intercept)
    return (stored * header.slope + header.intercept).astype(np.float32)


def _declared_padding(header: SliceHeader) -> tuple[float, float] | None:
    if header.padding_range is None:
        return None
    low, high = sorted(_rescaled(np.array(header.padding_range), header).tolist())
    return low, high


def _facts(slices: Sequence[SliceHeader], distance: float) -> CTFacts:
    first = slices[0]
    currents = [header.mas for header in slices if header.mas is not None]
    return CTFacts(
        kernel=first.kernel or None,
        manufacturer=first.manufacturer or None,
        model=first.model or None,
        kvp=first.kvp,
        mas=median(currents) if currents else None,
        slice_thickness_mm=first.slice_thickness,
        slice_distance_mm=distance,
        fov_mm=first.fov or first.columns * first.pixel_spacing[1],
        rescale_slope=first.slope,
        rescale_intercept=first.intercept,
        lossy_compression=next(filter(None, map(_loss, slices)), None),
    )


def _loss(header: SliceHeader) -> str | None:
    from pydicom.uid import UID

    if not is_lossy(header.transfer_syntax, header.lossy):
        return None
    with quiet():
        syntax = UID(header.transfer_syntax)
    method = syntax.name.split(" (")[0] if syntax.is_compressed else "before it was stored here"
    return f"{method}, {header.lossy_ratio:.3g} to 1" if header.lossy_ratio else method


def _short(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
