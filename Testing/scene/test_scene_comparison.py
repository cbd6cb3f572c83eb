"""Volumes side by side: the layout, linked slices, one window for all, and the way back."""
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
from scene_parts import centred, slicer

from LTDiffStandardizeLib.scene import comparison
from LTDiffStandardizeLib.scene.comparison import (
    PRESETS,
    SLICE_TAGS,
    composite_of,
    has_charts,
    is_ours,
    is_side_by_side,
    layout_node,
    restore_layout,
    share_window,
    show_everywhere,
    show_side_by_side,
    slice_node,
)
from LTDiffStandardizeLib.scene.results import add_difference
from LTDiffStandardizeLib.scene.volumes import add_volume


@pytest.fixture
def pair(scene):
    """A volume with a window of its own, and a result."""
    source = add_volume(centred(), "source")
    result = add_volume(centred(seed=1), "result")
    source.GetDisplayNode().AutoWindowLevelOff()
    source.GetDisplayNode().SetWindowLevel(1100, -450)
    return source, result


def window_of(node):
    return node.GetDisplayNode().GetWindow(), node.GetDisplayNode().GetLevel()


def logic_of(view):
    return slicer.modules.volumes.logic().GetMRMLApplicationLogic().GetSliceLogic(view)


def move(view, offset):
    """As a user does with the slider of a slice view."""
    logic = logic_of(view)
    logic.StartSliceOffsetInteraction()
    logic.SetSliceOffset(offset)
    logic.EndSliceOffsetInteraction()


def shown(views):
    return [slicer.mrmlScene.GetNodeByID(composite_of(view).GetBackgroundVolumeID()) for view in views]


def in_the_layout():
    """The tags of the views of the layout, left to right and down."""
    return [view.get("singletontag") for view in ElementTree.fromstring(layout_node().GetCurrentLayoutDescription()).iter("view")]


def test_each_volume_gets_a_view_of_its_own_from_left_to_right(pair):
    views = show_side_by_side(pair)
    assert [view.GetSingletonTag() for view in views] == list(SLICE_TAGS[:2])
    assert [view.GetOrientation() for view in views] == ["Axial", "Axial"] and shown(views) == list(pair)
    assert len({view.GetLayoutColor() for view in views}) == 2
    assert in_the_layout() == list(SLICE_TAGS[:2])


def test_a_third_volume_comes_and_goes_without_losing_the_layout_from_before(pair):
    former = layout_node().GetViewArrangement()
    difference = add_difference(*pair)
    assert shown(show_side_by_side([*pair, difference])) == [*pair, difference]
    assert in_the_layout() == list(SLICE_TAGS)
    show_side_by_side(pair)
    assert in_the_layout() == list(SLICE_TAGS[:2])
    restore_layout()
    assert layout_node().GetViewArrangement() == former


def test_moving_one_slice_moves_the_other_and_no_view_of_the_user(pair):
    one, other = show_side_by_side(pair)
    stays = slice_node("Red").GetSliceOffset()
    move(one, 4.6)
    assert one.GetSliceOffset() == other.GetSliceOffset() == pytest.approx(4.6)
    move(other, -2.3)
    assert one.GetSliceOffset() == other.GetSliceOffset() == pytest.approx(-2.3)
    assert slice_node("Red").GetSliceOffset() == stays


def test_zooming_one_slice_zooms_the_other(pair):
    views = show_side_by_side(pair)
    logic = logic_of(views[0])
    for view in views:
        view.SetDimensions(100, 100, 1)
        view.SetFieldOfView(50, 50, 1)
    logic.StartSliceNodeInteraction(slicer.vtkMRMLSliceNode.FieldOfViewFlag)
    views[0].SetFieldOfView(20, 20, 1)
    logic.EndSliceNodeInteraction()
    assert views[1].GetFieldOfView()[:2] == pytest.approx((20, 20))


def test_all_volumes_are_shown_with_the_window_of_the_first_but_a_difference_keeps_its_own(pair):
    source, result = pair
    difference = add_difference(source, result)
    own = window_of(difference)
    show_side_by_side([source, result, difference])
    assert window_of(source) == window_of(result) == (1100, -450) and window_of(difference) == own != (1100, -450)
    assert not source.GetDisplayNode().GetAutoWindowLevel() and not result.GetDisplayNode().GetAutoWindowLevel()


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_the_window_of_all_but_the_difference(pair, preset):
    difference = add_difference(*pair)
    own = window_of(difference)
    share_window([difference, *pair], *PRESETS[preset])
    assert [window_of(node) for node in pair] == [PRESETS[preset]] * 2 and window_of(difference) == own


def test_without_a_window_given_the_first_volume_decides_even_after_a_difference(pair):
    difference = add_difference(*pair)
    share_window([difference, *pair])
    assert [window_of(node) for node in pair] == [(1100, -450)] * 2
    share_window([])


