"""compare.py as users call it."""
import csv
import json

import numpy as np
import pytest
from small_cohort import chest_hu, dicom_series, nrrd_volume, start_script

from LTDiffStandardizeLib.comparison import AGREEMENT_KEYS
from LTDiffStandardizeLib.volumes import CTVolume, write_volume_file

FILES = {"report.html", "agreement.json", "feature_agreement.csv", "features.csv", "regions.csv", "summary.json"}
CLASSES = {"GOH", "GLCM", "GLRLM", "ID", "IH", "NID"}
ROI = "random:6,range=10..250,size=4x8x8,fill=0.3"  # small boxes, for a chest of 64 pixels


def compare(*arguments):
    child = start_script(*arguments, script="compare.py")
    output, errors = child.communicate(timeout=240)
    return child.returncode, output, errors


@pytest.fixture(scope="module")
def volumes(tmp_path_factory):
    """A reference as a DICOM series, and two NRRD volumes on its grid: half the noise, and nearly the same."""
    from LTDiffStandardizeLib.volumes import read_volume

    folder = tmp_path_factory.mktemp("volumes")
    reference = read_volume(dicom_series(folder / "reference", 1, slices=6))
    smooth = np.rint(reference.hu + 0.5 * (chest_hu(6, 5) - reference.hu.astype(float))).astype(np.int16)
    near = (reference.hu + np.random.default_rng(1).integers(-3, 4, reference.hu.shape)).astype(np.int16)
    for name, hu in (("input", smooth), ("near", near)):
        write_volume_file(reference.with_hu(hu, name), folder / f"{name}.nrrd")
    return folder


@pytest.fixture(scope="module")
def compared(volumes, tmp_path_factory):
    output = tmp_path_factory.mktemp("out") / "patient A"
    status, text, errors = compare("--reference", volumes / "reference", "--volume", f"input={volumes / 'input.nrrd'}",
                                   f"near={volumes / 'near.nrrd'}", "--roi", ROI, "random:3,range=-1000..-700,size=4x6x6,fill=0.3",
                                   "--combat", "--output", output)  # fmt: skip
    assert status == 0, errors
    return output, text, errors


def test_all_files_are_written_and_named(compared):
    output, text, _ = compared
    assert {path.name for path in output.iterdir()} == FILES
    assert {line.rsplit("/", 1)[-1].rsplit("\\", 1)[-1] for line in text.split("\n") if line} == FILES


def test_the_agreement_has_the_rows_of_the_demo_in_the_classes_of_the_paper(compared):
    rows = json.loads((compared[0] / "agreement.json").read_text(encoding="utf-8"))
    assert all(tuple(row) == AGREEMENT_KEYS for row in rows)
    assert {row["feature_class"] for row in rows} == CLASSES and {row["method"] for row in rows} == {"input", "near", "input + ComBat"}
    assert {row["regions"]: row["n_regions"] for row in rows} == {"[10,250]": 6, "[-1000,-700]": 3}
    ccc = {(row["method"], row["feature_class"]): row["ccc_mean"] for row in rows if row["regions"] == "[10,250]"}
    assert all(ccc["near", name] > ccc["input", name] for name in ("GLCM", "ID", "IH"))


