import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from small_series import small_hu
from test_volumes_volume import rotation

from LTDiffStandardizeLib.errors import InputError, OutputError
from LTDiffStandardizeLib.volumes import CTFacts, CTVolume, find_series, read_volume, write_volume_file

coordinates = st.floats(-2000, 2000)
spacings = st.floats(0.1, 10)


@settings(max_examples=25, deadline=None)
@given(st.tuples(*[coordinates] * 3), st.tuples(*[spacings] * 3), st.tuples(*[st.floats(-3, 3)] * 3), st.booleans(), st.booleans())
def test_nrrd_keeps_values_and_geometry(tmp_path_factory, origin, spacing, angles, mirrored, is_float):
    direction = rotation(angles) * ((1, 1, -1) if mirrored else (1, 1, 1))
    hu = small_hu() if not is_float else small_hu().astype(np.float32) + np.float32(0.25)
    path = write_volume_file(CTVolume(hu, spacing, origin, direction), tmp_path_factory.mktemp("nrrd") / "ct.nrrd")
    again = read_volume(path)
    assert np.array_equal(again.hu, hu) and again.hu.dtype == hu.dtype
    assert again.origin == origin
    assert np.allclose(again.spacing, spacing, rtol=1e-14, atol=0) and np.allclose(again.direction, direction, rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", ["ct.nii", "ct.nii.gz"])
def test_nifti_keeps_values_and_geometry_in_single_precision(tmp_path, name):
    direction = rotation((0.3, -0.2, 1.0))
    volume = CTVolume(small_hu(), (0.683, 0.7, 1.25), (-123.456789, 7.1, -567.800049), direction)
    again = read_volume(write_volume_file(volume, tmp_path / name))
    assert np.array_equal(again.hu, volume.hu) and again.hu.dtype == np.int16
    assert np.allclose(again.spacing, volume.spacing, rtol=1e-6) and np.allclose(again.origin, volume.origin, rtol=1e-6)
    assert np.allclose(again.direction, direction, atol=1e-6)
    assert np.allclose(again.slice_positions(), volume.slice_positions(), atol=1e-4)


def test_axis_aligned_nrrd_geometry_is_exact(tmp_path):
    volume = CTVolume(small_hu(), (0.683, 0.7, 1 / 3), (-0.1, 1 / 7, -567.800049))
    again = read_volume(write_volume_file(volume, tmp_path / "ct.nrrd"))
    assert (again.spacing, again.origin) == (volume.spacing, volume.origin) and np.array_equal(again.direction, volume.direction)


def test_nrrd_keeps_the_facts(tmp_path):
    facts = CTFacts(kernel="Br38f\\3", manufacturer="SIEMENS", model="mCT", kvp=120.0, mas=99.5, slice_thickness_mm=3.0, fov_mm=500.0)
    volume = read_volume(write_volume_file(CTVolume(small_hu(), (1, 1, 2), facts=facts), tmp_path / "ct.nrrd"))
    kept = volume.facts
    assert (kept.kernel, kept.manufacturer, kept.model, kept.kvp, kept.mas) == ("Br38f\\3", "SIEMENS", "mCT", 120.0, 99.5)
    assert (kept.slice_thickness_mm, kept.fov_mm, kept.slice_distance_mm) == (3.0, 500.0, 2.0)


def test_a_file_is_overwritten_only_when_allowed_and_nothing_is_left_beside_it(tmp_path):
    path = write_volume_file(CTVolume(small_hu()), tmp_path / "ct.nii.gz")
    with pytest.raises(OutputError, match="exists already"):
        write_volume_file(CTVolume(small_hu(seed=1)), path)
    assert np.array_equal(read_volume(path).hu, small_hu())
    write_volume_file(CTVolume(small_hu(seed=1)), path, overwrite=True)
    assert np.array_equal(read_volume(path).hu, small_hu(seed=1)) and list(tmp_path.iterdir()) == [path]


def test_an_unknown_ending_is_refused(tmp_path):
    with pytest.raises(OutputError, match=r"\.nrrd, \.nii, \.nii\.gz"):
        write_volume_file(CTVolume(small_hu()), tmp_path / "ct.mha")


def vector_image():
    return sitk.GetImageFromArray(np.zeros((2, 3, 4, 3), np.float32), isVector=True)


def skewed_image():
    image = sitk.GetImageFromArray(small_hu())
    image.SetDirection((1, 0, 0, 0, 1, 0.3, 0, 0, 1))
    return image


@pytest.mark.parametrize(
    "image, name, cause",
    [
        (lambda: sitk.GetImageFromArray(np.zeros((2, 2, 3, 4), np.int16), isVector=False), "a.nrrd", "4 dimensions"),
        (lambda: sitk.GetImageFromArray(np.zeros((2, 2, 3, 4), np.int16), isVector=False), "a.nii", "4 dimensions"),
        (lambda: sitk.GetImageFromArray(np.zeros((3, 4), np.int16)), "a.nrrd", "2 dimensions"),
        (vector_image, "a.nrrd", "several values a voxel"),
        (skewed_image, "a.nrrd", "not at right angles"),
    ],
)
def test_what_is_no_scalar_volume_is_refused_in_one_sentence(tmp_path, image, name, cause):
    path = tmp_path / name
    sitk.WriteImage(image(), str(path))
    (entry,) = find_series(path)
    assert cause in entry.refusal and str(path) in entry.refusal and entry.refusal.endswith(".")
    with pytest.raises(InputError, match=cause):
        read_volume(path)


@pytest.mark.parametrize("name", ["a.nrrd", "a.nii", "a.nii.gz"])
@pytest.mark.parametrize("share", [0, 0.001, 0.5, 0.999])
def test_a_damaged_file_is_refused(tmp_path, name, share):
    path = write_volume_file(CTVolume(small_hu(20, (60, 60))), tmp_path / name)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(InputError, match=name):
        read_volume(path)


def test_values_that_are_no_numbers_are_refused(tmp_path):
    hu = small_hu().astype(np.float32)
    hu[0, 0, 0] = np.nan
    sitk.WriteImage(sitk.GetImageFromArray(hu), str(tmp_path / "a.nrrd"))
    with pytest.raises(InputError, match="not a number"):
        read_volume(tmp_path / "a.nrrd")


@pytest.mark.parametrize("dtype, expected", [("uint8", "int16"), ("int32", "int16"), ("uint16", "float32"), ("float64", "float32")])
def test_integers_that_fit_become_int16_and_all_else_float32(tmp_path, dtype, expected):
    values = np.arange(24).reshape(2, 3, 4).astype(dtype)
    values[0, 0, 0] = {"uint16": 65535}.get(dtype, 0)
    sitk.WriteImage(sitk.GetImageFromArray(values), str(tmp_path / "a.nrrd"))
    hu = read_volume(tmp_path / "a.nrrd").hu
    assert hu.dtype == expected and np.array_equal(hu, values)


def test_padding_is_found_in_files_too(tmp_path):
    hu = small_hu(shape=(40, 40))
    hu[:, :, :5] = -2048
    assert np.array_equal(read_volume(write_volume_file(CTVolume(hu), tmp_path / "a.nrrd")).padding, hu == -2048)
