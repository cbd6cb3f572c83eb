"""Volumes to nodes and back: voxels, geometry, what the scanner tells, and where a result lies."""
import json

import numpy as np
import pytest
import vtk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scene_parts import FACTS, add_transform, affine, centred, hu_of, one_sentence, rotation, slicer

from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.scene.volumes import (
    PREFIX,
    add_volume,
    attributes_of,
    dicom_files,
    facts_of,
    put_beside,
    set_attributes,
    shown_volume,
    volume_of,
)
from LTDiffStandardizeLib.volumes.padding import padding_mask
from LTDiffStandardizeLib.volumes.volume import CTFacts, CTVolume

quaternions = st.tuples(*[st.floats(-1, 1)] * 4).map(np.array).filter(lambda q: np.linalg.norm(q) > 0.1)
flips = st.tuples(*[st.sampled_from([-1.0, 1.0])] * 3).map(np.array)
lengths, places = st.tuples(*[st.floats(0.05, 10)] * 3), st.tuples(*[st.floats(-1000, 1000)] * 3)


def turned(quaternion):
    """(3, 3): the rotation of a quaternion."""
    w, v = quaternion[0] / np.linalg.norm(quaternion), quaternion[1:] / np.linalg.norm(quaternion)
    cross = np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
    return np.eye(3) + 2 * w * cross + 2 * cross @ cross


def node_with(values, matrix=None):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "chest")
    slicer.util.updateVolumeFromArray(node, values)
    if matrix is not None:
        node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(np.asarray(matrix, float)))
    return node


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(quaternions, flips, lengths, places, st.sampled_from([np.int16, np.float32]))
def test_a_volume_comes_back_from_its_node_as_it_was(scene, quaternion, flip, spacing, origin, dtype):
    hu = (hu_of((3, 4, 5)) * (1 if dtype == np.int16 else np.float32(1.1))).astype(dtype)
    volume = CTVolume(hu, spacing, origin, turned(quaternion) * flip)
    node = add_volume(volume, "chest")
    back = volume_of(node)
    assert back.hu.dtype == dtype and np.array_equal(back.hu, hu)
    np.testing.assert_allclose(back.spacing, spacing, rtol=1e-12)
    np.testing.assert_allclose(back.direction, volume.direction, atol=1e-12)
    np.testing.assert_array_equal(back.origin, origin)
    assert np.linalg.norm(back.corners() - volume.corners(), axis=1).max() < 1e-10
    scene.RemoveNode(node)


def test_a_voxel_lies_where_the_matrix_of_the_node_says_with_two_signs_turned(scene):
    node = node_with(hu_of((2, 3, 4)), [[-0.7, 0, 0, 20], [0, 0, 3, -5], [0, -0.8, 0, 100], [0, 0, 0, 1]])
    volume = volume_of(node)
    # Voxel i, j, k = 3, 2, 1 is at R = 20 - 2.1, A = -5 + 3, S = 100 - 1.6 mm.
    at = volume.origin + volume.direction @ (np.array(volume.spacing) * (3, 2, 1))
    np.testing.assert_allclose(at, (-17.9, 2.0, 98.4), atol=1e-12)
    np.testing.assert_allclose(volume.spacing, (0.7, 0.8, 3.0))
    np.testing.assert_allclose(volume.direction, [[1, 0, 0], [0, 0, -1], [0, -1, 0]], atol=1e-12)


def test_a_volume_in_lps_gets_the_matrix_that_slicer_would_give_it(scene):
    node, matrix = add_volume(CTVolume(hu_of((2, 3, 4)), (0.7, 0.8, 2.5), (-10, -20, 100)), "chest"), vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    expected = [[-0.7, 0, 0, 10], [0, -0.8, 0, 20], [0, 0, 2.5, 100], [0, 0, 0, 1]]
    np.testing.assert_allclose(slicer.util.arrayFromVTKMatrix(matrix), expected, atol=1e-12)


@pytest.mark.parametrize(
    "values, dtype",
    [
        (hu_of((2, 3, 4)).astype(np.int32), np.int16),
        (hu_of((2, 3, 4)).astype(np.float64), np.int16),
        (hu_of((2, 3, 4)) + np.float32(0.5), np.float32),
        (np.full((2, 3, 4), 40000, np.uint16), np.float32),
        (np.full((2, 3, 4), -32769, np.int32), np.float32),
    ],
    ids=["int32", "whole float64", "fractions", "above int16", "below int16"],
)
def test_whole_numbers_that_fit_are_int16_and_all_else_is_float32_without_loss(scene, values, dtype):
    hu = volume_of(node_with(values)).hu
    assert hu.dtype == dtype and np.array_equal(hu, values)


