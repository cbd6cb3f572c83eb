"""From an archive to pairs that training opens: what is accepted, refused and left out, and what damage costs."""
import re

import numpy as np
import pytest
from archive_parts import ROOT, SHARP, SOFT, find, reconstruction, scan, scan_hu, skipped

from LTDiffStandardizeLib.errors import InputError
from LTDiffTrainingLib.archives import paired_series
from LTDiffTrainingLib.archives.pair_folder import verify_pair
from LTDiffTrainingLib.datasets import group_protocol

SAMPLE = ROOT / "LTDiffStandardize" / "Resources" / "SampleData" / "lungdx-a0002"
MOVED = 8.0  # mm, the distance of its slices


def found(tmp_path, **options):
    return find(tmp_path / "archive", output=tmp_path / "out", **{"shares": (1, 0, 0), **options})


def only(tmp_path, **options):
    (row,) = found(tmp_path, **options)
    return row


@pytest.mark.parametrize("kernels", [("B40f", "B70f"), ("sharp by name", "B40f")])
def test_the_softer_series_is_the_source_whatever_its_name(tmp_path, kernels):
    soft = reconstruction(tmp_path / "archive" / "a", kernel=kernels[0], hu=scan_hu(blur=SOFT), uid="1.1")
    sharp = reconstruction(tmp_path / "archive" / "b", kernel=kernels[1], hu=scan_hu(blur=SHARP), uid="1.2")
    row = only(tmp_path)
    assert row["accepted"] and (row["source_kernel"], row["target_kernel"]) == kernels and 10 * row["source_power"] < row["target_power"]
    assert row["reason"].startswith("Accepted, tied by acquisition time and tube current: 4 of 4 slices agree, shifted by at most 0.0")
    (pair,) = paired_series(tmp_path / "out", "train")
    assert np.array_equal(pair.source, soft) and np.array_equal(pair.target, sharp) and pair.source.dtype == np.int16
    assert pair.description["heights"] == [100, 102, 104, 106] and pair.pixel == 0.7
    acquisition = pair.description["acquisition"]
    assert acquisition["distance"] == 2
    assert acquisition["source"] == {"name": kernels[0], "mtf50": None, "mtf10": None, "stop_start": None, "stop_end": None}
    assert group_protocol([pair], 4).target.label == kernels[1]  # what training does with it first


def test_sides_become_multiples_of_sixteen_and_what_lies_outside_the_field_of_view_air(tmp_path):
    view = np.hypot(*(np.mgrid[:90, :84] - 42)) < 50
    for kernel, blur in (("B40f", SOFT), ("B70f", SHARP)):
        hu = np.where(view, scan_hu(blur=blur)[:, :90, :84], -2000)
        reconstruction(tmp_path / "archive" / kernel, kernel=kernel, hu=hu, RescaleIntercept=-2000)
    assert only(tmp_path)["accepted"]
    (pair,) = paired_series(tmp_path / "out", "train")
    assert pair.source.shape == pair.target.shape == (4, 96, 96)
    assert all(set(array[0, 80:90, 80:84].ravel().tolist()) == {-1000} for array in (pair.source, pair.target))


def test_a_thick_and_a_thin_series_are_paired_and_named_by_their_thickness(tmp_path):
    thin = scan_hu(slices=12)
    thin = np.repeat(thin[::3], 3, axis=0) + np.random.default_rng(1).normal(0, 40, thin.shape)
    thin = np.clip(thin, -1024, 3071).astype(np.int16)
    at = lambda start, step: lambda index: {"ImagePositionPatient": [-33, -33, start + step * index], "XRayTubeCurrent": 100 + 10 * (start + step * index),
                                            "AcquisitionTime": f"1011{start + step * index:02}"}  # fmt: skip
    reconstruction(tmp_path / "archive" / "thin", hu=thin, uid="1.1", SliceThickness=1, each=at(0, 1))
    thick = np.rint(thin.reshape(4, 3, 96, 96).mean(1)).astype(np.int16)
    reconstruction(tmp_path / "archive" / "thick", hu=thick, uid="1.2", SliceThickness=3, each=at(1, 3))
    row = only(tmp_path)
    assert (row["accepted"], row["differs"], row["slices_used"]) == (True, "slice thickness", 4)
    (pair,) = paired_series(tmp_path / "out", "train")
    assert [pair.description["acquisition"][side]["name"] for side in ("source", "target")] == ["B40f 3 mm", "B40f 1 mm"]
    assert pair.description["acquisition"]["distance"] == 3
    assert np.array_equal(pair.source, thick) and np.array_equal(pair.target, thin[1::3])


@pytest.mark.parametrize(("spoil", "cause"), [
    (lambda hu: np.roll(hu, 1, 2), r"shifted by up to [01]\.\d\d pixels \(limit 0\.5\)"),
    (lambda hu: np.where(hu > -300, hu + 12, hu), r"1[12]\.\d HU apart in tissue \(limit 5\)"),
    (lambda hu: scan_hu(7, blur=SHARP), r"coherence down to -?0\.\d\d \(limit 0\.9\)"),
])  # fmt: skip
def test_images_that_are_not_of_one_scan_are_refused_with_the_numbers(tmp_path, spoil, cause):
    reconstruction(tmp_path / "archive" / "a", kernel="B40f")
    reconstruction(tmp_path / "archive" / "b", kernel="B70f", hu=spoil(scan_hu(blur=SHARP)).astype(np.int16))
    row = only(tmp_path)
    assert not row["accepted"] and not (tmp_path / "out" / "pairs" / row["pair"]).exists()
    assert row["reason"].startswith("Refused, as of the first 1 of 4 slices 1 do not agree: ")
    assert re.search(cause, row["reason"])


