"""Reading and writing real CT data: pairs, volumes and difficult files."""
import json

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from LTDiffStandardizeLib.errors import LTDiffError
from LTDiffStandardizeLib.volumes import Derivation, find_series, read_volume, write_dicom_series

DERIVATION = Derivation("ls", "Bl64-like", "0.1.0")


@pytest.fixture(scope="module")
def conformance(shared_data):
    return shared_data / "conformance"


def as_simpleitk_reads(folder):
    return sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))


@pytest.mark.parametrize(
    "series",
    [
        "pairs/lungdx-a0002/B70f", "pairs/philips-head-phantom/UB", "pairs/toshiba-chest-phantom/FC13_position1",
        "pairs/toshiba-chest-phantom/FC51_position2",
        "conformance/series_dcmqi_ct3slice", "conformance/series_TotalSegmentator_J2K_noUIDs_kernelVM2",
    ],
)  # fmt: skip
def test_a_real_series_reads_as_simpleitk_does_and_survives_being_written(shared_data, tmp_path, series):
    volume = read_volume(shared_data / series)
    image = as_simpleitk_reads(shared_data / series)
    again = read_volume(write_dicom_series(volume, tmp_path / "out", DERIVATION))
    written = as_simpleitk_reads(tmp_path / "out")
    for other in (sitk.GetArrayFromImage(image), again.hu, sitk.GetArrayFromImage(written)):
        assert np.array_equal(volume.hu, other)
    for other in (image, written):
        assert np.allclose(volume.spacing, other.GetSpacing(), atol=1e-4) and np.allclose(volume.origin, other.GetOrigin())
        assert np.allclose(volume.direction.ravel(), other.GetDirection())
    assert again.origin == volume.origin and np.array_equal(again.direction, volume.direction)
    assert again.spacing == volume.spacing and (again.padding is None) == (volume.padding is None)


def test_every_series_of_the_pairs_and_volumes_is_found_with_its_kernel(shared_data):
    entries = find_series(shared_data / "pairs") + find_series(shared_data / "volumes")
    assert [entry.refusal for entry in entries] == [None] * 10
    assert sorted(entry.kernel for entry in entries) == ["B40f", "B40f", "B70f", "D", "FC13", "FC13", "FC51", "FC51", "UB", "YA"]
    assert sum(entry.number_of_slices for entry in entries) == 384


def test_the_two_volumes_of_a_pair_lie_on_one_grid(shared_data):
    soft, sharp = (read_volume(shared_data / "pairs" / "lungdx-a0002" / kernel) for kernel in ("B40f", "B70f"))
    assert soft.origin == sharp.origin and soft.spacing == sharp.spacing and soft.facts.mas == sharp.facts.mas
    assert np.corrcoef(soft.hu[::5].ravel(), sharp.hu[::5].ravel())[0, 1] > 0.95


@pytest.mark.parametrize(
    "series, share",
    [
        ("pairs/toshiba-chest-phantom/FC13_position1", 0.215),  # -2048 outside the circle: 1 - pi/4
        ("conformance/series_dcmqi_ct3slice", 0.213),  # PixelPaddingValue -2000, -3024 HU
        ("volumes/cptac-c3n-00249", 0.109),  # -1024 beyond a circle wider than the slice
        ("pairs/lungdx-a0002/B70f", 0.0),  # -1024 is clipped air
        ("pairs/philips-head-phantom/YA", 0.0),
    ],
)
def test_padding_is_what_the_scanner_filled_in(shared_data, series, share):
    volume = read_volume(shared_data / series)
    measured = 0.0 if volume.padding is None else volume.padding.mean()
    assert measured == pytest.approx(share, abs=0.002)


def test_no_difficult_file_or_folder_raises_anything_but_one_sentence(conformance):
    for path in [conformance, *conformance.iterdir(), *conformance.glob("*/*")]:
        try:
            for entry in find_series(path):
                assert entry.refusal is None or (entry.refusal.endswith(".") and "\n" not in entry.refusal)
            read_volume(path)
        except LTDiffError as error:
            assert str(error).endswith(".") and "\n" not in str(error) and path.name in str(error)


def test_every_single_ct_image_reads_with_the_values_that_simpleitk_found(conformance):
    """In 16 transfer syntaxes; `sitk` of the manifest ends in "lowest..highest"."""
    read = 0
    for told in json.loads((conformance / "manifest.json").read_text()):
        path = conformance / told["file"]
        if not told["file"].startswith("single") or told["nf"] or not told["sitk"].startswith("ok"):
            continue
        try:
            hu = read_volume(path).hu
        except LTDiffError as error:
            assert "SliceThickness" in str(error)
            continue
        low, high = (float(value) for value in told["sitk"].split()[-1].split(".."))
        assert (hu.min(), hu.max()) == pytest.approx((low, high), abs=1e-3)
        read += 1
    assert read >= 34


@pytest.mark.parametrize(
    "folder, cause",
    [
        ("series_GE_tilt_variable_spacing", "gantry tilt of 18.5 degrees"),
        ("series_Philips_tilt_plus16.5", "gantry tilt of 16.5 degrees"),
        ("series_Philips_exam_summary_SC", "secondary capture"),
        ("series_Philips_localizer", "localizer"),
        ("series_dicom2nifti_sliceincrement_001", "lacks 1 of"),
        ("series_dicom2nifti_notavolume_001", "several slices at one position"),
        ("series_dupe_positions", "several slices at one position"),
        ("single_pydicom-data/eCT_Supplemental.dcm", "perfusion map"),
        ("single_bad_j2k_psot", "cannot be decoded"),
    ],
)
def test_difficult_series_are_refused_for_the_right_reason(conformance, folder, cause):
    with pytest.raises(LTDiffError, match=cause):
        read_volume(conformance / folder)


def test_two_kernel_values_and_missing_uids_are_no_obstacle(conformance, tmp_path):
    volume = read_volume(conformance / "series_TotalSegmentator_J2K_noUIDs_kernelVM2")
    assert volume.facts.kernel == "Br38f\\3" and volume.spacing[2] == 2.0 and volume.facts.slice_thickness_mm == 3.0
    folder = write_dicom_series(volume, tmp_path / "out", DERIVATION)
    assert len({pydicom.dcmread(file, stop_before_pixels=True).SOPInstanceUID for file in folder.iterdir()}) == 20


def test_a_difficult_image_can_be_written_whatever_its_encoding(conformance, tmp_path):
    for number, path in enumerate(sorted((conformance / "single_cornerstone").glob("CT*"))):
        try:
            volume = read_volume(path)
        except LTDiffError:
            continue
        again = read_volume(write_dicom_series(volume, tmp_path / str(number), DERIVATION))
        assert np.abs(again.hu - volume.hu.astype(np.float64)).max() <= 0.5
