import re
import sys

import numpy as np
import pytest
import SimpleITK as sitk
from small_series import ct_slice, save, small_hu, write_series

from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.volumes import find_series, read_volume

SENTENCE = re.compile(r"^[^\n]+; [^\n]+\.$")


def only(path):
    (entry,) = find_series(path)
    return entry


def refusal(path):
    sentence = only(path).refusal
    assert SENTENCE.match(sentence) and str(path) in sentence
    with pytest.raises(InputError, match=re.escape(sentence)):
        read_volume(path)
    return sentence


def test_a_folder_with_two_series_yields_two_volumes(tmp_path):
    soft = write_series(tmp_path / "scan", names=list("abcd"))
    sharp = write_series(
        tmp_path / "scan", small_hu(seed=1), list("efgh"), SeriesInstanceUID="1.9", ConvolutionKernel="B70f", SeriesNumber=2,
        each=lambda index: {"SOPInstanceUID": f"1.9.{index}"})  # fmt: skip
    entries = find_series(tmp_path)
    found = [(entry.name, entry.kernel, entry.number_of_slices) for entry in entries]
    assert found == [("scan_s2_B70f", "B70f", 4), ("scan_s3_B40f", "B40f", 4)]
    assert np.array_equal(read_volume(entries[0]).hu, sharp) and np.array_equal(read_volume(entries[1]).hu, soft)
    with pytest.raises(InputError, match=r"holds 2 CT series \(scan_s2_B70f, scan_s3_B40f\); choose one of them\."):
        read_volume(tmp_path)


def test_slices_are_found_in_sub_folders_whatever_the_files_are_called(tmp_path):
    hu = write_series(tmp_path, names=["b/IM.7", "a/x", "b/README.txt", "a/c/1.2.840"])
    assert np.array_equal(read_volume(tmp_path).hu, hu)


def test_other_files_are_passed_over(tmp_path):
    write_series(tmp_path)
    (tmp_path / "notes.txt").write_text("no DICOM")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "text-like-dicom").write_bytes(b"\x08\x00short")
    save(ct_slice(9, small_hu()[0]), tmp_path / ".hidden.partial-1" / "IM1.dcm")
    save(ct_slice(9, small_hu()[0]), tmp_path / "._IM1")
    assert only(tmp_path).number_of_slices == 4


def test_an_empty_folder_holds_no_series_and_a_missing_one_is_refused(tmp_path):
    assert find_series(tmp_path) == []
    with pytest.raises(InputError, match="holds no CT series"):
        read_volume(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        find_series(tmp_path / "nowhere")


def test_copies_of_an_instance_count_once(tmp_path):
    hu = write_series(tmp_path / "a")
    write_series(tmp_path / "b")
    assert np.array_equal(read_volume(tmp_path).hu, hu)


def test_slices_that_all_carry_one_instance_uid_are_kept(tmp_path):
    hu = write_series(tmp_path, SOPInstanceUID="1.2.3")
    assert np.array_equal(read_volume(tmp_path).hu, hu)


def test_slices_without_series_uid_belong_together_by_folder_and_number(tmp_path):
    for case in ("one", "two"):
        write_series(tmp_path / case, SeriesInstanceUID="", each=lambda index: {"SOPInstanceUID": ""})
    others = [f"other{index}" for index in range(4)]
    write_series(tmp_path / "two", names=others, SeriesInstanceUID="", SOPInstanceUID="", SeriesNumber=4)
    assert [(entry.name, entry.number_of_slices, entry.refusal) for entry in find_series(tmp_path)] == [
        ("one_s3_B40f", 4, None), ("two_s3_B40f", 4, None), ("two_s4_B40f", 4, None)]  # fmt: skip


def test_one_uid_on_two_scans_in_two_folders_yields_two_volumes(tmp_path):
    write_series(tmp_path / "position1")
    write_series(
        tmp_path / "position2",
        each=lambda index: {"SOPInstanceUID": f"1.7.{index}", "ImagePositionPatient": [0, 0, 901 + 3 * index]})  # fmt: skip
    assert [(entry.number_of_slices, entry.refusal) for entry in find_series(tmp_path)] == [(4, None), (4, None)]


def test_one_uid_on_two_orientations_or_matrices_yields_two_volumes(tmp_path):
    write_series(tmp_path / "a")
    write_series(
        tmp_path / "a", names=[f"turned{index}" for index in range(4)], ImageOrientationPatient=[0, 1, 0, -1, 0, 0],
        each=lambda index: {"SOPInstanceUID": f"1.5.{index}", "ImagePositionPatient": [0, 0, 3 * index]})  # fmt: skip
    write_series(
        tmp_path / "a", small_hu(shape=(8, 8)), [f"large{index}" for index in range(4)],
        each=lambda index: {"SOPInstanceUID": f"1.6.{index}"})  # fmt: skip
    entries = find_series(tmp_path)
    assert [entry.refusal for entry in entries] == [None] * 3
    assert sorted(read_volume(entry).hu.shape for entry in entries) == [(4, 6, 5), (4, 6, 5), (4, 8, 8)]


def test_a_localizer_in_a_series_does_not_spoil_the_volume(tmp_path):
    hu = write_series(tmp_path)
    save(ct_slice(20, small_hu()[0], ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]), tmp_path / "scout.dcm")
    assert np.array_equal(read_volume(tmp_path).hu, hu)
    assert sum("localizer" in (entry.refusal or "") for entry in find_series(tmp_path)) == 1


