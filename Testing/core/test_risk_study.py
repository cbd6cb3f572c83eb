"""The case study of predicted lung cancer risk, without Sybil itself.

Recorded predictions are in the format that its source documents (github.com/reginabarzilaygroup/Sybil, MIT licence): sybil/predict.py
writes prediction_scores.json, {"predictions": [[six risks]]} with two spaces of indent, and tests/regression_test.py holds the
six risks of its example scan, which are used here. A stand-in takes its command line where only the handling of a process is tested.
"""
import csv
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from small_cohort import VARIABLES, Heard, dicom_series

from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.volumes import read_volume
from LTDiffTrainingLib.risk.cases import ROLES, Case, read_cases
from LTDiffTrainingLib.risk.differences import ALL_YEARS, PAIRS, SPANS, difference_rows, gain_rows
from LTDiffTrainingLib.risk.files import verdicts, write_study
from LTDiffTrainingLib.risk.predicting import Predictor, recorded, synthesize
from LTDiffTrainingLib.risk.study import Study, carry_out
from LTDiffTrainingLib.risk.sybil import YEARS, find_program, predict, read_risks, series_for_sybil

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "LTDiffTraining" / "Scripts" / "risk_study.py"
SAMPLE = ROOT / "LTDiffStandardize" / "Resources" / "SampleData" / "lungdx-a0002"
EXAMPLE = (0.021628819563619374, 0.03857256315036462, 0.07191945816622261, 0.07926975188037134, 0.09584583525781108, 0.13568094038444453)

# Takes the command line of sybil-predict; how it behaves is said by a file beside it, and every folder it was given is noted.
STAND_IN = f"""
import json, os, subprocess, sys, time
here = os.path.dirname(os.path.abspath(__file__))
behaviour = open(os.path.join(here, "behaviour")).read()
folder, options = sys.argv[1], dict(zip(sys.argv[2::2], sys.argv[3::2]))
assert options["--file-type"] == "dicom" and set(options) == {{"--output-dir", "--file-type"}}
open(os.path.join(here, "given"), "a").write(folder + "\\n")
print("Beginning prediction", flush=True)
if behaviour == "hangs":
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    open(os.path.join(here, "child"), "w").write(str(child.pid))
    time.sleep(60)
if behaviour == "fails":
    sys.exit("ValueError: slice thickness 8.0 is greater than 5.")
os.makedirs(options["--output-dir"])
risks = {list(EXAMPLE)!r}
with open(os.path.join(options["--output-dir"], "prediction_scores.json"), "w") as file:
    json.dump({{"predictions": [risks[:5] if behaviour == "forgets a year" else risks]}}, file, indent=2)
"""


@pytest.fixture
def stand_in(tmp_path):
    """(its command, a function that says how it behaves, a function that returns the folders it was given)."""
    folder = tmp_path / "stand-in"
    folder.mkdir()
    (folder / "stand_in.py").write_text(STAND_IN)
    (folder / "behaviour").write_text("predicts")
    given = folder / "given"
    return ([sys.executable, str(folder / "stand_in.py")], (folder / "behaviour").write_text,
            lambda: given.read_text().splitlines() if given.exists() else [])  # fmt: skip


def record(folder, patient, role, risks):
    folder.mkdir(exist_ok=True)
    (folder / f"{patient}_{role}.json").write_text(json.dumps({"predictions": [list(risks)]}, indent=2))


def write_cases(path, *lines, header="patient,standard,non_standard,synthesized"):
    path.write_text("\n".join((header, *lines)) + "\n")
    return path


