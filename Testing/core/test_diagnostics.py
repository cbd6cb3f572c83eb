"""What a report of a problem says, and what it keeps to itself."""
import os
import stat
import sys

import pytest

from LTDiffStandardizeLib import diagnostics
from LTDiffStandardizeLib.child import CRASHED, NO_MEMORY, remedy_for, why_it_died


def test_the_report_names_versions_weights_and_room_but_no_path_and_no_user():
    text = diagnostics.report("Slicer 5.12")
    lines = dict(line.split(": ", 1) for line in text.splitlines())
    assert lines["Application"] == "Slicer 5.12" and lines["Python"].startswith("3.")
    assert lines["Weights ltdiff-chest"].startswith("SHA-256 ") and lines["numpy"][0].isdigit()
    assert "GB" in lines["Free disk"] and lines["Extension"].startswith("path of ")
    assert sys.prefix not in text and os.path.sep + "LTDiffStandardize" not in text


@pytest.mark.skipif(os.name == "nt", reason="the driver's program is played by a shell script")
def test_free_memory_is_asked_of_the_driver(tmp_path, monkeypatch):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'Quadro, the big one, 7168, 8192, 550.1'\n")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert diagnostics.gpus() == ["Quadro, the big one, 7.0 of 8.0 GB free, driver 550.1"]
    program.write_text("#!/bin/sh\necho 'Failed to initialize NVML'; exit 9\n")
    assert diagnostics.gpus() == []


def test_without_a_driver_there_is_no_gpu(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert diagnostics.gpus() == []


def test_a_package_that_is_not_there_is_said_to_be_missing():
    assert diagnostics.version_of("no-such-package") == "not installed"


@pytest.mark.parametrize("sentence, remedy", [
    ("OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB", "device cpu"),
    ("MemoryError: Unable to allocate 3 GiB", "crop the volume"),
    ("RuntimeError: std::bad_alloc", "crop the volume"),
    ("it is a label map and no CT", ""),
])  # fmt: skip
def test_failures_for_want_of_memory_get_a_remedy_and_others_none(sentence, remedy):
    assert remedy in remedy_for(sentence) and bool(remedy_for(sentence)) == bool(remedy)


def test_every_way_to_die_is_one_sentence():
    for status in [*NO_MEMORY, *CRASHED, 1, 7]:
        assert why_it_died(status).count(". ") == 0 and why_it_died(status).endswith(".")
    assert not NO_MEMORY & CRASHED
