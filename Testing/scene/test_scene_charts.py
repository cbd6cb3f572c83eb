"""Findings as tables and plots of the scene: the numbers and where they stand, not how they look."""
from dataclasses import replace

import numpy as np
import pytest
from findings_parts import ROIS, VOLUMES, findings_with_reference
from scene_parts import centred, nodes_by_class, slicer

from LTDiffStandardizeLib.comparison.findings import Findings
from LTDiffStandardizeLib.scene import charts
from LTDiffStandardizeLib.scene.comparison import PLOT_TAG, TABLE_TAG, show_side_by_side
from LTDiffStandardizeLib.scene.volumes import add_volume

RANGE, CLASS, FEATURE = "tumour", "ID", "stat_mean"


@pytest.fixture(scope="module")
def single(tmp_path_factory):
    """With one region, where a CCC is undefined."""
    return findings_with_reference(tmp_path_factory.mktemp("single"), ROIS[:1])


def columns_of(node):
    """{title: the values of a column}"""
    table = node.GetTable()
    arrays = [table.GetColumn(index) for index in range(table.GetNumberOfColumns())]
    return {array.GetName(): [array.GetValue(row) for row in range(array.GetNumberOfTuples())] for array in arrays}


def series_of(chart):
    """{name: plot series node}"""
    nodes = [chart.GetNthPlotSeriesNode(index) for index in range(chart.GetNumberOfPlotSeriesNodes())]
    return {node.GetName(): node for node in nodes}


def points_of(node):
    """(x, y) of a series, from the columns that it names; x is None where bars are counted."""
    columns = columns_of(node.GetTableNode())
    return columns[node.GetXColumnName()] if node.GetXColumnName() else None, columns[node.GetYColumnName()]


def test_the_table_of_classes_has_the_numbers_of_the_agreement(scene, compared):
    columns = columns_of(charts.class_table(compared, RANGE))
    rows = compared.classes
    for key, title in charts.CLASS_COLUMNS.items():
        assert columns[title] == [row[key] for row in rows], title
    assert len(rows) == 3 * len(compared.class_names()) and list(columns) == list(charts.CLASS_COLUMNS.values())


def test_the_table_can_be_of_one_class(scene, compared):
    columns = columns_of(charts.class_table(compared, RANGE, "GLCM"))
    assert columns["class"] == ["GLCM"] * 3 and columns["volume"] == list(VOLUMES)


def test_the_table_of_features_has_numbers_for_the_texts_of_the_file(scene, compared):
    columns, rows = columns_of(charts.feature_table(compared, RANGE, "GLRLM")), compared.feature_rows(RANGE, "GLRLM")
    for key, title in charts.FEATURE_COLUMNS.items():
        if key in ("method", "feature_class", "feature"):
            assert columns[title] == [row[key] for row in rows]
        else:
            np.testing.assert_array_equal(columns[title], [float(row[key]) for row in rows])
    assert len(rows) > 20


def test_what_is_undefined_is_no_number_and_its_column_stays_one_of_numbers(scene, single):
    assert single.classes[0]["ccc_mean"] is None
    assert np.isnan(columns_of(charts.class_table(single, RANGE))["CCC"]).all()
    columns = columns_of(charts.feature_table(single, RANGE))
    assert np.isnan(columns["CCC"]).all() and all(isinstance(value, float) for value in columns["bias"])


def test_charts_of_a_single_region_are_made_without_a_line_that_it_cannot_have(scene, single):
    charts.class_chart(single, RANGE), charts.scatter_chart(single, RANGE, CLASS, FEATURE)
    assert list(series_of(charts.bland_altman_chart(single, RANGE, CLASS, FEATURE))) == list(VOLUMES)


def test_without_a_reference_the_tables_have_the_changes(scene, changed):
    columns, rows = columns_of(charts.class_table(changed, RANGE)), changed.classes
    for key, title in charts.CHANGE_COLUMNS.items():
        assert columns[title] == [row[key] for row in rows], title
    features, values = columns_of(charts.feature_table(changed, RANGE, CLASS)), changed.values
    assert list(zip(features["class"], features["feature"])) == changed.names_of(CLASS)
    before, after = (values.of(volume, CLASS, FEATURE, RANGE) for volume in values.volumes)
    expected = np.median((after - before) / np.abs(before))
    assert features["median relative change"][features["feature"].index(FEATURE)] == pytest.approx(expected, rel=1e-12)


