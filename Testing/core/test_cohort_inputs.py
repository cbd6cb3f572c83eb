"""Which series a cohort has, and under which names."""
import os

import pytest
from small_cohort import dicom_series, nrrd_volume

from LTDiffStandardizeLib.cohort.inputs import find_cohort
from LTDiffStandardizeLib.errors import InputError


def names(inputs, output):
    return [one.entry.name for one in find_cohort([str(path) for path in inputs], output)]


def test_folders_and_files_of_all_kinds_make_one_cohort(tmp_path):
    dicom_series(tmp_path / "study" / "a" / "deep", 1)
    dicom_series(tmp_path / "study" / "b", 2)
    (tmp_path / "files").mkdir()
    files = [nrrd_volume(tmp_path / "files" / name) for name in ("soft.nrrd", "other.nii.gz")]
    assert names([tmp_path / "study", *files], tmp_path / "out") == ["a-deep_s1_B40f", "b_s2_B40f", "files_soft", "files_other"]


def test_a_dicom_file_is_one_slice_of_its_own(tmp_path):
    dicom_series(tmp_path / "scan", 1)
    (one,) = find_cohort([str(tmp_path / "scan" / "001.dcm")], tmp_path / "out")
    assert one.entry.number_of_slices == 1


def test_equal_names_of_different_inputs_are_told_apart_by_their_parent_folders(tmp_path):
    inputs = [dicom_series(tmp_path / patient / "CT", 1, SeriesInstanceUID=f"1.2.{patient[-1]}") for patient in ("p1", "p2")]
    assert names(inputs, tmp_path / "out") == ["p1-CT_s1_B40f", "p2-CT_s1_B40f"]


def test_equal_names_of_equal_parents_are_told_apart_by_a_digest(tmp_path):
    inputs = [dicom_series(tmp_path / site / "p1" / "CT", 1) for site in ("east", "west")]
    found = names(inputs, tmp_path / "out")
    assert len(set(found)) == 2
    assert all(name.startswith("p1-CT_s1_B40f_") for name in found)
    assert found == names(inputs, tmp_path / "out")


def test_a_series_in_two_inputs_counts_once(tmp_path):
    inner = dicom_series(tmp_path / "study" / "a", 1)
    assert len(names([tmp_path / "study", inner, inner / ".." / "a"], tmp_path / "out")) == 1


def test_results_within_an_input_are_no_input(tmp_path):
    dicom_series(tmp_path / "study" / "a", 1)
    dicom_series(tmp_path / "study" / "out" / "a_s1_B40f", 9001)
    assert names([tmp_path / "study"], tmp_path / "study" / "out") == ["a_s1_B40f"]


def test_an_input_may_lie_within_the_output_folder(tmp_path):
    dicom_series(tmp_path / "scans", 1)
    assert names([tmp_path / "scans"], tmp_path) == ["scans_s1_B40f"]


def test_an_input_that_is_the_output_folder_is_refused(tmp_path):
    dicom_series(tmp_path / "a", 1)
    with pytest.raises(InputError, match="choose another output folder"):
        find_cohort([str(tmp_path)], tmp_path / "a" / "..")


def test_an_empty_folder_becomes_a_refused_entry_and_one_that_is_not_there_is_refused_itself(tmp_path):
    (tmp_path / "empty").mkdir()
    (empty,) = find_cohort([str(tmp_path / "empty")], tmp_path / "out")
    assert "holds no CT series" in empty.entry.refusal
    with pytest.raises(InputError, match="does not exist"):
        find_cohort([str(tmp_path / "nowhere")], tmp_path / "out")


@pytest.mark.skipif(os.name == "nt", reason="file names of Windows are always text")
def test_file_names_that_are_no_text_are_taken_as_they_are(tmp_path):
    folder = tmp_path / os.fsdecode(b"M\xfcller")
    dicom_series(folder, 1)
    assert names([folder], tmp_path / "out") == names([folder], tmp_path / "out") == ["M-ller_s1_B40f"]
