"""standardize.py as users call it: in plain Python and in the Slicer application."""
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from small_cohort import SCRIPTS, VARIABLES, dicom_series, run_script, stop_when, summary

from LTDiffStandardizeLib.volumes import read_volume
from LTDiffStandardizeLib.volumes.headers import read_headers
from LTDiffStandardizeLib.volumes.stack import in_order

OPTIONS = ("--model", "--method", "--target", "--reference", "--roi", "--dicom-regions", "--device", "--seed", "--samples", "--steps", "--format",
           "--resume")  # fmt: skip
needs_shell = pytest.mark.skipif(os.name == "nt", reason="the stand-in for PythonSlicer is a shell script")

# The application's `slicer` in what the script needs of it; its Python is no child's interpreter, so `sys.executable` is empty.
APPLICATION = """
import sys
sys.executable = ""
app = object()
class util:
    @staticmethod
    def exit(status):
        import os
        sys.stdout.flush()
        os._exit(status)
"""


def test_help_names_all_options_and_exit_codes():
    status, text, _ = run_script("--help")
    assert status == 0
    for word in (*OPTIONS, "examples:", "exit codes:", "130", "research use only", "(default: ltdiff)"):
        assert word in text
    assert max(map(len, text.splitlines())) <= 90


@pytest.mark.parametrize(("arguments", "words"), [
    (["--output", "out"], "required: INPUT"),
    (["scan"], "required: --output"),
    (["scan", "--output", "out", "--method", "gan"], "invalid choice"),
    (["scan", "--output", "out", "--seed", "x"], "invalid int"),
    (["scan", "--output", "out", "--steps", "0"], "steps must be a whole number from 1"),
    (["scan", "--output", "out", "--target", "B70f", "--reference", "scans"], "give one of them"),
])  # fmt: skip
def test_a_command_line_that_is_wrong_is_a_bad_request(arguments, words):
    status, _, errors = run_script(*arguments)
    assert status == 3 and words in errors and "Traceback" not in errors


def test_several_inputs_and_options_in_any_order(tmp_path):
    for number in (1, 2):
        dicom_series(tmp_path / f"p{number}", number)
    status, text, errors = run_script(tmp_path / "p1", "--output", tmp_path / "out", "--method", "ls", "--format", "nrrd", tmp_path / "p2")
    assert status == 0, errors
    assert "[2/2] p2_s2_B40f: standardized." in text
    assert "2 series: 2 standardized, 0 refused, 0 failed" in text
    assert "slices/s" in errors
    assert [Path(entry["output"]).name for entry in summary(tmp_path / "out")] == ["p1_s1_B40f.nrrd", "p2_s2_B40f.nrrd"]


def test_filters_need_no_torch_and_ltdiff_says_how_to_get_it(tmp_path):
    dicom_series(tmp_path / "scan", 1)
    without = f"import sys, runpy; sys.modules['torch'] = None; sys.argv[:] = sys.argv[1:]; runpy.run_path({str(SCRIPTS / 'standardize.py')!r}, run_name='__main__')"

    def run_without_torch(method):
        command = [sys.executable, "-c", without, "standardize.py", str(tmp_path / "scan"), "--output", str(tmp_path / method), "--method", method]
        return subprocess.run(command, capture_output=True, text=True, env=VARIABLES, timeout=60)

    for method in ("ls_noise", "ls", "power", "none"):
        assert run_without_torch(method).returncode == 0
    child = run_without_torch("ltdiff")
    assert child.returncode == 2
    assert "PyTorch extension" in child.stdout and "--method ls_noise" in child.stdout and "Traceback" not in child.stderr
    assert not (tmp_path / "ltdiff").exists()


def in_the_application(tmp_path, *arguments, python_slicer=True):
    """standardize.py started as Slicer --python-script starts it, with a shell script as PythonSlicer."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (tmp_path / "slicer.py").write_text(APPLICATION)
    if python_slicer:
        (programs / "PythonSlicer").write_text(f'#!/bin/sh\n"{sys.executable}" "$@"\n')  # no exec: a launcher stays in between
        (programs / "PythonSlicer").chmod(0o755)
    start = f"import sys, runpy; sys.path.insert(0, {str(tmp_path)!r}); import slicer; sys.argv[:] = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    command = [sys.executable, "-c", start, str(SCRIPTS / "standardize.py"), *map(str, arguments)]
    variables = {**VARIABLES, "PATH": os.pathsep.join([str(programs), "/usr/bin", "/bin"])}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables)


@needs_shell
def test_in_the_application_a_worker_does_the_work(tmp_path):
    dicom_series(tmp_path / "scan", 1)
    child = in_the_application(tmp_path, tmp_path / "scan", "--output", tmp_path / "out", "--method", "ls_noise")
    text, errors = child.communicate(timeout=60)
    assert child.returncode == 0, errors
    assert "[1/1] scan_s1_B40f: standardized." in text and "PROGRESS" not in text
    assert "1/4 slices" in errors
    assert [entry["outcome"] for entry in summary(tmp_path / "out")] == ["standardized"]


@needs_shell
def test_in_the_application_the_exit_status_arrives(tmp_path):
    child = in_the_application(tmp_path, tmp_path / "nowhere", "--output", tmp_path / "out", "--method", "ls")
    text, _ = child.communicate(timeout=60)
    assert child.returncode == 3 and "nowhere does not exist" in text


@needs_shell
def test_in_the_application_without_pythonslicer_the_remedy_is_told(tmp_path):
    child = in_the_application(tmp_path, tmp_path, "--output", tmp_path / "out", python_slicer=False)
    _, errors = child.communicate(timeout=60)
    assert child.returncode == 2 and "PythonSlicer was not found" in errors


@needs_shell
def test_in_the_application_a_signal_cancels_the_worker_behind_its_launcher(tmp_path):
    for number in (1, 2, 3):
        dicom_series(tmp_path / "scans" / f"p{number}", number, slices=40)
    output = tmp_path / "out"
    child = in_the_application(tmp_path, tmp_path / "scans", "--output", output, "--method", "ls_noise")
    stop_when(child, lambda: (output / "summary.json").exists(), signal.SIGTERM)
    text, errors = child.communicate(timeout=60)
    assert child.returncode == 130, errors
    assert "Cancelled" in text
    assert 1 <= len(summary(output)) < 3
    assert not [path.name for path in output.iterdir() if ".partial-" in path.name]


def test_a_real_series_is_standardized(tmp_path, shared_data):
    slices = [read_headers(path)[0] for path in (shared_data / "pairs" / "lungdx-a0002" / "B40f").iterdir()]
    (tmp_path / "scan").mkdir()
    for header in in_order(slices)[14:16]:
        shutil.copy(header.path, tmp_path / "scan")
    assert run_script(tmp_path / "scan", "--output", tmp_path / "out", "--method", "ls_noise")[0] == 0
    (made,) = summary(tmp_path / "out")
    before, after = read_volume(tmp_path / "scan"), read_volume(made["output"])
    assert after.facts.kernel == "LTDiff B70f\\from B40f"
    in_the_body = (before.hu > 0) & (before.hu < 100)
    assert 2 < after.hu[in_the_body].std() / before.hu[in_the_body].std() < 5  # B70f is sharper and noisier
