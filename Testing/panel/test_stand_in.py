"""The stand-in for the application does what the application does, as far as the panels need it."""
import sys
from pathlib import Path

import pytest
import stand_in

NAMED = '<property name="SlicerParameterName" stdset="0"><string>{}</string></property></widget></item>'
PANEL = f"""<ui version="4.0"><widget class="qMRMLWidget" name="Panel"><layout class="QVBoxLayout">
<item><widget class="ctkCollapsibleButton" name="section"><property name="text"><string>Inputs</string></property>
 <property name="collapsed"><bool>false</bool></property><layout class="QVBoxLayout">
 <item><widget class="qMRMLNodeComboBox" name="volume"><property name="noneEnabled"><bool>true</bool></property>
  <property name="nodeTypes"><stringlist><string>vtkMRMLScalarVolumeNode</string></stringlist></property>{NAMED.format("volume")}
 <item><widget class="QCheckBox" name="fast">{NAMED.format("fast")}</layout></widget></item>
<item><widget class="QSpinBox" name="steps">{NAMED.format("steps")}
<item><widget class="qMRMLTableView" name="table"/></item></layout></widget>
<connections><connection><sender>Panel</sender><signal>mrmlSceneChanged(vtkMRMLScene*)</signal>
<receiver>volume</receiver><slot>setMRMLScene(vtkMRMLScene*)</slot></connection></connections></ui>"""


def load(folder, text=PANEL):
    """The panel of a .ui file, and its named widgets."""
    import slicer

    (folder / "panel.ui").write_text(text)
    widget = slicer.util.loadUI(str(folder / "panel.ui"))
    widget.setMRMLScene(slicer.mrmlScene)
    return widget, slicer.util.childWidgetVariables(widget)


@pytest.fixture
def panel(scene, tmp_path):
    return load(tmp_path)


def test_installing_twice_changes_nothing_and_qt_is_one_flat_module(scene):
    qt = sys.modules["qt"]
    stand_in.install()
    import ctk

    assert sys.modules["qt"] is qt
    assert all(hasattr(qt, name) for name in ("QTimer", "QIcon", "QLabel", "QProcess", "Qt", "QUiLoader"))
    assert issubclass(ctk.ctkCollapsibleButton, qt.QWidget)


def test_qt_properties_are_attributes_as_in_pythonqt(application):
    import qt

    button = qt.QPushButton()
    button.text, button.enabled, button.toolTip = "Run", False, "why not"
    assert (button.property("text"), button.isEnabled(), button.toolTip) == ("Run", False, "why not")
    assert qt.QLabel(textInteractionFlags=qt.Qt.TextSelectableByMouse).textInteractionFlags == qt.Qt.TextSelectableByMouse


def test_a_ui_file_gives_its_widgets_by_name(panel):
    widget, ui = panel
    assert {"section", "volume", "fast", "steps", "table"} <= set(vars(ui))
    assert (ui.section.text, ui.section.collapsed) == ("Inputs", False)
    assert ui.volume.mrmlScene() is widget.mrmlScene()
    ui.table.setMRMLTableNode("node")
    assert ui.table.given == {"setMRMLTableNode": "node"}


@pytest.mark.parametrize("collapsed", [False, True])
def test_a_collapsed_section_shows_its_header_alone(scene, application, tmp_path, collapsed):
    widget, ui = load(tmp_path, PANEL.replace("<bool>false</bool>", f"<bool>{str(collapsed).lower()}</bool>"))
    widget.show()
    application.processEvents()
    assert ui.fast.isVisible() is not collapsed
    ui.section.collapsed = True
    height = ui.section.sizeHint().height()
    assert not ui.fast.isVisible()
    ui.section.setCollapsed(False)
    application.processEvents()
    assert ui.fast.isVisible() and ui.section.sizeHint().height() > height
    assert ui.volume.geometry.top() >= ui.section.contentsMargins().top() > 10


def test_a_node_selector_follows_the_scene(scene, panel):
    selector, seen = panel[1].volume, []
    selector.currentNodeChanged.connect(seen.append)
    scene.AddNewNodeByClass("vtkMRMLModelNode")
    volume = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "CT")
    assert (selector.nodeCount(), selector.currentNode()) == (1, None)
    selector.setCurrentNode(volume)
    volume.SetName("renamed")
    assert selector.box.currentText == "renamed" and selector.currentNodeID == volume.GetID()
    scene.RemoveNode(volume)
    assert seen == [volume, None] and selector.nodeCount() == 0
    selector.noneEnabled = False
    other = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    assert selector.currentNode() is other
    scene.Clear(0)
    assert selector.currentNode() is None


