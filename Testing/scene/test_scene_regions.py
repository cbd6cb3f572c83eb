"""Boxes and segments that a user has drawn, as masks on the voxels of a volume."""
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scene_parts import (
    add_segmentation,
    add_transform,
    affine,
    centred,
    nodes_by_class,
    one_sentence,
    rotation,
    slicer,
    voxels_ras,
    whole_mask,
)

from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.scene.comparison import slice_node
from LTDiffStandardizeLib.scene.regions import (
    add_random_labels,
    add_roi,
    box_of,
    drawn_regions,
    go_to,
    region_of_roi,
    regions_of_segmentation,
    roi_nodes,
    start_placing,
)
from LTDiffStandardizeLib.scene.volumes import add_volume, volume_of
from LTDiffStandardizeLib.volumes.image_files import write_volume_file
from LTDiffStandardizeLib.volumes.volume import CTVolume

SIZE = (9.13, 7.31, 11.57)  # mm, so that no voxel centre lies on a face
MIRROR = np.diag([-1.0, 1.0, 1.0])


def turned_box(linear=np.eye(3), centre=(0.5, -1.0, 1.5), size=SIZE, name="Tumour"):
    """An ROI whose axes are the columns of a rotation, RAS."""
    node = add_roi((0, 0, 0), size, name)
    node.SetAndObserveObjectToNodeMatrix(slicer.util.vtkMatrixFromArray(affine(linear, centre)))
    return node


def mask_of(node, volume):
    return whole_mask(region_of_roi(node, volume), volume.hu.shape)


def mask_by_slicer(node, volume_node):
    """Voxel by voxel, as Slicer itself tells; it forgets about the scale of a transform."""
    points = voxels_ras(volume_node)
    return np.array([node.IsPointInROIWorld(point) for point in points.reshape(-1, 3)]).reshape(points.shape[:3])


def mask_by_hand(to_world, size, volume_node):
    """The voxels that lie in the cube of this size once its affine map to the world is undone."""
    inside = np.linalg.inv(to_world)
    return (np.abs(voxels_ras(volume_node) @ inside[:3, :3].T + inside[:3, 3]) <= np.array(size) / 2).all(axis=-1)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0, 360), st.floats(0, 360), st.floats(0, 360), st.booleans())
def test_the_mask_of_a_turned_box_is_what_slicer_says_of_each_voxel(scene, volume_angle, box_angle, parent_angle, mirrored):
    volume = centred(direction=rotation(volume_angle))
    volume_node, node = add_volume(volume, "chest"), turned_box(rotation(box_angle, (3, -1, 2)))
    turned = rotation(parent_angle, (1, 1, -2)) @ (MIRROR if mirrored else np.eye(3))
    node.SetAndObserveTransformNodeID(add_transform(affine(turned, (1, 2, -1))).GetID())
    expected = mask_by_slicer(node, volume_node)
    assert expected.sum() > 150 and np.array_equal(mask_of(node, volume), expected)
    for one in (node, volume_node):
        scene.RemoveNode(one)


@pytest.mark.parametrize(
    "parent, box",
    [
        (rotation(40) * 1.3, rotation(25, (0, 1, 1))),
        (np.diag([1.5, 0.7, 1.2]), np.eye(3)),
        (rotation(70, (1, 0, 2)) @ np.diag([0.8, 1.4, 1.1]), np.eye(3)),
        (rotation(33) @ np.diag([0.8, 1.4, 1.1]), np.eye(3)[[1, 2, 0]]),
    ],
    ids=["uniform", "along the axes", "then turned", "along swapped axes"],
)
def test_the_mask_of_a_box_in_a_transform_with_scale_is_that_of_the_scaled_box(scene, parent, box):
    volume = centred((12, 16, 18), direction=rotation(-20))
    volume_node, node = add_volume(volume, "chest"), turned_box(box)
    node.SetAndObserveTransformNodeID(add_transform(affine(parent, (1, 2, 3))).GetID())
    expected = mask_by_hand(affine(parent, (1, 2, 3)) @ affine(box, (0.5, -1.0, 1.5)), SIZE, volume_node)
    assert expected.sum() > 150 and np.array_equal(mask_of(node, volume), expected)
    lengths = [0.0] * 3
    node.GetSizeWorld(lengths)
    np.testing.assert_allclose(box_of(node)[1], lengths)


def test_a_box_on_voxel_centres_holds_those_on_its_faces(scene):
    volume = CTVolume(np.zeros((7, 7, 7), np.int16), (1, 1, 1), (-3, -3, -3))
    region = region_of_roi(turned_box(centre=(1, 0, 0), size=(2, 4, 0.5)), volume)
    # R = 0 .. 2 is L = -2 .. 0.
    assert region.slices == (slice(3, 4), slice(1, 6), slice(1, 4)) and region.mask.all() and region.name == "Tumour"