def test_node_and_volume_share_no_voxels(scene):
    volume = centred()
    node, before = add_volume(volume, "chest"), volume.hu.copy()
    back = volume_of(node)
    volume.hu[...] = 7
    assert np.array_equal(slicer.util.arrayFromVolume(node), before)
    slicer.util.arrayFromVolume(node)[...] = 8
    assert np.array_equal(back.hu, before)


def test_padding_is_found_in_a_node_as_in_a_file(scene):
    hu = hu_of((3, 32, 32))
    hu[:, :8, :8] = -3024
    padding = volume_of(node_with(hu)).padding
    assert np.array_equal(padding, padding_mask(hu)) and padding[:, :8, :8].all() and padding.sum() == 3 * 64


def empty_image():
    image = vtk.vtkImageData()
    image.AllocateScalars(vtk.VTK_SHORT, 1)
    return image


@pytest.mark.parametrize("image", [None, vtk.vtkImageData(), empty_image()], ids=["no image", "no voxels", "size 0"])
def test_an_empty_node_is_refused(scene, image):
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "chest")
    node.SetAndObserveImageData(image)
    with pytest.raises(InputError) as caught:
        volume_of(node)
    assert one_sentence(caught, "The volume chest is empty")


def test_a_node_in_a_transform_is_refused(scene):
    node = add_volume(centred(), "chest")
    node.SetAndObserveTransformNodeID(add_transform(np.eye(4)).GetID())
    with pytest.raises(InputError) as caught:
        volume_of(node)
    assert one_sentence(caught, "The volume chest", "transform")
    node.SetAndObserveTransformNodeID(None)
    assert volume_of(node).hu.shape == (9, 12, 14)


def test_a_node_with_skewed_axes_is_refused(scene):
    with pytest.raises(InputError) as caught:
        volume_of(node_with(hu_of(), [[1, 0, 0, 0], [0, 1, 0.2, 0], [0, 0, 1, 0], [0, 0, 0, 1]]))
    assert one_sentence(caught, "The volume chest", "not at right angles")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_node_with_values_that_are_no_numbers_is_refused(scene, value):
    values = hu_of().astype(np.float32)
    values[4, 5, 6] = value
    with pytest.raises(InputError) as caught:
        volume_of(node_with(values))
    assert one_sentence(caught, "The volume chest", "no numbers")


def test_a_node_of_colours_is_refused(scene):
    node = scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "photo")
    slicer.util.updateVolumeFromArray(node, np.zeros((2, 3, 4, 3), np.uint8))
    with pytest.raises(InputError) as caught:
        volume_of(node)
    assert one_sentence(caught, "The volume photo", "several components")


def test_facts_of_the_scanner_survive_as_attributes_through_a_saved_scene(scene):
    node = add_volume(centred(facts=FACTS), "chest")
    assert node.GetAttribute("LTDiff.ct.kernel") == "Br64d\\3" and float(node.GetAttribute("LTDiff.ct.kvp")) == 120
    assert facts_of(node) == volume_of(node).facts == FACTS
    scene.SetSaveToXMLString(1)
    scene.Commit()
    other = slicer.vtkMRMLScene()
    other.SetLoadFromXMLString(1)
    other.SetSceneXMLString(scene.GetSceneXMLString())
    other.Connect()
    assert facts_of(other.GetFirstNodeByName("chest")) == FACTS


def test_without_attributes_and_database_nothing_is_known_of_the_scanner(scene):
    node = add_volume(centred(), "chest")
    assert facts_of(node) == CTFacts() and attributes_of(node) == {}


def test_attributes_are_texts_or_json_and_none_is_left_out(scene):
    node = add_volume(centred(), "chest")
    node.SetAttribute("Other.name", "not ours")
    set_attributes(node, {"a": "text", "b": 1.5, "c": ["x", "ü"], "d": None})
    found = attributes_of(node)
    assert set(found) == {"a", "b", "c"} and found["a"] == "text"
    assert json.loads(found["b"]) == 1.5 and json.loads(found["c"]) == ["x", "ü"]


class Database:
    """As much of Slicer's DICOM database as is asked for."""

    def __init__(self, values, files=()):
        self.values, self.files = values, dict(files)

    def instanceValue(self, uid, tag):
        return self.values.get((uid, tag), "")

    def fileForInstance(self, uid):
        return self.files.get(uid, "")


