"""Writing a volume as a derived DICOM CT series."""
from __future__ import annotations

from pathlib import Path
from re import fullmatch
from zlib import crc32

import numpy as np

from ..errors import OutputError
from .atomic import folder_aside
from .compression import NONE, compress
from .derivation import Derivation
from .derived_headers import derived_headers
from .elements import quiet, read_dataset
from .headers import PADDING
from .inherited import Inheritance, header_not_copied
from .pixels import stored_values
from .volume import CTVolume

FILE_NAMES = r"IM\d{5,}\.dcm"
LEAST_BITS = 12  # stored by CT images (PS3.3 C.8.2.1.1.4)
# What says which HU lie where; each file is read back to see that it holds them as meant.
READ_BACK = ("Rows", "Columns", "BitsAllocated", "BitsStored", "PixelRepresentation", "RescaleSlope", "RescaleIntercept",
             "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SOPInstanceUID", "SeriesInstanceUID")  # fmt: skip


def write_dicom_series(volume: CTVolume, folder: str | Path, derivation: Derivation, overwrite: bool = False,
                       inheritance: Inheritance = Inheritance(), compression: str = NONE) -> Path:  # fmt: skip
    """Writes a series of CT images as a new folder, whole or not at all; returns it.

    inheritance: what is kept of the source's headers. compression: a key of `compression.SYNTAXES`; without it Explicit VR Little Endian.

    Study, frame of reference, geometry and patient are those of the source; SeriesInstanceUID and SOPInstanceUIDs are new but
    follow from the source and `derivation`, so a repeated run writes the same bytes. HU are stored to the nearest step of the
    source's rescale; where that step is coarser than 1 HU, or a pixel is not 12 to 16 of 16 bits wide, as whole HU in 16 bits. HU beyond
    the range of the source's stored bits are clipped, as the scanner clips its own.
    Raises InputError where a file of the source cannot be read again or its header not be copied, OutputError where the folder
    exists (unless `overwrite` and it holds nothing but such a series, not the source), values are not finite, or the disk refuses.
    """
    folder = Path(folder).absolute()
    _refuse_other_contents(folder, volume)
    meant = {}
    with quiet(), folder_aside(folder, overwrite, lambda partial: _contents(partial) == meant) as partial:
        for index, header in enumerate(derived_headers(volume, derivation, inheritance)):
            _set_pixels(header, np.asarray(volume.hu[index]), volume.name)
            path = partial / f"IM{index + 1:05d}.dcm"
            meant[path.name] = _content(header, header.PixelData)
            try:
                _write(header, path, compression)
            except (OSError, OutputError):
                raise
            except Exception as error:  # elements that pydicom can read but not write make it raise almost anything
                raise header_not_copied(volume.source.paths[index] if volume.source else volume.name, error) from error
    return folder


def _refuse_other_contents(folder: Path, volume: CTVolume) -> None:
    if not folder.is_dir():
        return
    sources = {path.absolute() for path in volume.source.paths} if volume.source else set()
    if any(not fullmatch(FILE_NAMES, path.name) or path in sources for path in folder.iterdir()):
        raise OutputError(f"{folder} holds other files than a series that could be replaced; choose another folder.")


def _set_pixels(header, hu: np.ndarray, name: str) -> None:
    if not np.isfinite(hu).all():
        raise OutputError(f"{name} has voxels whose value is not a number, so it was not written; standardize it again.")
    slope, intercept = float(header.RescaleSlope), float(header.RescaleIntercept)
    if header.BitsAllocated != 16 or not LEAST_BITS <= int(header.BitsStored) <= 16 or not 0 < slope <= 1:
        slope, intercept = _use_whole_hu(header, slope, intercept)
    bits, signed = int(header.BitsStored), int(header.PixelRepresentation)
    lowest = -(1 << bits - 1) if signed else 0
    stored = np.rint((hu.astype(np.float64) - intercept) / slope)
    np.clip(stored, lowest, lowest + (1 << bits) - 1, out=stored)
    header.PixelData = stored.astype("<i2" if signed else "<u2").tobytes()
    header["PixelData"].VR = "OW"


def _use_whole_hu(header, slope: float, intercept: float) -> tuple[int, int]:
    """Changes the header to signed 16-bit HU; returns slope and intercept."""
    for keyword in PADDING:
        if keyword in header:
            hu = round(header[keyword].value * slope + intercept)
            delattr(header, keyword)
            header.add_new(keyword, "SS", int(np.clip(hu, -32768, 32767)))
    header.BitsAllocated, header.BitsStored, header.HighBit, header.PixelRepresentation = 16, 16, 15, 1
    header.RescaleSlope, header.RescaleIntercept = "1", "0"
    return 1, 0


def _contents(folder: Path) -> dict[str, tuple]:
    """What the files of a folder hold, by name."""
    contents = {}
    for path in folder.iterdir():
        dataset = read_dataset(path)
        compressed = dataset.file_meta.TransferSyntaxUID.is_compressed
        contents[path.name] = _content(dataset, _pixel_data(dataset) if compressed else dataset.PixelData)
    return contents


def _content(header, pixel_data: bytes) -> tuple:
    return crc32(pixel_data), *(str(header.get(keyword)) for keyword in READ_BACK)


def _pixel_data(dataset) -> bytes:
    """The pixels of a compressed image as they were before."""
    return stored_values(dataset, None).astype("<i2" if dataset.PixelRepresentation else "<u2").tobytes()


def _write(header, path: Path, compression: str) -> None:
    import pydicom
    from pydicom.dataset import FileMetaDataset

    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    try:
        compress(header, compression)
    except Exception as error:  # encoders raise almost anything, for example for images that are too small for them
        raise OutputError(f"{path.name} cannot be compressed as {compression} ({type(error).__name__}); choose another compression.") from error
    if int(pydicom.__version__.split(".")[0]) >= 3:
        pydicom.dcmwrite(path, header, enforce_file_format=True)
    else:
        header.is_little_endian, header.is_implicit_VR = True, False
        pydicom.dcmwrite(path, header, write_like_original=False)