def test_every_class_has_a_bar_of_every_volume_and_the_ends_of_its_interval(scene, compared):
    series, classes = series_of(charts.class_chart(compared, RANGE)), compared.class_names()
    assert list(series) == [*VOLUMES, "90 % interval"]
    marks = list(zip(*points_of(series["90 % interval"])))
    for number, volume in enumerate(VOLUMES):
        rows = [row for row in compared.class_rows(RANGE) if row["method"] == volume]
        assert [row["feature_class"] for row in rows] == classes and series[volume].GetPlotType() == series[volume].PlotTypeBar
        assert points_of(series[volume]) == (None, [row["ccc_mean"] for row in rows])
        # A group of three bars is 0.8 wide, and its middle one stands at the number of the class.
        places = [index + (number - 1) * 0.8 / 3 for index in range(len(rows))]
        expected = [(place, row[end]) for place, row in zip(places, rows) for end in ("ccc_low", "ccc_high")]
        np.testing.assert_allclose(marks[number * len(expected) : (number + 1) * len(expected)], expected)
    assert len(marks) == 2 * len(VOLUMES) * len(classes)


def test_the_classes_are_named_below_their_bars(scene, compared):
    for name, node in series_of(charts.class_chart(compared, RANGE)).items():
        if name in VOLUMES:
            assert columns_of(node.GetTableNode())[node.GetLabelColumnName()] == compared.class_names()


def test_without_a_reference_the_chart_says_that_there_is_no_ccc(scene, changed):
    chart = charts.class_chart(changed, RANGE)
    assert "no reference" in chart.GetTitle() and "no CCC" in chart.GetTitle() and "CCC" not in chart.GetYAxisTitle()
    ((name, node),) = series_of(chart).items()
    assert "CCC" not in name and points_of(node) == (None, [row["median_change"] for row in changed.classes])


def test_with_a_reference_the_chart_says_what_its_bars_are(scene, compared):
    chart = charts.class_chart(compared, RANGE)
    assert "CCC" in chart.GetTitle() and RANGE in chart.GetTitle() and "no CCC" not in chart.GetTitle()
    assert "CCC" in chart.GetYAxisTitle() and "90 %" in chart.GetYAxisTitle()


@pytest.mark.parametrize("kind", ["compared", "changed"])
def test_scatter_points_are_the_values_over_those_of_the_reference(scene, kind, request):
    findings = request.getfixturevalue(kind)
    values, chart = findings.values, charts.scatter_chart(findings, RANGE, CLASS, FEATURE)
    series, x = series_of(chart), values.of(values.reference, CLASS, FEATURE, RANGE)
    others = [volume for volume in values.volumes if volume != values.reference]
    assert list(series) == [*others, "equal"] and FEATURE in chart.GetTitle() and values.reference in chart.GetXAxisTitle()
    for volume in others:
        assert points_of(series[volume]) == (x.tolist(), values.of(volume, CLASS, FEATURE, RANGE).tolist())
        assert series[volume].GetLineStyle() == series[volume].LineStyleNone
    line_x, line_y = points_of(series["equal"])
    every = [values.of(volume, CLASS, FEATURE, RANGE) for volume in values.volumes]
    assert line_x == line_y == [np.min(every), np.max(every)] and series["equal"].GetLineStyle() == series["equal"].LineStyleSolid


def test_limits_of_agreement_are_mean_and_1_96_standard_deviations(scene, compared):
    values, series = compared.values, series_of(charts.bland_altman_chart(compared, RANGE, CLASS, FEATURE))
    x, y = (values.of(volume, CLASS, FEATURE, RANGE) for volume in (values.reference, VOLUMES[-1]))
    assert points_of(series[VOLUMES[-1]]) == (((x + y) / 2).tolist(), (y - x).tolist())
    mean = sum(y - x) / len(x)
    spread = 1.96 * (sum((one - mean) ** 2 for one in y - x) / (len(x) - 1)) ** 0.5
    for name, height in (("bias", mean), ("limit from", mean - spread), ("limit to", mean + spread)):
        at, heights = points_of(series[f"{VOLUMES[-1]} {name}"])
        assert heights == pytest.approx([height, height], rel=1e-12) and at == [min((x + y) / 2), max((x + y) / 2)]
    (row,) = (row for row in compared.feature_rows(RANGE, CLASS) if (row["method"], row["feature"]) == (VOLUMES[-1], FEATURE))
    limits = [float(row[key]) for key in ("bias", "loa_low", "loa_high")]
    assert limits == pytest.approx([mean, mean - spread, mean + spread], rel=1e-9)