def run(*arguments):
    child = subprocess.run([sys.executable, str(SCRIPT), *map(str, arguments)], capture_output=True, text=True, env=VARIABLES, timeout=120)
    return child.returncode, child.stdout, child.stderr


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def recorded_study(tmp_path, patients=6):
    """Predictions whose differences are known: non-standard 0.04 above the standard, synthesized 0.01 above it."""
    for number in range(patients):
        standard = np.array(EXAMPLE) * (1 + number / 10)
        for role, shift in zip(ROLES, (0, 0.04, 0.01)):
            record(tmp_path / "recorded", f"P{number}", role, standard + shift)
    return write_cases(tmp_path / "cases.csv", *(f"P{number},,," for number in range(patients)))


def test_recorded_predictions_become_risks_differences_and_a_page(tmp_path):
    cases, output = recorded_study(tmp_path), tmp_path / "study"
    status, text, errors = run("--cases", cases, "--predictions", tmp_path / "recorded", "--output", output)
    assert status == 0, errors
    assert "Standard and synthesized risks lie closer together than standard and non-standard risks: closer by 3.00 (3.00 to 3.00)" in text
    risks = rows_of(output / "risks.csv")
    assert len(risks) == 6 * 3 * 6 and risks[0] == {"patient": "P0", "role": "standard", "year": "1", "risk": str(EXAMPLE[0])}
    apart = {(row["years"], row["first"], row["second"]): row for row in rows_of(output / "differences.csv")}
    assert set(apart) == {(span, *pair) for span in SPANS for pair in PAIRS}
    for (_, first, second), row in apart.items():
        expected = {("standard", "non_standard"): 0.04, ("standard", "synthesized"): 0.01, ("non_standard", "synthesized"): 0.03}[first, second]
        np.testing.assert_allclose([float(row[key]) for key in ("mean_absolute_difference", "low", "high")], expected)
        assert row["n_patients"] == "6"
    figures = json.loads((output / "risk_study.json").read_text())
    assert figures["patients"] == [f"P{number}" for number in range(6)] and figures["refused"] == [] and len(figures["gains"]) == 14
    page = (output / "risk_study.md").read_text(encoding="utf-8")
    assert "Research use only" in page and "| 1-6 | 4.00 (4.00 to 4.00) | 1.00 (1.00 to 1.00) | 3.00 (3.00 to 3.00) |" in page
    pytest.importorskip("matplotlib")
    svg = (output / "risk_study.svg").read_text(encoding="utf-8")
    assert svg.count("<title>") == len(PAIRS) * len(YEARS) and "risk_study.svg" in page


def test_a_page_without_matplotlib_says_so_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    study = Study(["A"], {("A", role): EXAMPLE for role in ROLES}, {})
    write_study(study, ["By hand."], tmp_path)
    page = (tmp_path / "risk_study.md").read_text(encoding="utf-8")
    assert "need matplotlib" in page and not (tmp_path / "risk_study.svg").exists()
    assert "0.00 (–)" in page and "neither clearly closer nor farther apart" in page  # one patient has no interval


def test_intervals_draw_whole_patients_and_the_gain_is_paired():
    generator = np.random.default_rng(0)
    standard = generator.uniform(0.1, 0.3, (30, 6))
    risks = {"standard": standard, "non_standard": standard + 0.1 * generator.normal(size=(30, 1)),
             "synthesized": standard + 0.02 * generator.normal(size=(30, 1))}  # fmt: skip
    rows = {(row["years"], row["first"], row["second"]): row for row in difference_rows(risks)}
    wide, close = rows["3", "standard", "non_standard"], rows["3", "standard", "synthesized"]
    difference = np.abs(risks["non_standard"] - standard)[:, 2]
    assert wide["mean_absolute_difference"] == pytest.approx(difference.mean())
    assert (wide["high"] - wide["low"]) / 2 == pytest.approx(1.645 * difference.std() / np.sqrt(30), rel=0.15)
    # The years of a patient go together here, so the mean over six of them is no more certain than one.
    every = rows[ALL_YEARS, "standard", "non_standard"]
    assert every["high"] - every["low"] == pytest.approx(wide["high"] - wide["low"])
    gain = next(row for row in gain_rows(risks) if row["years"] == "3" and row["second"] == "non_standard")
    assert gain["closer_by"] == pytest.approx(wide["mean_absolute_difference"] - close["mean_absolute_difference"])
    assert 0 < gain["low"] < gain["closer_by"] < gain["high"]


