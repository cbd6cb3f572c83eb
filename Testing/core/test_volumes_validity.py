"""Derived series are what the standard says a CT image is, whatever is wrong with their source."""
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from multi_frame import save_enhanced
from pydicom.dataset import Dataset
from small_series import ct_slice, save, small_hu, write_series
from validators import DCIODVFY, errors_by_dciodvfy, errors_by_tables

from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.volumes import CTVolume, Derivation, find_series, read_volume, write_dicom_series
from LTDiffStandardizeLib.volumes.inherited import Inheritance
from LTDiffStandardizeLib.volumes.pseudonyms import Pseudonyms

DERIVATION = Derivation("ltdiff++", "Bl64-like", "0.1.0", "chest-sharp", "ab" * 32, seed=7, steps=8, samples=4)
PSEUDONYMS = Inheritance(pseudonyms=Pseudonyms(b"sixteen bytes of a key"))
needs_dciodvfy = pytest.mark.skipif(DCIODVFY is None, reason="dciodvfy (Debian's dicom3tools) is not here")


def invalid_values(path):
    """A series whose elements are as archives have them: wrong, too long, empty, of another character set."""
    for index, values in enumerate(small_hu()):
        with pydicom.config.disable_value_validation():
            ds = ct_slice(index, values, PatientAge="22Y", StudyID="x" * 40, StudyInstanceUID="ab" * 30, FrameOfReferenceUID="1.02.3", PatientSex="female",
                          BodyPartExamined="knee left", StudyDate="2020-01-02", KVP="120.000000000000000001",
                          PatientName="Müller^Jörg", PatientIdentityRemoved="YES", Laterality="")  # fmt: skip
            item = Dataset()
            item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "not a uid"
            ds.ReferencedImageSequence = [item]
            del ds.ReferringPhysicianName
            ds.SpecificCharacterSet = "ISO_IR 100"
            save(ds, path / str(index))


SOURCES = {
    "plain": write_series,
    "bare": lambda path: write_series(path, SOPInstanceUID="", StudyInstanceUID="", FrameOfReferenceUID=None, SOPClassUID="", KVP=None, SliceThickness=3,
                                      Manufacturer=None, PatientName=None, PatientID=None, StudyDate=None, InstanceNumber=None),
    "invalid": invalid_values,
    "enhanced": lambda path: save_enhanced(path / "a.dcm", small_hu()),
    "8 bits": lambda path: write_series(path, np.round(small_hu() / 10) * 10, RescaleSlope=10, RescaleIntercept=-1024, BitsAllocated=16, BitsStored=8, HighBit=7),
}


@pytest.fixture(scope="module")
def derived(tmp_path_factory):
    """{(source, kept): files} of all series that can be made."""
    folder, made = tmp_path_factory.mktemp("derived"), {}
    for name, write in SOURCES.items():
        (folder / name).mkdir()
        write(folder / name)
        volume = read_volume(folder / name)
        for kept, inheritance in (("kept", Inheritance()), ("pseudonyms", PSEUDONYMS)):
            made[name, kept] = sorted(write_dicom_series(volume, folder / f"{name} {kept}", DERIVATION, inheritance=inheritance).iterdir())
    volume = CTVolume(small_hu(), (0.7, 0.7, 1.25), direction=np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]]), name="case 1")
    made["nrrd", "kept"] = sorted(write_dicom_series(volume, folder / "nrrd", DERIVATION).iterdir())
    return made


def test_no_required_attribute_is_missing(derived):
    for key, files in derived.items():
        for file in files:
            assert errors_by_tables(file) == [], key


@needs_dciodvfy
def test_the_validator_finds_no_error(derived):
    for key, files in derived.items():
        for file in files[:2]:
            assert errors_by_dciodvfy(file) == [], key


@needs_dciodvfy
def test_the_validators_find_what_is_wrong(tmp_path, derived):
    ds = pydicom.dcmread(derived["plain", "kept"][0])
    del ds.Manufacturer, ds.ImageType
    ds.save_as(tmp_path / "a")
    assert any("Manufacturer" in line for line in errors_by_dciodvfy(tmp_path / "a")) and len(errors_by_tables(tmp_path / "a")) == 2


def test_what_can_be_mended_is_kept_and_what_cannot_is_dropped(derived):
    ds = pydicom.dcmread(derived["invalid", "kept"][0])
    assert ds.PatientName == "Müller^Jörg" and ds.SpecificCharacterSet == "ISO_IR 192" and ds.StudyID == "x" * 16 and ds.KVP == 120
    assert ds.BodyPartExamined == "KNEE LEFT" and ds.StudyDate == "" and "PatientAge" not in ds and "ReferencedImageSequence" not in ds
    assert ds.DeidentificationMethod == "Not stated by the source" and ds.StudyInstanceUID.is_valid and ds.FrameOfReferenceUID.is_valid
    assert len({pydicom.dcmread(file).StudyInstanceUID for file in derived["invalid", "kept"]}) == 1


