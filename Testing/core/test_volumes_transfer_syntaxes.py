"""Every way in which clinical CT is encoded, with values that are known."""
import base64
import warnings

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multi_frame import compressed
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian, HTJ2KLossless, ImplicitVRLittleEndian, JPEG2000Lossless,
    JPEGLSLossless, JPEGLSNearLossless, MPEG2MPML, RLELossless,
)  # fmt: skip
from small_series import ct_slice, save, small_hu, write_series

from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.volumes import Derivation, read_volume, write_dicom_series
from LTDiffStandardizeLib.volumes.compression import SYNTAXES, why_not_available

DERIVATION = Derivation("none", "B40f unchanged", "0.1.0")
RAW = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
COMPRESSED = [RLELossless, JPEGLSLossless, JPEG2000Lossless]
# 16 x 16 pixels, (7 x + 13 y) % 61 * 40 + 100, reversibly compressed by OpenJPH 0.26.3.
HTJ2K = base64.b64decode(
    "/0//UQApQAAAAAAQAAAAEAAAAAAAAAAAAAAAEAAAABAAAAAAAAAAAAABDwEB/1AACAACAAAACv9SAAwAAgABAAUEBEAB/1wAEyCIkJCQkJCQkJCQkJCQiIiI/2QAFwABT3BlbkpQSCBWZXIgMC4yNi4zLv+QAAoAAAAA"
    "AdEAAf+TwAAmC/YFB3QAAMAAEsAAEsAAEoDeAId0AEIBh3QAdQGHdADAABUwAAVMAAFUwj6M9HIBQzQArHzdKf0BAzQAxzDE1U32AYM0AMAAFtQAAW9AABdATpeiNvdxfjkecW+YMgFYCTAK/QXtCEBnNwBq6ipweXhH"
    "K2QIMhLedAwCT4bVY4nM/gRnIQA2twA2V8V0yKyyFXInQbamOeChcneY74i+3PEASShKQCKYAMAAL1yAAF7DAAC9OC+BAbPkYcJUcjCFSbKLLpL8EpgwwRQmTCULEzmYL70ETJDcYJjCLHmYYJIMJpgkvwQmmEByUpJH"
    "TvJLYL4UJkzzhRlmyTBN6uIAolTMY5vatkLlSMYBMRiAW1MBYYIrmMzXCjC51UtggquXVMEKL0nfS8CEFWDiVkkOk8i9BFdgGqYw3epLwARXL6kCrr5EFV4CE/qSfEclB2cvcSBrYPJvK8DZrRwIEwf+FFD0L6n4Lu7H"
    "b7kIBtcQgDNTAcNkGGES5mGEOUzDDDPMMIV5GGEKc8mHyTANY5iHKUzDZJhhDtMwwyRMHqaSG+YwHUaYDPMwwvwAUSc8wt69p93bvTp7v0ZAL/shABdXAf/Z"
)  # fmt: skip


@pytest.mark.parametrize("syntax", RAW + COMPRESSED, ids=lambda uid: uid.name)
@pytest.mark.parametrize("signed, bits, slope, intercept", [(0, 12, 1, -1024), (1, 16, 1, 0), (1, 16, 1, -1024), (0, 16, 1, -8192), (0, 16, 1, -10240)])
def test_hu_are_exact_in_every_lossless_syntax_signedness_and_rescale(tmp_path, syntax, signed, bits, slope, intercept):
    hu = small_hu(2, (40, 36))
    for index, values in enumerate(hu):
        ds = ct_slice(index, values, PixelRepresentation=signed, BitsStored=bits, HighBit=bits - 1, RescaleSlope=slope, RescaleIntercept=intercept)
        save(compressed(ds, syntax) if syntax in COMPRESSED else big_endian(ds) if syntax == ExplicitVRBigEndian else ds, tmp_path / str(index), syntax)
    volume = read_volume(tmp_path)
    assert np.array_equal(volume.hu, hu) and volume.facts.lossy_compression is None


def big_endian(ds):
    """pydicom writes pixel data as they are given."""
    ds.PixelData = np.frombuffer(ds.PixelData, "<u2").astype(">u2").tobytes()
    return ds