def test_two_patients_have_differences_but_no_interval():
    rows = difference_rows({role: np.full((2, 6), 0.1) for role in ROLES})
    assert all(row["mean_absolute_difference"] == 0 and np.isnan(row["low"]) and np.isnan(row["high"]) for row in rows)


@pytest.mark.parametrize(("text", "words"), [
    ('{"predictions": [[0.1, 0.1, 0.1, 0.1, 0.1]]}', "5 risks where 6 years"),
    ('{"predictions": [[0.1, 0.1, NaN, 0.1, 0.1, 0.1]]}', "nan for year 3"),
    ('{"predictions": [[0.1, 0.1, 0.1, 0.1, 0.1, 1.2]]}', "1.2 for year 6"),
    ('{"predictions": [[-0.1, 0.1, 0.1, 0.1, 0.1, 0.1]]}', "-0.1 for year 1"),
    ('{"predictions": [["0.1", 0.1, 0.1, 0.1, 0.1, 0.1]]}', "'0.1' for year 1"),
    ('{"predictions": [[true, 0.1, 0.1, 0.1, 0.1, 0.1]]}', "True for year 1"),
    ('{"predictions": [[0.1, 0.1, 0.1, 0.1, 0.1, null]]}', "None for year 6"),
    ('{"predictions": [[0.1, 0.1, 0.1, 0.1, 0.1, 1' + "0" * 400 + "]]}", "for year 6"),
    ('{"predictions": []}', "not as Sybil writes it"),
    ('{"predictions": [[0.1], [0.2]]}', "not as Sybil writes it"),
    ('{"predictions": [0.1, 0.1, 0.1, 0.1, 0.1, 0.1]}', "not as Sybil writes it"),
    ('[[0.1, 0.1, 0.1, 0.1, 0.1, 0.1]]', "not as Sybil writes it"),
    ('{"predictions": [[0.1, 0.1', "cannot be read"),
    ("[" * 100_000, "cannot be read"),
    ("\ufeff", "cannot be read"),
])  # fmt: skip
def test_a_prediction_that_is_not_valid_is_refused_in_one_sentence(tmp_path, text, words):
    path = tmp_path / "P1_standard.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_risks(path)
    assert words in str(error.value) and "P1_standard.json" in str(error.value) and str(error.value).count(". ") == 0


def test_a_refused_series_leaves_its_patient_out_and_the_others_go_on(tmp_path):
    cases, output = recorded_study(tmp_path, patients=4), tmp_path / "study"
    record(tmp_path / "recorded", "P1", "synthesized", EXAMPLE[:5])
    (tmp_path / "recorded" / "P2_standard.json").unlink()
    status, text, _ = run("--cases", cases, "--predictions", tmp_path / "recorded", "--output", output)
    assert status == 1 and "2 of 4 patients compared, 2 series refused" in text
    figures = json.loads((output / "risk_study.json").read_text())
    assert figures["patients"] == ["P0", "P3"] and figures["left_out"] == ["P1", "P2"]
    assert [(one["patient"], one["role"]) for one in figures["refused"]] == [("P1", "synthesized"), ("P2", "standard")]
    assert len(rows_of(output / "risks.csv")) == 10 * 6  # what was predicted stands there all the same
    assert {row["n_patients"] for row in rows_of(output / "differences.csv")} == {"2"}
    page = (output / "risk_study.md").read_text(encoding="utf-8")
    assert "There is no prediction" in page and "5 risks where 6 years" in page


