"""The stored values of one slice, decoded from whatever transfer syntax they are in (DICOM PS3.5, 8 and Annex A)."""
from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from .codestreams import size_and_components
from .elements import CT_IMAGE, quiet

# Elements of the Image Pixel module that decoding depends on (PS3.3 C.7.6.3).
LAYOUT = ("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel", "PhotometricInterpretation")
RLE = "1.2.840.10008.1.2.5"
WITH_LOSS = {f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 52, 53, 54, 55, 56, 59, 60, 61, 62, 63, 64, 81)}
PERHAPS_WITH_LOSS = {f"1.2.840.10008.1.2.4.{number}" for number in (91, 93, 203)}


def stored_values(dataset, frame: int | None) -> np.ndarray:
    """(rows, columns) integers: the pixels of a dataset, or of one frame of it.

    Raises almost anything where they are damaged, cut off, or compressed in a way that neither SimpleITK nor pydicom decodes here.
    """
    with quiet():
        if dataset.file_meta.TransferSyntaxUID.is_compressed:
            encoded = _encoded(dataset, frame or 0)
            _refuse_another_size(dataset, encoded)
            values = _decoded_by_itk(dataset, encoded)
            if values is not None:
                return values
        return _decoded_by_pydicom(dataset, frame or 0)


def _refuse_another_size(dataset, encoded: bytes) -> None:
    if dataset.file_meta.TransferSyntaxUID == RLE:
        return
    stated = dataset.Rows, dataset.Columns, dataset.SamplesPerPixel
    if size_and_components(encoded) != stated:
        raise ValueError("the compressed pixels have another size than the header states")


def is_lossy(syntax: str, stated: str) -> bool:
    """Whether pixels were ever compressed with loss: by the transfer syntax, or as LossyImageCompression (0028,2110) states."""
    return stated == "01" or syntax in WITH_LOSS or (syntax in PERHAPS_WITH_LOSS and stated != "00")


def _decoded_by_pydicom(dataset, frame: int) -> np.ndarray:
    frames = int(dataset.get("NumberOfFrames") or 1)
    try:
        from pydicom.pixels import pixel_array
    except ImportError:  # pydicom 2 decodes all frames at once, and keeps them
        return dataset.pixel_array[frame] if frames > 1 else dataset.pixel_array
    values = pixel_array(dataset, index=frame)
    return values if values.ndim == 2 else values[0]


def _decoded_by_itk(dataset, encoded: bytes) -> np.ndarray | None:
    """The pixels of an encoded frame; None where ITK cannot decode them, or is not there.

    SimpleITK brings the decoders (GDCM) that pydicom needs other packages for: JPEG lossless, JPEG-LS, 12-bit JPEG, JPEG 2000, RLE. It reads
    files alone, so the frame is given to it as one, with nothing of the header that could change the values.
    """
    try:
        import SimpleITK as sitk
    except ImportError:
        return None
    with tempfile.TemporaryDirectory(prefix="ltdiff-") as folder:
        path = Path(folder) / "frame.dcm"
        _write_frame(dataset, encoded, path)
        try:
            values = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
        except RuntimeError:
            return None
    return values[0] if values.ndim == 3 and len(values) == 1 else None


def _write_frame(dataset, encoded: bytes, path: Path) -> None:
    import pydicom
    from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
    from pydicom.encaps import encapsulate

    alone = FileDataset(str(path), Dataset(), file_meta=FileMetaDataset(), preamble=b"\0" * 128, is_implicit_VR=False, is_little_endian=True)
    for keyword in LAYOUT:
        setattr(alone, keyword, dataset.get(keyword))
    alone.SOPClassUID, alone.SOPInstanceUID, alone.Modality = CT_IMAGE, "1.2.3", "CT"
    alone.file_meta.MediaStorageSOPClassUID, alone.file_meta.MediaStorageSOPInstanceUID = alone.SOPClassUID, alone.SOPInstanceUID
    alone.file_meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    alone.PixelData = encapsulate([encoded])
    alone["PixelData"].VR, alone["PixelData"].is_undefined_length = "OB", True
    pydicom.dcmwrite(path, alone)


def _encoded(dataset, frame: int) -> bytes:
    frames = int(dataset.get("NumberOfFrames") or 1)
    try:
        from pydicom.encaps import get_frame
    except ImportError:
        from pydicom.encaps import generate_pixel_data_frame

        return list(generate_pixel_data_frame(dataset.PixelData, frames))[frame]
    offsets = (dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths) if "ExtendedOffsetTable" in dataset else None
    return get_frame(dataset.PixelData, frame, number_of_frames=frames, extended_offsets=offsets)