def test_an_htj2k_image_is_read(tmp_path):
    y, x = np.mgrid[:16, :16]
    stored = (x * 7 + y * 13) % 61 * 40 + 100
    ds = ct_slice(0, stored - 1024)
    ds.PixelData = encapsulate([HTJ2K])
    ds["PixelData"].VR = "OB"
    save(ds, tmp_path / "a", HTJ2KLossless)
    assert np.array_equal(read_volume(tmp_path).hu[0], stored - 1024)


def test_what_nothing_decodes_is_named_with_the_remedy(tmp_path):
    ds = ct_slice(0, small_hu(1, (16, 16))[0])
    ds.PixelData = encapsulate([HTJ2K])
    ds["PixelData"].VR = "OB"
    save(ds, tmp_path / "a", MPEG2MPML)
    with pytest.raises(InputError, match="a is compressed as MPEG2 .* cannot be decoded.*; export the series uncompressed, or install .*gdcm"):
        read_volume(tmp_path)


def test_loss_is_told_with_its_method_and_ratio(tmp_path):
    for name, changes in (("tag", {"LossyImageCompression": "01", "LossyImageCompressionRatio": "12.25"}), ("no", {"LossyImageCompression": "00"})):
        write_series(tmp_path / name, **changes)
    assert read_volume(tmp_path / "tag").facts.lossy_compression == "before it was stored here, 12.2 to 1"
    assert read_volume(tmp_path / "no").facts.lossy_compression is None
    ds = ct_slice(0, small_hu(1, (24, 20))[0])
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.compress(JPEGLSNearLossless, jls_error=2, generate_instance_uid=False)
    save(ds, tmp_path / "near" / "a", JPEGLSNearLossless)
    volume = read_volume(tmp_path / "near")
    assert volume.facts.lossy_compression == "JPEG-LS Lossy" and np.abs(volume.hu[0] - small_hu(1, (24, 20))[0]).max() <= 2


@pytest.mark.parametrize("compression", SYNTAXES)
def test_a_derived_series_is_stored_in_every_lossless_syntax_with_the_same_values(tmp_path, compression):
    hu = write_series(tmp_path / "in", small_hu(2, (40, 36)), PixelRepresentation=1, BitsStored=16, HighBit=15, RescaleIntercept=0)
    volume = read_volume(tmp_path / "in")
    folder = write_dicom_series(volume, tmp_path / "out", DERIVATION, compression=compression)
    for file in folder.iterdir():
        ds = pydicom.dcmread(file)
        assert ds.file_meta.TransferSyntaxUID == SYNTAXES[compression] and ds.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID
    assert np.array_equal(read_volume(folder).hu, hu)
    again = write_dicom_series(volume, tmp_path / "again", DERIVATION, compression=compression)
    assert [file.read_bytes() for file in sorted(again.iterdir())] == [file.read_bytes() for file in sorted(folder.iterdir())]


def test_an_encoder_that_is_missing_is_named(monkeypatch):
    assert why_not_available("none") is None and why_not_available("jpegls") is None
    monkeypatch.setattr(pydicom.pixels.get_encoder(SYNTAXES["jpegls"]), "_available", {})
    assert "needs the Python package pyjpegls" in why_not_available("jpegls")


@given(st.integers(0, 1), st.sampled_from([8, 10, 12, 13, 14, 16]), st.floats(0.01, 4).map(lambda value: round(value, 4)), st.integers(-10240, 0))
@settings(deadline=None, max_examples=40)
def test_hu_are_slope_times_stored_plus_intercept_whatever_they_are(tmp_path_factory, signed, bits, slope, intercept):
    folder, half = tmp_path_factory.mktemp("rescale"), 1 << bits - 1
    stored = np.random.default_rng(0).integers(-half if signed else 0, half if signed else 2 * half, (9, 7))
    ds = ct_slice(0, stored, RescaleSlope=slope, RescaleIntercept=intercept, PixelRepresentation=signed, BitsStored=bits, HighBit=bits - 1)
    ds.PixelData = stored.astype("<i2" if signed else "<u2").tobytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        save(ds, folder / "a")
    assert np.allclose(read_volume(folder).hu[0], stored * slope + intercept, rtol=1e-6, atol=1e-3)
