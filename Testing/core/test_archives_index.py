"""The index of an archive: what it counts and names, that it reads nothing twice, and that a kill costs nothing."""
import os
import signal
import subprocess
import sys

import pytest
from archive_parts import ROOT, VARIABLES, find, indexed, reconstruction, skipped, tiny_tree
from small_cohort import Heard
from small_series import ct_slice, save, small_hu

from LTDiffStandardizeLib.errors import InputError
from LTDiffTrainingLib.archives import scanning
from LTDiffTrainingLib.archives.facts import CORRUPT, CT, FOREIGN, OTHER, file_facts
from LTDiffTrainingLib.archives.index import Index

PRODUCT = [str(ROOT / "LTDiffStandardize"), str(ROOT / "LTDiffTraining")]
SLOW_SCAN = f"""
import sys, time
from pathlib import Path
sys.path[:0] = {PRODUCT!r}
from LTDiffTrainingLib.archives import scanning
from LTDiffTrainingLib.archives.index import Index

class Slow:
    def progress(self, progress):
        print(progress.done, flush=True)
        time.sleep(0.2)

if __name__ == "__main__":
    archive, path, processes = sys.argv[1:]
    scanning.BATCH = 50
    with Index(Path(path)) as index:
        scanning.scan([Path(archive)], index, Path("nowhere"), int(processes), Slow())
"""
WORKERS = f"""
import os, sys, time
sys.path[:0] = {PRODUCT!r}
from LTDiffTrainingLib.archives.pool import in_order

def wait(seconds):
    time.sleep(seconds)

if __name__ == "__main__":
    for _ in in_order(wait, [0.2] + [300.0] * 8, 2):
        print("begun", flush=True)
"""


def scan(archive, path, processes=1):
    with Index(path) as index:
        scanning.scan([archive], index, path.parent, processes, Heard())
        return index.counts()


@pytest.fixture
def opened(monkeypatch):
    """The paths whose headers were read, in this process."""
    paths = []
    monkeypatch.setattr(scanning, "file_facts", lambda archive, path: paths.append(path) or file_facts(archive, path))
    return paths


def test_files_are_counted_and_those_of_no_use_are_named_with_a_reason(tmp_path):
    archive = tmp_path / "archive"
    reconstruction(archive / "ct")
    save(ct_slice(0, small_hu()[0], Modality="MR"), archive / "mr.dcm")
    save(ct_slice(0, small_hu()[0], ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]), archive / "scout.dcm")
    (archive / "notes.txt").write_text("no DICOM")
    (archive / "bad.dcm").write_bytes(bytes(128) + b"DICM" + b"\x02\x00\x00\x00XX" + b"\xff" * 50)
    (archive / "again").mkdir()
    (archive / "again" / "000.dcm").write_bytes((archive / "ct" / "000.dcm").read_bytes())
    assert scan(archive, tmp_path / "index.sqlite") == {CT: 4, OTHER: 2, FOREIGN: 1, CORRUPT: 1, "copy": 1}
    find(archive, output=tmp_path / "out")
    rows = skipped(tmp_path / "out")
    assert [(row["path"], row["kind"]) for row in rows] == [
        ("bad.dcm", CORRUPT), ("ct/000.dcm", "copy"), ("mr.dcm", OTHER), ("notes.txt", FOREIGN), ("scout.dcm", OTHER)]  # fmt: skip
    assert "is not CT but MR" in rows[2]["reason"] and "localizer" in rows[4]["reason"]