def test_pseudonyms_leave_nothing_of_the_patient_and_are_the_same_for_the_same_person(derived, tmp_path):
    ds = pydicom.dcmread(derived["plain", "pseudonyms"][0])
    source = pydicom.dcmread(sorted(derived["plain", "kept"])[0])
    said = str(ds)
    for word in ("Doe", "4711", "20200102", source.StudyInstanceUID + "'", "SIEMENS CSA", "1.2.3.5"):
        assert word not in said.replace(ds.StudyInstanceUID, "").replace(ds.FrameOfReferenceUID, "")
    assert ds.PatientID == ds.PatientName and ds.PatientIdentityRemoved == "YES" and "SourceImageSequence" not in ds
    assert ds.KVP == 120 and ds.SliceThickness == 3 and ds.ManufacturerModelName == "Sensation 10" and ds.ImagePositionPatient == source.ImagePositionPatient
    write_series(tmp_path / "other scan", SeriesInstanceUID="1.2.9", StudyInstanceUID="1.7")
    other = pydicom.dcmread(sorted(write_dicom_series(read_volume(tmp_path / "other scan"), tmp_path / "o", DERIVATION, inheritance=PSEUDONYMS).iterdir())[0])
    assert other.PatientID == ds.PatientID and other.StudyInstanceUID != ds.StudyInstanceUID and other.FrameOfReferenceUID == ds.FrameOfReferenceUID
    key = Inheritance(pseudonyms=Pseudonyms(b"another key, sixteen bytes"))
    another = pydicom.dcmread(sorted(write_dicom_series(read_volume(tmp_path / "other scan"), tmp_path / "p", DERIVATION, inheritance=key).iterdir())[0])
    assert another.PatientID != ds.PatientID and another.SeriesInstanceUID != other.SeriesInstanceUID


def test_a_key_is_made_once_and_guarded(tmp_path):
    one, two = (Pseudonyms.of(tmp_path / "key") for _ in range(2))
    assert one == two and len(one.key) >= 32 and str(one.key) not in repr(one)
    assert [path.name for path in tmp_path.iterdir()] == ["key"] and (os.name == "nt" or (tmp_path / "key").stat().st_mode & 0o77 == 0)
    (tmp_path / "short").write_text("secret")
    with pytest.raises(InputError, match="shorter than 16 bytes"):
        Pseudonyms.of(tmp_path / "short")


def test_processes_that_make_a_key_at_once_get_the_same_one(tmp_path):
    with ProcessPoolExecutor(4) as pool:
        keys = list(pool.map(Pseudonyms.of, [tmp_path / "key"] * 16))
    assert len({one.key for one in keys}) == 1 and [path.name for path in tmp_path.iterdir()] == ["key"]


def test_the_largest_series_number_is_no_obstacle(tmp_path):
    write_series(tmp_path / "in", SeriesNumber=2**31 - 1)
    folder = write_dicom_series(read_volume(tmp_path / "in"), tmp_path / "out", DERIVATION)
    assert pydicom.dcmread(sorted(folder.iterdir())[0]).SeriesNumber == 2**31 - 1


def test_private_elements_stay_where_they_are_asked_for(tmp_path):
    write_series(tmp_path / "in")
    files = write_dicom_series(read_volume(tmp_path / "in"), tmp_path / "out", DERIVATION, inheritance=Inheritance(private=True))
    assert pydicom.dcmread(sorted(files.iterdir())[0])[0x0029, 0x1010].value == b"private\0"


def test_the_algorithm_and_its_kind_are_named(derived, tmp_path):
    ds = pydicom.dcmread(derived["plain", "kept"][0])
    (algorithm,) = ds.DerivationAlgorithmSequence
    assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == ("LTDiff ltdiff++", "0.1.0")
    assert algorithm.AlgorithmFamilyCodeSequence[0].CodeMeaning == "Artificial Intelligence"
    write_series(tmp_path / "in")
    filtered = replace(DERIVATION, method="ls", model_name=None, weights_sha256=None)
    ds = pydicom.dcmread(sorted(write_dicom_series(read_volume(tmp_path / "in"), tmp_path / "out", filtered).iterdir())[0])
    assert ds.DerivationAlgorithmSequence[0].AlgorithmFamilyCodeSequence[0].CodeMeaning == "Adaptive Filtering"


def test_every_conformance_input_that_can_be_read_gives_a_valid_series(shared_data, tmp_path):
    count = 0
    for path in sorted((shared_data / "conformance").glob("*")):
        for entry in find_series(path) if path.is_dir() and path.name != "licences" else []:
            if entry.refusal:
                continue
            try:
                volume = read_volume(entry)
            except InputError:
                continue
            for file in sorted(write_dicom_series(volume, tmp_path / str(count), DERIVATION).iterdir())[:2]:
                assert errors_by_tables(file) == [] and (DCIODVFY is None or errors_by_dciodvfy(file) == []), entry.path
            count += 1
    assert count >= 5