def test_a_box_turned_inside_out_is_refused(scene):
    node = turned_box()
    node.SetInsideOut(True)
    with pytest.raises(InputError) as caught:
        region_of_roi(node, centred())
    assert one_sentence(caught, "The ROI Tumour", "inside out")


def test_a_box_that_its_transform_makes_flat_is_refused(scene):
    node = turned_box()
    node.SetAndObserveTransformNodeID(add_transform(np.diag([1, 0, 1, 1])).GetID())
    with pytest.raises(InputError) as caught:
        region_of_roi(node, centred())
    assert one_sentence(caught, "The ROI Tumour", "transform")


def test_axes_that_are_not_at_right_angles_are_refused(scene):
    # Slicer of today puts the axes of a box at right angles itself, whatever its transform does.
    sheared = slicer.util.vtkMatrixFromArray(affine([[1, 0.4, 0], [0, 1, 0], [0, 0, 1]]))
    kinds = {"GetName": lambda: "Tumour", "GetROIType": lambda: 0, "ROITypeBox": 0, "ROITypeBoundingBox": 1}
    node = SimpleNamespace(**kinds, GetInsideOut=lambda: False, GetObjectToWorldMatrix=lambda: sheared, GetSize=lambda: SIZE)
    with pytest.raises(InputError) as caught:
        box_of(node)
    assert one_sentence(caught, "The ROI Tumour is sheared")


def test_another_kind_of_roi_is_refused(scene):
    with pytest.raises(InputError) as caught:
        box_of(SimpleNamespace(GetName=lambda: "Ball", GetROIType=lambda: 2, ROITypeBox=0, ROITypeBoundingBox=1))
    assert one_sentence(caught, "The ROI Ball is no box")


def test_hidden_boxes_and_those_not_placed_yet_are_left_out(scene):
    shown, hidden, unplaced = add_roi((0, 0, 0), SIZE), add_roi((0, 0, 0), SIZE), add_roi((0, 0, 0), SIZE)
    hidden.GetDisplayNode().SetVisibility(False)
    unplaced.RemoveAllControlPoints()
    assert roi_nodes() == [shown]


def test_a_box_outside_the_volume_is_told_in_a_sentence_and_the_others_are_kept(scene):
    volume = centred()
    volume_node = add_volume(volume, "chest")
    turned_box(name="inside"), turned_box(centre=(100, 0, 0), name="far")
    regions, problems = drawn_regions(volume, volume_node)
    assert [region.name for region in regions] == ["inside"]
    assert len(problems) == 1 and problems[0].endswith(".") and "far" in problems[0] and "no voxel" in problems[0]


def test_what_lies_outside_the_field_of_view_is_cut_off_and_a_region_of_nothing_else_is_told(scene):
    hu = np.random.default_rng(0).integers(-900, 1500, (5, 40, 40), dtype=np.int16)
    hu[:, :, :10] = -3024
    volume = CTVolume(hu, (1, 1, 1), (-20, -20, -2))
    volume_node = add_volume(volume, "chest")
    turned_box(centre=(10.5, 0, 0), size=(8, 6, 2), name="edge"), turned_box(centre=(16, 0, 0), size=(4, 4, 2), name="lost")
    (edge,), (problem,) = drawn_regions(volume_of(volume_node), volume_node)
    assert edge.name == "edge" and edge.mask.any() and (edge.crop(hu)[edge.mask] > -1000).all()
    assert "lost" in problem and "field of view" in problem and problem.endswith(".")


def some_masks(shape):
    """Two that overlap, and an empty one."""
    masks = {name: np.zeros(shape, bool) for name in ("Läsion 1/2", "overlap", "empty")}
    masks["Läsion 1/2"][2:6, 3:8, 4:9] = True
    masks["Läsion 1/2"][3, 4, 5] = False
    masks["overlap"][4:8, 6:10, 7:13] = True
    return masks


def test_the_masks_of_segments_are_what_was_put_in(scene):
    volume = centred(direction=rotation(35))
    volume_node, masks = add_volume(volume, "chest"), some_masks(volume.hu.shape)
    regions = regions_of_segmentation(add_segmentation(volume_node, masks), volume_node)
    assert [region.name for region in regions] == ["Läsion 1/2", "overlap"] and {region.kind for region in regions} == {"segment"}
    for region in regions:
        assert np.array_equal(whole_mask(region, volume.hu.shape), masks[region.name]) and region.mask.dtype == bool
        assert all(region.mask.any(axis=others).all() for others in ((1, 2), (0, 2), (0, 1)))
    assert regions[0].number_of_voxels == 4 * 5 * 5 - 1


def test_invisible_segments_are_left_out(scene):
    volume_node = add_volume(centred(), "chest")
    node = add_segmentation(volume_node, some_masks((9, 12, 14)))
    node.GetDisplayNode().SetSegmentVisibility(node.GetSegmentation().GetSegmentIdBySegmentName("Läsion 1/2"), False)
    assert [region.name for region in regions_of_segmentation(node, volume_node)] == ["overlap"]


