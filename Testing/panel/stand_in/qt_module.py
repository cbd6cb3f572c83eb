"""PySide6 with PythonQt's manners: one flat module, and Qt properties that are attributes."""
from types import ModuleType
from xml.etree import ElementTree

from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import QObject
from PySide6.QtUiTools import QUiLoader as PlainLoader
from PySide6.QtWidgets import QWidget

from . import widgets

# C++ asks Python for these virtual functions, so they must stay functions; static ones, as QTimer.singleShot, stay so too.
VIRTUAL = ("sizeHint", "minimumSizeHint")
_read, _write = QObject.property, QObject.setProperty


class QUiLoader(PlainLoader):
    """Loads .ui files with the widgets that only Slicer has."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self.made = []

    def createWidget(self, class_name, parent=None, name=""):
        if class_name in self.availableWidgets():
            return super().createWidget(class_name, parent, name)
        widget = widgets.class_named(class_name)(parent)
        widget.setObjectName(name)
        self.made.append(widget)
        return widget

    def load(self, file, parent=None):
        root = super().load(file, parent)
        root.made = self.made  # else Python would forget what these widgets have beyond Qt
        _connect_scene(root, file.fileName())
        return root


def _connect_scene(root, path):
    """Makes the connections of the .ui file that pass nodes or scenes, which Qt's own loader does not understand."""

    def member(link, owner, of_owner):
        name = link.findtext(owner)
        widget = root if root.property("objectName") == name else root.findChild(QWidget, name)
        return getattr(widget, link.findtext(of_owner).split("(")[0])

    for link in ElementTree.parse(path).iter("connection"):
        if "vtkMRML" in link.findtext("signal"):
            member(link, "sender", "signal").connect(member(link, "receiver", "slot"))


def flat():
    """The module `qt`."""
    module = ModuleType("qt")
    for part in (QtCore, QtGui, QtWidgets):
        vars(module).update({name: getattr(part, name) for name in dir(part) if not name.startswith("_")})
    module.QUiLoader = QUiLoader
    return module


def _attribute(name, method):
    """A Python property for a Qt property; the method, where there is one, gives the better Python value."""
    setter = "set" + name[0].upper() + name[1:]

    def read(self):
        return method(self) if method else _read(self, name)

    def write(self, value):
        if hasattr(self, setter):
            getattr(self, setter)(value)
        else:
            _write(self, name, value)

    return property(read, write)


def _give_attributes(cls):
    meta = cls.staticMetaObject
    names = [meta.property(index).name() for index in range(meta.propertyOffset(), meta.propertyCount())]
    for name in names:
        if name not in VIRTUAL and not isinstance(vars(cls).get(name), staticmethod):
            setattr(cls, name, _attribute(name, vars(cls).get(name)))


for _class in list(vars(flat()).values()):
    if isinstance(_class, type) and issubclass(_class, QObject):
        _give_attributes(_class)
QObject.name = QObject.objectName
