"""Pictures of the scene as Slicer draws it: what is seen must be what is measured, and the same in all views."""
import numpy as np
import offscreen
import pytest
import vtk
from scene_parts import add_segmentation, add_transform, affine, slicer, voxels_ras, whole_mask

from LTDiffStandardizeLib.scene import charts
from LTDiffStandardizeLib.scene.comparison import PRESETS, share_window, show_side_by_side
from LTDiffStandardizeLib.scene.regions import add_random_labels, add_roi, go_to, region_of_roi
from LTDiffStandardizeLib.scene.results import add_difference
from LTDiffStandardizeLib.scene.volumes import add_volume
from LTDiffStandardizeLib.volumes.image_files import write_volume_file
from LTDiffStandardizeLib.volumes.volume import CTVolume

SIDE = 320  # pixels of a view
GREEN, RED = (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)


@pytest.fixture(autouse=True)
def needs_opengl():
    if offscreen.why_not():
        pytest.skip(offscreen.why_not())


@pytest.fixture
def pair(scene):
    """Lung with a homogeneous square of soft tissue, and beside it other noise in the lung and the same square."""
    nodes = []
    for seed, name in enumerate(("source", "standardized")):
        hu = np.random.default_rng(seed).normal(-800, 80, (9, 64, 64)).round().astype(np.int16)
        hu[:, 20:44, 8:28] = 40
        nodes.append(add_volume(CTVolume(hu, (1, 1, 2), (-31.5, -31.5, -8)), name, *nodes))
    share_window(nodes, *PRESETS["lung"])
    return nodes


def pictures(nodes):
    """One (h, w, 3) a view."""
    return np.split(offscreen.render(show_side_by_side(nodes), (SIDE, SIDE)), len(nodes), axis=1)


def colour_mask(picture, colour, tolerance=40):
    """Where the picture has the colour (0 to 1 each)."""
    return (np.abs(picture.astype(int) - np.array(colour) * 255) <= tolerance).all(axis=2)


def extent_ras(mask):
    """(R from, R to, A from, A to) mm of True pixels: the 64 mm of the slice fill the view, R to the left and A up."""
    rows, columns = np.nonzero(mask)
    pixels = np.array([columns.max(), columns.min(), rows.max(), rows.min()])
    return 32 - (pixels + 0.5) * 64 / SIDE


def add_box(centre=(0, 0, 0), size=(30, 20, 10)):
    node = add_roi(centre, size)
    display = node.GetDisplayNode()
    display.SetSelectedColor(*GREEN), display.SetColor(*GREEN)
    display.SetHandlesInteractive(False), display.SetPropertiesLabelVisibility(False), display.SetOpacity(1)
    return node


def test_a_picture_is_as_wide_as_all_views_together_and_no_view_is_empty(pair):
    picture = offscreen.render(show_side_by_side([*pair, pair[0]]), (SIDE, 200))
    assert picture.shape == (200, 3 * SIDE, 3) and picture.dtype == np.uint8
    assert all(view.std() > 5 for view in np.split(picture, 3, axis=1))


def test_both_views_show_the_same_grey_for_the_same_hu(pair):
    source, result = pictures(pair)
    tissue = np.s_[110:210, 50:130]
    grey = 255 * (40 - (-600 - 750)) / 1500  # window 1500 HU, level -600 HU
    for view in (source, result):
        assert np.ptp(view[tissue]) == 0 and view[tissue].mean() == pytest.approx(grey, abs=1.5)
    assert not np.array_equal(source[:, 200:], result[:, 200:])


def test_another_window_changes_both_views_alike(pair):
    pair[0].GetDisplayNode().SetWindowLevel(400, 40)
    source, result = pictures(pair)
    assert source[160, 90, 0] == result[160, 90, 0] == pytest.approx(127.5, abs=1.5)


def test_a_difference_is_shown_in_its_own_window(pair):
    *_, third = pictures([*pair, add_difference(*pair)])
    assert third[160, 90, 0] == pytest.approx(127.5, abs=1.5) and third[:, 200:].std() > 5


def test_the_patients_left_is_on_the_right_and_anterior_is_up(pair):
    hu = slicer.util.arrayFromVolume(pair[0])
    hu[:, 2:8, 50:60] = 1000  # anterior (small P) and left (large L)
    slicer.util.arrayFromVolumeModified(pair[0])
    bright = colour_mask(pictures(pair)[0], (1, 1, 1), tolerance=5)
    np.testing.assert_allclose(extent_ras(bright), (-28, -18, 24, 30), atol=0.5)


def test_the_outline_of_a_box_is_drawn_in_both_views_where_its_mask_lies(pair):
    box = add_box((4, -6, 0))
    for view in pictures(pair):
        np.testing.assert_allclose(extent_ras(colour_mask(view, GREEN)), (-11, 19, -16, 4), atol=0.6)
    box.GetDisplayNode().SetVisibility(False)
    assert not any(colour_mask(view, GREEN).any() for view in pictures(pair))


def test_the_inside_of_a_box_keeps_its_grey(pair):
    before = pictures(pair)[0]
    add_box((17, 0, 0), (30, 30, 10))
    inside = np.s_[110:145, 95:135]  # without its handles
    assert np.array_equal(before[inside], pictures(pair)[0][inside])