def test_the_crosshair_is_shown_and_moves_the_slices(scene, pair):
    crosshair = scene.AddNode(slicer.vtkMRMLCrosshairNode())
    crosshair.SetCrosshairMode(crosshair.NoCrosshair)
    show_side_by_side(pair)
    assert crosshair.GetCrosshairMode() == crosshair.ShowSmallBasic
    assert crosshair.GetCrosshairBehavior() == crosshair.OffsetJumpSlice


@pytest.mark.parametrize("former", ["SlicerLayoutFourUpView", "SlicerLayoutOneUpRedSliceView", "SlicerLayoutConventionalView"])
def test_the_layout_from_before_comes_back(pair, former):
    layout_node().SetViewArrangement(getattr(slicer.vtkMRMLLayoutNode, former))
    show_side_by_side(pair), show_side_by_side(pair, with_charts=True), show_side_by_side(pair)
    assert is_side_by_side()
    restore_layout()
    assert layout_node().GetViewArrangement() == getattr(slicer.vtkMRMLLayoutNode, former) and not is_side_by_side()


def test_a_layout_that_the_user_chose_meanwhile_stays(pair):
    show_side_by_side(pair)
    layout_node().SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    restore_layout()
    assert layout_node().GetViewArrangement() == slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView
    # It is the one to come back to the next time.
    show_side_by_side(pair), restore_layout()
    assert layout_node().GetViewArrangement() == slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView


def test_the_way_back_is_there_after_the_scene_was_closed(scene, pair):
    show_side_by_side(pair)
    scene.Clear(0)
    restore_layout()
    assert not is_side_by_side()


def test_a_scene_that_was_saved_side_by_side_can_be_shown_so_again_and_left(scene, pair):
    layout_node().SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    show_side_by_side(pair)
    scene.SetSaveToXMLString(1)
    scene.Commit()
    scene.Clear(0)
    scene.SetLoadFromXMLString(1)
    scene.SetSceneXMLString(scene.GetSceneXMLString())
    scene.Connect()
    pair = [add_volume(centred(seed=seed), "again") for seed in range(2)]
    assert shown(show_side_by_side(pair)) == pair
    restore_layout()
    assert layout_node().GetViewArrangement() == slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView


def test_charts_come_with_a_plot_and_a_table_view(scene, pair):
    show_side_by_side(pair)
    assert not has_charts() and scene.GetSingletonNode(comparison.PLOT_TAG, "vtkMRMLPlotViewNode") is None
    views = show_side_by_side(pair, with_charts=True)
    assert has_charts() and is_side_by_side() and shown(views) == list(pair)
    assert in_the_layout() == [*SLICE_TAGS[:2], comparison.PLOT_TAG, comparison.TABLE_TAG]
    for tag, kind in ((comparison.PLOT_TAG, "vtkMRMLPlotViewNode"), (comparison.TABLE_TAG, "vtkMRMLTableViewNode")):
        assert scene.GetSingletonNode(tag, kind) is not None
    restore_layout()
    assert not has_charts()


def test_no_layout_of_slicer_is_taken_for_ours(scene):
    known = vars(slicer.vtkMRMLLayoutNode)
    theirs = [value for name, value in known.items() if name.startswith("SlicerLayout") and isinstance(value, int)]
    assert len(theirs) > 20 and not any(map(is_ours, theirs))
    assert all(is_ours(base + number) for base in (comparison.SIDE_BY_SIDE, comparison.WITH_CHARTS) for number in (2, 3))


def test_a_volume_is_shown_in_every_slice_view(pair):
    show_side_by_side(pair)
    show_everywhere(pair[1])
    views = slicer.util.getNodesByClass("vtkMRMLSliceNode")
    assert len(views) == 5 and shown(views) == [pair[1]] * 5


def with_application(monkeypatch, manager):
    """For the module alone: what of Slicer the tests run on must not find an application."""
    application = SimpleNamespace(layoutManager=lambda: manager)
    monkeypatch.setattr(comparison, "slicer", SimpleNamespace(app=application, mrmlScene=slicer.mrmlScene, util=slicer.util))


def test_without_a_main_window_no_layout_manager_is_asked(pair, monkeypatch):
    with_application(monkeypatch, None)
    assert shown(show_side_by_side(pair)) == list(pair)
    show_everywhere(pair[0])


def test_with_a_main_window_whole_slices_are_fitted_into_those_views_that_have_a_widget(pair, monkeypatch):
    fitted = []

    def widget(name):
        logic = SimpleNamespace(FitSliceToAll=lambda: fitted.append(name))
        return None if name == SLICE_TAGS[1] else SimpleNamespace(sliceLogic=lambda: logic)

    with_application(monkeypatch, SimpleNamespace(sliceWidget=widget))
    show_side_by_side([*pair, pair[0]])
    assert fitted == [SLICE_TAGS[0], SLICE_TAGS[2]]


def test_a_view_that_the_application_gave_no_composite_node_yet_gets_one(scene):
    view = slicer.vtkMRMLSliceNode()
    view.SetLayoutName("Ours"), view.SetSingletonTag("Ours")
    composite = composite_of(scene.AddNode(view))
    assert composite.GetLayoutName() == "Ours" and composite_of(view) is composite