def test_a_study_in_which_nothing_could_be_predicted_says_why(tmp_path):
    study = carry_out([Case("P0", {})], recorded(tmp_path / "nowhere"), Heard())
    write_study(study, ["By hand."], tmp_path)
    page = (tmp_path / "risk_study.md").read_text(encoding="utf-8")
    assert "0 of 1 patients have risks" in page and page.count("There is no prediction") == 3 and verdicts(study) == []
    assert rows_of(tmp_path / "differences.csv") == [] and json.loads((tmp_path / "risk_study.json").read_text())["differences"] == []


@pytest.mark.parametrize(("lines", "words"), [
    (["P1,a,b,"], "Line 2 .* has no synthesized; fill it in"),
    (["P1,a,b,c", "P2,,b,c"], "Line 3 .* has no standard"),
    (["P/1,a,b,c"], "P/1, which cannot name files"),
    ([",a,b,c"], r"\(none\), which cannot name files"),
    (["P1,a,b,c", "p1,a,b,c"], "named as those of P1"),
    (["a,a,b,c", "a_non,a,b,c"], "named as those of a"),
    ([], "has no patient"),
])  # fmt: skip
def test_a_list_of_patients_that_cannot_be_used_is_refused_in_words(tmp_path, lines, words):
    with pytest.raises(InputError, match=words):
        read_cases(write_cases(tmp_path / "cases.csv", *lines), ROLES)


def test_a_list_without_its_columns_or_that_is_no_list_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(InputError, match="nosuch.csv does not exist; check the path"):
        read_cases(tmp_path / "nosuch.csv", ROLES)
    with pytest.raises(InputError, match="semicolons"):
        read_cases(write_cases(tmp_path / "cases.csv", "P1;a", header="patient;standard"), ROLES)
    with pytest.raises(InputError, match="has the columns patient, standard; it needs patient, standard, non_standard, synthesized, each once"):
        read_cases(write_cases(tmp_path / "cases.csv", "P1,a", header="patient,standard"), ROLES)


def test_a_list_names_folders_from_its_own_place_and_may_leave_out_the_synthesized(tmp_path):
    path = write_cases(tmp_path / "cases.csv", f"P1,a,{tmp_path / 'b'}", header="patient,standard,non_standard")
    (case,) = read_cases(path, ROLES[:2])
    assert case == Case("P1", {"standard": tmp_path / "a", "non_standard": tmp_path / "b", "synthesized": None})


def test_without_sybil_the_study_is_refused_in_one_sentence_and_nothing_is_written(tmp_path):
    cases = write_cases(tmp_path / "cases.csv", "P1,a,b,c")
    status, text, errors = run("--cases", cases, "--output", tmp_path / "study", "--sybil", tmp_path / "no" / "sybil-predict")
    assert status == 1 and text == "" and len(errors.splitlines()) == 1
    for words in ("sybil-predict of Sybil was not found", "https://github.com/reginabarzilaygroup/Sybil", "Python < 3.11", "--sybil"):
        assert words in errors
    assert not (tmp_path / "study").exists()


def test_sybil_gets_the_folder_of_each_series_and_what_it_predicted_is_taken_over(tmp_path, stand_in):
    command, behave, given = stand_in
    for number, role in enumerate(ROLES):
        dicom_series(tmp_path / role, number)
    cases, output = write_cases(tmp_path / "cases.csv", "P1,standard,non_standard,synthesized"), tmp_path / "study"
    status, text, errors = run("--cases", cases, "--output", output, "--sybil", *command)
    assert status == 0, text + errors
    assert given() == [str(tmp_path / role) for role in ROLES]
    assert "series 0/3" in errors
    assert read_risks(output / "predictions" / "P1_standard.json") == EXAMPLE
    behave("fails")
    again = read_cases(cases, ROLES)
    study = carry_out(again, Predictor(command, output, 60, {}, again, Heard()), Heard())
    assert set(study.risks.values()) == {EXAMPLE} and study.complete() == ["P1"] and len(given()) == 3
    assert recorded(output / "predictions")(again[0], "synthesized") == EXAMPLE  # they can be read as made elsewhere, too


