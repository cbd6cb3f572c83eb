"""compare.py as users call it."""
import csv
import json
import sys

import numpy as np
import pytest
from small_cohort import chest_hu, dicom_series, nrrd_volume, start_script

from LTDiffStandardizeLib.comparison import AGREEMENT_KEYS
from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.radiomics.profiles import describe
from LTDiffStandardizeLib.radiomics.profiles.pyradiomics import available
from LTDiffStandardizeLib.volumes import CTVolume, write_volume_file

FILES = {"report.html", "agreement.json", "feature_agreement.csv", "features.csv", "regions.csv", "summary.json"}
CLASSES = {"GOH", "GLCM", "GLRLM", "ID", "IH", "NID"}
ROI = "random:6,range=10..250,size=4x8x8,fill=0.3"  # small boxes, for a chest of 64 pixels


usable, why_not = available()
needs_pyradiomics = pytest.mark.skipif(not usable, reason=why_not)


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
    warning, *paths = text.splitlines()
    assert "Fewer than 10 regions lie in [10,250] (6), [-1000,-700] (3)" in warning
    assert {line.rsplit("/", 1)[-1].rsplit("\\", 1)[-1] for line in paths} == FILES


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
    assert compared[2].startswith("patient 1/1, regions 0/9, - a second, - left\n")


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
    assert summary["regions"] == [{"regions": "tumour", "n": 2}] and summary["few_regions"] == {"tumour": 2}
    assert "tumour (2)" in summary["warnings"][0] and "undefined" in summary["trustworthy"]["regions"]["tumour"]
    agreement = json.loads((tmp_path / "out" / "agreement.json").read_text(encoding="utf-8"))
    assert {row["ccc_low"] for row in agreement} == {None} != {row["ccc_mean"] for row in agreement}


def test_several_patients_come_from_a_list(volumes, tmp_path):
    cases = tmp_path / "cases.csv"
    cases.write_text(f"patient,reference,near\nP1,{volumes / 'reference'},{volumes / 'near.nrrd'}\n"
                     f"P2,{volumes / 'reference'},{volumes / 'near.nrrd'}\n", encoding="utf-8")  # fmt: skip
    status, _, errors = compare("--cases", cases, "--roi", ROI, "--profile", "ibsi", "--output", tmp_path / "out")
    assert status == 0 and "patient 1/2, regions 0/6" in errors
    with open(tmp_path / "out" / "features.csv", encoding="utf-8", newline="") as file:
        assert {row["patient"] for row in csv.DictReader(file)} == {"P1", "P2"}


@pytest.mark.parametrize("profile, number", [("ibex", 1401), ("ibsi", 302)])
def test_the_names_of_a_profile_are_printed_one_a_line(profile, number):
    status, text, _ = compare("--list-features", profile)
    assert status == 0 and len(text.splitlines()) == len(set(text.splitlines())) == number


def test_a_feature_is_explained():
    status, text, _ = compare("--explain", "GrayLevelCooccurenceMatrix3.-333-4Contrast")
    assert status == 0 and "Sum of (i - j)^2 p" in text and "Unit: level squared" in text and "Constant: 0" in text
    assert all(words in text for words in ("share of the pairs", "three dimensions", "-333: direction, all together", "4: offset"))


@pytest.mark.parametrize("name, words", [
    ("GrayLevelCooccurenceMatrix25.45-1Contrast", ("45: direction, a step of (0, -1, 1)", "2.5 dimensions")),
    ("GrayLevelRunLengthMatrix25.-333RunPercentage", ("-333: direction, the mean of all", "R their sum", "R over V")),
    ("IntensityHistogram.95Percentile", ("95: percent",)), ("NeighborIntensityDifference3.Busyness", ("s(i) is the sum of",)),
    ("IntensityDirect.GlobalEntropy", ("p is the share of the values in a bin",)),
    ("rlm_r_perc_3D_avg", ("R their sum", "R over V")),
])  # fmt: skip
def test_symbols_and_the_parts_of_a_name_are_explained(name, words):
    assert all(word in describe(name) for word in words)


@needs_pyradiomics
def test_features_of_pyradiomics_are_explained_in_its_own_words():
    both = describe("Contrast")
    assert "class GLCM" in both and "class NID" in both and "co-occurence matrix" in both
    assert "class NID" not in describe("GLCM.Contrast")
    assert "orientation" in describe("Percentile10") and "MaximumGradient" in describe("IH.MaximumGradient")


def test_without_pyradiomics_the_explanation_says_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "radiomics", None)
    with pytest.raises(InputError, match="install PyRadiomics"):
        describe("JointEntropy")


@pytest.mark.parametrize("arguments, sentence", [
    (("--output", "x"), "needs for each volume"),
    (("--reference", "nowhere", "--volume", "a=nowhere", "--output", "x"), "nowhere"),
    (("--reference", "a", "--volume", "a", "--output", "x"), "NAME=PATH"),
    (("--reference", "a", "--volume", "a=b"), "--output"),
    (("--explain", "Nonsense"), "--list-features"),
    (("--explain", "cm_contrst_3D_avg"), "did you mean cm_contrast_3D_avg"),
    (("--explain", "GrayLevelCooccurenceMatrix3.0-4MaxProbabilty"), "did you mean GrayLevelCooccurenceMatrix3.0-4MaxProbability"),
    (("--cases", "nosuch.csv", "--output", "x"), "nosuch.csv does not exist"),
    (("--reference", "no", "--volume", "a=no", "--output", "x", "--profile", "ibsi", "--feature", "stat_men"), "did you mean stat_mean"),
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


def test_a_range_without_any_region_is_named_with_the_remedy(volumes, tmp_path):
    arguments = ("--reference", volumes / "reference", "--volume", f"near={volumes / 'near.nrrd'}", "--output", tmp_path / "out")
    status, _, errors = compare(*arguments, "--roi", "random:5,range=3000..4000")
    assert status == 1 and all(words in errors for words in ("random:5,range=3000..4000", "[3000,4000]", "fill=", "size="))


def test_fewer_regions_than_wanted_are_told(volumes, tmp_path):
    arguments = ("--reference", volumes / "reference", "--volume", f"near={volumes / 'near.nrrd'}", "--profile", "ibsi")
    status, text, errors = compare(*arguments, "--roi", "random:500,range=10..250,size=9x9x10,fill=0.6", "--output", tmp_path / "out")
    assert status == 0, errors
    summary, report = ((tmp_path / "out" / name).read_text(encoding="utf-8") for name in ("summary.json", "report.html"))
    drawn = json.loads(summary)["regions"][0]["n"]
    assert 0 < drawn < 500 and f"{drawn} of 500 in [10,250]" in text and f"{drawn} of 500 in [10,250]" in report


def test_volumes_on_another_grid_are_refused_by_name(volumes, tmp_path):
    other = nrrd_volume(tmp_path / "other.nrrd", slices=6)
    status, _, errors = compare("--reference", volumes / "reference", "--volume", f"other={other}", "--roi", ROI, "--output", tmp_path / "out")
    assert status == 1 and "method other" in errors and not (tmp_path / "out").exists()