@pytest.mark.parametrize(
    "linear",
    [np.diag([1.5, 0.5, 1.0]), np.diag([0.8, 0.8, 0.8]), [[1, 0.8, 0], [0, 1, 0], [0, 0, 1]], np.diag([-1.0, 1.0, 1.0])],
    ids=["stretched", "shrunk", "sheared", "mirrored"],
)
def test_a_box_in_a_transform_is_measured_where_it_is_drawn(pair, linear):
    box = add_box((4, -6, 0))
    box.SetAndObserveTransformNodeID(add_transform(affine(linear, (1, 2, 0))).GetID())
    volume = CTVolume(np.zeros((9, 64, 64), np.int16), (1, 1, 2), (-31.5, -31.5, -8))
    inside = voxels_ras(pair[0])[whole_mask(region_of_roi(box, volume), volume.hu.shape)]
    measured = [inside[:, 0].min() - 0.5, inside[:, 0].max() + 0.5, inside[:, 1].min() - 0.5, inside[:, 1].max() + 0.5]
    np.testing.assert_allclose(extent_ras(colour_mask(pictures(pair)[0], GREEN)), measured, atol=1.2)  # voxels are 1 mm


def test_a_segment_is_drawn_in_both_views_where_its_mask_is(pair):
    mask = np.zeros((9, 64, 64), bool)
    mask[3:6, 30:40, 36:56] = True
    node = add_segmentation(pair[0], {"tumour": mask})
    node.GetSegmentation().GetNthSegment(0).SetColor(*RED)
    node.GetDisplayNode().SetOpacity2DFill(1), node.GetDisplayNode().SetOpacity2DOutline(1)
    for view in pictures(pair):
        red = colour_mask(view, RED)
        expected = np.kron(mask[4], np.ones((SIDE // 64,) * 2)) > 0
        assert (red != expected).sum() < 0.06 * expected.sum()  # its border is a line of some pixels
    go_to((0, 0, 6))
    assert not any(colour_mask(view, RED).any() for view in pictures_here(pair))


def pictures_here(nodes):
    """Without choosing the slice anew."""
    views = [slicer.mrmlScene.GetSingletonNode(tag, "vtkMRMLSliceNode") for tag in ("LTDiffSource", "LTDiffStandardized")]
    return np.split(offscreen.render(views, (SIDE, SIDE), fit=False), len(nodes), axis=1)


def test_random_regions_are_thin_outlines_that_leave_the_grey_inside(pair, tmp_path):
    labels = np.zeros((9, 64, 64), np.int16)
    labels[:, 24:40, 10:26] = 1
    before = pictures(pair)[0]
    node = add_random_labels(write_volume_file(CTVolume(labels, (1, 1, 2), (-31.5, -31.5, -8)), tmp_path / "labels.nrrd"))
    node.GetSegmentation().GetNthSegment(0).SetColor(*RED)
    node.GetDisplayNode().SetOpacity2DOutline(1)
    after = pictures(pair)[0]
    np.testing.assert_allclose(extent_ras(colour_mask(after, RED)), (6, 22, -8, 8), atol=1.0)
    assert np.array_equal(before[130:190, 60:120], after[130:190, 60:120])


def test_the_ends_of_an_interval_are_marked_in_the_middle_of_the_bar(scene, compared):
    chart = charts.class_chart(compared, "tumour")
    *bars, marks = (chart.GetNthPlotSeriesNode(index) for index in range(chart.GetNumberOfPlotSeriesNodes()))
    view, drawn = vtk.vtkContextView(), vtk.vtkChartXY()  # which draws the charts of Slicer
    view.GetRenderWindow().SetOffScreenRendering(1)
    view.GetScene().AddItem(drawn)
    plots = [drawn.AddPlot(vtk.vtkChart.BAR) for _ in bars]
    for plot, bar in zip(plots, bars):
        plot.SetInputData(bar.GetTableNode().GetTable(), "", bar.GetYColumnName())
        plot.SetUseIndexForXSeries(True)
    view.GetRenderWindow().Render()
    table, number = marks.GetTableNode().GetTable(), len(compared.class_names())
    places = [table.GetColumnByName("place").GetValue(row) for row in range(table.GetNumberOfRows())]
    expected = [index - plot.GetOffset() for plot in plots for index in range(number) for _ in ("from", "to")]
    np.testing.assert_allclose(places, expected, atol=1e-6)
    assert plots[0].GetWidth() == pytest.approx(0.8 / 3)


def test_moving_one_view_shows_the_same_slice_in_the_other(pair):
    for node in pair:
        hu = slicer.util.arrayFromVolume(node)
        hu[7] = 1000
        slicer.util.arrayFromVolumeModified(node)
    show_side_by_side(pair)
    pictures(pair)
    logic = slicer.modules.volumes.logic().GetMRMLApplicationLogic().GetSliceLogicByLayoutName("LTDiffStandardized")
    logic.StartSliceOffsetInteraction(), logic.SetSliceOffset(6.0), logic.EndSliceOffsetInteraction()
    assert all((view == 255).all() for view in pictures_here(pair))
