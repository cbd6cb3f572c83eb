"""Parameters and widgets that follow each other. What the application refuses to bind is refused here too."""
import math
from collections import namedtuple

import vtk
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QLineEdit, QPushButton, QSlider, QSpinBox, QTextEdit, QWidget

from .widgets import qMRMLNodeComboBox

PROPERTIES = {  # class of the widget, type of the parameter: property of the widget and the signal of its change
    (QCheckBox, bool): ("checked", "toggled"),
    (QPushButton, bool): ("checked", "toggled"),
    (QSpinBox, int): ("value", "valueChanged"),
    (QSlider, int): ("value", "valueChanged"),
    (QDoubleSpinBox, float): ("value", "valueChanged"),
    (QLineEdit, str): ("text", "textChanged"),
    (QTextEdit, str): ("plainText", "textChanged"),
}
LARGEST = {int: 2**31 - 1, float: math.inf}
Binding = namedtuple("Binding", "read write signal")


class CannotBind(ValueError, RuntimeError):
    """The application raises a RuntimeError here and a ValueError for unknown names; both may be expected of this."""


def bind(widget, parameter):
    """The Binding of a widget and a parameter; raises CannotBind where the application has none."""
    choices = next((list(rule.choices) for rule in parameter.rules if hasattr(rule, "choices")), None)
    if (type(widget), parameter.type) in PROPERTIES:
        return _bind_property(widget, parameter)
    if type(widget) is QComboBox and choices:
        widget.clear()
        widget.addItems([str(choice) for choice in choices])
        return Binding(
            lambda: choices[widget.property("currentIndex")],
            lambda value: widget.setCurrentIndex(choices.index(value)),
            widget.currentIndexChanged,
        )
    if type(widget) is qMRMLNodeComboBox and parameter.is_node:
        widget.nodeTypes = [parameter.type.__name__]
        return Binding(widget.currentNode, widget.setCurrentNode, widget.currentNodeChanged)
    raise CannotBind(f"a {type(widget).__name__} cannot show {parameter.name} of type {parameter.type}")


def _bind_property(widget, parameter):
    name, signal = PROPERTIES[type(widget), parameter.type]
    if isinstance(widget, QPushButton):
        widget.setCheckable(True)
    if name == "value":
        _set_range(widget, parameter)
    return Binding(lambda: widget.property(name), lambda value: widget.setProperty(name, value), getattr(widget, signal))


def _set_range(widget, parameter):
    ranges = [rule for rule in parameter.rules if hasattr(rule, "minimum")]
    lowest = max((rule.minimum for rule in ranges), default=-math.inf)
    highest = min((rule.maximum for rule in ranges), default=math.inf)
    if isinstance(widget, QSlider) and math.inf in (-lowest, highest):
        raise CannotBind(f"a slider needs both ends of {parameter.name}")
    largest = LARGEST[parameter.type]
    widget.setRange(max(lowest, -largest), min(highest, largest))


class Bindings:
    """All bindings of one parameter node, by the tags of their panels."""

    def __init__(self, wrapper):
        self.wrapper, self.panels, self.next_tag, self.observer, self.showing = wrapper, {}, 0, None, False

    def connect_gui(self, gui):
        """Binds every widget that has a SlicerParameterName, and as in the application gives no tag to end that by."""
        widgets = gui.findChildren(QWidget) if isinstance(gui, QWidget) else vars(gui).values()
        named = {widget.property("SlicerParameterName"): widget for widget in widgets}
        self.connect({name: widget for name, widget in named.items() if name})

    def connect(self, mapping):
        """Binds the widgets {parameter: widget} and returns a tag; the parameters give the first values."""
        parameters = {name: self.wrapper.parameter(name) for name in mapping}
        bindings = {name: bind(mapping[name], parameter) for name, parameter in parameters.items()}
        tag, self.next_tag = self.next_tag, self.next_tag + 1
        for name, binding in bindings.items():
            binding.write(self.wrapper.getValue(name))
        self.panels[tag] = [(name, binding, self._slot(name, binding)) for name, binding in bindings.items()]
        if self.observer is None:
            self.observer = self.wrapper.AddObserver(vtk.vtkCommand.ModifiedEvent, self._show)
        return tag

    def disconnect(self, tag):
        for _name, binding, slot in self.panels.pop(tag, []):
            binding.signal.disconnect(slot)
        if not self.panels and self.observer is not None:
            self.wrapper.RemoveObserver(self.observer)
            self.observer = None

    def _slot(self, name, binding):
        def changed(*_):
            if not self.showing:
                self.wrapper.setValue(name, binding.read())

        binding.signal.connect(changed)
        return changed

    def _show(self, *_):
        """Shows the parameters in the widgets that differ, whose signals then write nothing back."""
        if self.showing:
            return
        self.showing = True
        try:
            for name, binding, _slot in sum(self.panels.values(), []):
                if binding.read() != self.wrapper.getValue(name):
                    binding.write(self.wrapper.getValue(name))
        finally:
            self.showing = False
