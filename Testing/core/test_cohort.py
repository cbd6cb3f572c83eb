"""What a request leaves in the output folder, whatever its inputs are like."""
import re
import shutil
from pathlib import Path

import numpy as np
import pydicom
import pytest
from small_cohort import Heard, chest_hu, dicom_series, digests, nrrd_volume, record, standardize, summary

from LTDiffStandardizeLib.errors import Cancelled
from LTDiffStandardizeLib.model.bundle import load_bundle
from LTDiffStandardizeLib.volumes import read_volume


def test_a_dicom_series_becomes_a_derived_dicom_series_with_a_record(tmp_path):
    dicom_series(tmp_path / "scan", 1, slices=3)
    heard = Heard()
    assert standardize(tmp_path / "scan", tmp_path / "out", heard, seed=5).exit_code == 0

    volume = read_volume(tmp_path / "out" / "scan_s1_B40f")
    assert volume.facts.kernel == "LTDiff B70f\\from B40f"
    assert 0.6 < np.corrcoef(volume.hu.ravel(), chest_hu(3, 1).ravel())[0, 1] < 0.999
    header = pydicom.dcmread(tmp_path / "out" / "scan_s1_B40f" / "IM00001.dcm", stop_before_pixels=True)
    assert "ls_noise" in header.DerivationDescription and "seed 5" in header.DerivationDescription

    made = record(tmp_path / "out", "scan_s1_B40f")
    assert (made["state"], made["outputs"], made["facts"]["slices"]) == ("finished", ["scan_s1_B40f"], 3)
    assert (made["settings"]["protocol"], made["settings"]["seed"], made["settings"]["weights_sha256"]) == ("B40f to B70f", 5, None)
    assert len(made["settings"]["protocol_sha256"]) == 64
    assert made["facts"]["seconds_per_slice"] > 0
    (entry,) = summary(tmp_path / "out")
    assert (entry["input"], entry["outcome"]) == (str(tmp_path / "scan"), "standardized")
    assert entry["output"] == str(tmp_path / "out" / "scan_s1_B40f")
    assert [(step.slices, step.slices_total) for step in heard.steps] == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(("form", "ending"), [("nrrd", ".nrrd"), ("nifti", ".nii.gz")])
def test_files_and_uncertainty_are_written_in_the_format_asked_for(tmp_path, form, ending):
    (tmp_path / "scans").mkdir()
    source = read_volume(nrrd_volume(tmp_path / "scans" / "soft.nrrd"))
    assert standardize(tmp_path / "scans", tmp_path / "out", format=form, samples=3).exit_code == 0
    name = "scans_soft"
    made = read_volume(tmp_path / "out" / f"{name}{ending}")
    spread = read_volume(tmp_path / "out" / f"{name}-uncertainty{ending}")
    assert made.hu.dtype == np.int16
    assert np.allclose(made.origin, source.origin) and np.allclose(made.spacing, source.spacing)
    assert spread.hu.shape == source.hu.shape and 0 < np.median(spread.hu) < 100
    assert sorted(record(tmp_path / "out", name)["outputs"]) == sorted([f"{name}{ending}", f"{name}-uncertainty{ending}"])


def test_the_uncertainty_of_a_dicom_series_is_a_nrrd_file_beside_it(tmp_path):
    dicom_series(tmp_path / "scan", 1)
    standardize(tmp_path / "scan", tmp_path / "out", samples=2)
    assert (tmp_path / "out" / "scan_s1_B40f-uncertainty.nrrd").is_file()


def test_a_result_file_names_the_kernel_that_it_has_now(tmp_path):
    nrrd_volume(tmp_path / "soft.nrrd")
    standardize(tmp_path / "soft.nrrd", tmp_path / "out", format="nrrd")
    (made,) = (tmp_path / "out").glob("*.nrrd")
    assert read_volume(made).facts.kernel == "LTDiff B70f\\from B40f"


@pytest.mark.parametrize("method", ["none", "power", "ls", "ls_noise", "ltdiff"])
def test_every_method_standardizes(tmp_path, method):
    dicom_series(tmp_path / "scan", 1, slices=2)
    assert standardize(tmp_path / "scan", tmp_path / "out", method=method, device="cpu").exit_code == 0
    made, settings = read_volume(tmp_path / "out" / "scan_s1_B40f"), record(tmp_path / "out", "scan_s1_B40f")["settings"]
    assert np.array_equal(made.hu, chest_hu(2, 1)) == (method == "none")
    bundle = load_bundle()
    model = (bundle.name, bundle.sha256, bundle.steps) if method == "ltdiff" else (None, None, None)
    assert (settings["model"], settings["weights_sha256"], settings["steps"]) == model
    assert (settings["seed"] is None) == (method in ("none", "power", "ls"))


