"""What is in `slicer.parameterNodeWrapper`: classes whose attributes live in a node of the scene."""
import json
import math
import typing
from dataclasses import dataclass

import slicer

from .bindings import Bindings

TEXTS = {  # type: to the text in the node, and back
    str: (str, str),
    int: (str, int),
    float: (lambda value: repr(float(value)), float),
    bool: (str, lambda text: text == "True"),
    list[str]: (json.dumps, json.loads),
}
MISSING = object()


@dataclass(frozen=True)
class Default:
    value: object


@dataclass(frozen=True)
class WithinRange:
    minimum: float
    maximum: float

    def accepts(self, value):
        return self.minimum <= value <= self.maximum


def Minimum(minimum):
    return WithinRange(minimum, math.inf)


def Maximum(maximum):
    return WithinRange(-math.inf, maximum)


@dataclass(frozen=True)
class Choice:
    choices: typing.Sequence

    def accepts(self, value):
        return value in self.choices


class Parameter:
    """One annotated attribute: its type, its rules, its default, and how it lies in the node."""

    def __init__(self, name, annotation, default):
        rules = getattr(annotation, "__metadata__", ())
        self.name, self.type = name, annotation.__origin__ if rules else annotation
        self.rules = [rule for rule in rules if not isinstance(rule, Default)]
        self.kind = typing.get_origin(self.type) or self.type
        self.is_node = issubclass(self.kind, slicer.vtkMRMLNode)
        if not self.is_node and self.type not in TEXTS:
            raise TypeError(f"the stand-in keeps no {self.type} in a node: {name}")
        defaults = [rule.value for rule in rules if isinstance(rule, Default)]
        defaults.append(None if self.is_node else self.kind())
        self.default = defaults[0] if default is MISSING else default
        self.check(self.default)

    def check(self, value):
        kinds = {float: (int, float)}.get(self.type, self.kind)
        if not isinstance(value, kinds) and not (self.is_node and value is None):
            raise TypeError(f"{self.name} is of type {self.type}, not {value!r}")
        if not all(rule.accepts(value) for rule in self.rules):
            raise ValueError(f"{self.name} cannot be {value!r}: {self.rules}")

    def read(self, node):
        return node.GetNodeReference(self.name) if self.is_node else TEXTS[self.type][1](node.GetParameter(self.name))

    def write(self, node, value):
        self.check(value)
        if self.is_node:
            node.SetNodeReferenceID(self.name, value.GetID() if value else None)
        else:
            node.SetParameter(self.name, TEXTS[self.type][0](value))

    def attribute(self):
        return property(lambda wrapper: wrapper.getValue(self.name), lambda wrapper, value: wrapper.setValue(self.name, value))


class Wrapper:
    """What every wrapped class can do."""

    allParameters = {}

    def __init__(self, parameterNode):
        self.parameterNode = parameterNode
        self._bindings = Bindings(self)
        for name, parameter in self.allParameters.items():
            if not parameter.is_node and name not in parameterNode.GetParameterNames():
                parameter.write(parameterNode, parameter.default)

    def parameter(self, name):
        if name not in self.allParameters:
            raise ValueError(f"no parameter is called {name}; there are {list(self.allParameters)}")
        return self.allParameters[name]

    def getValue(self, name):
        return self.parameter(name).read(self.parameterNode)

    def setValue(self, name, value):
        self.parameter(name).write(self.parameterNode, value)

    def connectGui(self, gui):
        self._bindings.connect_gui(gui)

    def connectParametersToGui(self, mapping):
        return self._bindings.connect(mapping)

    def disconnectGui(self, tag):
        self._bindings.disconnect(tag)


def _forward(name):
    return lambda wrapper, *arguments: getattr(wrapper.parameterNode, name)(*arguments)


for _name in ("AddObserver", "RemoveObserver", "Modified", "StartModify", "EndModify"):
    setattr(Wrapper, _name, _forward(_name))


def parameterNodeWrapper(cls=None):
    """Class decorator: the annotated attributes become parameters; a value of the class is the default."""
    if cls is None:
        return parameterNodeWrapper
    hints = typing.get_type_hints(cls, include_extras=True)
    taken = [name for name in hints if hasattr(Wrapper, name)]
    if taken:
        raise ValueError(f"names that the wrapper uses itself: {taken}")
    parameters = {name: Parameter(name, hint, getattr(cls, name, MISSING)) for name, hint in hints.items()}
    members = {name: parameter.attribute() for name, parameter in parameters.items()}
    return type(cls.__name__, (Wrapper, cls), {"__module__": cls.__module__, **members, "allParameters": parameters})
