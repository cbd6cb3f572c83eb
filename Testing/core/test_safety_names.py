"""Whatever folders and elements are called: results lie in the output folder, under names that every system accepts, each its own."""
import re
from contextlib import suppress
from shutil import copy

import pytest
from hypothesis import given, settings, strategies as st
from small_cohort import nrrd_volume, standardize
from small_series import ct_slice, save, small_hu, write_series

from LTDiffStandardizeLib.volumes import find_series
from LTDiffStandardizeLib.volumes.names import safe_name

RESERVED = re.compile(r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|COM[0-9¹²³]|LPT[0-9¹²³]) *(\..*)?", re.IGNORECASE)
FOLDERS = ("CON", "nul", "COM1", "Aux.x", "trailing.", "trailing ", " ", "-", "~", "a" * 255, "日本語", "Müller", "a;b&c", "a'b\"c", "$(x)", "%TEMP%", "x\n y", "\udcff", "-rf")
HOSTILE = ("..", "../../x", "/etc/x", "C:\\x", "CON", "NUL", "a\0b", "x" * 300, "\x1b[31m", "日本", ". .", "-", "?*|<>")


def why_not_a_windows_name(name):
    """Microsoft's rules for the name of a file; None where it keeps them. https://learn.microsoft.com/windows/win32/fileio/naming-a-file"""
    if not name or len(name) > 255:
        return "its length"
    if RESERVED.fullmatch(name):
        return "a name of a device"
    if name[-1] in ". ":
        return "its end"
    return "its letters" if re.search(r'[<>:"/\\|?*\x00-\x1f]', name) else None


@pytest.mark.parametrize("name", ["CON", "con.nrrd", "nul.tar.gz", "COM1", "lpt9.txt", "a.", "a ", "a:b", "a\nb", "", "x" * 256, "CON .txt"])
def test_the_check_of_names_finds_what_windows_refuses(name):
    assert why_not_a_windows_name(name)


@pytest.mark.parametrize("name", ["CONE", "null", "console.txt", ".x", "COM10"])
def test_the_check_of_names_lets_others_pass(name):
    assert why_not_a_windows_name(name) is None


def check_outputs(tmp_path, result, before):
    """Nothing new but in `out`, there under good names, and each standardized series has a volume and a record of its own."""
    out = tmp_path / "out"
    new = {path for path in tmp_path.rglob("*")} - before - {out}
    assert all(out in path.parents for path in new)
    names = [path.name for path in new if path.name != ".ltdiff-lock"]
    assert {name: why for name in names if (why := why_not_a_windows_name(name))} == {}
    made = [one.output.casefold() for one in result.outcomes if one.outcome == "standardized"]
    assert len(set(made)) == len(made)
    return len(made)


def test_folders_of_any_name_give_results_in_the_output_folder(tmp_path):
    wanted = 0
    for number, name in enumerate(FOLDERS):
        with suppress(OSError):  # a system that has no such names
            (tmp_path / "in" / name).mkdir(parents=True)
            write_series(tmp_path / "in" / name, small_hu(2), SeriesInstanceUID=f"1.2.3.{number}", SeriesNumber=None, ConvolutionKernel=None)
            wanted += 1
    before = set(tmp_path.rglob("*"))
    result = standardize(tmp_path / "in", tmp_path / "out", method="none", format="nrrd")
    assert check_outputs(tmp_path, result, before) == wanted >= 10


@pytest.mark.parametrize("form", ["nrrd", "dicom"])
@pytest.mark.filterwarnings("ignore")  # pydicom's, of what is written here
def test_elements_of_any_content_give_results_in_the_output_folder(tmp_path, form):
    for number, text in enumerate(HOSTILE):
        for index, hu in enumerate(small_hu(2)):
            one = ct_slice(index, hu, SeriesInstanceUID=f"1.2.3.{number}", ConvolutionKernel=text, Manufacturer=text)
            one["SeriesNumber"].VR, one["SeriesNumber"].value = "LO", text
            save(one, tmp_path / "in" / "same" / f"{number}-{index}.dcm", "1.2.840.10008.1.2")
    before = set(tmp_path.rglob("*"))
    result = standardize(tmp_path / "in", tmp_path / "out", method="none", format=form)
    assert len(result.outcomes) == len(HOSTILE)
    assert check_outputs(tmp_path, result, before) >= len(HOSTILE) - 2


def test_files_called_like_devices_give_results_under_other_names(tmp_path):
    (tmp_path / "CON").mkdir()
    volume = nrrd_volume(tmp_path / "sound.nrrd", 2)
    for name in ("con.nrrd", "NUL.nrrd", "com1.NRRD", "..nrrd", "a..nrrd", "..x.nrrd"):
        with suppress(OSError):  # a system that has no such names
            copy(volume, tmp_path / "CON" / name)
    before = set(tmp_path.rglob("*"))
    inputs = [tmp_path / "CON", *(tmp_path / "CON").iterdir()]
    result = standardize(inputs, tmp_path / "out", method="none", format="nrrd")
    assert check_outputs(tmp_path, result, before) >= 3


def test_series_whose_names_differ_in_case_or_beyond_the_cut_alone_do_not_share_one(tmp_path):
    long = "k" * 120
    for number, (folder, kernel) in enumerate([("a", "B30f"), ("A", "b30F"), (long + "1", "B30f"), (long + "2", "B30f"), ("a ", "B30f"), ("a-", "B30f")]):
        write_series(tmp_path / "in" / folder, small_hu(2), SeriesInstanceUID=f"1.2.3.{number}", ConvolutionKernel=kernel)
    before = set(tmp_path.rglob("*"))
    result = standardize(tmp_path / "in", tmp_path / "out", method="none", format="nrrd")
    assert check_outputs(tmp_path, result, before) == len(find_series(tmp_path / "in"))


@settings(max_examples=300)
@given(st.lists(st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=60), max_size=3), st.lists(st.text(max_size=60), max_size=2))
def test_every_name_of_a_series_is_one_that_windows_accepts_with_any_ending(tmp_path_factory, folders, parts):
    root = tmp_path_factory.getbasetemp()
    below = root.joinpath(*(name for name in folders if name not in (".", "..")))
    name = safe_name(root, below, *parts)
    for ending in ("", ".nrrd", ".nii.gz", "-provenance.json", "_0123abcd-uncertainty.nrrd"):
        assert why_not_a_windows_name(name + ending) is None