def test_a_bad_series_in_the_middle_stops_nothing(tmp_path):
    for number in (1, 2, 3):
        dicom_series(tmp_path / "scans" / f"p{number}", number)
    damaged = tmp_path / "scans" / "p2" / "002.dcm"
    damaged.write_bytes(damaged.read_bytes()[:-4000])
    (tmp_path / "scans" / "p4").mkdir()
    dicom_series(tmp_path / "scans" / "p4", 4, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    result = standardize(tmp_path / "scans", tmp_path / "out")
    assert result.exit_code == 0
    outcomes = summary(tmp_path / "out")
    assert [entry["outcome"] for entry in outcomes] == ["standardized", "refused", "standardized", "refused"]
    assert "002.dcm has incomplete or invalid pixel data" in outcomes[1]["sentence"] and outcomes[1]["output"] is None
    assert "localizer" in outcomes[3]["sentence"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.is_dir()) == ["p1_s1_B40f", "p3_s3_B40f"]


def test_a_series_that_fails_unexpectedly_is_logged_and_the_rest_is_done(tmp_path):
    for number in (1, 2):
        dicom_series(tmp_path / "scans" / f"p{number}", number)

    class Failing(Heard):
        def progress(self, progress):
            if progress.name == "p2_s2_B40f":
                raise RuntimeError("the disk\nis on fire")

    result = standardize(tmp_path / "scans", tmp_path / "out", Failing())
    assert result.exit_code == 1
    assert [one.outcome for one in result.outcomes] == ["standardized", "failed"]
    assert "(RuntimeError: the disk is on fire)" in result.outcomes[1].sentence and "Traceback" not in result.outcomes[1].sentence
    log = (tmp_path / "out" / "log.txt").read_text()
    assert log.startswith("p2_s2_B40f\nTraceback") and "Doe" not in log
    assert [path.name for path in (tmp_path / "out").glob("*p2*")] == []


def test_a_listener_can_cancel(tmp_path):
    for number in (1, 2):
        dicom_series(tmp_path / "scans" / f"p{number}", number)

    class Impatient(Heard):
        def progress(self, progress):
            if progress.series == 2:
                raise Cancelled("enough")

    assert standardize(tmp_path / "scans", tmp_path / "out", Impatient()).exit_code == 130
    assert [Path(entry["output"]).name for entry in summary(tmp_path / "out")] == ["p1_s1_B40f"]
    assert [path.name for path in (tmp_path / "out").glob("*p2*")] == []


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: path.write_text("no image")])
def test_inputs_without_any_series_are_a_bad_request(tmp_path, make):
    make(tmp_path / "scan.nrrd")
    result = standardize(tmp_path / "scan.nrrd", tmp_path / "out")
    assert result.exit_code == 3
    assert [entry["outcome"] for entry in summary(tmp_path / "out")] == ["refused"]


def test_nothing_is_touched_where_the_model_is_damaged(tmp_path):
    dicom_series(tmp_path / "scan", 1)
    shutil.copytree(load_bundle().folder, tmp_path / "model")
    with open(tmp_path / "model" / "weights.safetensors", "ab") as weights:
        weights.write(b"x")
    result = standardize(tmp_path / "scan", tmp_path / "out", method="ltdiff", model=str(tmp_path / "model"))
    assert result.exit_code == 2 and "SHA-256" in result.sentence
    assert standardize(tmp_path / "scan", tmp_path / "out", method="ltdiff", model="nowhere").exit_code == 2
    assert not (tmp_path / "out").exists()


def test_a_device_that_is_not_there_is_told_before_anything_is_touched(tmp_path):
    result = standardize(tmp_path, tmp_path / "out", method="ltdiff", device="cuda:99")
    assert result.exit_code == 2 and "cuda:99" in result.sentence


def test_an_output_folder_that_cannot_be_is_told(tmp_path):
    dicom_series(tmp_path / "scan", 1)
    (tmp_path / "out").write_text("a file")
    result = standardize(tmp_path / "scan", tmp_path / "out")
    assert result.exit_code == 4 and "choose another output folder" in result.sentence


def test_a_target_that_the_library_does_not_reach_refuses_the_series(tmp_path):
    dicom_series(tmp_path / "scan", 1)
    result = standardize(tmp_path / "scan", tmp_path / "out", target="H99x")
    assert result.exit_code == 3
    assert "H99x" in result.outcomes[0].sentence and result.outcomes[0].outcome == "refused"


