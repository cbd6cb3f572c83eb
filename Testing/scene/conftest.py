"""A scene of slicer-core with the logics that the application gives it, but no application and no window."""
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "core"))  # for its small series, where only this folder is tested
LOGICS = {
    "Colors": "vtkMRMLColorLogic",
    "Volumes": "vtkSlicerVolumesLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "Markups": "vtkSlicerMarkupsLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Plots": "vtkSlicerPlotsLogic",
}


@pytest.fixture
def scene(monkeypatch):
    """A new scene in the four-up layout as `slicer.mrmlScene`; afterwards `slicer` is as it was."""
    slicer = pytest.importorskip("slicer", reason="slicer-core is missing or cannot be loaded", exc_type=ImportError)
    for name in ("app", "dicomDatabase"):
        monkeypatch.delattr(slicer, name, raising=False)
    headless = Headless(slicer)
    monkeypatch.setattr(slicer, "mrmlScene", headless.scene, raising=False)
    monkeypatch.setattr(slicer, "modules", SimpleNamespace(), raising=False)
    headless.fill(slicer.modules)
    yield headless.scene
    headless.take_apart()


@pytest.fixture(scope="session")
def compared(tmp_path_factory):
    """Findings of three volumes and a reference."""
    from findings_parts import findings_with_reference

    return findings_with_reference(tmp_path_factory.mktemp("with-reference"))


@pytest.fixture(scope="session")
def changed(tmp_path_factory):
    """Findings of two volumes without a reference."""
    from findings_parts import findings_without_reference

    return findings_without_reference(tmp_path_factory.mktemp("without-reference"))


class Headless:
    """The scene and its logics, which live as long as this does."""

    def __init__(self, slicer):
        self.slicer, self.scene = slicer, slicer.vtkMRMLScene()
        self.logic, self.layout, self.slice_logics = slicer.vtkSlicerApplicationLogic(), slicer.vtkMRMLLayoutLogic(), []

    def fill(self, modules):
        """Adds the logics, those of modules also to `modules`, and makes the nodes that the application starts with."""
        import vtk

        self.logic.SetMRMLScene(self.scene)
        self.logic.SetSliceLogics(vtk.vtkCollection())
        for name, class_name in LOGICS.items():
            logic = self._started(class_name)
            self.logic.SetModuleLogic(name, logic)
            setattr(modules, name.lower(), SimpleNamespace(logic=lambda logic=logic: logic))
        self.layout.SetMRMLApplicationLogic(self.logic)
        self.layout.SetMRMLScene(self.scene)
        # Of low priority, so that the layout's own logic has made the slice nodes before.
        self.layout.GetLayoutNode().AddObserver(vtk.vtkCommand.ModifiedEvent, self._give_slice_logics, -10.0)
        self.layout.GetLayoutNode().SetViewArrangement(self.slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
        self.slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(self.scene)

    def take_apart(self):
        self.layout.GetLayoutNode().RemoveAllObservers()
        for logic in (*self.slice_logics, self.layout, self.logic):
            logic.SetMRMLScene(None)

    def _started(self, class_name):
        logic = getattr(self.slicer, class_name)()
        logic.SetMRMLApplicationLogic(self.logic)
        logic.SetMRMLScene(self.scene)
        return logic

    def _give_slice_logics(self, layout_node, event):
        """A slice logic for every slice node that has none, as the application makes one with every slice view."""
        for node in self.slicer.util.getNodesByClass("vtkMRMLSliceNode"):
            if self.logic.GetSliceLogic(node) is None:
                logic = self._started("vtkMRMLSliceLogic")
                self.slice_logics.append(logic)
                self.logic.GetSliceLogics().AddItem(logic)
                logic.SetSliceNode(node)