def test_a_prediction_of_another_series_is_not_taken_over(tmp_path, stand_in):
    command, _, given = stand_in
    dicom_series(tmp_path / "scan", 1)
    cases = [Case("P1", dict.fromkeys(ROLES, tmp_path / "scan"))]
    (output := tmp_path / "study").mkdir()
    predictor = Predictor(command, output, 60, {}, cases, Heard())
    assert predictor(cases[0], "standard") == EXAMPLE
    (tmp_path / "scan" / "003.dcm").unlink()
    with pytest.raises(InputError, match="predicted from another series or an earlier state of it and is left as it is"):
        predictor(cases[0], "standard")
    assert len(given()) == 1


def test_a_failing_sybil_is_told_with_its_last_words_and_its_log_stays(tmp_path, stand_in):
    command, behave, _ = stand_in
    behave("fails")
    log = tmp_path / "P1_standard.log"
    with pytest.raises(InputError, match=r"ended with status 1 on .*scan \(ValueError: slice thickness 8.0 is greater than 5.\); see .*P1_st"):
        predict(command, tmp_path / "scan", log, 60, lambda: None)
    assert "Beginning prediction" in log.read_text()
    behave("forgets a year")
    with pytest.raises(InputError, match="The prediction of .*scan has 5 risks"):
        predict(command, tmp_path / "scan", log, 60, lambda: None)
    behave("predicts")
    assert predict(command, tmp_path / "scan", log, 60, lambda: None) == EXAMPLE and not log.exists()


def child_of(stand_in_folder):
    """The process that a hanging stand-in has started; waits for it."""
    while not ((noted := stand_in_folder / "child").exists() and noted.read_text()):
        time.sleep(0.02)
    return int(noted.read_text())


def is_alive(process):
    """Whether it runs; one that has ended and waits for its parent does not."""
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False


def ended(child):
    """Whether the process ends within ten seconds."""
    end = time.monotonic() + 10
    while is_alive(child) and time.monotonic() < end:
        time.sleep(0.02)
    return not is_alive(child)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="looks for processes where Linux lists them")
def test_a_sybil_that_hangs_is_ended_with_all_that_it_started(tmp_path, stand_in):
    command, behave, _ = stand_in
    behave("hangs")
    with pytest.raises(InputError, match="was not done with .* after 0.5 s and was ended; allow more with --timeout"):
        predict(command, tmp_path / "scan", tmp_path / "log", 0.5, lambda: child_of(tmp_path / "stand-in"))
    assert ended(child_of(tmp_path / "stand-in"))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="looks for processes where Linux lists them")
def test_a_cancelled_study_ends_sybil(tmp_path, stand_in):
    command, behave, _ = stand_in
    behave("hangs")

    def cancel():
        child_of(tmp_path / "stand-in")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict(command, tmp_path / "scan", tmp_path / "log", 60, cancel)
    assert ended(child_of(tmp_path / "stand-in"))


def test_a_program_that_is_none_is_refused_in_words(tmp_path):
    program = tmp_path / "sybil-predict"
    program.write_text("no program")
    program.chmod(0o755)
    with pytest.raises(InputError, match="of Sybil cannot be started .*; name another one with --sybil"):
        predict([str(program)], tmp_path, tmp_path / "log", 60, lambda: None)
    assert find_program([sys.executable, "single"])[1:] == ["single"]


