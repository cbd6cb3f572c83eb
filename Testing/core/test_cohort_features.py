"""Features of marked regions, before and after, beside a result."""
import csv
import sys

import numpy as np
import pytest
from small_cohort import chest_hu, dicom_series, nrrd_volume, record, standardize

from LTDiffStandardizeLib.radiomics.profiles.pyradiomics import available
from LTDiffStandardizeLib.volumes import CTVolume, read_volume, write_volume_file

needs_pyradiomics = pytest.mark.skipif(not available()[0], reason="PyRadiomics is not installed")


def label_map(path, volume, **changes):
    """A map on the voxels of the volume with the labels 1 (in a lung) and 3 (between the lungs)."""
    labels = np.zeros(volume.hu.shape, np.int16)
    labels[1:3, 28:36, 15:22], labels[:, 50:56, 30:36] = 1, 3
    grid = {"spacing": volume.spacing, "origin": volume.origin, "direction": volume.direction, **changes}
    return write_volume_file(CTVolume(grid.pop("labels", labels), **grid), path)


@pytest.fixture
def scan(tmp_path):
    return read_volume(dicom_series(tmp_path / "scan", 1))


def rows(output, name="scan_s1_B40f"):
    with open(output / f"{name}-features.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@needs_pyradiomics
@pytest.mark.parametrize("ending", [".nrrd", ".nii.gz"])
def test_the_features_of_each_region_are_compared(tmp_path, scan, ending):
    roi = label_map(tmp_path / f"tumour{ending}", scan)
    assert standardize(tmp_path / "scan", tmp_path / "out", rois=[str(roi)]).exit_code == 0
    found = rows(tmp_path / "out")
    assert {(row["region"], row["voxels"]) for row in found} == {("tumour label 001", "112"), ("tumour label 003", "144")}
    (mean,) = (row for row in found if (row["region"], row["class"], row["feature"]) == ("tumour label 001", "ID", "Mean"))
    made = read_volume(tmp_path / "out" / "scan_s1_B40f").hu[1:3, 28:36, 15:22]
    assert float(mean["input"]) == pytest.approx(chest_hu(4, 1)[1:3, 28:36, 15:22].mean())
    assert float(mean["standardized"]) == pytest.approx(made.mean())
    change = (float(mean["standardized"]) - float(mean["input"])) / abs(float(mean["input"]))
    assert float(mean["relative_change"]) == pytest.approx(change)
    assert "scan_s1_B40f-features.csv" in record(tmp_path / "out", "scan_s1_B40f")["outputs"]


@needs_pyradiomics
def test_label_maps_go_to_the_series_on_whose_voxels_they_lie(tmp_path, scan):
    rois = [label_map(tmp_path / "first.nrrd", scan)]
    other = read_volume(dicom_series(tmp_path / "other", 2, slices=5))
    rois.append(label_map(tmp_path / "second.nrrd", other))
    result = standardize([tmp_path / "scan", tmp_path / "other"], tmp_path / "out", rois=[str(path) for path in rois])
    assert result.exit_code == 0
    assert {row["region"].split()[0] for row in rows(tmp_path / "out")} == {"first"}
    assert {row["region"].split()[0] for row in rows(tmp_path / "out", "other_s2_B40f")} == {"second"}
    assert "second.nrrd does not lie on the voxels of" in result.outcomes[0].sentence


@needs_pyradiomics
@pytest.mark.parametrize(("change", "words"), [
    ({"origin": (-10.0, -20.0, 100.5)}, "corners lie up to 0.5 mm off"),
    ({"spacing": (0.7, 0.72, 2.5)}, "corners lie up to 1.26 mm off"),
    ({"direction": np.diag([1.0, -1.0, 1.0])}, "mm off"),
    ({"labels": np.ones((4, 64, 60), np.int16)}, "it has 4 x 64 x 60 slices, rows and columns, not 4 x 64 x 64"),
])  # fmt: skip
def test_a_label_map_in_another_geometry_is_refused_before_the_work(tmp_path, scan, change, words):
    roi = label_map(tmp_path / "tumour.nrrd", scan, **change)
    result = standardize(tmp_path / "scan", tmp_path / "out", rois=[str(roi)])
    assert result.exit_code == 3
    assert result.outcomes[0].outcome == "refused" and words in result.outcomes[0].sentence
    assert not (tmp_path / "out" / "scan_s1_B40f").exists()


@pytest.mark.parametrize(("labels", "words"), [
    (np.zeros((4, 64, 64), np.int16), "marks no region"),
    (np.full((4, 64, 64), 0.5, np.float32), "holds fractions"),
])  # fmt: skip
def test_a_file_that_is_no_label_map_is_a_bad_request(tmp_path, scan, labels, words):
    roi = label_map(tmp_path / "tumour.nrrd", scan, labels=labels)
    result = standardize(tmp_path / "scan", tmp_path / "out", rois=[str(roi)])
    assert result.exit_code == 3 and words in result.sentence
    assert not (tmp_path / "out").exists()


def test_without_pyradiomics_the_rest_is_done_and_said(tmp_path, scan, monkeypatch):
    monkeypatch.setitem(sys.modules, "radiomics", None)
    roi = label_map(tmp_path / "tumour.nrrd", scan)
    result = standardize(tmp_path / "scan", tmp_path / "out", rois=[str(roi)])
    assert result.exit_code == 0 and "PyRadiomics cannot be used" in result.outcomes[0].sentence
    assert not (tmp_path / "out" / "scan_s1_B40f-features.csv").exists()


@needs_pyradiomics
def test_a_change_of_the_regions_is_another_setting(tmp_path, scan):
    roi = label_map(tmp_path / "tumour.nrrd", scan)
    standardize(tmp_path / "scan", tmp_path / "out")
    result = standardize(tmp_path / "scan", tmp_path / "out", rois=[str(roi)], resume=True)
    assert result.exit_code == 1 and "other settings (regions)" in result.outcomes[0].sentence


def test_a_volume_file_without_header_facts_has_features_too(tmp_path):
    volume = read_volume(nrrd_volume(tmp_path / "soft.nrrd", kernel=None))
    roi = label_map(tmp_path / "tumour.nrrd", volume)
    result = standardize(tmp_path / "soft.nrrd", tmp_path / "out", rois=[str(roi)], format="nifti")
    assert result.exit_code == 0 and "kernel is unknown" in result.outcomes[0].sentence