def test_slices_at_one_position_are_named_and_used_in_no_pair(tmp_path):
    archive = tmp_path / "archive"
    reconstruction(archive / "b40", kernel="B40f", ImagePositionPatient=[0, 0, 0], each=lambda index: {"ImagePositionPatient": [0, 0, index // 2]})
    reconstruction(archive / "b70", kernel="B70f", ImagePositionPatient=[0, 0, 0], each=lambda index: {"ImagePositionPatient": [0, 0, index]})
    assert find(archive, output=tmp_path / "out") == []
    rows = skipped(tmp_path / "out")
    assert [row["path"] for row in rows] == [f"b40/{index:03d}.dcm" for index in range(4)]
    assert all("several slices at one position" in row["reason"] for row in rows)


def test_a_second_scan_opens_only_what_is_new_or_has_changed(tmp_path, opened):
    archive, path = tmp_path / "archive", tmp_path / "index.sqlite"
    reconstruction(archive / "ct")
    scan(archive, path)
    assert len(opened) == 4
    scan(archive, path)
    assert len(opened) == 4
    (archive / "new.txt").write_text("foreign")
    (archive / "ct" / "001.dcm").write_text("overwritten")
    (archive / "ct" / "003.dcm").unlink()
    assert scan(archive, path) == {CT: 2, FOREIGN: 2}
    assert sorted(opened[4:]) == ["ct/001.dcm", "new.txt"]
    scan(archive, tmp_path / "fresh.sqlite")
    assert indexed(path) == indexed(tmp_path / "fresh.sqlite")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("processes", [1, 2])
def test_an_index_killed_in_the_middle_and_resumed_is_the_same_as_one_made_at_once(tmp_path, opened, processes):
    archive, path = tmp_path / "archive", tmp_path / "index.sqlite"
    archive.mkdir()
    tiny_tree(archive, 600)
    program = tmp_path / "slow_scan.py"
    program.write_text(SLOW_SCAN)
    command = [sys.executable, str(program), str(archive), str(path), str(processes)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=VARIABLES)
    for line in child.stdout:
        if int(line) >= 150:
            break
    child.kill()
    child.wait()
    child.stdout.close()
    assert child.returncode == -signal.SIGKILL and 150 <= len(indexed(path)) < 600
    scan(archive, path)
    assert 0 < len(opened) <= 600 - 150
    scan(archive, tmp_path / "fresh.sqlite")
    assert indexed(path) == indexed(tmp_path / "fresh.sqlite") and len(indexed(path)) == 600


def test_several_processes_make_the_same_index_as_one(tmp_path, monkeypatch):
    archive = tmp_path / "archive"
    archive.mkdir()
    tiny_tree(archive, 600)
    monkeypatch.setattr(scanning, "BATCH", 100)
    assert scan(archive, tmp_path / "one.sqlite") == scan(archive, tmp_path / "two.sqlite", processes=2)
    assert indexed(tmp_path / "one.sqlite") == indexed(tmp_path / "two.sqlite")


def test_workers_end_with_a_parent_that_was_killed(tmp_path):
    program = tmp_path / "workers.py"
    program.write_text(WORKERS)
    parent = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True, env=VARIABLES)
    assert parent.stdout.readline() == "begun\n"
    parent.kill()
    # The workers have the other end of the pipe too: it closes when the last of them has ended.
    parent.communicate(timeout=30)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems allow only names that are text")
def test_files_whose_names_are_no_text_are_read_and_named(tmp_path):
    archive = tmp_path / "archive"
    reconstruction(archive)
    os.rename(archive / "000.dcm", os.path.join(os.fsencode(archive), b"M\xfcller.dcm"))
    (archive / os.fsdecode(b"M\xfcller.txt")).write_text("foreign")
    assert scan(archive, tmp_path / "index.sqlite") == {CT: 4, FOREIGN: 1}
    find(archive, output=tmp_path / "out")
    assert "M\\udcfcller.txt" in (tmp_path / "out" / "skipped.csv").read_text(encoding="utf-8")


@pytest.mark.skipif(os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="for this user every folder is open")
def test_a_closed_folder_is_named_and_the_others_are_read(tmp_path):
    reconstruction(tmp_path / "archive" / "open")
    reconstruction(tmp_path / "archive" / "closed")
    (tmp_path / "archive" / "closed").chmod(0)
    try:
        assert scan(tmp_path / "archive", tmp_path / "index.sqlite") == {CT: 4, CORRUPT: 1}
    finally:
        (tmp_path / "archive" / "closed").chmod(0o700)


@pytest.mark.parametrize("content", [b"this is no database, but long enough to be taken for one" * 40, None])
def test_a_damaged_index_is_refused_in_one_sentence(tmp_path, content):
    path = tmp_path / "index.sqlite"
    archive = tmp_path / "archive"
    archive.mkdir()
    tiny_tree(archive, 200)
    scan(archive, path)
    whole = path.read_bytes()
    path.write_bytes(content or whole[:4096] + b"\xa5" * (len(whole) - 4096))
    with pytest.raises(InputError, match=r"index\.sqlite is damaged or of another version; remove it and start again\."):
        Index(path)


def test_archives_that_are_missing_or_lie_in_one_another_are_refused(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(InputError, match="nowhere is no folder; check the path"):
        find(tmp_path / "a", tmp_path / "nowhere", output=tmp_path / "out")
    with pytest.raises(InputError, match="which is given too; leave one of them out"):
        find(tmp_path / "a", tmp_path / "a" / "b", output=tmp_path / "out")


def test_the_output_folder_may_lie_in_the_archive(tmp_path):
    reconstruction(tmp_path / "ct")
    for _ in range(2):
        find(tmp_path, output=tmp_path / "out")
        assert len(indexed(tmp_path / "out" / "index.sqlite")) == 4
