"""Drawn regions as files for the worker: it must find the very same masks in them."""
import numpy as np
import pytest
from scene_parts import add_segmentation, add_transform, affine, centred, rotation, slicer, whole_mask

from LTDiffStandardizeLib.radiomics.regions.roi import regions_of
from LTDiffStandardizeLib.scene.regions import add_roi, drawn_regions, file_name, region_of_roi, write_drawn
from LTDiffStandardizeLib.scene.volumes import add_volume


def box(name, centre=(0.5, -1.0, 1.5), linear=np.eye(3), size=(9.1, 7.3, 11.5)):
    node = add_roi((0, 0, 0), size)
    node.SetName(name)  # as a user renames it; several may have one name
    node.SetAndObserveObjectToNodeMatrix(slicer.util.vtkMatrixFromArray(affine(linear, centre)))
    return node


def written_and_read(volume, volume_node, folder, segmentation=None):
    """[(region as drawn, region as the worker reads it)]"""
    drawn, _ = drawn_regions(volume, volume_node, segmentation)
    paths = write_drawn(volume, volume_node, segmentation, folder)
    read = [regions_of(path, volume)[0] for path in paths]
    assert len(drawn) == len(paths) and all(len(regions) == 1 for regions in read)
    return [(one, regions[0]) for one, regions in zip(drawn, read)]


def same_masks(pairs, shape):
    return [np.array_equal(whole_mask(drawn, shape), whole_mask(read, shape)) for drawn, read in pairs]


@pytest.fixture
def chest(scene):
    volume = centred(direction=rotation(25), name="chest")
    return volume, add_volume(volume, "chest")


def test_the_worker_finds_the_same_masks_and_names_in_the_same_order(chest, tmp_path):
    volume, volume_node = chest
    box("straight"), box("turned", linear=rotation(50, (1, 0, 1)))
    box("scaled").SetAndObserveTransformNodeID(add_transform(affine(rotation(10) * 1.2, (1, 0, 2))).GetID())
    masks = {"Läsion": np.zeros(volume.hu.shape, bool), "肿瘤": np.zeros(volume.hu.shape, bool)}
    masks["Läsion"][2:5, 3:9, 4:6] = masks["肿瘤"][4:7, 5:11, 5:9] = True
    pairs = written_and_read(volume, volume_node, tmp_path, add_segmentation(volume_node, masks))
    names = ["straight", "turned", "scaled", "Läsion", "肿瘤"]
    assert [read.name for _, read in pairs] == [drawn.name for drawn, _ in pairs] == names
    assert same_masks(pairs, volume.hu.shape) == [True] * 5
    assert len({drawn.number_of_voxels for drawn, _ in pairs}) == 5


def test_two_boxes_of_one_name_keep_their_own_masks(chest, tmp_path):
    volume, volume_node = chest
    box("Tumour"), box("Tumour", (2, 3, 2), rotation(30)), box("tumour", (-2, 0, 0))
    pairs = written_and_read(volume, volume_node, tmp_path)
    assert same_masks(pairs, volume.hu.shape) == [True] * 3
    assert [drawn.name for drawn, _ in pairs] == ["Tumour", "Tumour (2)", "tumour"]
    # Some file systems take "tumour" for "Tumour".
    assert [read.name for _, read in pairs] == ["Tumour", "Tumour (2)", "tumour-1"]


def test_names_that_are_no_file_names_are_written_with_underscores_and_keep_their_masks(chest, tmp_path):
    volume, volume_node = chest
    for number, name in enumerate(("left/upper: \"a\"", "Läsion 1.5", "..", "  ", "x" * 300)):
        box(name, (0.7 * number, 1, 1))
    pairs = written_and_read(volume, volume_node, tmp_path)
    assert same_masks(pairs, volume.hu.shape) == [True] * 5
    assert [read.name for _, read in pairs] == ["left_upper_ _a_", "Läsion 1_5", "__", "region", "x" * 60]
    assert sorted(path.parent for path in tmp_path.rglob("*")) == [tmp_path] * 5


def test_names_that_look_like_the_second_of_a_name_keep_their_masks(chest, tmp_path):
    volume, volume_node = chest
    box("A"), box("A", (3, 3, 0)), box("A (2)", (-3, -3, 0), size=(2, 2, 2))
    pairs = written_and_read(volume, volume_node, tmp_path)
    assert same_masks(pairs, volume.hu.shape) == [True] * 3
    assert [drawn.name for drawn, _ in pairs] == ["A", "A (3)", "A (2)"]


def test_a_box_that_slicer_has_saved_has_the_mask_of_the_box_in_the_scene(chest, tmp_path):
    volume, _ = chest
    node, path = box("Tumour", (3, 4, 5), rotation(40)), tmp_path / "saved.mrk.json"
    storage = slicer.vtkMRMLMarkupsROIJsonStorageNode()
    storage.SetFileName(str(path))
    assert storage.WriteData(node)
    (region,), _ = regions_of(str(path), volume)
    assert region.name == "saved" and same_masks([(region_of_roi(node, volume), region)], volume.hu.shape) == [True]


def test_what_cannot_be_used_is_not_written(chest, tmp_path):
    volume, volume_node = chest
    box("far", (100, 0, 0)), box("inside out").SetInsideOut(True), box("good")
    assert [read.name for _, read in written_and_read(volume, volume_node, tmp_path)] == ["good"]
    assert [path.name for path in tmp_path.iterdir()] == ["good.mrk.json"]


def test_file_names_stay_unique_whatever_the_case(tmp_path):
    taken = []
    for name in ("a", "A", "a", "b.c", "b_c", "a-1"):
        taken.append(tmp_path / f"{file_name(name, taken)}.nrrd")
    assert [path.stem for path in taken] == ["a", "A-1", "a-2", "b_c", "b_c-1", "a-1-1"]