def test_segments_move_with_the_transform_that_they_lie_in(scene):
    volume_node, masks = add_volume(CTVolume(np.zeros((9, 12, 14), np.int16)), "chest"), some_masks((9, 12, 14))
    node = add_segmentation(volume_node, {name: masks[name] for name in ("Läsion 1/2", "overlap")})
    node.SetAndObserveTransformNodeID(add_transform(affine(shift=(-2, 1, 0))).GetID())  # mm, one a voxel: L + 2, P - 1
    moved = regions_of_segmentation(node, volume_node)[0]
    assert np.array_equal(whole_mask(moved, (9, 12, 14)), np.roll(masks["Läsion 1/2"], (-1, 2), (1, 2)))


def test_reading_segments_leaves_no_nodes_behind(scene):
    volume_node = add_volume(centred(), "chest")
    node = add_segmentation(volume_node, some_masks((9, 12, 14)))
    before = nodes_by_class()
    regions_of_segmentation(node, volume_node)
    assert nodes_by_class() == before


def test_boxes_come_before_segments_and_equal_names_are_told_apart(scene):
    volume = centred()
    volume_node = add_volume(volume, "chest")
    masks = {"Tumour": some_masks(volume.hu.shape)["overlap"]}
    turned_box(), turned_box(centre=(2, 2, 2)).SetName("Tumour")
    regions, problems = drawn_regions(volume, volume_node, add_segmentation(volume_node, masks))
    expected = [("Tumour", "box"), ("Tumour (2)", "box"), ("Tumour (3)", "segment")]
    assert [(region.name, region.kind) for region in regions] == expected and problems == []


def test_the_slices_through_a_point_are_shown_in_every_slice_view(scene):
    go_to((12.5, -7.25, 30.0))
    for tag in ("Red", "Yellow", "Green"):
        to_ras = slicer.util.arrayFromVTKMatrix(slice_node(tag).GetSliceToRAS())
        away = np.array([-12.5, 7.25, 30.0]) - to_ras[:3, 3]
        np.testing.assert_allclose(away, 0, atol=1e-9)  # the middle of the view


def test_without_a_window_a_new_box_lies_in_the_middle_of_the_volume_and_inside_it(scene):
    volume_node = add_volume(CTVolume(np.zeros((10, 50, 50), np.int16), (1, 1, 2), (100, 40, -60)), "chest")
    start_placing(volume_node)
    (node,) = roi_nodes()
    centre, size, _ = box_of(node)
    np.testing.assert_allclose(centre, (124.5, 64.5, -51))
    np.testing.assert_allclose(size, (30, 30, 20))
    assert not node.GetDisplayNode().GetFillVisibility()


def test_random_regions_become_one_segment_and_replace_the_former_ones(scene, tmp_path):
    volume = centred(direction=rotation(15))
    volume_node = add_volume(volume, "chest")
    for seed in range(2):
        labels = np.random.default_rng(seed).integers(0, 4, volume.hu.shape, dtype=np.int16)
        path = write_volume_file(CTVolume(labels, volume.spacing, volume.origin, volume.direction), tmp_path / f"{seed}.nrrd")
        before = nodes_by_class()
        node = add_random_labels(path)
        (region,) = regions_of_segmentation(node, volume_node)
        assert np.array_equal(whole_mask(region, volume.hu.shape), labels > 0)
    assert nodes_by_class() == before and before["vtkMRMLSegmentationNode"] == 1
    display = node.GetDisplayNode()
    assert display.GetVisibility2DOutline() and not display.GetVisibility2DFill()


def test_a_segmentation_of_the_user_stays_when_random_regions_are_replaced(scene, tmp_path):
    volume = centred()
    mine = add_segmentation(add_volume(volume, "chest"), some_masks(volume.hu.shape))
    labels = CTVolume(np.ones(volume.hu.shape, np.int16), volume.spacing, volume.origin)
    path = write_volume_file(labels, tmp_path / "labels.nrrd")
    add_random_labels(path), add_random_labels(path)
    assert scene.IsNodePresent(mine) and nodes_by_class()["vtkMRMLSegmentationNode"] == 2



def test_an_empty_segment_in_a_transform_is_left_out(scene):
    node = add_volume(CTVolume(np.zeros((9, 12, 14), np.int16)), "chest")
    mask = np.zeros((9, 12, 14), bool)
    mask[1:3, 2:5, 2:5] = True
    segmentation = add_segmentation(node, {"full": mask, "empty": mask & False})
    segmentation.SetAndObserveTransformNodeID(add_transform(affine()).GetID())
    assert [region.name for region in regions_of_segmentation(segmentation, node)] == ["full"]
