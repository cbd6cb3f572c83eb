"""Interrupted cohorts: what is finished stays byte for byte, the rest is completed, nothing is mixed or overwritten."""
import json
import os
import signal
import subprocess
import sys

import pytest
from small_cohort import dicom_series, digests, nrrd_volume, record, run_script, standardize, start_script, stop_when, summary

from LTDiffStandardizeLib.cohort.folder import results_folder

LIKE_A_DEAD_RUNS = ".p9_s9_B40f.partial-4711", ".p9_s9_B40f.nrrd.partial-4711.nrrd", ".summary.json.partial-4711.json"
needs_signals = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM or SIGKILL that a process could send another")


@pytest.fixture
def five(tmp_path):
    """A folder of five series whose slices take long enough to be interrupted."""
    for number in range(1, 6):
        dicom_series(tmp_path / "scans" / f"p{number}", number, slices=20)
    return tmp_path / "scans"


def finished(output):
    records = output.glob("*-provenance.json")
    return [path.name.split("-")[0] for path in sorted(records) if '"finished"' in path.read_text()]


def started(output):
    return {path.name.split("-")[0] for path in output.glob("*-provenance.json")}


def folders(output):
    """The names of the results; what is half-written has a dot in front."""
    return {path.name for path in output.iterdir() if path.is_dir() and path.name[0] != "."}


def text_of(path):
    return path.read_text() if path.exists() else ""


def finished_files(output):
    names = finished(output)
    return {name: digest for name, digest in digests(output).items() if name.split("-provenance")[0].split("/")[0] in names}


def assert_complete(output, series):
    assert [entry["outcome"] for entry in summary(output)] == ["standardized"] * series
    assert [path.name for path in output.iterdir() if ".partial-" in path.name] == []
    for name in finished(output):
        assert len(list((output / name).iterdir())) == 20
    assert len(finished(output)) == series


