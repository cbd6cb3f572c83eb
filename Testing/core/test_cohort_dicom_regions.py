"""Regions and features as DICOM objects beside a derived series, read back by highdicom, SimpleITK and the product's own readers."""
import csv
import json
import math
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from small_cohort import SPACING, chest_hu, dicom_series, digests, nrrd_volume, record, standardize
from small_series import write_series
from validators import DCIODVFY, errors_by_dciodvfy

from LTDiffStandardizeLib.errors import InputError, OutputError
from LTDiffStandardizeLib.radiomics.features import FeatureTable
from LTDiffStandardizeLib.radiomics.profiles.pyradiomics import available
from LTDiffStandardizeLib.radiomics.regions.dicom_objects import regions_from_dicom
from LTDiffStandardizeLib.radiomics.reporting.codes import PRIVATE, concept_of, unit_of
from LTDiffStandardizeLib.radiomics.reporting.measurement_report import write_measurement_report
from LTDiffStandardizeLib.radiomics.reporting.segmentation import write_segmentation
from LTDiffStandardizeLib.radiomics.reporting.series import DerivedSeries
from LTDiffStandardizeLib.volumes import CTVolume, read_volume, write_volume_file

hd = pytest.importorskip("highdicom")
pytestmark = pytest.mark.skipif(not available()[0], reason="PyRadiomics is not installed")

NAME = "scan_s1_B40f"
OBLIQUE = [1, 0, 0, 0, 0.8, -0.6]  # rows along x, columns sloping


def label_map(path, volume, **boxes):
    """A map with the labels 1, 2, ... in boxes of slices, rows and columns."""
    labels = np.zeros(volume.hu.shape, np.int16)
    for label, box in enumerate(boxes.values(), 1):
        labels[box] = label
    write_volume_file(CTVolume(labels, spacing=volume.spacing, origin=volume.origin, direction=volume.direction), path)
    return str(path)


def in_the_lung(volume, path):
    return label_map(path, volume, lung=np.s_[1:3, 28:36, 15:22], between=np.s_[:, 50:56, 30:36])


def standardized(folder, rois, output="out", **changes):
    result = standardize(folder / "scan", folder / output, rois=rois, dicom_regions=True, **{"method": "ls", **changes})
    assert result.exit_code == 0, result.outcomes
    return folder / output


def masks_of(output, volume, name=NAME):
    """{region: bool (z, y, x)} as the product's own reader finds them on a volume."""
    found = {}
    for region in regions_from_dicom(output / f"{name}-regions.dcm", volume):
        mask = np.zeros(volume.hu.shape, bool)
        mask[region.slices] = region.mask
        found[region.name] = mask
    return found