def test_folders_that_sybil_would_misread_are_refused_in_words(tmp_path):
    dicom_series(tmp_path / "thick", 1, SliceThickness=8)
    dicom_series(tmp_path / "unknown", 1, SliceThickness=None)
    dicom_series(tmp_path / "two" / "a", 1)
    dicom_series(tmp_path / "two" / "b", 2)
    dicom_series(tmp_path / "notes", 1)
    (tmp_path / "notes" / "README.md").write_text("A scan.")
    (tmp_path / "empty").mkdir()
    for folder, words in (("thick", "slices of 8 mm, and Sybil takes 5 mm at most"), ("unknown", "no SliceThickness"), ("two", "holds 2 series"),
                          ("notes", "other files than the slices"), ("empty", "holds 0 series"), ("nowhere", "does not exist")):  # fmt: skip
        with pytest.raises(InputError, match=words):
            series_for_sybil(tmp_path / folder)
    with pytest.raises(InputError, match="000.dcm holds 1 series"):
        series_for_sybil(tmp_path / "thick" / "000.dcm")
    dicom_series(tmp_path / "outer" / "inner", 1)
    assert series_for_sybil(tmp_path / "outer").path == tmp_path / "outer" / "inner"


def test_a_missing_synthesized_series_is_standardized_first_and_its_folder_given_to_sybil(tmp_path, stand_in):
    command, _, given = stand_in
    for number, role in enumerate(ROLES[:2]):
        dicom_series(tmp_path / role, number)
    cases, output = write_cases(tmp_path / "cases.csv", "P1,standard,non_standard", header="patient,standard,non_standard"), tmp_path / "study"
    status, text, errors = run("--cases", cases, "--output", output, "--sybil", *command, "--method", "ls", "--target", "B70f")
    assert status == 0, text + errors
    again, heard = read_cases(cases, ROLES[:2]), Heard()
    assert Predictor(command, output, 60, {"method": "ls", "target": "B70f"}, again, heard)(again[0], "synthesized") == EXAMPLE
    assert any("finished before and is left as it is" in text for text in heard.said)
    made = Path(given()[-1])
    assert len(given()) == 3 and made.parent == output / "synthesized" / "P1_synthesized"
    assert read_volume(made).facts.kernel.startswith("LTDiff B70f")
    assert "method ls, target B70f" in (output / "risk_study.md").read_text(encoding="utf-8")


def test_a_series_that_cannot_be_standardized_is_refused_and_the_study_goes_on(tmp_path, stand_in):
    cases = [Case("P1", {"standard": tmp_path / "scan", "non_standard": tmp_path / "nowhere", "synthesized": None})]
    dicom_series(tmp_path / "scan", 1)
    study = carry_out(cases, Predictor(stand_in[0], tmp_path / "study", 60, {"method": "ls"}, cases, Heard()), Heard())
    assert list(study.risks) == [("P1", "standard")] and study.complete() == []
    assert all("nowhere does not exist" in study.refused["P1", role] for role in ROLES[1:])


def test_the_standardized_sample_has_all_that_sybil_reads(tmp_path):
    import pydicom

    case = Case("A2", {"standard": SAMPLE / "B70f", "non_standard": SAMPLE / "B40f", "synthesized": None})
    folder = synthesize(case, tmp_path / "made", {"method": "ls"}, Heard())
    source = {pydicom.dcmread(path).ImagePositionPatient[-1]: pydicom.dcmread(path) for path in case.folders["non_standard"].iterdir()}
    files = [path for path in folder.iterdir()]
    assert len(files) == len(source) and {path.suffix for path in files} == {".dcm"} and all(path.is_file() for path in files)
    for dataset in map(pydicom.dcmread, files):
        original = source.pop(dataset.ImagePositionPatient[-1])
        for keyword in ("SliceThickness", "PixelSpacing", "Manufacturer", "ImagePositionPatient", "PatientID"):
            assert dataset[keyword].value == original[keyword].value
        hu = dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
        assert hu.shape == original.pixel_array.shape and hu.std() > 0 and dataset.SeriesInstanceUID != original.SeriesInstanceUID
    with pytest.raises(InputError, match="slices of 8 mm"):  # of the sample; of thinner ones its folder would be Sybil's
        series_for_sybil(folder)