def test_the_kernel_of_a_dicom_volume_comes_from_the_database_as_long_as_that_is_there(scene, monkeypatch):
    node = add_volume(centred(), "chest")
    node.SetAttribute("DICOM.instanceUIDs", "1.2.3 1.2.4")
    values = {("1.2.3", "0018,1210"): "B40f", ("1.2.3", "0018,0060"): "120", ("1.2.3", "0018,1100"): "331.5 mm"}
    monkeypatch.setattr(slicer, "dicomDatabase", Database({**values, ("1.2.4", "0018,1210"): "B70f"}), raising=False)
    assert facts_of(node) == CTFacts(kernel="B40f", kvp=120.0)
    node.SetAttribute(PREFIX + "ct.kernel", "B30f")
    assert facts_of(node).kernel == "B30f"
    node.RemoveAttribute(PREFIX + "ct.kernel")
    monkeypatch.delattr(slicer, "dicomDatabase")
    assert facts_of(node) == CTFacts()


def test_a_volume_that_is_not_from_dicom_never_asks_the_database(scene, monkeypatch):
    monkeypatch.setattr(slicer, "dicomDatabase", Database({("", "0018,1210"): "wrong"}), raising=False)
    assert facts_of(add_volume(centred(), "chest")) == CTFacts()


def test_the_files_of_a_dicom_volume_are_known_as_long_as_all_are_there(scene, monkeypatch, tmp_path):
    node, files = add_volume(centred(), "chest"), [tmp_path / "b.dcm", tmp_path / "a.dcm"]
    node.SetAttribute("DICOM.instanceUIDs", "1.2.3 1.2.4")
    assert dicom_files(node) == []
    for file in files:
        file.touch()
    monkeypatch.setattr(slicer, "dicomDatabase", Database({}, zip(("1.2.3", "1.2.4"), map(str, files))), raising=False)
    assert dicom_files(node) == files
    files[1].unlink()
    assert dicom_files(node) == []


def test_the_files_of_the_sample_are_known_from_the_node_itself(scene, tmp_path):
    node, file = add_volume(centred(), "chest"), tmp_path / "a.dcm"
    file.touch()
    set_attributes(node, {"source_files": [str(file)]})
    assert dicom_files(node) == [file]


def test_a_result_lies_beside_its_source_in_the_subject_hierarchy(scene):
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    study = hierarchy.CreateStudyItem(hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "patient"), "study")
    source = add_volume(centred(), "source")
    hierarchy.CreateItem(study, source)
    result = add_volume(centred(seed=1), "result", source)
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(result)) == study
    other = add_volume(centred(seed=2), "other")
    put_beside(result, other)
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(result)) == hierarchy.GetSceneItemID()


def test_a_result_is_shown_with_window_level_and_colours_of_its_source(scene):
    source = add_volume(centred(), "source")
    source.GetDisplayNode().AutoWindowLevelOff()
    source.GetDisplayNode().SetWindowLevel(1234, -321)
    source.GetDisplayNode().SetAndObserveColorNodeID("vtkMRMLColorTableNodeInvertedGrey")
    display = add_volume(centred(seed=1), "result", source).GetDisplayNode()
    assert (display.GetWindow(), display.GetLevel(), display.GetAutoWindowLevel()) == (1234, -321, 0)
    assert display.GetColorNodeID() == "vtkMRMLColorTableNodeInvertedGrey"


def test_names_of_nodes_stay_unique(scene):
    names = [add_volume(centred(), "chest").GetName() for _ in range(3)]
    assert names[0] == "chest" and len(set(names)) == 3


def test_the_volume_of_a_view_is_the_one_shown_and_else_the_first(scene):
    assert shown_volume() is None
    first, second = add_volume(centred(), "first"), add_volume(centred(direction=rotation(20)), "second")
    assert shown_volume() is first
    composite = scene.GetSingletonNode("Red", "vtkMRMLSliceCompositeNode")
    composite.SetBackgroundVolumeID(second.GetID())
    assert shown_volume() is second
    labels = scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
    composite.SetBackgroundVolumeID(labels.GetID())
    assert shown_volume() is first


def test_a_volume_that_was_turned_by_a_hardened_transform_is_read_where_it_lies_then(scene):
    volume = centred()
    node = add_volume(volume, "chest")
    node.SetAndObserveTransformNodeID(add_transform(affine(rotation(30), (5, -7, 11))).GetID())
    node.HardenTransform()
    flip = np.diag([-1.0, -1.0, 1.0])
    np.testing.assert_allclose(volume_of(node).direction, flip @ rotation(30) @ flip @ volume.direction, atol=1e-9)
    np.testing.assert_allclose(volume_of(node).corners().mean(axis=0), (-5, 7, 11), atol=1e-9)
