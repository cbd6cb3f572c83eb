"""The worker: a request as JSON goes in, PROGRESS lines and a result as JSON come out."""
import errno
import json
import os
import subprocess
import sys

import pytest
from small_cohort import Heard, VARIABLES, dicom_series, digests, standardize, start_script, summary

from LTDiffStandardizeLib import worker
from LTDiffStandardizeLib.child import command
from LTDiffStandardizeLib.cohort import Progress, Request, Result
from LTDiffStandardizeLib.cohort.progress import from_line
from LTDiffStandardizeLib.worker import run_in_child


def request_for(tmp_path, **changes):
    values = {"inputs": [str(tmp_path / "scans")], "output": str(tmp_path / "out"), "method": "ls_noise", **changes}
    (tmp_path / "request.json").write_text(json.dumps(values))
    return tmp_path / "request.json", tmp_path / "result.json"


def work(files, **options):
    """(exit status, lines) of a worker whose input stays open until it has ended."""
    child = subprocess.Popen(command(sys.executable, *files), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=VARIABLES, **options)
    with child:
        lines = child.stdout.read().splitlines()
    return child.returncode, lines


def result_in(files):
    return Result.from_json(files[1].read_text())


def test_a_request_gives_progress_lines_and_a_result(tmp_path):
    for number in (1, 2):
        dicom_series(tmp_path / "scans" / f"p{number}", number, slices=3)
    files = request_for(tmp_path)
    status, lines = work(files)
    assert status == 0
    steps = [progress for line in lines if (progress := from_line(line))]
    assert [(step.series, step.series_total, step.slices) for step in steps] == [(1, 2, 1), (1, 2, 2), (1, 2, 3), (2, 2, 1), (2, 2, 2), (2, 2, 3)]
    result = result_in(files)
    assert result.exit_code == 0 and [one.outcome for one in result.outcomes] == ["standardized"] * 2
    assert json.loads(files[1].read_text())["outcomes"] == summary(tmp_path / "out")
    assert result.sentence in lines


def test_a_worker_makes_the_same_bytes_as_the_calling_process_would(tmp_path):
    dicom_series(tmp_path / "scans", 1)
    work(request_for(tmp_path))
    standardize(tmp_path / "scans", tmp_path / "here")
    assert digests(tmp_path / "out" / "scans_s1_B40f") == digests(tmp_path / "here" / "scans_s1_B40f")


@pytest.mark.parametrize(("change", "status"), [
    ({}, 3),
    ({"method": "ltdiff", "model": "nowhere"}, 2),
    ({"unknown": 1}, 3),
    ({"seed": -1}, 3),
])  # fmt: skip
def test_the_exit_status_is_that_of_the_result(tmp_path, change, status):
    (tmp_path / "scans").mkdir()  # with no scan
    files = request_for(tmp_path, **change)
    assert work(files)[0] == status
    assert result_in(files).exit_code == status


def test_a_request_file_that_is_not_there_is_a_bad_request(tmp_path):
    files = tmp_path / "nowhere.json", tmp_path / "result.json"
    assert work(files)[0] == 3
    assert "nowhere.json cannot be read" in result_in(files).sentence


def test_a_worker_without_its_two_files_says_how_it_is_called(tmp_path):
    child = start_script("one", script="worker.py", stdin=subprocess.PIPE)
    errors = child.communicate()[1]
    assert child.returncode == 3 and "usage: worker.py REQUEST RESULT" in errors


def test_a_result_that_cannot_be_written_is_told(tmp_path):
    request, _ = request_for(tmp_path)
    assert work((request, request / "below" / "result.json"))[0] == 4


def test_a_worker_ends_cleanly_when_its_input_does(tmp_path):
    for number in (1, 2, 3):
        dicom_series(tmp_path / "scans" / f"p{number}", number, slices=40)
    files = request_for(tmp_path)
    child = subprocess.Popen(command(sys.executable, *files), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=VARIABLES)
    with child:
        for line in child.stdout:
            progress = from_line(line)
            if progress and progress.series == 2:
                break
        child.stdin.close()
        rest = child.stdout.read()
    assert child.returncode == 130
    assert "Cancelled" in rest
    result = result_in(files)
    assert result.exit_code == 130
    assert [os.path.basename(one.output) for one in result.outcomes] == sorted(path.name for path in (tmp_path / "out").iterdir() if path.is_dir())
    assert not [path.name for path in (tmp_path / "out").iterdir() if ".partial-" in path.name]


def test_a_child_process_reports_as_the_function_does(tmp_path):
    dicom_series(tmp_path / "scans", 1, slices=3)
    heard = Heard()
    request = Request((str(tmp_path / "scans"),), str(tmp_path / "out"), method="ls_noise")
    result = run_in_child(request, heard, sys.executable)
    assert result.exit_code == 0 and len(result.outcomes) == 1
    assert [step.slices for step in heard.steps] == [1, 2, 3]
    assert heard.said[-1] == result.sentence


@pytest.mark.skipif(os.name == "nt", reason="the interpreter that dies is a shell script")
def test_a_child_that_dies_is_explained(tmp_path):
    interpreter = tmp_path / "python"
    interpreter.write_text("#!/bin/sh\nexit 7\n")
    interpreter.chmod(0o755)
    result = run_in_child(Request(("in",), "out"), Heard(), str(interpreter))
    assert result.exit_code == 1 and "ended with status 7" in result.sentence


@pytest.mark.skipif(os.name == "nt", reason="not tried on Windows yet, where processes are killed otherwise")
def test_a_parent_that_is_killed_takes_its_worker_along(tmp_path):
    for number in range(1, 4):
        dicom_series(tmp_path / "scans" / f"p{number}", number, slices=40)
    files = request_for(tmp_path)
    parent = subprocess.Popen(
        [sys.executable, "-c", f"import subprocess\nchild = subprocess.Popen({command(sys.executable, *files)!r}, stdin=subprocess.PIPE)\nchild.wait()"],
        stdout=subprocess.PIPE, text=True, env=VARIABLES,
    )  # fmt: skip
    with parent:
        parent.stdout.readline()
        parent.kill()
        parent.stdout.read()  # ends when the worker has closed it too
    assert result_in(files).exit_code == 130


@pytest.mark.parametrize(("number", "interrupts"), [(errno.EBADF, False), (errno.EIO, True)])
def test_a_worker_without_any_input_goes_on_and_one_whose_input_breaks_ends(monkeypatch, number, interrupts):
    def read(*_):
        raise OSError(number, "no input")

    told = []
    monkeypatch.setattr(worker.os, "read", read)
    monkeypatch.setattr(worker._thread, "interrupt_main", lambda: told.append(1))
    worker._interrupt_when_input_ends()
    assert bool(told) == interrupts
