from dataclasses import replace

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from small_series import ct_slice, save, small_hu, write_series

from LTDiffStandardizeLib.errors import InputError, OutputError
from LTDiffStandardizeLib.volumes import CTVolume, Derivation, find_series, read_volume, write_dicom_series, write_volume_file

DERIVATION = Derivation("ltdiff++", "Bl64-like", "0.1.0", "chest-sharp", "ab" * 32, seed=7, steps=8, samples=4)

# Type 1 and type 2 elements of the CT Image IOD (DICOM PS3.3 A.3) as far as they apply to every image.
TYPE_1 = """SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID FrameOfReferenceUID Modality ImageType PixelSpacing
    ImageOrientationPatient ImagePositionPatient SamplesPerPixel PhotometricInterpretation Rows Columns BitsAllocated BitsStored
    HighBit PixelRepresentation RescaleSlope RescaleIntercept PixelData""".split()
TYPE_2 = """PatientName PatientID PatientBirthDate PatientSex StudyDate StudyTime ReferringPhysicianName StudyID AccessionNumber
    SeriesNumber PositionReferenceIndicator Manufacturer InstanceNumber SliceThickness KVP AcquisitionNumber PatientPosition""".split()


def datasets(folder):
    return [pydicom.dcmread(file) for file in sorted(folder.iterdir())]


@pytest.fixture
def source(tmp_path):
    write_series(tmp_path / "in")
    return read_volume(tmp_path / "in")


def test_hu_and_geometry_come_back_in_every_reader(tmp_path, source):
    folder = write_dicom_series(source, tmp_path / "out", DERIVATION)
    again = read_volume(folder)
    image = sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    by_pydicom = np.stack([ds.pixel_array * float(ds.RescaleSlope) + float(ds.RescaleIntercept) for ds in datasets(folder)])
    for hu in (again.hu, sitk.GetArrayFromImage(image), by_pydicom):
        assert np.array_equal(hu, source.hu)
    assert (again.origin, again.spacing) == (source.origin, source.spacing) and np.array_equal(again.direction, source.direction)
    assert np.allclose(image.GetOrigin(), source.origin) and np.allclose(image.GetSpacing(), source.spacing)


def test_the_series_says_what_it_is(tmp_path, source):
    for ds, uid in zip(datasets(write_dicom_series(source, tmp_path / "out", DERIVATION)), source.source.sop_instance_uids):
        assert ds.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
        assert list(ds.ImageType) == ["DERIVED", "SECONDARY", "AXIAL"]
        for word in ("B40f", "Bl64-like", "ltdiff++", "chest-sharp", "ab" * 32, "seed 7", "steps 8", "samples 4", "Research use only"):
            assert word in ds.DerivationDescription
        assert "Research use only" in ds.SeriesDescription and "Research use only" in ds.ImageComments
        assert list(ds.ConvolutionKernel) == ["LTDiff Bl64-like", "from B40f"] and ds.SeriesNumber == 9003
        (reference,) = ds.SourceImageSequence
        assert reference.ReferencedSOPInstanceUID == uid and reference.PurposeOfReferenceCodeSequence[0].CodeValue == "121322"
        (equipment,) = ds.ContributingEquipmentSequence
        assert equipment.Manufacturer == "LTDiff" and equipment.SoftwareVersions == "0.1.0"
        assert all(keyword in ds for keyword in TYPE_1) and ds.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID


def test_study_patient_and_frame_of_reference_stay_and_series_and_instances_are_new(tmp_path, source):
    before, after = datasets(tmp_path / "in"), datasets(write_dicom_series(source, tmp_path / "out", DERIVATION))
    for old, new in zip(before, after):
        for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "FrameOfReferenceUID", "KVP", "Manufacturer", "InstanceNumber"):
            assert new[keyword].value == old[keyword].value
        assert new.SeriesInstanceUID != old.SeriesInstanceUID and new.SOPInstanceUID != old.SOPInstanceUID
    assert len({ds.SOPInstanceUID for ds in after}) == 4 and len({ds.SeriesInstanceUID for ds in after}) == 1


def test_what_is_true_of_the_source_alone_is_dropped(tmp_path):
    hu = write_series(tmp_path / "in", InstanceCreationDate="20200102", SeriesDate="20200102", ConvolutionKernelGroup="LUNG")
    for index, values in enumerate(hu):
        ds = ct_slice(index, values)
        ds.add_new(0x60003000, "OW", b"\x00\x01")
        save(ds, tmp_path / "in" / f"{index:03d}.dcm")
    for ds in datasets(write_dicom_series(read_volume(tmp_path / "in"), tmp_path / "out", DERIVATION)):
        assert not any(element.tag.is_private or element.tag.group == 0x6000 for element in ds)
        dropped = "SmallestImagePixelValue LargestImagePixelValue InstanceCreationDate SeriesDate ConvolutionKernelGroup"
        assert not any(keyword in ds for keyword in dropped.split())


