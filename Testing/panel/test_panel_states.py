"""What can be pressed when, and what the tool tip says where it cannot."""
import pytest
from panel_parts import chest, picture, unfold


def test_an_empty_scene_says_how_to_begin(panel):
    assert not panel.standardize.ui.standardizeButton.isEnabled()
    assert "Choose a CT volume, or load the sample" in panel.standardize.ui.standardizeButton.toolTip
    for button in (panel.view.ui.viewButton, panel.regions.ui.boxButton, panel.regions.ui.randomButton, panel.features.ui.computeButton,
                   panel.features.ui.exportTablesButton, panel.features.ui.exportDicomButton, panel.view.ui.lungButton):  # fmt: skip
        assert not button.isEnabled()
    assert panel.standardize.ui.sampleButton.isEnabled()
    picture(panel, "empty")


def test_the_volume_that_is_shown_is_chosen_and_its_facts_are_told(scene):
    from panel_parts import make_widget

    from LTDiffStandardizeLib.scene.comparison import show_everywhere

    chest("first")
    shown = chest("second", 1)
    show_everywhere(shown)
    widget = make_widget()
    assert widget.panel.parameters.inputVolume is shown
    assert "kernel B40f, 6 slices of 64 x 64, 0.7 x 0.7 x 2 mm" in widget.panel.standardize.ui.factsLabel.text
    assert widget.panel.standardize.ui.standardizeButton.isEnabled()
    widget.cleanup()


def test_targets_of_the_volumes_kernel_come_first(panel):
    panel.set("inputVolume", chest("soft", kernel="B30f"))
    texts = [panel.standardize.ui.targetCombo.itemText(index) for index in range(5)]
    assert texts[2:5] == ["B30f to B10f", "B30f to B50f", "B30f to B70f"]


@pytest.mark.parametrize("change, reason", [
    (lambda panel, node: panel.set("referenceVolume", node), "one volume"),
    (lambda panel, node: panel.set("outputVolume", node), "would replace the source"),
    (lambda panel, node: panel.set("target", "reference"), "none is chosen"),
    (lambda panel, node: node.SetAttribute("LTDiff.kind", "difference"), "no CT"),
    (lambda panel, node: node.SetAttribute("LTDiff.method", "ls"), "a result of LTDiff already"),
])  # fmt: skip
def test_what_cannot_work_is_refused_before_it_is_pressed(panel, change, reason):
    node = chest("CT")
    panel.set("inputVolume", node)
    assert panel.standardize.why_not() == ""
    change(panel, node)
    panel.update()
    button = panel.standardize.ui.standardizeButton
    assert not button.isEnabled() and reason in button.toolTip
    panel.standardize.press()
    assert reason in panel.messages.lines[-1] and panel.work.current is None


def test_settings_that_a_method_does_not_have_cannot_be_set(panel):
    ui = panel.standardize.ui
    for method, enabled in (("ltdiff", (True, True, True, True)), ("ls_noise", (False, True, False, True)), ("none", (False, False, False, False))):
        panel.set("method", method)
        assert (ui.stepsSpin.isEnabled(), ui.samplesSpin.isEnabled(), ui.deviceCombo.isEnabled(), ui.targetCombo.isEnabled()) == enabled


def test_what_a_user_picks_becomes_a_parameter_and_the_other_way_round(panel):
    panel.set("inputVolume", chest("CT"))
    ui = panel.standardize.ui
    ui.methodCombo.setCurrentIndex(2)
    assert panel.parameters.method == "ls"
    panel.set("method", "power")
    assert "Power" in ui.methodCombo.currentText
    ui.seedSpin.setValue(12)
    assert panel.parameters.seed == 12
    panel.set("samples", 3)
    assert ui.samplesSpin.value == 3
    unfold(panel, "advancedFold")
    picture(panel, "advanced")


def test_parameters_are_saved_with_the_scene_and_come_back_with_it(panel, tmp_path):
    import slicer

    panel.set("inputVolume", chest("CT"))
    panel.set("method", "ls")
    panel.set("seed", 7)
    path = str(tmp_path / "scene.mrml")
    assert slicer.mrmlScene.Commit(path)
    slicer.mrmlScene.Clear(0)
    assert panel.parameters.method == "ltdiff" and panel.parameters.inputVolume is None
    slicer.mrmlScene.SetURL(path)
    slicer.mrmlScene.Connect()
    assert (panel.parameters.method, panel.parameters.seed) == ("ls", 7)
    assert panel.parameters.inputVolume.GetName() == "CT" and panel.standardize.ui.seedSpin.value == 7
    assert "Least-squares" in panel.standardize.ui.methodCombo.currentText


