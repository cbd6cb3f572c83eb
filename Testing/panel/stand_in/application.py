"""`slicer.app` with its layout manager, and scenes with the logics that the application gives them."""
import tempfile
from types import SimpleNamespace

import slicer
import vtk
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication, QMainWindow

MODULES = {
    "Colors": slicer.vtkMRMLColorLogic,
    "Units": slicer.vtkSlicerUnitsLogic,
    "SubjectHierarchy": slicer.vtkSlicerSubjectHierarchyModuleLogic,
    "Volumes": slicer.vtkSlicerVolumesLogic,
    "Markups": slicer.vtkSlicerMarkupsLogic,
    "Segmentations": slicer.vtkSlicerSegmentationsModuleLogic,
    "Tables": slicer.vtkSlicerTablesLogic,
    "Plots": slicer.vtkSlicerPlotsLogic,
    "CropVolume": slicer.vtkSlicerCropVolumeLogic,
}


class Application:
    """`slicer.app`; what it does not know itself, Qt's application does."""

    applicationName, applicationVersion, revision = "Slicer", "5.12.3-2026-07-22", "stand-in"
    majorVersion, minorVersion = 5, 12
    main_window = True

    def __init__(self):
        self.qt_application = QApplication.instance() or QApplication([self.applicationName])
        self.qt_application.setOrganizationName("stand-in")
        self._folder = tempfile.TemporaryDirectory(prefix="slicer-stand-in-")
        self.temporaryPath = self._folder.name
        # Settings of tests stay out of the user's own.
        QSettings.setDefaultFormat(QSettings.IniFormat)
        QSettings.setPath(QSettings.IniFormat, QSettings.UserScope, self.temporaryPath)
        self.startup_functions = []
        self._window = QMainWindow()
        self._window.setObjectName("qSlicerMainWindow")
        self._layout_manager = LayoutManager()
        self.logic = self.layout_logic = None

    def __getattr__(self, name):
        return getattr(self.qt_application, name)

    def testingEnabled(self):
        return True

    def topLevelWidgets(self):
        return [self._window] if self.main_window else []

    def layoutManager(self):
        return self._layout_manager if self.main_window else None

    def applicationLogic(self):
        return self.logic

    def settings(self):
        return QSettings()

    def connect(self, signal, function):
        """Notes what shall happen after the start in `startup_functions`, which a test may call."""
        assert signal == "startupCompleted()", signal
        self.startup_functions.append(function)


class LayoutManager:
    """Sets layouts and finds the slice views, which are logics and nodes without a window."""

    layout = property(lambda self: self.layoutLogic().GetLayoutNode().GetViewArrangement())

    def layoutLogic(self):
        return slicer.app.layout_logic

    def setLayout(self, arrangement):
        self.layoutLogic().GetLayoutNode().SetViewArrangement(arrangement)

    def mrmlSliceLogics(self):
        return slicer.app.logic.GetSliceLogics()

    def sliceViewNames(self):
        return [logic.GetSliceNode().GetLayoutName() for logic in self.mrmlSliceLogics()]

    def sliceWidget(self, name):
        logic = slicer.app.logic.GetSliceLogicByLayoutName(name)
        functions = {"sliceLogic": lambda: logic, "mrmlSliceNode": logic.GetSliceNode} if logic else None
        return functions and SimpleNamespace(**functions, mrmlSliceCompositeNode=logic.GetSliceCompositeNode)


def new_scene():
    """Makes an empty scene `slicer.mrmlScene`, with logics and the nodes that they bring."""
    scene, logic, layout = slicer.vtkMRMLScene(), slicer.vtkSlicerApplicationLogic(), slicer.vtkMRMLLayoutLogic()
    slicer.mrmlScene, slicer.app.logic, slicer.app.layout_logic = scene, logic, layout
    logic.SetMRMLScene(scene)
    logic.SetSliceLogics(vtk.vtkCollection())
    slicer.modules = SimpleNamespace()
    for name, make in MODULES.items():
        _add_module(name, make(), logic, scene)
    if slicer.app.main_window:  # which has the layout manager, which makes the layout node
        layout.SetMRMLApplicationLogic(logic)
        layout.SetMRMLScene(scene)
        # Of low priority, so that the layout's own logic has made the slice nodes before.
        layout.GetLayoutNode().AddObserver(vtk.vtkCommand.ModifiedEvent, _give_slice_logics, -10.0)
        layout.GetLayoutNode().SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
    return scene


def _add_module(name, logic, application_logic, scene):
    application_logic.SetModuleLogic(name, logic)
    logic.SetMRMLApplicationLogic(application_logic)
    logic.SetMRMLScene(scene)
    setattr(slicer.modules, name.lower(), SimpleNamespace(name=name, logic=lambda: logic))


def _give_slice_logics(layout_node, event):
    """A slice logic for every slice node that has none, as the application makes one with every slice view."""
    for node in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
        if slicer.app.logic.GetSliceLogic(node) is None:
            logic = slicer.vtkMRMLSliceLogic()
            slicer.app.logic.GetSliceLogics().AddItem(logic)
            logic.SetMRMLApplicationLogic(slicer.app.logic)
            logic.SetMRMLScene(layout_node.GetScene())
            logic.SetSliceNode(node)