def test_names_are_safe_unique_stable_and_free_of_patient_tags(tmp_path):
    for number, folder in enumerate(["Fälle/a b", "Fälle/a,b", "Fälle/c"]):
        write_series(tmp_path / folder, SeriesInstanceUID=f"1.8.{number}", ConvolutionKernel=["Br38f", "3"],
                     each=lambda index: {"SOPInstanceUID": f"1.8.{number}.{index}"})  # fmt: skip
    names = [entry.name for entry in find_series(tmp_path)]
    assert len({name.lower() for name in names}) == 3
    assert all(re.fullmatch(r"[A-Za-z0-9.+_-]+", name) for name in names)
    assert not any("Doe" in name or "4711" in name for name in names)
    write_series(tmp_path / "later", SeriesInstanceUID="1.8.9", each=lambda index: {"SOPInstanceUID": f"1.8.9.{index}"})
    assert set(names) < {entry.name for entry in find_series(tmp_path)}
    assert names == [entry.name for entry in find_series(tmp_path) if not entry.name.startswith("later")]


def test_finding_reads_no_pixels(tmp_path):
    write_series(tmp_path)
    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes()[:-20])
    assert only(tmp_path).refusal is None
    with pytest.raises(InputError, match=r"000\.dcm has incomplete or invalid pixel data; .*\."):
        read_volume(tmp_path)


@pytest.mark.parametrize(
    "changes, cause",
    [
        ({"Modality": "MR"}, "is not CT but MR"),
        ({"Modality": None}, "is not CT but of no stated modality"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, "secondary capture"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "localizer"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2.1"}, "multi-frame"),
        ({"NumberOfFrames": 2}, "multi-frame"),
        ({"Rows": None}, "holds no image"),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, "RGB"),
        ({"PixelSpacing": None}, "PixelSpacing"),
        ({"PixelSpacing": [0, 0]}, "PixelSpacing"),
        ({"ImagePositionPatient": None}, "ImagePositionPatient"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "ImageOrientationPatient"),
        ({"RescaleSlope": None}, "RescaleSlope"),
        ({"RescaleSlope": 0}, "RescaleSlope"),
        ({"RescaleIntercept": None}, "RescaleIntercept"),
        ({"RescaleType": "EDW"}, "EDW"),
        ({"ImagePositionPatient": [0, 0, 0]}, "several slices at one position"),
    ],
)
def test_what_is_no_ct_volume_is_refused_in_one_sentence(tmp_path, changes, cause):
    write_series(tmp_path, **changes)
    assert cause in refusal(tmp_path)


def test_a_missing_slice_is_told_with_its_place(tmp_path):
    write_series(tmp_path, small_hu(5))
    (tmp_path / "002.dcm").unlink()
    assert "lacks 1 of 5 slices 2.5 mm apart (between 102.5 and 107.5 mm)" in refusal(tmp_path)


def test_a_tilted_gantry_is_told_with_its_angle(tmp_path):
    tilt = np.radians(16.5)
    write_series(
        tmp_path, GantryDetectorTilt=16.5,
        ImageOrientationPatient=[1, 0, 0, 0, np.cos(tilt).round(7), np.sin(tilt).round(7)])  # fmt: skip
    assert "displaced sideways" in refusal(tmp_path) and "gantry tilt of 16.5 degrees" in refusal(tmp_path)


def test_a_damaged_header_is_told_and_leaves_the_other_series_usable(tmp_path):
    write_series(tmp_path / "good")
    (tmp_path / "bad.dcm").write_bytes(bytes(128) + b"DICM" + b"\x02\x00\x00\x00XX" + b"\xff" * 50)
    entries = find_series(tmp_path)
    assert len([entry for entry in entries if entry.refusal is None]) == 1
    assert read_volume(tmp_path).hu.shape == (4, 6, 5)


def test_one_dicom_file_is_a_volume_of_one_slice(tmp_path):
    hu = write_series(tmp_path / "case")
    volume = read_volume(tmp_path / "case" / "001.dcm")
    assert np.array_equal(volume.hu, hu[1:2]) and volume.name == "case_s3_B40f"
    assert volume.spacing == (0.6, 0.7, 3.0) and volume.origin == (-10.0, -20.0, 102.5)


def test_the_distance_of_a_single_slice_is_rather_spacing_than_thickness(tmp_path):
    save(ct_slice(0, small_hu()[0], SpacingBetweenSlices=1.25), tmp_path / "spaced" / "a")
    save(ct_slice(0, small_hu()[0], SliceThickness=None), tmp_path / "bare" / "a")
    assert read_volume(tmp_path / "spaced").spacing[2] == 1.25
    assert "one slice without SliceThickness" in only(tmp_path / "bare").refusal


def test_nrrd_and_nifti_files_are_entries_too(tmp_path):
    image = sitk.GetImageFromArray(small_hu())
    for name in ("a/ct.nrrd", "a/ct.2.nii.gz", "b.nii", "mask.seg.nrrd"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        sitk.WriteImage(image, str(tmp_path / name))
    entries = find_series(tmp_path)
    assert {entry.path.name for entry in entries} == {"ct.2.nii.gz", "ct.nrrd", "b.nii"} and len({entry.name for entry in entries}) == 3
    assert all(entry.number_of_slices == 4 and entry.refusal is None for entry in entries)
    assert all(np.array_equal(read_volume(entry).hu, small_hu()) for entry in entries)


def test_a_python_without_pydicom_is_told_so_and_not_that_the_files_are_damaged(tmp_path, monkeypatch):
    write_series(tmp_path)
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(InputError, match="this Python has no pydicom .*; install pydicom with pip"):
        find_series(tmp_path)
