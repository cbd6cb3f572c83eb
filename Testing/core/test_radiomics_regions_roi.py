"""Regions as a command line names them."""
import json

import numpy as np
import pytest
from report_parts import noisy_volume

from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.radiomics.regions.random_boxes import shortfall
from LTDiffStandardizeLib.radiomics.regions.roi import ROI_HELP, regions_of
from LTDiffStandardizeLib.volumes import CTVolume, read_volume, write_volume_file


@pytest.fixture(scope="module")
def volume():
    """A chest-like block with padding round a circular field of view."""
    made = noisy_volume(shape=(6, 64, 64))
    y, x = np.mgrid[:64, :64]
    padding = np.broadcast_to((y - 32) ** 2 + (x - 32) ** 2 > 28**2, made.hu.shape)
    hu = np.where(padding, -2048, made.hu).astype(np.int16)
    return CTVolume(hu, made.spacing, (-22.0, -22.0, 10.0), np.eye(3), padding.copy(), name="case")


def no_padding_in(regions, volume):
    return not any((region.mask & region.crop(volume.padding)).any() for region in regions)


def test_boxes_and_spheres_are_given_in_millimetres_of_the_patient(volume):
    (box,), rows = regions_of("box:0,0,20,7,7,10", volume, "P1")
    assert rows == [] and box.slices[0] == slice(1, 4) and box.group == "P1" and box.mask.shape == (3, 10, 10)
    (sphere,), _ = regions_of("sphere:0,0,20,6.5", volume)
    assert sphere.number_of_voxels * 0.7 * 0.7 * 5 == pytest.approx(4 / 3 * np.pi * 6.5**3, rel=0.15)


def test_whole_slices_end_at_the_field_of_view(volume):
    regions, _ = regions_of("slices", volume)
    assert len(regions) == 6 and no_padding_in(regions, volume)
    assert all(region.number_of_voxels == (~volume.padding[0]).sum() for region in regions)


def test_a_box_that_reaches_into_padding_is_cut(volume):
    (region,), _ = regions_of("box:0,0,20,100,100,100", volume)
    assert no_padding_in([region], volume) and region.number_of_voxels == (~volume.padding).sum()


def test_what_lies_in_padding_alone_is_refused(volume):
    with pytest.raises(InputError, match="outside the field of view of case"):
        regions_of("box:-20,-20,20,3,3,10", volume)


def test_boxes_drawn_in_slicer_and_dicom_objects_are_files(volume, tmp_path):
    from test_radiomics_regions_dicom import structures

    box = {"type": "ROI", "coordinateSystem": "LPS", "center": [0.0, 0.0, 20.0], "size": [100.0, 7.0, 10.0]}
    (tmp_path / "drawn.mrk.json").write_text(json.dumps({"markups": [box]}), encoding="utf-8")
    contours = {"GTV": [(2, [(-9.5, 30.5), (-9.5, 34.5), (40.5, 34.5), (40.5, 30.5)])]}
    structures(tmp_path / "rs.dcm", volume, contours)
    for name, kind, voxels in (("drawn.mrk.json", "box", None), ("rs.dcm", "RTSTRUCT", (~volume.padding[2, :41, 31:35]).sum())):
        (region,), rows = regions_of(str(tmp_path / name), volume, "P1")
        assert (region.kind, region.group, rows) == (kind, "P1", []) and no_padding_in([region], volume)
        assert voxels in (None, region.number_of_voxels)


def test_random_boxes_come_with_a_table_of_their_candidates(volume):
    regions, rows = regions_of("random:4,seed=3,size=4x5x10,range=-100..250,fill=0.9", volume, "P1")
    assert [row["regions"] for row in rows] == ["[-100,250]"] and rows[0]["wanted"] == 4 and rows[0]["drawn"] == len(regions) == 4
    assert rows[0]["candidates"] > 4 and {region.mask.shape for region in regions} == {(2, 7, 6)} and no_padding_in(regions, volume)
    again, _ = regions_of("random:4,seed=3,size=4x5x10,range=-100..250,fill=0.9", volume, "P1")
    assert [region.slices for region in again] == [region.slices for region in regions]
    _, rows = regions_of("random:2", volume)
    assert [row["regions"] for row in rows] == ["[-800,-300]", "[-100,250]", "[10,250]", "[300,800]"]


def test_regions_that_found_no_room_are_counted_over_all_patients():
    rows = [{"regions": label, "wanted": wanted, "drawn": drawn} for label, wanted, drawn in (("lung", 250, 39), ("bone", 5, 5), ("lung", 250, 0))]
    assert "39 of 500 in lung" in shortfall(rows) and "bone" not in shortfall(rows) and shortfall(rows[1:2]) == ""


def test_a_label_map_must_lie_on_the_voxels(volume, tmp_path):
    labels = np.zeros(volume.hu.shape, np.int16)
    labels[1:3, 20:30, 20:30], labels[:, :4, :4] = 1, 2  # the second lies in padding alone
    write_volume_file(CTVolume(labels, volume.spacing, volume.origin, volume.direction), tmp_path / "tumour.nrrd")
    regions, _ = regions_of(str(tmp_path / "tumour.nrrd"), volume, "P1")
    assert [(region.name, region.number_of_voxels, region.group) for region in regions] == [("tumour label 001", 200, "P1")]
    write_volume_file(CTVolume(labels, volume.spacing, (0, 0, 0), volume.direction), tmp_path / "off.nrrd")
    with pytest.raises(InputError, match="mm off"):
        regions_of(str(tmp_path / "off.nrrd"), volume)


def test_a_folder_of_tumour_boxes_belongs_to_its_series(shared_data, volume):
    pair = shared_data / "pairs" / "lungdx-a0002"
    (region,), _ = regions_of(str(pair / "annotations"), read_volume(pair / "B40f"), "A0002")
    assert region.mask.shape[0] == 10 and region.group == "A0002" and region.kind == "annotation"


def test_a_folder_that_names_no_slice_is_refused(tmp_path):
    from small_series import write_series

    write_series(tmp_path / "series")
    (tmp_path / "boxes").mkdir()
    with pytest.raises(InputError, match="names a slice"):
        regions_of(str(tmp_path / "boxes"), read_volume(tmp_path / "series"))


@pytest.mark.parametrize("text", [
    "random:", "random:x", "random:5,seeds=1", "random:5,size=3x3", "random:5,range=3", "random:0", "random:²", "random:5,seed=-1",
    "random:5,fill=7", "random:5,fill=nan", "random:5,size=-3x4x5", "random:5,size=nanx4x5", "random:5,range=50..10", "random:5,seed=1,seed=2",
    "box:1,2,3", "box:0,0,0,1,1,-1", "box:nan,0,0,1,1,1", "box:0,0,0,inf,1,1", "sphere:0,0,0,a", "slice", "C:\\nowhere\\tumour.nrrd", "nowhere/seg.dcm",
])  # fmt: skip
def test_what_is_no_region_is_refused_in_one_sentence_that_lists_the_forms(volume, text):
    with pytest.raises(InputError) as refused:
        regions_of(text, volume)
    assert all(word in str(refused.value) for word in ("box:", "sphere:", "random:")) and text in str(refused.value)


def test_the_help_is_narrow_and_names_all_forms():
    assert max(map(len, ROI_HELP.splitlines())) <= 90
    for word in ("SEG", "RTSTRUCT", ".mrk.json", "Pascal VOC", "box:", "sphere:", "slices", "random:", "seed=", "fill="):
        assert word in ROI_HELP