def test_the_logics_of_the_application_are_the_real_ones(scene):
    import numpy
    import slicer

    volume = slicer.util.addVolumeFromArray(numpy.zeros((2, 3, 4), numpy.int16))
    assert slicer.modules.volumes.logic().CloneVolume(scene, volume, "copy").GetName() == "copy"
    for name in ("markups", "segmentations", "volumes", "plots", "tables", "subjecthierarchy", "cropvolume"):
        assert getattr(slicer.modules, name).logic().GetMRMLScene() is scene
    assert not hasattr(slicer.modules, "pyradiomics")


def test_a_layout_has_slice_views_that_show_volumes(scene, application):
    import numpy
    import slicer

    layouts = application.layoutManager()
    layouts.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutSideBySideView)
    assert layouts.layout == slicer.vtkMRMLLayoutNode.SlicerLayoutSideBySideView
    volume = slicer.util.addVolumeFromArray(numpy.zeros((2, 3, 4)))
    slicer.util.setSliceViewerLayers(background=volume, fit=True)
    red = layouts.sliceWidget("Red")
    assert "Red" in layouts.sliceViewNames() and red.mrmlSliceNode().GetLayoutName() == "Red"
    assert red.sliceLogic().GetBackgroundLayer().GetVolumeNode() is volume
    assert scene.GetFirstNodeByClass("vtkMRMLSelectionNode") and scene.GetFirstNodeByClass("vtkMRMLInteractionNode")


def test_without_a_main_window_there_is_no_layout_manager(scene, application):
    import slicer

    assert slicer.util.mainWindow() is not None and slicer.util.showStatusMessage("ready")
    application.main_window = False
    assert slicer.util.mainWindow() is None and application.layoutManager() is None


def test_messages_and_questions_are_noted_and_answered(scene):
    import slicer

    slicer.util.answers.append(False)
    assert slicer.util.confirmYesNoDisplay("Install?", windowTitle="x") is False
    assert slicer.util.errorDisplay("broken") is True
    assert slicer.util.displayed == [("confirmYesNo", "Install?"), ("error", "broken")]
    slicer.util.selectModule("Data")
    assert slicer.util.selected_modules == ["Data"]
    with pytest.raises(RuntimeError, match="no network"):
        slicer.util.pip_install("torch")


def test_packaging_is_there_only_when_added(scene):
    import slicer

    with pytest.raises(ImportError):
        import slicer.packaging
    stand_in.add_packaging()
    import slicer.packaging

    slicer.packaging.pip_ensure(["pydicom>=3"], requester="LTDiff")
    assert slicer.packaging.calls == [(["pydicom>=3"], {"requester": "LTDiff"})]
    stand_in.remove_packaging()
    assert not hasattr(slicer, "packaging")


def test_temporary_folders_settings_and_the_clipboard_work(scene, application, tmp_path):
    import slicer

    assert slicer.util.tempDirectory().startswith(application.temporaryPath)
    application.settings().setValue("LTDiff/model", "here")
    assert slicer.util.settingsValue("LTDiff/model", "") == "here"
    application.clipboard().setText("report")
    assert application.clipboard().text() == "report"
    assert (application.applicationName, application.testingEnabled()) == ("Slicer", True)


def test_a_module_widget_has_a_layout_and_finds_its_resources(scene):
    from slicer.ScriptedLoadableModule import ScriptedLoadableModuleWidget

    widget = type("ThingWidget", (ScriptedLoadableModuleWidget,), {"__module__": __name__})()
    widget.setup()
    assert widget.parent.layout() is widget.layout and widget.moduleName == "Thing"
    assert Path(widget.resourcePath("UI/Thing.ui")) == Path(__file__).resolve().parent / "Resources" / "UI" / "Thing.ui"


def test_sample_data_sources_are_noted(scene):
    from SampleData import SampleDataLogic

    SampleDataLogic.registerCustomSampleDataSource(sampleName="CT", uris=["https://example.org/ct"])
    assert SampleDataLogic.sources.pop()["sampleName"] == "CT"


def test_waiting_lets_timers_run_and_fails_in_the_end(wait_until):
    import qt

    fired = []
    qt.QTimer.singleShot(1, lambda: fired.append(1))
    wait_until(lambda: fired)
    with pytest.raises(pytest.fail.Exception):
        wait_until(lambda: False, seconds=0)
