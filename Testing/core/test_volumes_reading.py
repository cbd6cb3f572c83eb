import tracemalloc

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian
from small_series import ct_slice, save, small_hu, write_series

from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.volumes import find_series, read_volume


def test_a_volume_has_the_geometry_and_the_facts_of_its_headers(tmp_path):
    hu = write_series(tmp_path, names=list("dacb"))
    volume = read_volume(tmp_path)
    assert np.array_equal(volume.hu, hu) and volume.hu.dtype == np.int16
    assert volume.spacing == (0.6, 0.7, 2.5) and volume.origin == (-10.0, -20.0, 100.0)
    assert np.array_equal(volume.direction, np.eye(3)) and volume.padding is None
    facts = volume.facts
    assert (facts.kernel, facts.manufacturer, facts.model, facts.kvp, facts.mas) == ("B40f", "SIEMENS", "Sensation 10", 120, 100)
    assert (facts.slice_thickness_mm, facts.slice_distance_mm, facts.fov_mm) == (3, 2.5, 331)
    assert (facts.rescale_slope, facts.rescale_intercept) == (1, -1024)
    assert [path.name for path in volume.source.paths] == list("dacb")
    assert len(set(volume.source.sop_instance_uids)) == 4 and volume.source.series_instance_uid == "1.2.3.4"


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(5)), st.integers(0, 10**6))
def test_the_order_of_the_files_does_not_matter(tmp_path_factory, order, seed):
    folder = tmp_path_factory.mktemp("series")
    names = [f"{position}.dcm" for position in order]
    hu = write_series(folder, small_hu(5, seed=seed), names, each=lambda index: {"InstanceNumber": order[index]})
    assert np.array_equal(read_volume(folder).hu, hu)


@pytest.mark.parametrize(
    "orientation",
    [[1, 0, 0, 0, 1, 0], [-1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0.8, -0.6], [0, 1, 0, -1, 0, 0], [0.8, 0.6, 0, -0.6, 0.8, 0]],
)
def test_geometry_and_hu_are_those_that_simpleitk_reads(tmp_path, orientation):
    normal = np.cross(orientation[:3], orientation[3:])
    positions = [np.round(np.array([5, 6, 7]) + 2 * index * normal, 6).tolist() for index in range(4)]
    write_series(tmp_path, ImageOrientationPatient=orientation, each=lambda index: {"ImagePositionPatient": positions[index]})
    image = sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(tmp_path)))
    volume = read_volume(tmp_path)
    assert np.array_equal(volume.hu, sitk.GetArrayFromImage(image))
    assert np.allclose(volume.spacing, image.GetSpacing()) and np.allclose(volume.origin, image.GetOrigin())
    assert np.allclose(volume.direction.ravel(), image.GetDirection())


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_transfer_syntaxes_give_the_same_hu(tmp_path, syntax):
    hu = write_series(tmp_path, transfer_syntax=syntax)
    assert np.array_equal(read_volume(tmp_path).hu, hu)


def test_a_file_without_part_10_header_is_read(tmp_path):
    hu = write_series(tmp_path, transfer_syntax=ImplicitVRLittleEndian)
    for file in tmp_path.iterdir():
        data = file.read_bytes()
        meta_length = int.from_bytes(data[140:144], "little")
        file.write_bytes(data[144 + meta_length :])
    assert np.array_equal(read_volume(tmp_path).hu, hu)


@pytest.mark.parametrize("slope, intercept", [(1, -1024), (2, -1000), (1, -1024.5), (0.5, 0), (2.0002442, -4047)])
def test_rescale_is_applied_exactly(tmp_path, slope, intercept):
    stored = np.arange(30).reshape(1, 6, 5) * 100
    write_series(tmp_path, stored * slope + intercept, RescaleSlope=slope, RescaleIntercept=intercept)
    volume = read_volume(tmp_path)
    whole = float(slope).is_integer() and float(intercept).is_integer()
    assert volume.hu.dtype == (np.int16 if whole else np.float32)
    assert np.array_equal(volume.hu, (stored * slope + intercept).astype(volume.hu.dtype))


def test_slices_may_have_rescales_of_their_own(tmp_path):
    hu = write_series(tmp_path, each=lambda index: {"RescaleIntercept": -1024 - index})
    assert np.array_equal(read_volume(tmp_path).hu, hu)


def test_values_beyond_int16_make_a_float_volume(tmp_path):
    hu = small_hu().astype(np.int32)
    hu[2, 0, 0] = 33000
    write_series(tmp_path, hu, BitsStored=16, HighBit=15)
    volume = read_volume(tmp_path)
    assert volume.hu.dtype == np.float32 and np.array_equal(volume.hu, hu)


@pytest.mark.parametrize("declared", [-2000, 63536])
def test_a_padding_value_of_either_signedness_is_understood(tmp_path, declared):
    hu = small_hu(shape=(40, 40))
    hu[:, :4, :] = -3024
    each = {"PixelRepresentation": 1, "BitsStored": 16, "HighBit": 15}
    for index, values in enumerate(hu):
        ds = ct_slice(index, values, **each)
        ds.add_new("PixelPaddingValue", "SS" if declared < 0 else "US", declared)
        save(ds, tmp_path / str(index))
    assert np.array_equal(read_volume(tmp_path).padding, hu == -3024)


def test_an_uneven_last_digit_of_the_positions_is_no_fault(tmp_path):
    write_series(tmp_path, each=lambda index: {"ImagePositionPatient": [0, 0, round(0.625 * index, 1)]})
    assert read_volume(tmp_path).spacing[2] == pytest.approx(0.625, abs=0.02)


def test_reading_takes_the_memory_of_the_volume_and_little_more(tmp_path):
    hu = write_series(tmp_path, small_hu(40, (256, 256)))
    read_volume(tmp_path / "000.dcm")  # the packages are loaded
    tracemalloc.start()
    read_volume(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < hu.nbytes + 12 * hu[0].nbytes


def test_a_slice_without_pixels_or_with_others_is_told_by_its_file(tmp_path):
    write_series(tmp_path)
    ds = ct_slice(2, small_hu()[2])
    del ds.PixelData
    save(ds, tmp_path / "002.dcm")
    with pytest.raises(InputError, match=r"002\.dcm holds no pixel data; .*\."):
        read_volume(tmp_path)


def test_a_file_that_vanishes_after_the_search_is_told(tmp_path):
    write_series(tmp_path)
    (entry,) = find_series(tmp_path)
    (tmp_path / "001.dcm").unlink()
    with pytest.raises(InputError, match=r"001\.dcm cannot be read \(No such file or directory\); .*\."):
        read_volume(entry)