@needs_signals
def test_a_killed_cohort_is_completed_and_what_was_finished_stays(five, tmp_path):
    output, options = tmp_path / "out", ["--method", "ls_noise"]
    child = start_script(five, "--output", output, *options)
    stop_when(child, lambda: len(finished(output)) >= 2, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    before = finished_files(output)
    assert 2 <= len(finished(output)) < 5
    assert folders(output) <= started(output)

    status, _, errors = run_script(five, "--output", output, *options, "--resume")
    assert status == 0, errors
    assert {name: digest for name, digest in digests(output).items() if name in before} == before
    assert_complete(output, 5)


@needs_signals
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_cohort_cleanly(five, tmp_path, number):
    output = tmp_path / "out"
    child = start_script(five, "--output", output, "--method", "ls_noise")
    stop_when(child, lambda: "standardized" in text_of(output / "summary.json"), number)
    text, errors = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "Cancelled" in text and "Traceback" not in errors
    done = [entry["output"] for entry in summary(output)]
    assert 1 <= len(done) < 5
    assert folders(output) == started(output) == set(finished(output)) == {os.path.basename(path) for path in done}
    assert run_script(five, "--output", output, "--method", "ls_noise", "--resume")[0] == 0
    assert_complete(output, 5)


@needs_signals
def test_what_is_ignored_stays_ignored(five, tmp_path):
    # As nohup does it.
    output = tmp_path / "out"
    child = start_script(five / "p1", "--output", output, "--method", "ls_noise", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    stop_when(child, (output / ".ltdiff-lock").exists, signal.SIGHUP)
    child.communicate(timeout=60)
    assert child.returncode == 0


def kill_at(step, tmp_path, output):
    """Runs a cohort of one in a child process that dies when a function is called for the n-th time; step: module, function, n."""
    module, function, n = step
    code = f"""
import os, sys
from pathlib import Path
sys.path[:] = {sys.path!r}
import LTDiffStandardizeLib.{module} as module
from small_cohort import standardize
real, calls = module.{function}, []
def dying(*arguments, **options):
    calls.append(1)
    if len(calls) == {n}:
        os.kill(os.getpid(), 9)
    return real(*arguments, **options)
module.{function} = dying
standardize(Path({str(tmp_path / "scan")!r}), Path({str(output)!r}), samples=2)
"""
    return subprocess.run([sys.executable, "-c", code], timeout=60, capture_output=True, text=True)


@needs_signals
@pytest.mark.parametrize("step", [
    ("cohort.series", "write_dicom_series", 1),
    ("volumes.dicom_writer", "_write", 3),  # within the folder that is filled aside
    ("cohort.series", "write_volume_file", 1),  # the volume is there, the uncertainty is not
    ("cohort.series", "replace", 1),  # all results are there, the record does not know
    ("cohort.run", "write_summary", 1),  # the record knows, the summary does not
], ids=lambda step: step[1])  # fmt: skip
def test_wherever_a_run_is_killed_resuming_gives_the_same_result(tmp_path, step):
    dicom_series(tmp_path / "scan", 1)
    child = kill_at(step, tmp_path, tmp_path / "out")
    assert child.returncode == -signal.SIGKILL, child.stderr
    assert standardize(tmp_path / "scan", tmp_path / "out", samples=2, resume=True).exit_code == 0
    assert standardize(tmp_path / "scan", tmp_path / "undisturbed", samples=2).exit_code == 0
    results = [{name: digest for name, digest in digests(folder).items() if not name.endswith(".json")} for folder in
               (tmp_path / "out", tmp_path / "undisturbed")]  # fmt: skip
    assert results[0] == results[1]
    assert record(tmp_path / "out", "scan_s1_B40f")["state"] == "finished"


@needs_signals
def test_what_a_killed_run_left_in_another_format_is_cleared_away(tmp_path):
    dicom_series(tmp_path / "scan", 1)
    kill_at(("cohort.series", "replace", 1), tmp_path, tmp_path / "out")
    assert (tmp_path / "out" / "scan_s1_B40f").is_dir()
    assert standardize(tmp_path / "scan", tmp_path / "out", format="nrrd", resume=True).exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").glob("scan*")) == ["scan_s1_B40f-provenance.json", "scan_s1_B40f.nrrd"]


def test_leftovers_of_a_dead_run_are_removed(tmp_path):
    dicom_series(tmp_path / "scan", 1)
    for name in LIKE_A_DEAD_RUNS:
        (tmp_path / "out" / name).mkdir(parents=True)
        (tmp_path / "out" / name / "half").write_text("")
    (tmp_path / "out" / "notes.partial-draft").write_text("the user's own")
    standardize(tmp_path / "scan", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir() if "partial" in path.name] == ["notes.partial-draft"]


def test_without_resume_results_are_left_untouched(tmp_path):
    dicom_series(tmp_path / "scan", 1)
    standardize(tmp_path / "scan", tmp_path / "out")
    before = digests(tmp_path / "out" / "scan_s1_B40f")
    result = standardize(tmp_path / "scan", tmp_path / "out", seed=1)
    assert result.exit_code == 1 and "go on with --resume or choose another output folder" in result.outcomes[0].sentence
    assert digests(tmp_path / "out" / "scan_s1_B40f") == before


def test_a_finished_series_is_not_read_again(tmp_path):
    dicom_series(tmp_path / "scan", 1)
    standardize(tmp_path / "scan", tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("scan*")}
    result = standardize(tmp_path / "scan", tmp_path / "out", resume=True)
    assert result.exit_code == 0 and "finished before" in result.outcomes[0].sentence
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("scan*")} == before


@pytest.mark.parametrize(("change", "words"), [
    ({"seed": 1}, "other settings (seed)"),
    ({"samples": 2}, "other settings (samples)"),
    ({"method": "ls"}, "other settings (method, seed)"),
    ({"method": "ls_noise", "target": "B70f to B40f"}, "other settings (protocol)"),
    ({"format": "nrrd"}, "other settings (format)"),
])  # fmt: skip
def test_a_result_with_other_settings_is_neither_taken_over_nor_replaced(tmp_path, change, words):
    dicom_series(tmp_path / "scan", 1)
    standardize(tmp_path / "scan", tmp_path / "out")
    before = digests(tmp_path / "out" / "scan_s1_B40f")
    result = standardize(tmp_path / "scan", tmp_path / "out", **{**change, "resume": True})
    assert result.exit_code == 1 and words in result.outcomes[0].sentence
    assert digests(tmp_path / "out" / "scan_s1_B40f") == before


def test_a_result_of_an_earlier_state_of_the_source_is_not_taken_over(tmp_path):
    dicom_series(tmp_path / "scan", 1, slices=5)
    standardize(tmp_path / "scan", tmp_path / "out")
    (tmp_path / "scan" / "004.dcm").unlink()
    result = standardize(tmp_path / "scan", tmp_path / "out", resume=True)
    assert result.exit_code == 1 and "earlier state" in result.outcomes[0].sentence


def test_a_changed_file_is_another_source(tmp_path):
    source = nrrd_volume(tmp_path / "soft.nrrd")
    standardize(source, tmp_path / "out", format="nrrd")
    source.unlink()
    nrrd_volume(tmp_path / "soft.nrrd", seed=1)
    assert standardize(source, tmp_path / "out", format="nrrd", resume=True).exit_code == 1


def test_what_has_no_record_is_not_taken_for_a_result(tmp_path):
    dicom_series(tmp_path / "scan", 1)
    (tmp_path / "out" / "scan_s1_B40f").mkdir(parents=True)
    (tmp_path / "out" / "scan_s1_B40f" / "thesis.txt").write_text("precious")
    result = standardize(tmp_path / "scan", tmp_path / "out", resume=True)
    assert result.exit_code == 1 and "without a record" in result.outcomes[0].sentence
    assert (tmp_path / "out" / "scan_s1_B40f" / "thesis.txt").read_text() == "precious"


def test_a_finished_result_of_which_a_part_is_gone_is_told(tmp_path):
    dicom_series(tmp_path / "scan", 1)
    standardize(tmp_path / "scan", tmp_path / "out", samples=2)
    (tmp_path / "out" / "scan_s1_B40f-uncertainty.nrrd").unlink()
    result = standardize(tmp_path / "scan", tmp_path / "out", samples=2, resume=True)
    assert result.exit_code == 1 and "uncertainty.nrrd is missing" in result.outcomes[0].sentence


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps({"state": "finished"})])
def test_a_damaged_record_is_told(tmp_path, text):
    dicom_series(tmp_path / "scan", 1)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "scan_s1_B40f-provenance.json").write_text(text)
    result = standardize(tmp_path / "scan", tmp_path / "out", resume=True)
    assert result.exit_code == 1 and "is no record" in result.outcomes[0].sentence