def feature_rows(output, name=NAME):
    with open(output / f"{name}-features.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def scan(tmp_path):
    return read_volume(dicom_series(tmp_path / "scan", 1))


@pytest.fixture
def output(tmp_path, scan):
    return standardized(tmp_path, [in_the_lung(scan, tmp_path / "tumour.nrrd")])


def test_regions_that_overlap_and_touch_some_slices_come_back_voxel_for_voxel(tmp_path):
    orientation, step = OBLIQUE, np.cross(OBLIQUE[:3], OBLIQUE[3:]) * 2.5
    hu = chest_hu(6, 1)
    write_series(tmp_path / "scan", hu, names=[f"{9 - index}.dcm" for index in range(6)], ConvolutionKernel="B40f", SeriesNumber=1,
                 SeriesInstanceUID="1.2.3.1", PixelSpacing=[SPACING, SPACING], ImageOrientationPatient=orientation,
                 each=lambda index: {"SOPInstanceUID": f"1.2.3.1.{index + 1}", "InstanceNumber": 6 - index,
                                     "ImagePositionPatient": (np.array([-10, -20, 100]) + index * step).round(6).tolist()})  # fmt: skip
    volume = read_volume(tmp_path / "scan")
    assert np.array_equal(volume.hu, hu)
    first, second = {"a": np.s_[1:3, 28:36, 15:22], "b": np.s_[4, 50:56, 30:36]}, {"c": np.s_[2:4, 30:40, 18:25]}
    rois = [label_map(tmp_path / "one.nrrd", volume, **first), label_map(tmp_path / "two.nii.gz", volume, **second)]
    output = standardized(tmp_path, rois)
    made = read_volume(output / NAME)
    expected = {}
    for name, box in zip(["one label 001 1", "one label 002 2", "two 3"], [*first.values(), *second.values()]):
        expected[name] = np.zeros(hu.shape, bool)
        expected[name][box] = True
    assert (expected["one label 001 1"] & expected["two 3"]).any()
    for where in (made, volume):
        found = masks_of(output, where)
        assert list(found) == list(expected)
        assert all(np.array_equal(found[name], expected[name]) for name in expected)
    segmentation = hd.seg.segread(output / f"{NAME}-regions.dcm")
    pixels = segmentation.get_pixels_by_source_instance(made.source.sop_instance_uids[1:5], ignore_spatial_locations=False)
    assert np.array_equal(np.moveaxis(pixels, -1, 0).astype(bool), np.array(list(expected.values()))[:, 1:5])
    assert segmentation.number_of_frames == 5  # of 2 + 1 + 2 slices


def test_a_region_in_a_single_slice_is_a_segmentation_of_one_frame(tmp_path, scan):
    output = standardized(tmp_path, [label_map(tmp_path / "nodule.nrrd", scan, nodule=np.s_[2, 28:36, 15:22])])
    (mask,) = masks_of(output, scan).values()
    assert mask.sum() == 56 and mask[2, 28:36, 15:22].all()


def test_simpleitk_reads_the_frames_where_they_lie(tmp_path, scan):
    import SimpleITK

    output = standardized(tmp_path, [label_map(tmp_path / "nodule.nrrd", scan, nodule=np.s_[1:3, 28:36, 15:22])])
    image = SimpleITK.ReadImage(str(output / f"{NAME}-regions.dcm"))
    assert image.GetSpacing() == pytest.approx(scan.spacing)
    expected = np.zeros((2, 64, 64), bool)
    expected[:, 28:36, 15:22] = True
    assert np.array_equal(SimpleITK.GetArrayFromImage(image) > 0, expected)


def test_the_segmentation_belongs_to_the_derived_series(output):
    segmentation = hd.seg.segread(output / f"{NAME}-regions.dcm")
    image = pydicom.dcmread(output / NAME / "IM00001.dcm")
    for keyword in ("StudyInstanceUID", "FrameOfReferenceUID", "PatientID", "PatientName", "StudyDate", "Rows", "Columns"):
        assert segmentation[keyword].value == image[keyword].value
    assert (segmentation.Manufacturer, segmentation.ContentQualification, segmentation.SegmentationType) == ("LTDiff", "RESEARCH", "BINARY")
    assert segmentation.SeriesDescription == "Research use only: regions of LTDiff B70f (ls)"
    assert segmentation.SeriesInstanceUID != image.SeriesInstanceUID and segmentation.SeriesNumber == image.SeriesNumber + 1000
    assert [item.SegmentLabel for item in segmentation.SegmentSequence] == ["tumour label 001", "tumour label 002"]
    (series,) = segmentation.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == image.SeriesInstanceUID


def test_every_defined_feature_of_the_standardized_volume_is_in_the_report_and_nothing_else(output):
    report = hd.sr.srread(output / f"{NAME}-measurements.dcm")
    groups = {group.tracking_identifier: group for group in report.content.get_volumetric_roi_measurement_groups()}
    found = {(region, item.name.value, item.name.scheme_designator): (item.value, item.unit.value)
             for region, group in groups.items() for item in group.get_measurements()}  # fmt: skip
    rows = [(row, (row["class"], row["feature"])) for row in feature_rows(output)]
    expected = {(row["region"], concept_of(name).value, concept_of(name).scheme_designator): (float(row["standardized"]), unit_of(name).value)
                for row, name in rows if math.isfinite(float(row["standardized"]))}  # fmt: skip
    assert found == expected and len(groups) == 2
    assert found["tumour label 001", "Q4LE", "IBSI"][1] == "[hnsf'U]"
    assert found["tumour label 001", "GOH.StandardDeviation", PRIVATE][1] == "deg"


def test_the_report_says_what_was_measured_and_refers_to_it(output):
    report = hd.sr.srread(output / f"{NAME}-measurements.dcm")
    segmentation = pydicom.dcmread(output / f"{NAME}-regions.dcm")
    images = [pydicom.dcmread(path, stop_before_pixels=True) for path in sorted((output / NAME).iterdir())]
    groups = report.content.get_volumetric_roi_measurement_groups()
    for group, segment, touched in zip(groups, segmentation.SegmentSequence, [images[1:3], images]):
        (reference,) = (item for item in group[0].ContentSequence if item.name.meaning == "Referenced Segment")
        assert reference.referenced_sop_instance_uid == segmentation.SOPInstanceUID
        assert reference.referenced_segment_numbers == [segment.SegmentNumber]
        sources = [item.referenced_sop_instance_uid for item in group[0].ContentSequence if item.name.meaning == "Source Image for Segmentation"]
        assert sources == [image.SOPInstanceUID for image in touched]
        assert group.tracking_uid == segment.TrackingUID
    evidence = {instance for *_, instance, _ in report.get_evidence()}
    assert evidence == {segmentation.SOPInstanceUID, *(image.SOPInstanceUID for image in images)}
    text = str(pydicom.dcmread(output / f"{NAME}-measurements.dcm").to_json())
    for words in ("standardized volume, not in the scan", "from kernel B40f to B70f", "Research use only", "bins of 25 HU"):
        assert words in text
    assert report.SeriesDescription == "Research use only: features of LTDiff B70f (ls)"
    assert (report.StudyInstanceUID, report.PatientID, report.VerificationFlag) == (images[0].StudyInstanceUID, "4711", "UNVERIFIED")


@pytest.mark.skipif(DCIODVFY is None, reason="dciodvfy (Debian's dicom3tools) is not here")
def test_the_validator_finds_no_error_in_either(output):
    for file in (f"{NAME}-regions.dcm", f"{NAME}-measurements.dcm"):
        assert errors_by_dciodvfy(output / file) == []


def test_what_is_undefined_is_left_out_of_the_report(tmp_path, output, scan):
    series, (region, _) = DerivedSeries.read(output / NAME), regions_from_dicom(output / f"{NAME}-regions.dcm", scan)
    segmentation = write_segmentation(tmp_path / "seg.dcm", series, [region])
    table = FeatureTable((("ID", "Mean"), ("GLCM", "Correlation"), ("ID", "Energy")), np.array([[-3.25, np.nan, np.inf]]))
    write_measurement_report(tmp_path / "sr.dcm", series, segmentation, [region], table, "by hand.")
    (group,) = hd.sr.srread(tmp_path / "sr.dcm").content.get_volumetric_roi_measurement_groups()
    assert [(item.name.value, item.value) for item in group.get_measurements()] == [("Q4LE", -3.25)]


def test_a_repeated_run_writes_the_same_bytes_and_another_region_other_instances(tmp_path, scan, output):
    again = standardized(tmp_path, [str(tmp_path / "tumour.nrrd")], "again")
    other = standardized(tmp_path, [label_map(tmp_path / "other.nrrd", scan, a=np.s_[1:3, 28:36, 15:23])], "other")
    for name in (f"{NAME}-regions.dcm", f"{NAME}-measurements.dcm"):
        assert (again / name).read_bytes() == (output / name).read_bytes()
        assert pydicom.dcmread(other / name).SOPInstanceUID != pydicom.dcmread(output / name).SOPInstanceUID


def test_a_volume_without_dicom_source_has_them_too(tmp_path):
    volume = read_volume(nrrd_volume(tmp_path / "soft.nrrd"))
    rois = [in_the_lung(volume, tmp_path / "tumour.nrrd")]
    result = standardize(tmp_path / "soft.nrrd", tmp_path / "out", rois=rois, dicom_regions=True)
    assert result.exit_code == 0, result.outcomes
    made = Path(result.outcomes[0].output)
    assert [int(mask.sum()) for mask in masks_of(made.parent, read_volume(made), made.name).values()] == [112, 144]


@pytest.mark.parametrize("changes", [
    {"SpecificCharacterSet": ["", "ISO 2022 IR 87"], "PatientName": "Yamada^Tarou=山田^太郎=やまだ^たろう"},
    {"SpecificCharacterSet": "ISO_IR 100", "PatientName": "Müller^Jörg"},
    {"PatientSex": "unknown", "StudyDate": "", "StudyTime": None, "AccessionNumber": None, "ReferringPhysicianName": None, "PatientID": None},
])  # fmt: skip
def test_headers_that_highdicom_would_refuse_are_taken(tmp_path, changes):
    scan = read_volume(dicom_series(tmp_path / "scan", 1, **changes))
    output = standardized(tmp_path, [in_the_lung(scan, tmp_path / "tumour.nrrd")])
    for name in (f"{NAME}-regions.dcm", f"{NAME}-measurements.dcm"):
        made = pydicom.dcmread(output / name)
        assert made.PatientName == changes.get("PatientName", "Doe^Jane")
        assert made.ContentDate == (changes.get("StudyDate", "20200102") or "19000101")


def test_names_are_plain_short_and_distinct_in_the_segmentation(tmp_path, scan):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    long = "x" * 80
    names = ("a/tumör.nrrd", "b/tumör.nrrd", f"a/{long}.nrrd", f"b/{long}.nrrd")
    rois = [label_map(tmp_path / name, scan, one=np.s_[1:3, 28:36, 15:22]) for name in names]
    output = standardized(tmp_path, rois)
    labels = [item.SegmentLabel for item in pydicom.dcmread(output / f"{NAME}-regions.dcm").SegmentSequence]
    assert labels == ["tum?r", "tum?r (2)", "x" * 58, "x" * 58 + " (2)"]


def test_the_record_names_both_and_resuming_leaves_them(tmp_path, output):
    assert {f"{NAME}-regions.dcm", f"{NAME}-measurements.dcm"} <= set(record(output, NAME)["outputs"])
    before = digests(output)
    result = standardize(tmp_path / "scan", output, method="ls", rois=[str(tmp_path / "tumour.nrrd")], dicom_regions=True, resume=True)
    assert "finished before" in result.outcomes[0].sentence
    assert {name: digest for name, digest in digests(output).items() if name in before and name != "summary.json"} == {
        name: digest for name, digest in before.items() if name != "summary.json"}  # fmt: skip
    (output / f"{NAME}-measurements.dcm").unlink()
    result = standardize(tmp_path / "scan", output, method="ls", rois=[str(tmp_path / "tumour.nrrd")], dicom_regions=True, resume=True)
    assert result.exit_code == 1 and "measurements.dcm is missing" in result.outcomes[0].sentence


def test_what_a_killed_run_left_of_them_is_made_anew(tmp_path, output):
    before = digests(output)
    path, segmentation = output / f"{NAME}-provenance.json", output / f"{NAME}-regions.dcm"
    path.write_text(json.dumps({**record(output, NAME), "state": "started"}))
    segmentation.write_bytes(b"half")
    (output / f"{NAME}-measurements.dcm").unlink()
    standardized(tmp_path, [str(tmp_path / "tumour.nrrd")], resume=True)
    assert record(output, NAME)["state"] == "finished"
    assert {name: digest for name, digest in digests(output).items() if name.endswith(".dcm")} == {
        name: digest for name, digest in before.items() if name.endswith(".dcm")}  # fmt: skip


def test_a_result_without_them_is_not_taken_for_one_with_them(tmp_path, scan):
    rois = [in_the_lung(scan, tmp_path / "tumour.nrrd")]
    standardize(tmp_path / "scan", tmp_path / "out", method="ls", rois=rois)
    result = standardize(tmp_path / "scan", tmp_path / "out", method="ls", rois=rois, dicom_regions=True, resume=True)
    assert result.exit_code == 1 and "other settings (dicom regions)" in result.outcomes[0].sentence


def test_nothing_stays_of_a_series_whose_report_cannot_be_written(tmp_path, scan, monkeypatch):
    def full(*_):
        raise OutputError("The disk is full; make room.")

    monkeypatch.setattr("LTDiffStandardizeLib.cohort.features.write_measurement_report", full)
    rois = [in_the_lung(scan, tmp_path / "tumour.nrrd")]
    result = standardize(tmp_path / "scan", tmp_path / "out", method="ls", rois=rois, dicom_regions=True)
    assert result.exit_code == 1 and "The disk is full" in result.outcomes[0].sentence
    assert [path.name for path in (tmp_path / "out").iterdir() if path.name.startswith(NAME)] == []


def test_headers_that_cannot_be_taken_are_told_in_one_sentence(tmp_path, output, scan):
    series, regions = DerivedSeries.read(output / NAME), regions_from_dicom(output / f"{NAME}-regions.dcm", scan)
    del series.images[1].ImagePositionPatient
    with pytest.raises(OutputError, match=r"seg.dcm cannot be made from the headers of the series .*without --dicom-regions\.$"):
        write_segmentation(tmp_path / "seg.dcm", series, regions)
    assert not (tmp_path / "seg.dcm").exists()


@pytest.mark.parametrize(("package", "words"), [("highdicom.seg", "pip install -U highdicom"), ("radiomics", "PyRadiomics cannot be used")])
def test_without_what_makes_them_the_request_is_refused_before_the_work(tmp_path, scan, monkeypatch, package, words):
    monkeypatch.setitem(sys.modules, package, None)
    rois = [in_the_lung(scan, tmp_path / "tumour.nrrd")]
    result = standardize(tmp_path / "scan", tmp_path / "out", rois=rois, dicom_regions=True)
    assert result.exit_code == 3 and words in result.sentence
    assert not (tmp_path / "out").exists()


def test_an_old_highdicom_is_refused_before_the_work(tmp_path, scan, monkeypatch):
    monkeypatch.setattr(hd, "__version__", "0.22.0")
    result = standardize(tmp_path / "scan", tmp_path / "out", rois=[in_the_lung(scan, tmp_path / "tumour.nrrd")], dicom_regions=True)
    assert result.exit_code == 3 and "version 0.22.0 is older than 0.24" in result.sentence


@pytest.mark.parametrize(("changes", "words"), [
    ({}, "no regions to write; give label maps, with --roi"),
    ({"rois": ["tumour.nrrd"], "format": "nrrd"}, "not to the format nrrd; use the format dicom"),
])  # fmt: skip
def test_a_request_for_them_that_makes_no_sense_is_refused(tmp_path, changes, words):
    with pytest.raises(InputError, match=words):
        standardize(tmp_path / "scan", tmp_path / "out", dicom_regions=True, **changes)
