"""A small stand-in for the Slicer application: PySide6 plays PythonQt, and the scene is the real one of slicer-core.

`install()` makes `qt`, `ctk`, `SampleData` and what the application adds to `slicer` importable; `uninstall()` takes them away.
Nothing here was copied from Slicer, and what it leaves out raises AttributeError or ImportError.
"""
import sys
import time
from types import ModuleType

import pytest

_changes = pytest.MonkeyPatch()


def install():
    """Puts the stand-in in place, once: a second call changes nothing."""
    if "qt" in sys.modules:
        return
    import slicer

    from . import dialogs, qt_module, scripted_module, widgets
    from .application import Application, new_scene

    _changes.setattr(slicer, "app", Application(), raising=False)
    for name in ("mrmlScene", "modules"):
        _changes.setattr(slicer, name, None, raising=False)
    for widget in (widgets.qMRMLWidget, widgets.qMRMLNodeComboBox, widgets.qMRMLTableView, widgets.qMRMLPlotWidget):
        _changes.setattr(slicer, widget.__name__, widget, raising=False)
    for name, value in dialogs.replacements().items():
        _changes.setattr(slicer.util, name, value, raising=False)
    _add_module("qt", vars(qt_module.flat()))
    _add_module("ctk", {"ctkCollapsibleButton": widgets.ctkCollapsibleButton})
    _add_module("SampleData", {"SampleDataLogic": _sample_data_logic()})
    _add_module("slicer.i18n", {"tr": lambda text: text, "translate": lambda context, text: text})
    _add_module("slicer.ScriptedLoadableModule", vars(scripted_module))

    from . import parameters

    _add_module("slicer.parameterNodeWrapper", vars(parameters))
    new_scene()


def uninstall():
    """Leaves `sys.modules` and `slicer` as they were before `install()`."""
    remove_packaging()
    _changes.undo()


def new_scene():
    """An empty scene with the application's logics and singletons, from now on `slicer.mrmlScene`."""
    from .application import new_scene as make

    return make()


def add_packaging():
    """Adds `slicer.packaging` as Slicer 5.12 has it; its `pip_ensure` only records its calls in `slicer.packaging.calls`."""
    import slicer

    calls = []
    slicer.packaging = ModuleType("slicer.packaging")
    slicer.packaging.calls = calls
    slicer.packaging.load_requirements = _load_requirements
    slicer.packaging.pip_ensure = lambda requirements, **options: calls.append((requirements, options))
    sys.modules["slicer.packaging"] = slicer.packaging


def _load_requirements(path):
    from packaging.requirements import Requirement

    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def remove_packaging():
    """Takes `slicer.packaging` away again, as on Slicer 5.10."""
    if sys.modules.pop("slicer.packaging", None) is not None:
        del sys.modules["slicer"].packaging


def wait_until(condition, seconds=60):
    """Lets Qt work until the condition holds; fails the test where it does not within these seconds."""
    from PySide6.QtCore import QCoreApplication, QEvent

    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"waited {seconds} s in vain")
        QCoreApplication.processEvents()
        # Deletions are put off to the event loop, which tests do not have.
        QCoreApplication.sendPostedEvents(None, QEvent.DeferredDelete)
        time.sleep(0.005)


def _add_module(name, members):
    module = ModuleType(name)
    vars(module).update({key: value for key, value in members.items() if not key.startswith("__")})
    _changes.setitem(sys.modules, name, module)
    parent, _, child = name.rpartition(".")
    if parent:
        _changes.setattr(sys.modules[parent], child, module, raising=False)


def _sample_data_logic():
    sources = []
    register = staticmethod(lambda **source: sources.append(source))
    return type("SampleDataLogic", (), {"sources": sources, "registerCustomSampleDataSource": register})
