"""The widgets of CTK and Slicer that panels use, in little."""
import vtk
from PySide6.QtCore import Property, QEvent, Qt, Signal
from PySide6.QtWidgets import QComboBox, QSizePolicy, QToolButton, QVBoxLayout, QWidget
from shiboken6 import isValid


def class_named(name):
    """The widget class of a .ui file; one that is not known here is a Placeholder."""
    known = globals().get(name)
    return known if known is not None else type(name, (Placeholder,), {})


class Placeholder(QWidget):
    """An empty widget that notes in `given` what its setMRML... functions were called with."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self.given = {}

    def __getattr__(self, name):
        if not name.startswith("setMRML"):
            raise AttributeError(name)
        return lambda value: self.given.update({name: value})


class qMRMLTableView(Placeholder):
    pass


class qMRMLPlotWidget(Placeholder):
    pass


class qMRMLWidget(QWidget):
    """Passes the scene on to what the .ui file connects to it, and to nothing else."""

    mrmlSceneChanged = Signal(object)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._scene = None

    def setMRMLScene(self, scene):
        self._scene = scene
        self.mrmlSceneChanged.emit(scene)

    def mrmlScene(self):
        return self._scene


class ctkCollapsibleButton(QWidget):
    """A header button above contents that it hides and shows."""

    contentsCollapsed = Signal(bool)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._collapsed, self._hidden = False, []
        self._header = QToolButton(self)
        self._header.setToolButtonStyle(Qt.ToolButtonTextBesideIcon)
        self._header.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Fixed)
        self._header.clicked.connect(lambda: self.setCollapsed(not self._collapsed))
        self.setContentsMargins(0, self._header.sizeHint().height(), 0, 0)
        self._show_contents()

    def setText(self, text):
        self._header.setText(text)

    def setCollapsed(self, collapsed):
        changed, self._collapsed = self._collapsed != collapsed, collapsed
        self._show_contents()
        if changed:
            self.contentsCollapsed.emit(collapsed)

    def _show_contents(self):
        self._header.setArrowType(Qt.RightArrow if self._collapsed else Qt.DownArrow)
        if not self._collapsed:
            for child in self._hidden:
                child.show()
            self._hidden = []
            return
        for child in self.children():
            if child.isWidgetType() and child is not self._header and not child.isHidden():
                child.hide()
                self._hidden.append(child)

    def event(self, event):
        # A .ui file sets `collapsed` before it fills the contents in.
        if event.type() in (QEvent.LayoutRequest, QEvent.Show) and self._collapsed:
            self._show_contents()
        return super().event(event)

    def resizeEvent(self, event):
        self._header.setGeometry(0, 0, event.size().width(), self._header.sizeHint().height())

    text = Property(str, lambda self: self._header.property("text"), setText)
    collapsed = Property(bool, lambda self: self._collapsed, setCollapsed)


def option(name, kind, default):
    """A Qt property whose change fills the node list anew, and its setter."""

    def write(self, value):
        self.options[name] = value
        self.refresh()

    return Property(kind, lambda self: self.options.get(name, default), write), write


class qMRMLNodeComboBox(QWidget):
    """Lists the nodes of some types in a scene and follows the scene."""

    currentNodeChanged = Signal(object)
    nodeTypes, setNodeTypes = option("nodeTypes", "QStringList", [])
    hideChildNodeTypes, setHideChildNodeTypes = option("hideChildNodeTypes", "QStringList", [])
    showChildNodeTypes, setShowChildNodeTypes = option("showChildNodeTypes", bool, True)
    showHidden, setShowHidden = option("showHidden", bool, False)
    noneEnabled, setNoneEnabled = option("noneEnabled", bool, False)
    noneDisplay, setNoneDisplay = option("noneDisplay", str, "None")
    # These are kept and do nothing.
    addEnabled, setAddEnabled = option("addEnabled", bool, True)
    removeEnabled, setRemoveEnabled = option("removeEnabled", bool, True)
    renameEnabled, setRenameEnabled = option("renameEnabled", bool, False)
    selectNodeUponCreation, setSelectNodeUponCreation = option("selectNodeUponCreation", bool, True)
    baseName, setBaseName = option("baseName", str, "")

    def __init__(self, parent=None):
        super().__init__(parent)
        self.options, self._scene, self._observed, self._nodes, self._current = {}, None, [], [], None
        self.box = QComboBox(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.box)
        self.box.currentIndexChanged.connect(self._select)

    def setMRMLScene(self, scene):
        self._scene = scene
        self.refresh()

    def mrmlScene(self):
        return self._scene

    def currentNode(self):
        return self._current

    def setCurrentNode(self, node):
        """Selects a node, or one given by its ID; one that is not listed leaves none selected."""
        node = self._scene.GetNodeByID(node) if isinstance(node, str) and self._scene else node
        self.box.setCurrentIndex(self._nodes.index(node) if node in self._nodes else -1)

    def setCurrentNodeID(self, identifier):
        self.setCurrentNode(identifier or None)

    currentNodeID = Property(str, lambda self: self._current.GetID() if self._current else "", setCurrentNodeID)

    def nodeCount(self):
        return len([node for node in self._nodes if node])

    def refresh(self):
        """Lists the nodes anew and keeps the current one, where it is still there."""
        was_empty = not any(self._nodes)
        nodes = self._scene.GetNodes() if self._scene else ()
        found = [node for node in nodes if self._is_listed(node)]
        self._nodes = [None] * self.noneEnabled + found
        self._observe()
        self.box.blockSignals(True)
        self.box.clear()
        self.box.addItems(self._names())
        first = 0 if self._nodes and (was_empty or self._current) else -1
        self.box.setCurrentIndex(self._nodes.index(self._current) if self._current in self._nodes else first)
        self.box.blockSignals(False)
        self._select(self.box.property("currentIndex"))

    def _select(self, index):
        node = self._nodes[index] if index >= 0 else None
        if node is not self._current:
            self._current = node
            self.currentNodeChanged.emit(node)

    def _is_listed(self, node):
        kinds, exact = self.nodeTypes, not self.showChildNodeTypes
        wanted = node.GetClassName() in kinds or not exact and any(node.IsA(kind) for kind in kinds)
        hidden = node.GetHideFromEditors() and not self.showHidden
        return wanted and not hidden and not any(node.IsA(kind) for kind in self.hideChildNodeTypes)

    def _observe(self):
        """Follows the scene for its nodes and the listed nodes for their names."""
        for subject, tag in self._observed:
            subject.RemoveObserver(tag)
        events = ("NodeAddedEvent", "NodeRemovedEvent", "EndCloseEvent", "EndImportEvent", "EndBatchProcessEvent")
        pairs = [(self._scene, getattr(self._scene, event)) for event in events] if self._scene else []
        pairs += [(node, vtk.vtkCommand.ModifiedEvent) for node in self._nodes if node]
        self._observed = [(subject, subject.AddObserver(event, self._follow)) for subject, event in pairs]

    def _follow(self, subject, event):
        """A change of the scene, or of a listed node that may be a new name."""
        if not isValid(self):  # the scene outlives the panel
            return
        shown = [self.box.itemText(index) for index in range(self.box.property("count"))]
        if subject is self._scene or shown != self._names():
            self.refresh()

    def _names(self):
        return [node.GetName() or "" if node else self.noneDisplay for node in self._nodes]