def test_a_few_failing_slices_are_left_out(tmp_path):
    soft, sharp = (scan_hu(slices=12, blur=blur) for blur in (SOFT, SHARP))
    sharp[5] = np.roll(sharp[5], 3, 0)
    reconstruction(tmp_path / "archive" / "a", kernel="B40f", hu=soft)
    reconstruction(tmp_path / "archive" / "b", kernel="B70f", hu=sharp)
    row = only(tmp_path)
    assert (row["accepted"], row["slices_used"], row["slices_failed"]) == (True, 11, 1)
    (pair,) = paired_series(tmp_path / "out", "train")
    assert np.array_equal(pair.target, np.delete(sharp, 5, 0)) and 110 not in pair.description["heights"]


def test_slices_without_tissue_are_left_out_and_count_as_no_failure(tmp_path):
    for kernel, blur in (("B40f", SOFT), ("B70f", SHARP)):
        hu = scan_hu(slices=6, blur=blur)
        hu[:3] = hu[:3] // 50 - 980
        reconstruction(tmp_path / "archive" / kernel, kernel=kernel, hu=hu)
    row = only(tmp_path)
    assert (row["accepted"], row["slices_used"], row["slices_without_tissue"]) == (True, 3, 3)


def test_kernels_that_do_not_differ_in_power_are_no_pair(tmp_path):
    reconstruction(tmp_path / "archive" / "a", kernel="B40f")
    reconstruction(tmp_path / "archive" / "b", kernel="B41f", hu=scan_hu(blur=SOFT))
    assert only(tmp_path)["reason"] == "Refused, as their power above 4 lp/cm differs by 0.0 % only, so there is nothing to learn."


def test_a_file_with_damaged_pixels_costs_its_slice_and_is_named(tmp_path):
    for kernel, blur in (("B40f", SOFT), ("B70f", SHARP)):
        reconstruction(tmp_path / "archive" / kernel, kernel=kernel, hu=scan_hu(slices=12, blur=blur))
    damaged = tmp_path / "archive" / "B70f" / "004.dcm"
    damaged.write_bytes(damaged.read_bytes()[:-2000])
    row = only(tmp_path)
    assert (row["accepted"], row["slices_used"], row["slices_unreadable"]) == (True, 11, 1)
    (row,) = skipped(tmp_path / "out")
    assert (row["path"], row["kind"]) == ("B70f/004.dcm", "corrupt") and "incomplete or invalid pixel data" in row["reason"]


def test_a_damaged_pair_is_refused_in_one_sentence(tmp_path):
    scan(tmp_path / "archive")
    folder = tmp_path / "out" / "pairs" / only(tmp_path)["pair"]
    content = bytearray((folder / "target.npy").read_bytes())
    content[-1000] ^= 1
    (folder / "target.npy").write_bytes(content)
    with pytest.raises(InputError, match=r"is incomplete or damaged \(target\.npy changed\); remove this folder and run find_pairs\.py again\."):
        paired_series(tmp_path / "out", "train")
    (folder / "target.npy").unlink()
    with pytest.raises(InputError, match=r"incomplete or damaged \(FileNotFoundError\)"):
        verify_pair(folder)


def test_what_holds_no_pairs_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no manifest.json that can be read"):
        paired_series(tmp_path, "train")
    scan(tmp_path / "archive")
    found(tmp_path)
    with pytest.raises(InputError, match="holds no accepted pair of the split test"):
        paired_series(tmp_path / "out", "test")
    with pytest.raises(InputError, match="tests is no split; choose train, validation or test"):
        paired_series(tmp_path / "out", "tests")
    (tmp_path / "out" / "salt.txt").write_text("worn")
    with pytest.raises(InputError, match="salt.txt is damaged"):
        found(tmp_path)


def sample_archive(folder, moved=0.0):
    """Both kernels of the shipped scan under two patients and studies, without times; the sharp one `moved` along the table, mm."""
    import pydicom

    for kernel in ("B40f", "B70f"):
        (folder / kernel).mkdir(parents=True)
        for path in sorted((SAMPLE / kernel).iterdir()):
            ds = pydicom.dcmread(path)
            ds.PatientID = ds.StudyID = kernel
            ds.StudyInstanceUID = ds.FrameOfReferenceUID = f"1.2.{kernel[1:3]}"
            for keyword in ("AcquisitionDate", "AcquisitionTime", "ContentTime"):
                delattr(ds, keyword)
            if kernel == "B70f":
                ds.ImagePositionPatient = [*ds.ImagePositionPatient[:2], ds.ImagePositionPatient[2] + moved]
            ds.save_as(folder / kernel / path.name)


def test_a_real_scan_is_paired_after_its_times_and_identifiers_were_taken(tmp_path):
    sample_archive(tmp_path / "archive")
    row = only(tmp_path)
    assert row["accepted"] and row["tied_by"] == "modulated tube current, as the acquisition time is missing"
    assert (row["source_kernel"], row["target_kernel"]) == ("B40f", "B70f") and row["lowest_coherence"] > 0.99


def test_a_real_scan_is_no_pair_with_its_own_neighbouring_slices(tmp_path):
    sample_archive(tmp_path / "archive", MOVED)
    assert re.search(r"do not agree: .*coherence down to 0\.[0-7]\d \(limit 0\.9\)", only(tmp_path)["reason"])
