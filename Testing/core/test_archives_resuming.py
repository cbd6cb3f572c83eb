"""find_pairs.py from start to end: several processes, a second start, Ctrl-C."""
import json
import os
import signal
import subprocess

import pytest
from archive_parts import VARIABLES, find, scan, script

from LTDiffTrainingLib.archives import finding, paired_series
from LTDiffTrainingLib.archives.pair_folder import verify_pair
from LTDiffTrainingLib.archives.patients import SPLITS


def found(tmp_path, **options):
    return find(tmp_path / "archive", output=tmp_path / "out", **{"shares": (1, 0, 0), **options})


@pytest.fixture
def examined(monkeypatch):
    """The names of the pairs whose images were looked at, in this process."""
    names, examine = [], finding.examine
    monkeypatch.setattr(finding, "examine", lambda task: names.append(task.folder.name) or examine(task))
    return names


def test_a_second_start_examines_only_what_is_new_changed_or_missing(tmp_path, examined):
    scan(tmp_path / "archive", 0)
    scan(tmp_path / "archive", 1)
    rows = found(tmp_path)
    assert sorted(examined) == sorted(row["pair"] for row in rows) and len(rows) == 2
    manifest = (tmp_path / "out" / "manifest.json").read_bytes()
    found(tmp_path)
    assert len(examined) == 2 and (tmp_path / "out" / "manifest.json").read_bytes() == manifest
    gone = tmp_path / "out" / "pairs" / rows[0]["pair"]
    (gone / "series.json").unlink()
    found(tmp_path)
    assert examined[2:] == [gone.name] and verify_pair(gone)
    scan(tmp_path / "archive", 2)
    (tmp_path / "archive" / "p0" / "soft" / "003.dcm").unlink()
    rows = {row["pair"]: row["slices_used"] for row in found(tmp_path)}
    assert len(examined) == 5 and sorted(rows.values()) == [3, 4, 4] and len(paired_series(tmp_path / "out", "train")) == 3


def test_several_processes_find_the_same_as_one(tmp_path):
    for patient in range(2):
        scan(tmp_path / "archive", patient)
    once = found(tmp_path)
    (tmp_path / "out" / "index.sqlite").unlink()
    for row in once:
        (tmp_path / "out" / "pairs" / row["pair"] / "source.npy").unlink()
    assert found(tmp_path, processes=2) == once and len(paired_series(tmp_path / "out", "train")) == 2


def test_other_shares_move_pairs_without_examining_them_again(tmp_path, examined):
    scan(tmp_path / "archive")
    assert [found(tmp_path, shares=shares)[0]["split"] for shares in ((1, 0, 0), (0, 1, 0), (0, 0, 1))] == list(SPLITS)
    (pair,) = paired_series(tmp_path / "out", "test")
    assert pair.description["split"] == "test" and len(examined) == 1


def test_the_script_finds_pairs_and_says_which_of_its_files_stay_private(tmp_path):
    scan(tmp_path / "archive")
    done = subprocess.run(script(tmp_path / "archive", "--output", tmp_path / "out", "--split", "1/0/0"), capture_output=True, text=True, env=VARIABLES)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "1 pairs accepted, 0 refused; 4 slices of 1 patients to train, 0 to validate, 0 to test."
    counts = json.loads((tmp_path / "out" / "manifest.json").read_text())["counts"]
    assert (counts["files"], counts["ct"], counts["accepted"], counts["patients_train"]) == (8, 8, 1, 1)
    told = " ".join(subprocess.run(script("--help"), capture_output=True, text=True, env=VARIABLES).stdout.split())
    assert "skipped.csv and index.sqlite hold paths" in told
    wrong = subprocess.run(script(tmp_path / "archive", "--output", tmp_path / "out", "--split", "1/0"), capture_output=True, text=True, env=VARIABLES)
    assert wrong.returncode == 1 and wrong.stderr.splitlines() == ["1/0 is no split; give the shares of train, validation and test such as 70/15/15."]


@pytest.mark.skipif(os.name == "nt", reason="Windows gives a child no SIGINT")
@pytest.mark.parametrize("processes", [1, 2])
def test_ctrl_c_ends_the_script_quietly_and_a_second_start_goes_on(tmp_path, processes):
    for patient in range(8):
        scan(tmp_path / "archive", patient)
    command = script(tmp_path / "archive", "--output", tmp_path / "out", "--processes", processes)
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=VARIABLES, start_new_session=True)
    while "Accepted" not in (line := child.stdout.readline()):
        assert line, child.stderr.read()
    os.killpg(child.pid, signal.SIGINT)
    output, errors = child.communicate(timeout=60)
    assert child.returncode == 130 and "Traceback" not in errors
    assert output.count("Accepted") < 7 and not (tmp_path / "out" / "manifest.json").exists()
    again = subprocess.run(command, capture_output=True, text=True, env=VARIABLES)
    assert again.returncode == 0 and again.stdout.count("Accepted") < 8
    assert "8 pairs accepted, 0 refused" in again.stdout
