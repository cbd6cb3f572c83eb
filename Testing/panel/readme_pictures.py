"""Makes the pictures of the README anew: the panel and its views on the shipped pair, drawn by the stand-in and by slicer-core.

    QT_QPA_PLATFORM=offscreen python Testing/panel/readme_pictures.py Resources
"""
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent / "scene"), str(ROOT / "LTDiffStandardize")]

VIEW, CHART = (460, 400), (920, 420)
CLOSE_UP_MM = 130
RANDOM = 40


def main(folder):
    import stand_in

    stand_in.install()
    stand_in.new_scene()
    import slicer
    from panel_parts import make_widget, unfold

    widget = make_widget()
    panel = widget.panel
    panel.standardize.load_sample()
    save_panel(panel, folder / "Panel.png")
    panel.standardize.press()
    wait(slicer, panel)
    mark_tumour(panel)
    panel.set("randomRegions", RANDOM)
    panel.features.press()
    wait(slicer, panel)
    save_views(panel, folder / "SideBySide.png")
    panel.regions.press()
    wait(slicer, panel)
    panel.features.range.fill(panel.features.range._entries, "[10,250]")
    panel.features.draw()
    save_chart(slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLPlotChartNode"), folder / "Chart.png")
    for section in (panel.standardize.ui.standardizeFold, panel.view.ui.viewFold):
        section.setCollapsed(True)
    unfold(panel, "regionsFold", "featuresFold")
    save_panel(panel, folder / "PanelFeatures.png")
    widget.cleanup()


def wait(slicer, panel):
    while panel.work.current is not None:
        slicer.app.processEvents()
        time.sleep(0.05)


def mark_tumour(panel):
    """The box of the annotations as an ROI."""
    import numpy as np

    from LTDiffStandardizeLib.radiomics.regions.annotations import regions_from_voc
    from LTDiffStandardizeLib.scene.regions import add_roi
    from LTDiffStandardizeLib.scene.samples import FOLDER, SOFT
    from LTDiffStandardizeLib.scene.volumes import RAS_TO_LPS
    from LTDiffStandardizeLib.volumes import read_volume

    volume = read_volume(FOLDER / SOFT)
    (tumour,) = regions_from_voc(FOLDER / "tumour", volume)
    low, high = (np.array([getattr(limit, end) for limit in tumour.slices[::-1]]) for end in ("start", "stop"))
    middle = volume.origin + volume.direction @ ((low + high - 1) / 2 * volume.spacing)
    add_roi(RAS_TO_LPS @ middle, (high - low) * volume.spacing, "Tumour")
    panel.regions.refresh()


def save_panel(panel, path):
    from qt import QCoreApplication

    parent = panel.widgets[0].parentWidget()
    parent.show()
    for _ in range(3):
        parent.resize(460, parent.sizeHint().height())
        QCoreApplication.processEvents()
    assert parent.grab().toImage().save(str(path))


def save_views(panel, path):
    """Source and result around the tumour."""
    from offscreen import render, write_png

    from LTDiffStandardizeLib.scene.comparison import SLICE_TAGS, share_window, slice_node

    panel.view.show()
    share_window(panel.view.nodes(), 1600, -500)
    facts = panel.regions.facts[0]
    views = [slice_node(tag) for tag in SLICE_TAGS[:2]]
    render(views, VIEW)  # once as a whole, which gives the views their size
    for view in views:
        view.JumpSliceByCentering(-facts.centre_x, -facts.centre_y, facts.centre_z)
        view.SetFieldOfView(CLOSE_UP_MM * VIEW[0] / VIEW[1], CLOSE_UP_MM, 1)
    write_png(render(views, VIEW, fit=False), path)


def save_chart(chart, path):
    """The plot's own nodes, drawn with VTK's chart as Slicer's plot view does."""
    import vtk

    view = vtk.vtkContextView()
    view.GetRenderWindow().SetOffScreenRendering(1)
    view.GetRenderWindow().SetSize(*CHART)
    view.GetRenderer().SetBackground(1, 1, 1)
    drawing = vtk.vtkChartXY()
    view.GetScene().AddItem(drawing)
    labels, places = vtk.vtkStringArray(), vtk.vtkDoubleArray()
    for index in range(chart.GetNumberOfPlotSeriesNodes()):
        series = chart.GetNthPlotSeriesNode(index)
        table, is_bar = series.GetTableNode().GetTable(), series.GetPlotType() == series.PlotTypeBar
        plot = drawing.AddPlot(vtk.vtkChart.BAR if is_bar else vtk.vtkChart.POINTS)
        if is_bar:
            table = with_places(vtk, table)
            plot.SetInputData(table, "place", series.GetYColumnName())
            if not labels.GetNumberOfValues():
                for row in range(table.GetNumberOfRows()):
                    if table.GetValueByName(row, "feature class").ToString():
                        labels.InsertNextValue(table.GetValueByName(row, "feature class").ToString())
                        places.InsertNextValue(row)
        else:
            plot.SetInputData(table, series.GetXColumnName(), series.GetYColumnName())
        plot.SetLabel(series.GetName())
        plot.SetColor(*(round(255 * value) for value in series.GetColor()), 255)
    drawing.SetShowLegend(True)
    drawing.GetLegend().SetHorizontalAlignment(vtk.vtkChartLegend.LEFT)
    drawing.SetTitle(chart.GetTitle())
    drawing.GetAxis(0).SetTitle(chart.GetYAxisTitle())
    drawing.GetAxis(0).SetBehavior(vtk.vtkAxis.FIXED)
    drawing.GetAxis(0).SetRange(0, 1.3)
    drawing.GetAxis(1).SetTitle(chart.GetXAxisTitle())
    drawing.GetAxis(1).SetCustomTickPositions(places, labels)
    view.GetRenderWindow().Render()
    grab = vtk.vtkWindowToImageFilter()
    grab.SetInput(view.GetRenderWindow())
    writer = vtk.vtkPNGWriter()
    writer.SetFileName(str(path))
    writer.SetInputConnection(grab.GetOutputPort())
    writer.Write()


def with_places(vtk, table):
    """A bar's place is its line."""
    copy, places = vtk.vtkTable(), vtk.vtkDoubleArray()
    copy.DeepCopy(table)
    places.SetName("place")
    for row in range(table.GetNumberOfRows()):
        places.InsertNextValue(row)
    copy.AddColumn(places)
    return copy


if __name__ == "__main__":
    main(Path(sys.argv[1]))
