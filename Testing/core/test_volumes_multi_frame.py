import numpy as np
import pydicom
import pytest
from multi_frame import compressed, enhanced_ct, save_enhanced
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless
from small_series import save, small_hu, write_series

from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.volumes import Derivation, find_series, read_volume, write_dicom_series

DERIVATION = Derivation("ls", "Bl64-like", "0.1.0")


def test_an_enhanced_ct_is_the_volume_that_its_slices_are(tmp_path):
    hu = write_series(tmp_path / "single", ImagePositionPatient=None, each=lambda index: {"ImagePositionPatient": [-10, -20, 100 + 2.5 * index]})
    save_enhanced(tmp_path / "multi" / "a.dcm", hu)
    one, other = (read_volume(tmp_path / name) for name in ("multi", "single"))
    assert np.array_equal(one.hu, hu) and np.array_equal(other.hu, hu)
    assert (one.origin, one.spacing, one.direction.tolist()) == (other.origin, other.spacing, other.direction.tolist())
    assert one.facts == other.facts and one.facts.mas == 100 and one.facts.kernel == "B40f"


def test_frames_in_any_order_become_slices_by_their_position(tmp_path):
    hu, shuffled = small_hu(), [2, 0, 3, 1]
    save_enhanced(tmp_path / "a", hu[shuffled], each=lambda index: {"ImagePositionPatient": [0, 0, 2.5 * shuffled[index]]})
    volume = read_volume(tmp_path)
    assert np.array_equal(volume.hu, hu) and [volume.source.frame(index) for index in range(4)] == [1, 3, 0, 2]


def test_each_frame_has_a_rescale_of_its_own(tmp_path):
    hu = small_hu()
    save_enhanced(tmp_path / "a", hu, each=lambda index: {"RescaleIntercept": -1000 - index, "RescaleSlope": 1})
    assert np.array_equal(read_volume(tmp_path).hu, hu)


def test_a_volume_in_several_files_of_frames_is_one(tmp_path):
    hu = small_hu(6)
    for part in (0, 1):
        save_enhanced(tmp_path / str(part), hu[part::2], SOPInstanceUID=f"1.2.{part}",
                      each=lambda index: {"ImagePositionPatient": [0, 0, 2.5 * (2 * index + part)]})  # fmt: skip
        dataset = pydicom.dcmread(tmp_path / str(part))
        dataset.SOPInstanceUID = f"1.2.{part}"
        dataset.save_as(tmp_path / str(part))
    assert np.array_equal(read_volume(tmp_path).hu, hu)


def test_phases_in_one_file_become_a_volume_each(tmp_path):
    hu = small_hu(8)
    place = lambda index: {"ImagePositionPatient": [0, 0, 2.5 * (index % 4)], "TemporalPositionIndex": 1 + index // 4}
    save_enhanced(tmp_path / "a", hu, each=place)
    volumes = [read_volume(entry) for entry in find_series(tmp_path)]
    assert sorted(volume.hu.tobytes() for volume in volumes) == sorted([hu[:4].tobytes(), hu[4:].tobytes()])
    assert len({volume.name for volume in volumes}) == 2


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_compressed_frames_come_back_exactly(tmp_path, syntax):
    hu = small_hu(shape=(40, 36))
    save(compressed(enhanced_ct(hu), syntax), tmp_path / "a", syntax)
    assert np.array_equal(read_volume(tmp_path).hu, hu)


def test_a_derived_series_of_frames_is_single_frame_ct_that_reads_alike(tmp_path):
    save_enhanced(tmp_path / "a", small_hu())
    volume = read_volume(tmp_path)
    again = read_volume(write_dicom_series(volume, tmp_path / "out", DERIVATION))
    assert np.array_equal(again.hu, volume.hu) and (again.origin, again.spacing) == (volume.origin, volume.spacing)
    for index, file in enumerate(sorted((tmp_path / "out").iterdir())):
        ds = pydicom.dcmread(file)
        assert ds.SOPClassUID == pydicom.uid.CTImageStorage and ds.PatientID == "4711" and ds.InstanceNumber == index + 1
        assert ds.SourceImageSequence[0].ReferencedFrameNumber == index + 1 and ds.SourceImageSequence[0].ReferencedSOPInstanceUID == "1.2.3.99"
        assert "NumberOfFrames" not in ds and "PerFrameFunctionalGroupsSequence" not in ds


@pytest.mark.parametrize(
    "break_it, cause",
    [
        (lambda ds: setattr(ds, "NumberOfFrames", 9), "describes 4 of 9 frames"),
        (lambda ds: delattr(ds, "PerFrameFunctionalGroupsSequence"), "describes 0 of 4 frames"),
        (lambda ds: delattr(ds.PerFrameFunctionalGroupsSequence[1], "PlanePositionSequence"), "ImagePositionPatient"),
        (lambda ds: setattr(ds, "ImageType", ["DERIVED", "PRIMARY", "PERFUSION", "RCBF"]), "perfusion map"),
        (lambda ds: setattr(ds, "PixelPresentation", "COLOR"), "colours"),
        (lambda ds: setattr(ds, "PixelData", ds.PixelData[:-20]), "incomplete or invalid pixel data"),
    ],
)
def test_a_broken_enhanced_ct_is_refused_in_words(tmp_path, break_it, cause):
    dataset = enhanced_ct(small_hu())
    break_it(dataset)
    save(dataset, tmp_path / "a")
    told = []
    for entry in find_series(tmp_path):
        try:
            read_volume(entry)
        except InputError as error:
            told.append(str(error))
    assert any(cause in sentence for sentence in told)


def test_a_real_legacy_converted_series_reads_as_the_series_it_was_made_from(shared_data):
    conformance = shared_data / "conformance"
    converted, single = (read_volume(conformance / name) for name in ("multiframe_dcmqi_legacy_converted_enhanced", "series_dcmqi_24x38x3"))
    assert np.array_equal(converted.hu, single.hu) and np.allclose(converted.origin, single.origin) and converted.spacing == single.spacing
