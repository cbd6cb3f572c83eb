"""What identifies a patient stays within the DICOM files: in no name, log, record, table, report or line that is printed, whatever is damaged."""
import shutil
import subprocess

import pydicom
import pytest
from hostile_values import KEYWORDS
from mutations import _put, _rewritten
from small_cohort import chest_hu, dicom_series, start_script

from LTDiffStandardizeLib.volumes import find_series, read_volume, write_volume_file

MARK = "QZXJK"  # in no other word; in the letters that code strings and UIDs would be made of, and digits for dates
DIGITS = "19570931"
IDENTIFIERS = {
    "PatientName": f"{MARK}^JANE", "PatientID": f"ID-{MARK}-7", "PatientBirthDate": DIGITS, "AccessionNumber": f"A{MARK}", "ReferringPhysicianName": f"DR^{MARK}",
    "InstitutionName": f"{MARK} HOSPITAL", "InstitutionAddress": f"{MARK} STREET", "StudyDescription": f"OF {MARK}", "SeriesDescription": f"{MARK} CHEST",
    "OperatorsName": f"OP^{MARK}", "StationName": f"ST{MARK}", "PatientComments": f"{MARK}", "OtherPatientIDs": f"{MARK}1", "ProtocolName": f"{MARK} LUNG",
}  # fmt: skip
# What names, records and reports are made of; a scanner that writes the patient's name there has made it the name of a kernel.
TEXTS = {
    "ConvolutionKernel", "Manufacturer", "ManufacturerModelName", "SeriesNumber", "Modality", "RescaleType", "ImageType", "PhotometricInterpretation", "PixelPresentation",
    "SpecificCharacterSet", "PatientName", "PatientID", "FrameComments", "FrameType", "PatientPosition",
}  # fmt: skip
ROI = "random:2,range=10..250,size=4x8x8,fill=0.3"
pytestmark = pytest.mark.filterwarnings("ignore")  # pydicom's, of what is written here


@pytest.fixture
def scans(tmp_path):
    return dicom_series(tmp_path / "scans", 1, slices=6, **IDENTIFIERS)


def run(script, *arguments):
    """(exit status, what it printed)."""
    child = start_script(*arguments, script=script, stdin=subprocess.DEVNULL)
    output, errors = child.communicate(timeout=120)
    return child.returncode, output + errors


def leaks(folder, printed):
    """Where the identifiers stand outside DICOM files."""
    said = [line for line in printed.splitlines() if MARK in line or DIGITS in line]
    files = [path for path in folder.rglob("*") if path.is_file()]
    inside = [path.name for path in files if path.suffix != ".dcm" and any(mark.encode() in path.read_bytes() for mark in (MARK, DIGITS))]
    return said + inside + [str(path.relative_to(folder)) for path in folder.rglob("*") if MARK in path.name or DIGITS in path.name]


def test_the_check_finds_identifiers_in_names_texts_and_what_is_printed(tmp_path):
    (tmp_path / f"a-{MARK}.txt").write_text(f"born {DIGITS}")
    assert len(leaks(tmp_path, f"reading {MARK}^JANE\nall is well")) == 3


@pytest.mark.parametrize("form", ["dicom", "nrrd", "nifti"])
def test_standardizing_writes_and_prints_no_identifiers(tmp_path, scans, form):
    labels = read_volume(scans)
    write_volume_file(labels.with_hu((labels.hu > 0).astype("int16"), "labels"), tmp_path / "labels.nrrd")
    status, printed = run("standardize.py", scans, "--method", "ls_noise", "--samples", 2, "--format", form, "--roi", tmp_path / "labels.nrrd", "--output", tmp_path / "out")
    assert status == 0, printed
    assert leaks(tmp_path / "out", printed) == []


def test_comparing_writes_and_prints_no_identifiers(tmp_path, scans):
    other = read_volume(scans)
    write_volume_file(other.with_hu(chest_hu(6, 3), "other"), tmp_path / "other.nrrd")
    status, printed = run("compare.py", "--reference", scans, "--volume", f"a={tmp_path / 'other.nrrd'}", f"b={scans}", "--roi", ROI, "--output", tmp_path / "out")
    assert status == 0, printed
    assert (tmp_path / "out" / "report.html").exists() and leaks(tmp_path / "out", printed) == []


@pytest.mark.parametrize("script", ["standardize.py", "compare.py"])
def test_damaged_elements_print_no_identifiers(tmp_path, scans, script):
    """Every element that is read for more than a text holds the name of the patient, in a series each, and elements of other kinds too."""
    sound = [path.read_bytes() for path in sorted(scans.glob("*.dcm"))]
    shutil.rmtree(scans)
    for keyword, value in [*((keyword, MARK) for keyword in KEYWORDS if keyword not in TEXTS), ("PatientBirthDate", f"{MARK}{DIGITS}"), ("SOPClassUID", f"{MARK} {DIGITS}")]:
        for index, data in enumerate(sound):
            path = tmp_path / "scans" / keyword / f"{index}.dcm"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_rewritten(data, lambda dataset: _put(dataset, keyword, value.encode() * (40 if index == 3 else 1))))
    if script == "standardize.py":
        status, printed = run(script, tmp_path / "scans", "--method", "none", "--format", "nrrd", "--output", tmp_path / "out")
    else:
        first, second = tmp_path / "scans" / "Exposure", tmp_path / "scans" / "XRayTubeCurrent"
        status, printed = run(script, "--reference", first, "--volume", f"a={second}", f"b={first}", "--roi", ROI, "--output", tmp_path / "out")
    assert status == 0 and "Traceback" not in printed
    assert leaks(tmp_path / "out", printed) == []


def test_an_unforeseen_error_does_not_quote_what_it_was_about(tmp_path, scans):
    """A truncated and retagged series of every kind that the readers of values complain about, quoting them."""
    for path in scans.glob("*.dcm"):
        data = path.read_bytes()
        path.write_bytes(data.replace(pydicom.uid.ExplicitVRLittleEndian.encode() + b"\0", b"1.2.840.10008.1.3.1\0"))
    _, printed = run("standardize.py", scans, "--method", "none", "--output", tmp_path / "out")
    assert leaks(tmp_path / "out", printed) == [] and "Traceback" not in printed


def test_the_name_of_the_patient_is_left_out_of_names_of_results(tmp_path):
    folder = dicom_series(tmp_path / "scans" / f"{MARK}_JANE", 1, **IDENTIFIERS)
    assert [MARK in entry.name for entry in find_series(folder.parent)] == [False]