def test_two_runs_do_not_write_to_one_folder(tmp_path):
    dicom_series(tmp_path / "scan", 1)
    with results_folder(tmp_path / "out"):
        status, text, _ = run_script(tmp_path / "scan", "--output", tmp_path / "out", "--method", "ls_noise")
    assert status == 4 and "Another run is writing to" in text
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".ltdiff-lock"]
    assert run_script(tmp_path / "scan", "--output", tmp_path / "out", "--method", "ls_noise")[0] == 0


@needs_signals
def test_the_lock_of_a_killed_run_is_taken_over(five, tmp_path):
    child = start_script(five, "--output", tmp_path / "out", "--method", "ls_noise")
    stop_when(child, (tmp_path / "out" / ".ltdiff-lock").exists, signal.SIGKILL)
    child.wait()
    assert standardize(five / "p1", tmp_path / "out").exit_code == 0


def outcomes(output):
    return {os.path.basename(entry["input"]): entry["outcome"] for entry in summary(output)}


def test_the_summary_keeps_what_earlier_runs_finished(tmp_path):
    for number in (1, 2):
        dicom_series(tmp_path / f"p{number}", number)
        standardize(tmp_path / f"p{number}", tmp_path / "out")
    assert outcomes(tmp_path / "out") == {"p1": "standardized", "p2": "standardized"}
    before = summary(tmp_path / "out")
    assert standardize(tmp_path / "p1", tmp_path / "out", seed=1).exit_code == 1  # its result exists and stays
    assert summary(tmp_path / "out") == before


def test_the_summary_forgets_what_is_gone_and_what_was_never_finished(tmp_path):
    dicom_series(tmp_path / "p1", 1)
    dicom_series(tmp_path / "p2", 2)
    dicom_series(tmp_path / "p3", 3, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    standardize([tmp_path / "p1", tmp_path / "p3"], tmp_path / "out")
    assert outcomes(tmp_path / "out") == {"p1": "standardized", "p3": "refused"}
    (tmp_path / "out" / "p1_s1_B40f-provenance.json").unlink()
    standardize(tmp_path / "p2", tmp_path / "out")
    assert outcomes(tmp_path / "out") == {"p2": "standardized"}


@pytest.mark.parametrize("text", ["", "{}", "[1, {}]", '[{"input": 1, "output": 2}]'])
def test_a_summary_that_cannot_be_read_is_replaced(tmp_path, text):
    dicom_series(tmp_path / "p1", 1)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "summary.json").write_text(text)
    standardize(tmp_path / "p1", tmp_path / "out")
    assert outcomes(tmp_path / "out") == {"p1": "standardized"}