def test_every_value_has_a_line_of_its_own(compared):
    with open(compared[0] / "features.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 9 * 4 * 1401 and {row["patient"] for row in rows} == {"patient A"}
    assert {row["method"] for row in rows} == {"standard", "input", "near", "input + ComBat"}


def test_the_summary_says_where_regions_could_have_been_and_how_features_were_made(compared):
    summary = json.loads((compared[0] / "summary.json").read_text(encoding="utf-8"))
    assert [(row["regions"], row["wanted"], row["drawn"]) for row in summary["random_regions"]] == [("[10,250]", 6, 6), ("[-1000,-700]", 3, 3)]
    assert all(row["candidates"] >= row["drawn"] for row in summary["random_regions"])
    assert summary["profile"]["settings"]["glcm25"]["offsets"] == [1, 4, 7] and "Research use only" in summary["note"]


def test_the_report_can_be_read_without_pictures_and_names_no_file(compared, volumes):
    report = (compared[0] / "report.html").read_text(encoding="utf-8")
    assert "1,401 IBEX-compatible features" in report and "became trustworthy" in report and "z-scored" in report and "Candidates" in report
    assert str(volumes) not in report and "input.nrrd" not in report


def test_progress_is_told_with_rate_and_time_left(compared):
    assert "patient 1/1, regions 1/9," in compared[2] and "a second," in compared[2] and "left" in compared[2]


def test_an_earlier_result_is_replaced_only_when_told(compared, volumes):
    arguments = ("--reference", volumes / "reference", "--volume", f"near={volumes / 'near.nrrd'}", "--roi", ROI, "--output", compared[0])
    before = (compared[0] / "agreement.json").read_bytes()
    status, _, errors = compare(*arguments)
    assert status == 1 and "exists already" in errors and (compared[0] / "agreement.json").read_bytes() == before


def test_regions_of_a_label_map_and_other_profiles_and_settings(volumes, tmp_path):
    from LTDiffStandardizeLib.volumes import read_volume

    reference = read_volume(volumes / "reference")
    labels = np.zeros(reference.hu.shape, np.int16)
    labels[1:5, 28:36, 28:36], labels[2:4, 45:52, 28:36] = 1, 2
    write_volume_file(CTVolume(labels, reference.spacing, reference.origin, reference.direction), tmp_path / "tumour.nrrd")
    (tmp_path / "settings.json").write_text('{"bin_width": 10.0, "bin_origin": null}')
    status, _, errors = compare("--reference", volumes / "reference", "--volume", f"input={volumes / 'input.nrrd'}", "--roi", tmp_path / "tumour.nrrd",
                                "--profile", "ibsi", "--settings", tmp_path / "settings.json", "--processes", "2", "--output", tmp_path / "out")  # fmt: skip
    assert status == 0, errors
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["profile"]["settings"] == {"bin_width": 10.0, "bin_origin": None}
    assert summary["regions"] == [{"regions": "tumour", "n": 2}]


def test_several_patients_come_from_a_list(volumes, tmp_path):
    cases = tmp_path / "cases.csv"
    cases.write_text(f"patient,reference,near\nP1,{volumes / 'reference'},{volumes / 'near.nrrd'}\n"
                     f"P2,{volumes / 'reference'},{volumes / 'near.nrrd'}\n", encoding="utf-8")  # fmt: skip
    status, _, errors = compare("--cases", cases, "--roi", ROI, "--profile", "ibsi", "--output", tmp_path / "out")
    assert status == 0 and "patient 1/2, regions 1/6" in errors
    with open(tmp_path / "out" / "features.csv", encoding="utf-8", newline="") as file:
        assert {row["patient"] for row in csv.DictReader(file)} == {"P1", "P2"}


@pytest.mark.parametrize("profile, number", [("ibex", 1401), ("ibsi", 302)])
def test_the_names_of_a_profile_are_printed_one_a_line(profile, number):
    status, text, _ = compare("--list-features", profile)
    assert status == 0 and len(text.splitlines()) == len(set(text.splitlines())) == number


def test_a_feature_is_explained():
    status, text, _ = compare("--explain", "GrayLevelCooccurenceMatrix3.-333-4Contrast")
    assert status == 0 and "Sum of (i - j)^2 p" in text and "Unit: level squared" in text and "Constant: 0" in text


@pytest.mark.parametrize("arguments, sentence", [
    (("--output", "x"), "needs for each volume"),
    (("--reference", "nowhere", "--volume", "a=nowhere", "--output", "x"), "nowhere"),
    (("--reference", "a", "--volume", "a", "--output", "x"), "NAME=PATH"),
    (("--reference", "a", "--volume", "a=b"), "--output"),
    (("--explain", "Nonsense"), "--list-features"),
])  # fmt: skip
def test_what_cannot_be_done_is_said_in_one_sentence(arguments, sentence, tmp_path):
    child = start_script(*arguments, script="compare.py", cwd=tmp_path)
    _, errors = child.communicate(timeout=60)
    assert child.returncode == 1 and sentence in errors and "Traceback" not in errors and len(errors.strip().splitlines()) == 1


def test_help_is_narrow_and_names_every_form_of_region():
    status, text, _ = compare("--help")
    assert status == 0 and max(map(len, text.splitlines())) <= 100
    for word in ("box:", "sphere:", "slices", "random:", "RTSTRUCT", "SEG", ".mrk.json", "--cases", "--list-features", "research use only"):
        assert word in text


def test_volumes_on_another_grid_are_refused_by_name(volumes, tmp_path):
    other = nrrd_volume(tmp_path / "other.nrrd", slices=6)
    status, _, errors = compare("--reference", volumes / "reference", "--volume", f"other={other}", "--roi", ROI, "--output", tmp_path / "out")
    assert status == 1 and "method other" in errors and not (tmp_path / "out").exists()