def test_values_that_are_no_numbers_are_left_out_of_the_points(scene, compared):
    values, findings = compared.values.values.copy(), Findings(compared.folder)
    values[0, 0], values[1, 2] = np.nan, np.inf
    vars(findings)["values"] = replace(compared.values, values=values)
    series = series_of(charts.scatter_chart(findings, RANGE, CLASS, FEATURE))
    counts = {name: len(points_of(node)[0]) for name, node in series.items()}
    assert counts == {VOLUMES[0]: len(ROIS) - 2, VOLUMES[1]: len(ROIS) - 1, VOLUMES[2]: len(ROIS) - 1, "equal": 2}


def every_node(findings):
    nodes = [charts.class_table(findings, RANGE), charts.feature_table(findings, RANGE), charts.class_chart(findings, RANGE)]
    return nodes + [make(findings, RANGE, CLASS, FEATURE) for make in (charts.scatter_chart, charts.bland_altman_chart)]


@pytest.mark.parametrize("kind", ["compared", "changed"])
def test_calling_twice_makes_no_second_set_of_nodes(scene, kind, request):
    findings = request.getfixturevalue(kind)
    first = every_node(findings)
    before = nodes_by_class()
    assert every_node(findings) == first and nodes_by_class() == before


def test_series_of_an_earlier_choice_do_not_stay_in_a_chart(scene, compared, changed):
    for make in (charts.scatter_chart, charts.bland_altman_chart):
        make(compared, RANGE, CLASS, FEATURE)
    charts.class_chart(compared, RANGE)
    again = charts.class_chart(changed, RANGE), charts.scatter_chart(changed, RANGE, CLASS, FEATURE)
    shown = [series_of(chart) for chart in again]
    assert len(shown[0]) == 1 and list(shown[1]) == [VOLUMES[1], "equal"]
    mine = {node.GetID() for series in shown for node in series.values()}
    leftover = [node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLPlotSeriesNode") if node.GetID() not in mine]
    assert sorted(leftover) == sorted(series_of(scene_chart("bland-altman")))


def scene_chart(role):
    return next(node for node in slicer.util.getNodesByClass("vtkMRMLPlotChartNode") if role in node.GetAttribute(charts.ROLE))


def test_table_and_chart_are_shown_in_the_views_of_our_layout(scene, compared):
    table, chart = charts.class_table(compared, RANGE), charts.class_chart(compared, RANGE)
    charts.show(table, chart)  # without our layout there is nowhere to
    show_side_by_side([add_volume(centred(seed=seed), "chest") for seed in range(2)], with_charts=True)
    charts.show(table, chart)
    plot_view = scene.GetSingletonNode(PLOT_TAG, "vtkMRMLPlotViewNode")
    table_view = scene.GetSingletonNode(TABLE_TAG, "vtkMRMLTableViewNode")
    assert plot_view.GetPlotChartNodeID() == chart.GetID() and table_view.GetTableNodeID() == table.GetID()
    charts.show(chart=charts.scatter_chart(compared, RANGE, CLASS, FEATURE))
    assert plot_view.GetPlotChartNodeID() != chart.GetID() and table_view.GetTableNodeID() == table.GetID()


def test_volumes_keep_their_colours_from_chart_to_chart(scene, compared):
    shown = [charts.class_chart(compared, RANGE), charts.scatter_chart(compared, RANGE, CLASS, FEATURE)]
    bars, points = ([series_of(chart)[volume].GetColor() for volume in VOLUMES] for chart in shown)
    assert bars == points and len(set(bars)) == len(VOLUMES)
