"""CT volumes as NRRD and NIfTI files, through SimpleITK."""
from __future__ import annotations

import gzip
import zlib
from dataclasses import replace
from math import prod
from pathlib import Path

import numpy as np

from ..errors import InputError, OutputError
from .atomic import file_aside
from .elements import HIGHEST_RATIO
from .memory import why_too_large
from .padding import padding_mask
from .volume import CTFacts, CTVolume, fits_int16, why_not_on_grid

READABLE = (".nrrd", ".nhdr", ".nii", ".nii.gz")
WRITABLE = (".nrrd", ".nii", ".nii.gz")
FAST_COMPRESSION = 2  # CT noise does not compress: a higher level takes longer and gains little

# Facts that a NRRD file carries as key/value pairs, under their DICOM keywords. NIfTI has no place for them.
TEXT_KEYS = {"kernel": "ConvolutionKernel", "manufacturer": "Manufacturer", "model": "ManufacturerModelName"}
NUMBER_KEYS = {"kvp": "KVP", "mas": "Exposure", "slice_thickness_mm": "SliceThickness", "fov_mm": "ReconstructionDiameter"}


def is_image_file(path: Path) -> bool:
    """Whether the name is that of a NRRD or NIfTI volume; Slicer's segmentations (.seg.nrrd) are none."""
    name = path.name.lower()
    return name.endswith(READABLE) and not name.endswith((".seg.nrrd", ".seg.nhdr"))


def image_file_header(path: Path) -> tuple[str | None, int, str]:
    """(None, number of slices, kernel or ""), or (sentence why the file is no scalar volume, 0, ""); reads the header alone."""
    try:
        reader = _open(path)
    except InputError as error:
        return str(error), 0, ""
    return None, reader.GetSize()[2], _facts(reader).kernel or ""


def read_volume_file(path: str | Path, name: str) -> CTVolume:
    """The volume in a NRRD or NIfTI file, whose values are taken for HU; int16 where they are integers that fit, else float32.

    Raises InputError where the file is damaged, is no three-dimensional scalar image, has skewed axes or values that are no numbers.
    """
    import SimpleITK as sitk

    path = Path(path)
    reader = _open(path)
    if not _is_complete(path, reader):
        raise _damaged(path)
    try:
        image = reader.Execute()
    except RuntimeError as error:
        raise _damaged(path) from error
    hu = _as_hu(sitk.GetArrayViewFromImage(image), path)
    facts = replace(_facts(image), slice_distance_mm=image.GetSpacing()[2])
    direction = np.reshape(image.GetDirection(), (3, 3))
    return CTVolume(hu, image.GetSpacing(), image.GetOrigin(), direction, padding_mask(hu), facts, name=name)


def write_volume_file(volume: CTVolume, path: str | Path, overwrite: bool = False, compress: bool = True) -> Path:
    """Writes HU and geometry to a .nrrd, .nii or .nii.gz file, whole or not at all, and returns its path.

    compress: a .nrrd file that lives for a moment only is written faster without.

    NRRD keeps the geometry exactly and the facts as key/value pairs; NIfTI stores geometry in single precision (about 1e-7).
    Raises OutputError where the name has another ending, the file exists (unless `overwrite`) or cannot be written.
    """
    import SimpleITK as sitk

    path = Path(path)
    if not path.name.lower().endswith(WRITABLE):
        raise OutputError(f"{path} has no ending that can be written; choose one of {', '.join(WRITABLE)}.")
    image = sitk.GetImageFromArray(volume.hu)
    image.SetSpacing(volume.spacing)
    image.SetOrigin(volume.origin)
    image.SetDirection(volume.direction.ravel().tolist())
    for attribute, key in {**TEXT_KEYS, **NUMBER_KEYS}.items():
        value = getattr(volume.facts, attribute)
        if value is not None:
            image.SetMetaData(key, str(value))
    with file_aside(path, overwrite, lambda partial: _holds(partial, volume)) as partial:
        try:
            sitk.WriteImage(image, str(partial), compress and not path.name.lower().endswith(".nii"), FAST_COMPRESSION)
        except RuntimeError as error:
            raise OutputError(f"{path} cannot be written; check the folder, its permissions and the free space.") from error
    return path


def _holds(path: Path, volume: CTVolume) -> bool:
    """Whether the file reads as this volume."""
    made = read_volume_file(path, volume.name)
    return why_not_on_grid(made, volume) is None and np.array_equal(made.hu, volume.hu)


def _open(path: Path):
    """SimpleITK's reader with the header read; raises InputError where that is not a scalar volume."""
    import SimpleITK as sitk

    if path.exists() and not path.is_file():  # to open a pipe would wait for its writer
        raise InputError(f"{path} is not a readable NRRD or NIfTI image; copy or export it again.")
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise InputError(f"{path} is not a readable NRRD or NIfTI image; copy or export it again.") from error
    if reader.GetDimension() != 3:
        raise InputError(f"{path} has {reader.GetDimension()} dimensions, not 3; export one volume to a file of its own.")
    if reader.GetNumberOfComponents() != 1 or "complex" in sitk.GetPixelIDValueAsString(reader.GetPixelID()):
        raise InputError(f"{path} holds several values a voxel (colours or vectors), not HU; choose a scalar CT volume.")
    axes = np.reshape(reader.GetDirection(), (3, 3))
    if not np.allclose(axes.T @ axes, np.eye(3), atol=1e-3):
        raise InputError(f"{path} has axes that are not at right angles; resample it to a right-angled grid first.")
    if cause := why_too_large(reader.GetSize()[::-1]):
        raise InputError(f"{path} {cause}.")
    if not path.name.lower().endswith(".nhdr") and prod(reader.GetSize()) > path.stat().st_size * HIGHEST_RATIO:
        raise _damaged(path)
    return reader


def _damaged(path: Path) -> InputError:
    return InputError(f"{path} cannot be read to its end, so it is damaged or incomplete; copy or export it again.")


def _is_complete(path: Path, reader) -> bool:
    """Whether all bytes of a NIfTI file are there, which ITK does not ask: it fills the end of a cut-off one with anything."""
    if not reader.HasMetaDataKey("vox_offset"):
        return True
    voxel_bits, offset = int(reader.GetMetaData("bitpix")), int(float(reader.GetMetaData("vox_offset")))
    expected = offset + prod(reader.GetSize()) * voxel_bits // 8
    try:
        with gzip.open(path) if path.name.lower().endswith(".gz") else open(path, "rb") as file:
            while expected > 0 and (part := file.read(1 << 20)):
                expected -= len(part)
            return expected <= 0
    except (OSError, EOFError, zlib.error):
        return False


def _as_hu(values: np.ndarray, path: Path) -> np.ndarray:
    """A copy as int16 or float32."""
    if fits_int16(values):
        return values.astype(np.int16)
    if not np.isfinite(values).all():
        raise InputError(f"{path} has voxels whose value is not a number; replace them (air is -1000 HU) and export it again.")
    return values.astype(np.float32)


def _facts(image) -> CTFacts:
    found = {key: image.GetMetaData(key) for key in image.GetMetaDataKeys()}
    facts = {attribute: found.get(key) for attribute, key in TEXT_KEYS.items()}
    for attribute, key in NUMBER_KEYS.items():
        try:
            facts[attribute] = float(found[key])
        except (KeyError, ValueError):
            continue
    return CTFacts(**facts)