def test_the_same_run_twice_writes_the_same_bytes_and_other_settings_other_uids(tmp_path, source):
    one, two = (write_dicom_series(source, tmp_path / name, DERIVATION) for name in ("one", "two"))
    assert [file.read_bytes() for file in sorted(one.iterdir())] == [file.read_bytes() for file in sorted(two.iterdir())]
    other = write_dicom_series(source, tmp_path / "other", replace(DERIVATION, seed=8))
    assert not {ds.SOPInstanceUID for ds in datasets(one)} & {ds.SOPInstanceUID for ds in datasets(other)}


def test_one_instance_uid_on_all_source_slices_still_gives_each_derived_one_its_own(tmp_path):
    write_series(tmp_path / "in", SOPInstanceUID="1.2.3")
    folder = write_dicom_series(read_volume(tmp_path / "in"), tmp_path / "out", DERIVATION)
    assert len({ds.SOPInstanceUID for ds in datasets(folder)}) == 4


def test_a_source_without_uids_gets_a_valid_series(tmp_path):
    write_series(tmp_path / "in", SOPInstanceUID="", SeriesInstanceUID="", StudyInstanceUID="", FrameOfReferenceUID=None, SOPClassUID="")
    folder = write_dicom_series(read_volume(tmp_path / "in"), tmp_path / "out", DERIVATION)
    assert len({ds.SOPInstanceUID for ds in datasets(folder)}) == 4
    assert all(ds[keyword].value not in ("", None) for ds in datasets(folder) for keyword in TYPE_1)
    assert not any("SourceImageSequence" in ds for ds in datasets(folder))


def test_float_hu_are_rounded_and_what_the_source_could_not_store_is_clipped(tmp_path, source):
    hu = source.hu.astype(np.float32) + np.float32(0.4)
    hu[0, 0, :3] = (-1500, 3071.4, 5000)
    again = read_volume(write_dicom_series(source.with_hu(hu, "standardized"), tmp_path / "out", DERIVATION))
    assert np.array_equal(again.hu, np.clip(np.rint(hu), -1024, 3071))
    assert again.facts.rescale_intercept == -1024


@pytest.mark.parametrize("slope, intercept", [(2, -1000), (0.5, -1024), (2.0002442, -4047), (10, -10240)])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_hu_are_exact_to_rounding_whatever_the_rescale_of_the_source(tmp_path, slope, intercept, syntax):
    hu = np.arange(64, dtype=np.float64).reshape(1, 8, 8) * 20 - 1000
    for index, values in enumerate(hu):
        ds = ct_slice(index, values, RescaleSlope=slope, RescaleIntercept=intercept)
        ds.add_new("PixelPaddingValue", "US", 0)
        save(ds, tmp_path / "in" / "a", syntax)
    source = read_volume(tmp_path / "in")
    wanted = (source.hu + np.float32(0.3)).astype(np.float32)
    folder = write_dicom_series(source.with_hu(wanted, "new"), tmp_path / "out", DERIVATION)
    again = read_volume(folder)
    assert np.abs(again.hu - wanted).max() <= 0.5
    assert datasets(folder)[0].PixelPaddingValue == (0 if slope <= 1 else round(intercept))


def test_padding_keeps_its_values_and_its_declaration(tmp_path):
    hu = small_hu(shape=(40, 40))
    hu[:, :4, :] = -3024
    for index, values in enumerate(hu):
        ds = ct_slice(index, values, PixelRepresentation=1, BitsStored=16, HighBit=15)
        ds.add_new("PixelPaddingValue", "SS", -2000)
        save(ds, tmp_path / "in" / str(index))
    source = read_volume(tmp_path / "in")
    folder = write_dicom_series(source, tmp_path / "out", DERIVATION)
    again = read_volume(folder)
    assert np.array_equal(again.hu, hu) and np.array_equal(again.padding, source.padding)
    assert datasets(folder)[0].PixelPaddingValue == -2000