def test_a_protocol_that_was_made_for_another_kernel_is_warned_of(tmp_path):
    dicom_series(tmp_path / "scan", 1, ConvolutionKernel="X1")
    result = standardize(tmp_path / "scan", tmp_path / "out", target="B40f to B70f")
    assert result.exit_code == 0 and "whose kernel is X1" in result.outcomes[0].sentence
    assert "whose kernel is X1" in record(tmp_path / "out", "scan_s1_X1")["warnings"][0]


def test_reference_scans_give_the_target(tmp_path):
    dicom_series(tmp_path / "scan", 1)
    dicom_series(tmp_path / "standard" / "a", 2, ConvolutionKernel="Sharp9")
    dicom_series(tmp_path / "standard" / "b", 3, ConvolutionKernel="Sharp9")
    assert standardize(tmp_path / "scan", tmp_path / "out", reference=str(tmp_path / "standard")).exit_code == 0
    made = record(tmp_path / "out", "scan_s1_B40f")
    assert made["facts"]["protocol"] == "B40f to Sharp9"
    assert made["settings"]["protocol"] is None and len(made["settings"]["reference_sha256"]) == 64


@pytest.mark.parametrize(("kernels", "words"), [(["S1", "S2"], r"several kernels \(S1, S2\)"), ([], "no usable CT series")])
def test_reference_scans_that_say_nothing_clear_are_refused(tmp_path, kernels, words):
    dicom_series(tmp_path / "scan", 1)
    (tmp_path / "standard").mkdir()
    for number, kernel in enumerate(kernels, start=2):
        dicom_series(tmp_path / "standard" / kernel, number, ConvolutionKernel=kernel)
    result = standardize(tmp_path / "scan", tmp_path / "out", reference=str(tmp_path / "standard"))
    assert result.exit_code == 3
    assert re.search(words, result.sentence)


def test_the_same_request_gives_the_same_bytes(tmp_path):
    dicom_series(tmp_path / "scan", 1)
    for out in ("a", "b"):
        standardize(tmp_path / "scan", tmp_path / out)
    assert digests(tmp_path / "a" / "scan_s1_B40f") == digests(tmp_path / "b" / "scan_s1_B40f")


def test_an_input_that_does_not_exist_is_named_at_once_and_is_no_series(tmp_path):
    dicom_series(tmp_path / "scan", 1)
    heard = Heard()
    result = standardize([tmp_path / "nowhere", tmp_path / "scan"], tmp_path / "out", heard)
    assert result.exit_code == 0 and result.sentence.startswith("1 series: 1 standardized")
    assert heard.said[0] == f"{tmp_path / 'nowhere'} does not exist; check the path."
    assert [entry["input"] for entry in summary(tmp_path / "out")] == [str(tmp_path / "scan")]


def test_where_no_input_exists_nothing_is_touched(tmp_path):
    result = standardize([tmp_path / "nowhere", tmp_path / "neither"], tmp_path / "out")
    assert result.exit_code == 3 and result.outcomes == () and not (tmp_path / "out").exists()
    assert "nowhere" in result.sentence and "neither do not exist" in result.sentence


def test_samples_that_do_not_differ_are_warned_of_in_the_record_and_in_the_sentence(tmp_path, monkeypatch):
    from LTDiffStandardizeLib.model import frame

    dicom_series(tmp_path / "scan", 1)
    sentences = []
    for share in (1.1, -0.1):  # above any missing share no noise is drawn, below it is
        monkeypatch.setattr(frame, "NEGLIGIBLE_SHARE", share)
        out = tmp_path / f"out {share}"
        sentence = standardize(tmp_path / "scan", out, samples=3).outcomes[0].sentence
        sentences.append((sentence, record(out, "scan_s1_B40f")["warnings"]))
    (silent, warnings), (noisy, none) = sentences
    assert len(warnings) == 1 and warnings[0] in silent and none == [] and "uncertainty" not in noisy
    assert "ls_noise draws no noise for the protocol B40f to B70f" in silent and "no measure of uncertainty" in silent


def test_where_the_library_leads_to_softer_kernels_alone_they_are_named(tmp_path):
    dicom_series(tmp_path / "scan", 1, ConvolutionKernel="B70f")
    sentence = standardize(tmp_path / "scan", tmp_path / "out").outcomes[0].sentence
    assert "softer ones alone (B10f, B30f, B40f)" in sentence and "--target" in sentence
