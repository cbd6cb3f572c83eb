"""What is in `slicer.ScriptedLoadableModule`: the base classes of a scripted module."""
import sys
import unittest
from pathlib import Path

import slicer
from PySide6.QtWidgets import QVBoxLayout

from .widgets import qMRMLWidget


class ScriptedLoadableModule:
    """What the module says about itself goes into `parent`."""

    def __init__(self, parent):
        self.parent, self.moduleName = parent, type(self).__name__
        parent.title = parent.helpText = parent.acknowledgementText = ""
        parent.categories, parent.dependencies, parent.contributors = [], [], []


class ScriptedLoadableModuleWidget:
    """A panel; without a parent it makes itself one and leaves calling `setup()` to the test."""

    def __init__(self, parent=None):
        self.moduleName = type(self).__name__.removesuffix("Widget")
        self.parent = qMRMLWidget() if parent is None else parent
        if self.parent.layout() is None:
            self.parent.setLayout(QVBoxLayout())
        self.layout = self.parent.layout()

    def resourcePath(self, name):
        """A file in the folder Resources beside the module file."""
        module = sys.modules.get(self.moduleName) or sys.modules[type(self).__module__]
        return str(Path(module.__file__).resolve().parent / "Resources" / name)

    def _nothing(self):
        pass

    setup = cleanup = enter = exit = _nothing


class ScriptedLoadableModuleLogic:
    """Keeps the parameter node of the module in the scene."""

    def __init__(self, parent=None):
        self.moduleName = type(self).__name__.removesuffix("Logic")
        self.isSingletonParameterNode = True

    def getParameterNode(self):
        nodes = slicer.util.getNodesByClass("vtkMRMLScriptedModuleNode")
        ours = [node for node in nodes if node.GetAttribute("ModuleName") == self.moduleName]
        return ours[0] if ours else slicer.mrmlScene.AddNode(self.createParameterNode())

    def createParameterNode(self):
        node = slicer.vtkMRMLScriptedModuleNode()
        if self.isSingletonParameterNode:
            node.SetSingletonTag(self.moduleName)
        node.SetModuleName(self.moduleName)
        node.SetAttribute("ModuleName", self.moduleName)
        node.SetName(slicer.mrmlScene.GenerateUniqueName(self.moduleName))
        return node


class ScriptedLoadableModuleTest(unittest.TestCase):
    """A self-test whose messages nobody waits for."""

    def delayDisplay(self, text, ms=0):
        print(text)