def test_a_nrrd_volume_becomes_a_valid_series_without_patient(tmp_path):
    direction = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])
    volume = CTVolume(small_hu(), (0.683, 0.7, 1.25), (-123.4, 7.1, -567.8), direction)
    source = read_volume(write_volume_file(volume, tmp_path / "case 1.nrrd"))
    folder = write_dicom_series(source, tmp_path / "out", DERIVATION)
    again = read_volume(folder)
    assert np.array_equal(again.hu, source.hu) and np.allclose(again.slice_positions(), source.slice_positions())
    for one, other in ((again.spacing, source.spacing), (again.origin, source.origin), (again.direction, direction)):
        assert np.allclose(one, other)
    for ds in datasets(folder):
        assert all(ds[keyword].value not in ("", None) for keyword in TYPE_1) and all(keyword in ds for keyword in TYPE_2)
    image = sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    assert np.array_equal(sitk.GetArrayFromImage(image), source.hu)


def test_a_volume_with_slices_from_head_to_foot_keeps_each_slice_in_its_place(tmp_path):
    source = CTVolume(small_hu(), (1, 1, 2), direction=np.diag([1.0, 1.0, -1.0]))
    again = read_volume(write_dicom_series(source, tmp_path / "out", DERIVATION))
    assert np.array_equal(again.hu, source.hu[::-1]) and np.allclose(again.slice_positions(), source.slice_positions()[::-1])


def test_a_source_file_that_vanishes_half_way_leaves_no_folder(tmp_path, source):
    source.source.paths[2].unlink()
    with pytest.raises(InputError, match=r"002\.dcm, a slice of the source, cannot be read again"):
        write_dicom_series(source, tmp_path / "out", DERIVATION)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


class FailingVolume(np.ndarray):
    """An array whose third slice cannot be had, as when the machine gives up half-way."""

    def __getitem__(self, index):
        if index == 2:
            raise RuntimeError("no third slice")
        return np.asarray(self)[index]


def test_a_writer_that_dies_half_way_leaves_no_folder_and_keeps_an_old_one(tmp_path, source):
    failing = replace(source, hu=source.hu.view(FailingVolume))
    with pytest.raises(RuntimeError, match="no third slice"):
        write_dicom_series(failing, tmp_path / "out", DERIVATION)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    write_dicom_series(source, tmp_path / "out", DERIVATION)
    with pytest.raises(RuntimeError):
        write_dicom_series(failing, tmp_path / "out", DERIVATION, overwrite=True)
    assert np.array_equal(read_volume(tmp_path / "out").hu, source.hu)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]


def test_values_that_are_no_numbers_are_not_written(tmp_path, source):
    hu = source.hu.astype(np.float32)
    hu[3, 0, 0] = np.inf
    with pytest.raises(OutputError, match="not a number"):
        write_dicom_series(source.with_hu(hu, "standardized"), tmp_path / "out", DERIVATION)
    assert not (tmp_path / "out").exists()


def test_a_folder_is_replaced_only_when_allowed_and_only_if_it_holds_such_a_series(tmp_path, source):
    folder = write_dicom_series(source, tmp_path / "out", DERIVATION)
    with pytest.raises(OutputError, match="exists already"):
        write_dicom_series(source, folder, DERIVATION)
    brighter = source.with_hu(source.hu + np.int16(1), "brighter")
    assert np.array_equal(read_volume(write_dicom_series(brighter, folder, DERIVATION, overwrite=True)).hu, brighter.hu)
    with pytest.raises(OutputError, match="holds other files"):
        write_dicom_series(source, tmp_path / "in", DERIVATION, overwrite=True)
    with pytest.raises(OutputError, match="holds other files"):
        write_dicom_series(read_volume(folder), folder, DERIVATION, overwrite=True)
    assert len(list((tmp_path / "in").iterdir())) == 4 and len(list(folder.iterdir())) == 4


def test_a_derived_series_can_be_standardized_again(tmp_path, source):
    first = read_volume(write_dicom_series(source, tmp_path / "one", DERIVATION))
    again = write_dicom_series(first, tmp_path / "two", replace(DERIVATION, target="Br40-like"))
    (entry,) = find_series(again)
    assert entry.refusal is None and len(datasets(again)[0].ContributingEquipmentSequence) == 2


@pytest.mark.parametrize("target", ["Bl64", "a very long target kernel name", "Köln\\1"])
@pytest.mark.parametrize("kernel", [None, "B40f", "Br38f\\3", "BONEPLUS WITH EDGE ENHANCEMENT"])
def test_every_text_fits_its_value_representation(target, kernel):
    derivation = Derivation("m" * 70, target, "0.1.0", "model " * 300, "ab" * 32)
    values = derivation.kernel_values(kernel)
    assert all(0 < len(value) <= 16 and "\\" not in value and value.isascii() for value in values)
    assert values[0].startswith("LTDiff") and len(derivation.series_description()) <= 64
    assert len(derivation.sentence(kernel)) <= 1024 and derivation.sentence(kernel).endswith("Research use only, not a medical device.")
