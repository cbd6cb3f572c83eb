"""A script of the extension ends its process with the right status, in the application and in plain Python."""
import subprocess
import sys
from pathlib import Path

import pytest

LIBRARY = Path(__file__).resolve().parents[2] / "LTDiffStandardize"

# The application's `slicer` in what a script needs of it: `app` exists, and `exit` returns to its caller.
APPLICATION = """
app = object()
class util:
    @staticmethod
    def exit(status):
        print("application exits with", status)
"""

ENDINGS = [
    ("return", 0),
    ("return 4", 4),
    ("raise SystemExit", 0),
    ("raise SystemExit(3)", 3),
    ("raise SystemExit('no such thing')", 1),
    ("raise KeyboardInterrupt", 130),
    ("raise ValueError('broken')", 1),
    ("import argparse; argparse.ArgumentParser().parse_args()", 2),
]


def run(body, tmp_path, preamble=""):
    """Runs a script whose main has the body, with one argument, in a child interpreter."""
    script = tmp_path / "script.py"
    script.write_text(
        f"import sys\nsys.path[:0] = [{str(LIBRARY)!r}, {str(tmp_path)!r}]\n{preamble}\n"
        f"from LTDiffStandardizeLib.script import run_script\ndef main():\n    {body}\nrun_script(main)\nprint('went on')\n"
    )
    return subprocess.run([sys.executable, str(script), "argument"], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(("body", "status"), ENDINGS)
def test_plain_python_ends_with_the_status_of_main(body, status, tmp_path):
    child = run(body, tmp_path)
    assert child.returncode == status
    assert "went on" not in child.stdout


@pytest.mark.parametrize(("body", "status"), ENDINGS)
def test_the_application_is_told_to_exit_with_the_status_of_main(body, status, tmp_path):
    (tmp_path / "slicer.py").write_text(APPLICATION)
    child = run(body, tmp_path, preamble="import slicer")
    assert child.stdout.splitlines() == [f"application exits with {status}", "went on"]


def test_slicer_without_its_application_is_plain_python(tmp_path):
    (tmp_path / "slicer.py").write_text("")
    assert run("return 5", tmp_path, preamble="import slicer").returncode == 5


def test_an_unexpected_error_is_printed_with_its_traceback(tmp_path):
    child = run("raise ValueError('broken')", tmp_path)
    assert "Traceback" in child.stderr
    assert "ValueError: broken" in child.stderr


def test_a_refusal_is_printed_as_its_one_sentence(tmp_path):
    child = run("from LTDiffStandardizeLib.errors import InputError; raise InputError('No slices: name a folder.')", tmp_path)
    assert child.returncode == 1
    assert child.stderr == "No slices: name a folder.\n"


def test_the_text_of_a_system_exit_is_printed(tmp_path):
    assert run("raise SystemExit('no such thing')", tmp_path).stderr == "no such thing\n"
