"""Features and agreement through the panel: a real worker, tables and charts of the scene, exports."""
import csv

import numpy as np
import pytest
from panel_parts import chest, picture, pressed, unfold

BOXES = {"Lung left": (-16, -6), "Lung right": (14, -6), "Mediastinum": (0, 0), "Chest wall": (0, 12)}


def place_boxes():
    """Boxes of 5 x 5 x 6 mm, by their distance from the middle of the volume in mm (left and back in the patient)."""
    from LTDiffStandardizeLib.scene.regions import add_roi

    for name, (x, y) in BOXES.items():
        add_roi((20 - 22 - x, 30 - 22 - y, 105), (5, 5, 6), name)


@pytest.fixture
def standardized(panel, wait_until):
    panel.set("inputVolume", chest("CT"))
    panel.set("method", "ls_noise")
    pressed(panel.standardize.ui.standardizeButton)
    wait_until(lambda: panel.work.current is None and panel.result() is not None)
    place_boxes()
    wait_until(lambda: len(panel.regions.facts) == len(BOXES), 5)
    panel.set("profile", "ibsi")
    return panel


def computed(panel, wait_until):
    pressed(panel.features.ui.computeButton)
    wait_until(lambda: panel.work.current is None)
    assert panel.features.findings is not None, panel.messages.lines
    return panel.features.findings


def test_without_a_reference_changes_are_shown_and_called_so(standardized, wait_until, tmp_path):
    import slicer

    panel = standardized
    findings = computed(panel, wait_until)
    assert not findings.has_reference and findings.values.regions == list(BOXES)
    assert "no reference" in panel.features.ui.findingsLabel.text and "no CCC" in panel.messages.lines[-1]
    assert "There is no reference" in panel.features.ui.trustworthyText.toPlainText()
    chart = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLPlotChartNode")
    assert "no CCC" in chart.GetTitle()
    panel.features.export_tables(tmp_path)
    with open(tmp_path / "LTDiff-features" / "changes.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["region"] for row in rows} == set(BOXES)
    mean = next(row for row in rows if (row["region"], row["feature"]) == ("Mediastinum", "stat_mean"))
    facts = next(facts for facts in panel.regions.facts if facts.region == "Mediastinum")
    assert float(mean["before"]) == pytest.approx(facts.mean)


def test_with_a_reference_agreement_is_shown_class_by_class_and_feature_by_feature(standardized, wait_until, tmp_path):
    import slicer

    from LTDiffStandardizeLib.scene import charts, comparison

    panel = standardized
    panel.set("referenceVolume", chest("sharp", 2, "B70f"))
    panel.set("randomRegions", 3)
    unfold(panel, "regionsFold", "featuresFold")
    findings = computed(panel, wait_until)
    assert findings.has_reference and "tumour" in findings.ranges() and findings.methods() == ["source", panel.result().GetName()]
    assert comparison.has_charts()
    plot = slicer.mrmlScene.GetSingletonNode(comparison.PLOT_TAG, "vtkMRMLPlotViewNode")
    table = slicer.mrmlScene.GetSingletonNode(comparison.TABLE_TAG, "vtkMRMLTableViewNode")
    assert slicer.mrmlScene.GetNodeByID(plot.GetPlotChartNodeID()).GetTitle() == "LTDiff CCC tumour"
    shown = slicer.mrmlScene.GetNodeByID(table.GetTableNodeID()).GetTable()
    assert shown.GetNumberOfRows() == 2 * len(findings.class_names())
    panel.features.ui.classCombo.setCurrentIndex(1)
    assert shown.GetNumberOfRows() == 2 or slicer.mrmlScene.GetNodeByID(table.GetTableNodeID()).GetTable().GetNumberOfRows() == 2
    panel.features.ui.chartCombo.setCurrentIndex([kind for kind, _ in panel.features.chart._entries].index(charts.SCATTER))
    chart = slicer.mrmlScene.GetNodeByID(plot.GetPlotChartNodeID())
    name, feature = panel.features.feature.value.split("\t")
    points = slicer.util.arrayFromTableColumn(chart.GetNthPlotSeriesNode(0).GetTableNode(), "x")
    assert np.allclose(points, findings.values.of("standard", name, feature, "tumour"))
    picture(panel, "computed")


def test_random_regions_are_drawn_in_the_worker_listed_and_outlined(standardized, wait_until):
    import slicer

    panel = standardized
    panel.set("randomRegions", 2)
    pressed(panel.regions.ui.randomButton)
    wait_until(lambda: panel.work.current is None)
    kinds = {facts.kind for facts in panel.regions.facts}
    if "random" in kinds:  # a chest of 64 pixels has hardly room for boxes of 2 cm
        assert slicer.mrmlScene.GetFirstNodeByName("Random regions") is not None
    assert "random regions were drawn" in panel.messages.lines[-1] or "No region" in panel.messages.lines[-1]


def test_computing_can_be_cancelled(standardized, wait_until):
    panel = standardized
    panel.set("profile", "ibex")
    pressed(panel.features.ui.computeButton)
    assert panel.features.ui.computeButton.text == "Cancel"
    pressed(panel.features.ui.computeButton)
    wait_until(lambda: panel.work.current is None, 5)
    assert panel.features.findings is None and "ancelled" in panel.messages.lines[-1]


def test_a_volume_on_another_grid_is_refused_in_words(standardized, wait_until):
    panel = standardized
    panel.set("referenceVolume", chest("other", 3, "B70f", slices=4))
    pressed(panel.features.ui.computeButton)
    wait_until(lambda: panel.work.current is None)
    assert "does not lie on the grid" in panel.messages.lines[-1] and panel.features.findings is None


def test_pyradiomics_that_is_missing_is_named_with_its_extension(standardized, monkeypatch):
    from LTDiffStandardizeLib.panel import packages

    found = packages.find_spec
    monkeypatch.setattr(packages, "find_spec", lambda name: None if name == "radiomics" else found(name))
    standardized.set("profile", "pyradiomics")
    pressed(standardized.features.ui.computeButton)
    assert "SlicerRadiomics" in standardized.messages.lines[-1] and standardized.work.current is None


def test_a_volume_that_is_not_from_dicom_cannot_be_exported_as_such(standardized):
    button = standardized.features.ui.exportDicomButton
    assert not button.isEnabled() and "not loaded from DICOM" in button.toolTip


def test_the_sample_goes_all_the_way_as_the_test_inside_slicer_does(panel, wait_until, tmp_path):
    """The very self test; afterwards the result is exported and read back."""
    import LTDiffStandardize
    from pydicom import dcmread

    from LTDiffStandardizeLib.panel import self_test
    from LTDiffStandardizeLib.scene.volumes import volume_of
    from LTDiffStandardizeLib.volumes import read_volume

    self_test.run(LTDiffStandardize.LTDiffStandardizeTest(), panel)
    assert panel.features.why_no_dicom() == ""
    panel.features.export_dicom(tmp_path)
    wait_until(lambda: panel.work.current is None)
    folder = tmp_path / "LTDiff-series"
    assert np.array_equal(read_volume(folder).hu, volume_of(panel.result()).hu)
    header = dcmread(next(folder.iterdir()))
    assert list(header.ImageType)[:2] == ["DERIVED", "SECONDARY"] and "Research use only" in header.SeriesDescription
    assert "B70f" in header.DerivationDescription
    picture(panel, "sample")
