"""The sound files that the mutations start from: small CT series in many encodings, each a list of whole files as bytes.

Those made here are the same on every machine. Small real files are added from a folder of real data, where there is one.
"""
from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pydicom
from multi_frame import compressed, enhanced_ct
from pydicom.dataset import FileMetaDataset
from small_series import ct_slice, small_hu

SLICES, SHAPE = 3, (36, 32)  # JPEG 2000 refuses fewer than 32 of either
LARGEST_REAL = 90_000  # bytes; larger ones are cut where they are not compressed, else left out
CUT = 32  # rows and columns
NATIVE = {
    "implicit": pydicom.uid.ImplicitVRLittleEndian, "explicit": pydicom.uid.ExplicitVRLittleEndian,
    "big-endian": pydicom.uid.ExplicitVRBigEndian, "deflated": pydicom.uid.DeflatedExplicitVRLittleEndian,
}  # fmt: skip
COMPRESSED = {
    "rle": (pydicom.uid.RLELossless, {}), "jpeg-ls": (pydicom.uid.JPEGLSLossless, {}), "jpeg-ls-lossy": (pydicom.uid.JPEGLSNearLossless, {"jls_error": 2}),
    "jpeg-2000": (pydicom.uid.JPEG2000Lossless, {}), "jpeg-2000-lossy": (pydicom.uid.JPEG2000, {"j2k_psnr": [60]}),
}  # fmt: skip

Files = list[bytes]


def made_seeds() -> dict[str, Files]:
    """{name: the files of a series}."""
    seeds = {name: [_file(one, syntax) for one in _slices()] for name, syntax in NATIVE.items()}
    seeds["signed"] = [_file(one, pydicom.uid.ExplicitVRLittleEndian) for one in _slices(PixelRepresentation=1, RescaleSlope="0.5", RescaleIntercept="-10.25")]
    seeds["padded"] = [_file(one, pydicom.uid.ExplicitVRLittleEndian) for one in _slices(PixelPaddingValue=0, PixelPaddingRangeLimit=10)]
    seeds["bare"] = [_without_preamble(data) for data in seeds["implicit"]]
    for name, (syntax, options) in COMPRESSED.items():
        seeds[name] = [_file(compressed(one, syntax, **options), syntax) for one in _slices()]
    seeds["jpeg-lossless"] = [_file(_jpeg_lossless(one), pydicom.uid.JPEGLosslessSV1) for one in _slices()]
    seeds["enhanced"] = [_file(_enhanced(), pydicom.uid.ExplicitVRLittleEndian)]
    for name in ("rle", "jpeg-ls", "jpeg-2000"):
        seeds[f"enhanced-{name}"] = [_file(compressed(_enhanced(), COMPRESSED[name][0]), COMPRESSED[name][0])]
    return seeds


def real_seeds(shared_data: Path) -> dict[str, Files]:
    """Single files of the conformance data, the first of each series, cut to a few pixels where that is possible."""
    found: dict[str, Files] = {}
    if not shared_data.is_dir():
        return found
    for folder in sorted((shared_data / "conformance").iterdir()):
        files = sorted(path for path in folder.glob("*") if path.is_file())
        small = [(path, data) for path in files if (data := _small(path))]
        found |= {path.relative_to(shared_data).as_posix(): [data] for path, data in (small if folder.name.startswith("single") else small[:1])}
    return found


def _slices(**changes) -> list:
    return [ct_slice(index, hu, **changes) for index, hu in enumerate(small_hu(SLICES, SHAPE))]


def _enhanced():
    return enhanced_ct(small_hu(SLICES, SHAPE))


def _file(dataset, syntax) -> bytes:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID, dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    with io.BytesIO() as file:
        if syntax == pydicom.uid.ExplicitVRBigEndian:
            dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
        pydicom.dcmwrite(file, dataset, enforce_file_format=True)
        return file.getvalue()


def _without_preamble(data: bytes) -> bytes:
    return data[body_start(data):]


def body_start(data: bytes) -> int:
    """Where the elements after the file meta information begin: its group length (0002,0000) comes first (DICOM PS3.10, 7.1)."""
    return 144 + int.from_bytes(data[140:144], "little") if data[128:132] == b"DICM" else 0


def _jpeg_lossless(dataset):
    """With pixels compressed by SimpleITK, as no package of Python does it."""
    import SimpleITK as sitk

    with TemporaryDirectory(prefix="ltdiff-") as folder:
        path = str(Path(folder, "compressed.dcm"))
        writer = sitk.ImageFileWriter()
        writer.SetImageIO("GDCMImageIO")
        writer.SetUseCompression(True)
        writer.SetCompressor("JPEG")
        writer.SetFileName(path)
        writer.Execute(sitk.GetImageFromArray(np.frombuffer(dataset.PixelData, "<u2").reshape(SHAPE)))
        dataset.PixelData = pydicom.dcmread(path).PixelData
    dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    dataset.BitsStored, dataset.HighBit = 16, 15
    return dataset


def _small(path: Path) -> bytes | None:
    """None for what is no DICOM, holds no pixels, or is large and cannot be cut. Maps and scout views are passed off as axial slices."""
    data = path.read_bytes()
    if data[128:132] != b"DICM":
        return None
    dataset = pydicom.dcmread(io.BytesIO(data))
    if "PixelData" not in dataset:
        return None
    if not dataset.file_meta.TransferSyntaxUID.is_compressed and dataset.get("BitsAllocated") == 16 and dataset.get("SamplesPerPixel") == 1:
        _cut(dataset)
    dataset.SliceThickness = dataset.get("SliceThickness") or "5"
    for element in dataset.iterall():
        if element.keyword in ("ImageType", "FrameType"):
            element.value = ["ORIGINAL", "PRIMARY", "AXIAL", "NONE"]
    with io.BytesIO() as file:
        pydicom.dcmwrite(file, dataset)
        return file.getvalue() if len(file.getvalue()) <= LARGEST_REAL else None


def _cut(dataset) -> None:
    frames = int(dataset.get("NumberOfFrames") or 1)
    whole = np.frombuffer(dataset.PixelData, np.uint16)[: frames * dataset.Rows * dataset.Columns]
    pixels = whole.reshape(frames, dataset.Rows, dataset.Columns)[:, :CUT, :CUT]
    dataset.PixelData, (dataset.Rows, dataset.Columns) = pixels.tobytes(), pixels.shape[1:]


def with_body(data: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """A deflated file with the inflated part changed."""
    start = body_start(data)
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    body = change(zlib.decompress(data[start:], -zlib.MAX_WBITS))
    return data[:start] + deflater.compress(body) + deflater.flush()