def test_a_region_is_listed_measured_and_gone_to(panel, wait_until):
    import numpy as np
    import slicer

    from LTDiffStandardizeLib.scene.comparison import slice_node
    from LTDiffStandardizeLib.scene.regions import add_roi
    from LTDiffStandardizeLib.scene.volumes import RAS_TO_LPS, volume_of

    node = chest("CT")
    panel.set("inputVolume", node)
    volume = volume_of(node)
    centre = volume.corners().mean(axis=0)
    roi = add_roi(RAS_TO_LPS @ centre, (7, 7, 6), "Nodule")
    wait_until(lambda: len(panel.regions.facts) == 1, 5)
    table = panel.regions.ui.regionTable
    facts = panel.regions.facts[0]
    assert table.item(0, 0).text() == "Nodule" and facts.voxels == 10 * 10 * 4
    assert facts.ml == pytest.approx(400 * 0.7 * 0.7 * 2 / 1000)
    inside = volume.hu[1:5, 27:37, 27:37]
    assert facts.mean == pytest.approx(inside.mean(), abs=12)
    panel.regions.go_to(0)
    assert slice_node("Red").GetSliceOffset() == pytest.approx(centre[2], abs=1.01)
    roi.SetSize(14, 7, 6)
    wait_until(lambda: panel.regions.facts and panel.regions.facts[0].voxels > 600, 5)
    slicer.mrmlScene.RemoveNode(roi)
    wait_until(lambda: not panel.regions.facts, 5)
    assert np.isfinite(facts.sd)


def test_a_box_beside_the_volume_is_told_of(panel, wait_until):
    from LTDiffStandardizeLib.scene.regions import add_roi

    panel.set("inputVolume", chest("CT"))
    add_roi((900, 900, 900), (5, 5, 5), "Lost")
    wait_until(lambda: "Lost" in panel.regions.ui.regionsLabel.text, 5)
    assert "holds no voxel" in panel.regions.ui.regionsLabel.text


def test_a_box_is_placed_with_the_mouse_or_without_a_window_in_the_middle(panel, application):
    import slicer

    from LTDiffStandardizeLib.scene.regions import roi_nodes

    panel.set("inputVolume", chest("CT"))
    panel.regions.place_box()
    interaction = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLInteractionNode")
    node = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLMarkupsROINode")
    assert interaction.GetCurrentInteractionMode() == interaction.Place and not roi_nodes()
    for corner in ((0, 0, 100), (10, 14, 108)):  # as two clicks would
        node.AddControlPoint(corner)
    assert [round(length) for length in node.GetSize()] == [10, 14, 8] and roi_nodes() == [node]
    slicer.mrmlScene.RemoveNode(node)
    application.main_window = False
    panel.regions.place_box()
    assert len(roi_nodes()) == 1


def test_without_a_window_the_layout_manager_is_never_touched(scene, application):
    from panel_parts import make_widget

    import slicer
    import stand_in

    application.main_window = False
    stand_in.new_scene()
    assert slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode") is None
    chest("CT")
    reference = chest("sharp", 1, "B70f")
    widget = make_widget()
    widget.panel.set("referenceVolume", reference)
    widget.panel.view.show()
    widget.panel.view.press()
    widget.cleanup()


def test_diagnostics_tell_versions_and_weights_but_no_path(panel, application):
    import os

    text = panel.messages.gather()
    for what in ("LTDiff: ", "Application: Slicer 5.12", "Python: ", "torch: 2.", "GPU: ", "Free disk: ", "Weights ltdiff-chest: SHA-256 "):
        assert what in text
    assert os.path.expanduser("~") not in text or os.path.expanduser("~") == "/"
    node = chest("Doe^Jane CT")
    panel.tell(f"{node.GetName()} is done")
    text = panel.messages.gather()
    assert "Doe" not in text and f"{node.GetID()} is done" in text
    panel.messages.copy()
    assert application.clipboard().text() == panel.messages.ui.diagnosticsText.toPlainText()
