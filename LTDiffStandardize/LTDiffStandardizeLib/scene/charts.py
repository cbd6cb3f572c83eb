"""The findings of a comparison as tables and plots of the scene. One node of each kind, filled anew when the user chooses something else."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import slicer
import vtk

from ..comparison.findings import Findings
from ..radiomics.features import relative_change
from .comparison import PLOT_TAG, TABLE_TAG
from .volumes import PREFIX

COLOURS = ((0.00, 0.45, 0.70), (0.90, 0.62, 0.00), (0.00, 0.62, 0.45), (0.80, 0.47, 0.65), (0.34, 0.71, 0.91), (0.84, 0.37, 0.00))  # Okabe, Ito
GREY = (0.35, 0.35, 0.35)
LABEL = "feature class"
BAR_WIDTH = 0.8  # of a group of bars, in places: what VTK's charts take
CCC, CHANGE, SCATTER, BLAND_ALTMAN = "class", "change", "scatter", "bland-altman"
ROLE = PREFIX + "role"
CLASS_COLUMNS = {"method": "volume", "feature_class": "class", "ccc_mean": "CCC", "ccc_low": "90 % from", "ccc_high": "90 % to",
                 "share_085": "share >= 0.85", "share_090": "share >= 0.90", "n_features": "features", "n_left_out": "left out", "n_regions": "regions"}
CHANGE_COLUMNS = {"feature_class": "class", "median_change": "median change", "high_change": "90th percentile", "n_regions": "regions"}
FEATURE_COLUMNS = {"method": "volume", "feature_class": "class", "feature": "feature", "ccc": "CCC", "ccc_low": "90 % from", "ccc_high": "90 % to",
                   "icc": "ICC(3,1)", "bias": "bias", "loa_low": "limit from", "loa_high": "limit to", "relative_error": "relative error"}  # fmt: skip


def class_table(findings: Findings, hu_range: str, feature_class: str = ""):
    """The table of classes: CCC with interval and shares, or without a reference the relative changes."""
    columns = CLASS_COLUMNS if findings.has_reference else CHANGE_COLUMNS
    return _table("classes", f"LTDiff classes {hu_range}", columns, findings.class_rows(hu_range, feature_class))


def feature_table(findings: Findings, hu_range: str, feature_class: str = ""):
    """The table of single features, or without a reference that of the median change of each."""
    if findings.has_reference:
        return _table("features", f"LTDiff features {hu_range}", FEATURE_COLUMNS, findings.feature_rows(hu_range, feature_class))
    columns = {"class": "class", "feature": "feature", "change": "median relative change"}
    return _table("features", f"LTDiff features {hu_range}", columns, list(_feature_changes(findings, hu_range, feature_class)))


def class_chart(findings: Findings, hu_range: str):
    """Mean CCC of each class as bars, a volume a colour, with the ends of its interval as marks; without a reference median changes."""
    classes = findings.class_names()
    rows = findings.class_rows(hu_range)
    if not findings.has_reference:
        bars = {"median |relative change|": [row["median_change"] for row in rows]}
        return _bars("LTDiff relative change (no reference, so no CCC)", hu_range, classes, bars, {}, "|change| / |before|")
    by_method = {method: [row for row in rows if row["method"] == method] for method in findings.methods()}
    bars = {method: [row["ccc_mean"] for row in mine] for method, mine in by_method.items()}
    ends = {method: [(row["ccc_low"], row["ccc_high"]) for row in mine] for method, mine in by_method.items()}
    return _bars("LTDiff CCC", hu_range, classes, bars, ends, "CCC (mean, 90 % interval)")


def scatter_chart(findings: Findings, hu_range: str, feature_class: str, feature: str):
    """One feature in every region: each volume over the reference, and the line on which they would be equal."""
    values, points = findings.values, {}
    x = values.of(values.reference, feature_class, feature, hu_range)
    for volume in values.volumes:
        if volume != values.reference:
            points[volume] = (x, values.of(volume, feature_class, feature, hu_range))
    every = np.concatenate([x, *(y for _, y in points.values())])
    every = every[np.isfinite(every)]
    ends = np.array([every.min(), every.max()]) if every.size else np.zeros(2)
    return _points("scatter", f"{feature} {hu_range}", points, {"equal": (ends, ends)}, f"{feature}, {values.reference}", feature)


def bland_altman_chart(findings: Findings, hu_range: str, feature_class: str, feature: str):
    """Difference from the reference over the mean of both, with mean difference and limits of agreement of the last volume."""
    values, points, lines = findings.values, {}, {}
    x = values.of(values.reference, feature_class, feature, hu_range)
    for volume in values.volumes:
        if volume != values.reference:
            y = values.of(volume, feature_class, feature, hu_range)
            points[volume] = ((x + y) / 2, y - x)
    volume, (means, differences) = list(points.items())[-1]
    if np.isfinite(differences).sum() > 1:
        ends = np.array([np.nanmin(means), np.nanmax(means)])
        bias, spread = np.nanmean(differences), 1.96 * np.nanstd(differences, ddof=1)
        for name, height in (("bias", bias), ("limit from", bias - spread), ("limit to", bias + spread)):
            lines[f"{volume} {name}"] = (ends, np.full(2, height))
    return _points("bland-altman", f"{feature} {hu_range}", points, lines, f"mean of both, {feature}", f"difference from {values.reference}")


def show(table=None, chart=None) -> None:
    """In the plot and the table view of our layout."""
    plot_view = slicer.mrmlScene.GetSingletonNode(PLOT_TAG, "vtkMRMLPlotViewNode")
    table_view = slicer.mrmlScene.GetSingletonNode(TABLE_TAG, "vtkMRMLTableViewNode")
    if chart is not None and plot_view is not None:
        plot_view.SetPlotChartNodeID(chart.GetID())
    if table is not None and table_view is not None:
        table_view.SetTableNodeID(table.GetID())


def _feature_changes(findings: Findings, hu_range: str, feature_class: str):
    values = findings.values
    where = [index for index, one in enumerate(values.ranges) if one == hu_range]
    before, after = values.values[0, where], values.values[1, where]
    change = relative_change(before, after)
    for column, (name, feature) in enumerate(values.names):
        known = change[np.isfinite(change[:, column]), column]
        if feature_class in ("", name):
            yield {"class": name, "feature": feature, "change": float(np.median(known)) if known.size else None}


def _bars(title: str, hu_range: str, classes: Sequence[str], bars: Mapping[str, Sequence], ends: Mapping[str, Sequence], unit: str):
    """A group of bars for each class, which VTK puts side by side, and marks at the ends of the intervals in the middle of each bar."""
    rows = [{LABEL: name, **{volume: heights[index] for volume, heights in bars.items()}} for index, name in enumerate(classes)]
    table = _table("class chart", f"LTDiff chart {hu_range}", {LABEL: LABEL, **{volume: volume for volume in bars}}, rows)
    nodes = [_series(table, volume, "bar", None, volume, COLOURS[number % len(COLOURS)], labels=LABEL) for number, volume in enumerate(bars)]
    step = BAR_WIDTH / max(len(bars), 1)
    marks = [{"place": index + (number - (len(bars) - 1) / 2) * step, "end": value}
             for number, pairs in enumerate(ends.values()) for index, pair in enumerate(pairs) for value in pair if value is not None]  # fmt: skip
    if marks:
        spots = _table("interval chart", f"LTDiff intervals {hu_range}", {"place": "place", "end": "end"}, marks)
        nodes.append(_series(spots, "90 % interval", "scatter", "place", "end", GREY))
    key = ", ".join(f"{index} {name}" for index, name in enumerate(classes))  # Slicer shows the labels of bars on hovering alone
    return _filled(_chart("class", f"{title} {hu_range}", key, unit), nodes)


def _points(role: str, title: str, points: Mapping[str, tuple], lines: Mapping[str, tuple], x_title: str, y_title: str):
    """Points of each volume, and straight lines."""
    chart, nodes = _chart(role, title, x_title, y_title), []
    for number, (name, (x, y)) in enumerate(points.items()):
        rows = [{"x": a, "y": b} for a, b in zip(x.tolist(), y.tolist()) if np.isfinite([a, b]).all()]
        table = _table(f"{role} points {number}", f"LTDiff {role} {name}", {"x": "x", "y": "y"}, rows)
        nodes.append(_series(table, name, "scatter", "x", "y", COLOURS[number % len(COLOURS)]))
    for number, (name, (x, y)) in enumerate(lines.items()):
        rows = [{"x": a, "y": b} for a, b in zip(x.tolist(), y.tolist())]
        table = _table(f"{role} line {number}", f"LTDiff {role} {name}", {"x": "x", "y": "y"}, rows)
        nodes.append(_series(table, name, "line", "x", "y", GREY))
    return _filled(chart, nodes)


def _series(table, name: str, kind: str, x: str | None, y: str, colour, labels: str = ""):
    node = _node("vtkMRMLPlotSeriesNode", f"series {table.GetAttribute(ROLE)} {name}", name)
    node.SetAndObserveTableNodeID(table.GetID())
    node.SetXColumnName(x or "")
    node.SetYColumnName(y)
    node.SetLabelColumnName(labels)
    node.SetPlotType({"bar": node.PlotTypeBar, "scatter": node.PlotTypeScatter, "line": node.PlotTypeScatter}[kind])
    node.SetMarkerStyle(node.MarkerStyleNone if kind == "line" else node.MarkerStyleCircle)
    node.SetLineStyle(node.LineStyleSolid if kind == "line" else node.LineStyleNone)
    node.SetColor(*colour)
    return node


def _chart(role: str, title: str, x_title: str, y_title: str):
    chart = _node("vtkMRMLPlotChartNode", f"chart {role}", f"LTDiff {role}")
    chart.SetTitle(title)
    chart.SetXAxisTitle(x_title)
    chart.SetYAxisTitle(y_title)
    return chart


def _filled(chart, series: Sequence):
    """The chart with these series only; those of an earlier choice are removed."""
    wanted = {node.GetID() for node in series}
    stale = [chart.GetNthPlotSeriesNode(index) for index in range(chart.GetNumberOfPlotSeriesNodes())]
    chart.RemoveAllPlotSeriesNodeIDs()
    for node in series:
        chart.AddAndObservePlotSeriesNodeID(node.GetID())
    for node in stale:
        if node is not None and node.GetID() not in wanted:
            slicer.mrmlScene.RemoveNode(node)
    return chart


def _table(role: str, name: str, columns: Mapping[str, str], rows: Sequence[dict]):
    """columns: {key in the rows: title}. Columns whose values all are numbers (or missing) become numbers."""
    node = _node("vtkMRMLTableNode", f"table {role}", name)
    table = vtk.vtkTable()
    for key, title in columns.items():
        table.AddColumn(_column(title, [row.get(key) for row in rows]))
    node.SetAndObserveTable(table)
    node.SetUseColumnTitleAsColumnHeader(True)
    return node


def _column(title: str, values: Sequence):
    numbers = [_as_number(value) for value in values]
    is_text = any(number is None for number in numbers)
    array = vtk.vtkStringArray() if is_text else vtk.vtkDoubleArray()
    array.SetName(title)
    for value, number in zip(values, numbers):
        array.InsertNextValue(("" if value is None else str(value)) if is_text else number)
    return array


def _as_number(value) -> float | None:
    """NaN for what is missing, None for a text."""
    if value is None or value == "nan":
        return float("nan")
    try:
        return float(value)
    except ValueError:
        return None


def _node(class_name: str, role: str, name: str):
    """The scene's node of a role, made where there is none."""
    for node in slicer.util.getNodesByClass(class_name):
        if node.GetAttribute(ROLE) == role:
            node.SetName(name)
            return node
    node = slicer.mrmlScene.AddNewNodeByClass(class_name, name)
    node.SetAttribute(ROLE, role)
    return node
