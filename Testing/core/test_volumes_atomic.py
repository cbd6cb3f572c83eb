import os

import pytest

from LTDiffStandardizeLib.errors import OutputError
from LTDiffStandardizeLib.volumes.atomic import file_aside, folder_aside


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def write_file(path, text, **options):
    with file_aside(path, **options) as partial:
        partial.write_text(text)


def write_folder(path, text, **options):
    with folder_aside(path, **options) as partial:
        (partial / "a").write_text(text)


@pytest.mark.parametrize("name", ["scan.nii.gz", "table.csv", "plain"])
def test_a_file_is_written_aside_with_the_same_ending(tmp_path, name):
    path = tmp_path / "new" / name
    with file_aside(path) as partial:
        assert partial.parent == path.parent and partial.name.endswith("".join(path.suffixes)) and partial.name.startswith(".")
        partial.write_text("new")
        assert not path.exists()
    assert contents(tmp_path) == {f"new/{name}": "new"}


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("aside", [file_aside, folder_aside])
def test_an_error_while_writing_leaves_nothing(tmp_path, aside, error):
    with pytest.raises(error), aside(tmp_path / "result") as partial:
        (partial if aside is file_aside else partial / "a").write_text("half")
        raise error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("aside", [file_aside, folder_aside])
def test_an_error_while_overwriting_leaves_the_old(tmp_path, aside):
    target = tmp_path / "result"
    (write_file if aside is file_aside else write_folder)(target, "old")
    with pytest.raises(RuntimeError), aside(target, overwrite=True) as partial:
        (partial if aside is file_aside else partial / "a").write_text("half")
        raise RuntimeError
    assert list(contents(tmp_path).values()) == ["old"] and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("write", [write_file, write_folder])
def test_what_exists_is_overwritten_only_when_allowed(tmp_path, write):
    target = tmp_path / "result"
    write(target, "old")
    with pytest.raises(OutputError, match="exists already"):
        write(target, "new")
    assert list(contents(tmp_path).values()) == ["old"]
    write(target, "new", overwrite=True)
    assert list(contents(tmp_path).values()) == ["new"] and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("aside", [file_aside, folder_aside])
def test_a_result_that_appears_meanwhile_is_left_as_it_is(tmp_path, aside):
    target = tmp_path / "result"
    with pytest.raises(OutputError, match="exists already"), aside(target) as partial:
        (partial if aside is file_aside else partial / "a").write_text("mine")
        target.write_text("theirs")
    assert contents(tmp_path) == {"result": "theirs"}


def test_a_file_is_never_replaced_by_a_folder(tmp_path):
    (tmp_path / "result").write_text("old")
    with pytest.raises(OutputError):
        write_folder(tmp_path / "result", "new", overwrite=True)
    assert contents(tmp_path) == {"result": "old"}


def test_what_a_killed_process_left_under_the_same_name_does_not_disturb(tmp_path):
    left = tmp_path / f".result.partial-{os.getpid()}"
    left.mkdir()
    (left / "old").write_text("half")
    write_folder(tmp_path / "result", "new")
    assert contents(tmp_path) == {"result/a": "new"}


@pytest.mark.parametrize("write", [write_file, write_folder])
def test_an_impossible_place_is_told_in_one_sentence(tmp_path, write):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"result cannot be written \(.*\); .*\.$"):
        write(tmp_path / "file" / "result", "new")
