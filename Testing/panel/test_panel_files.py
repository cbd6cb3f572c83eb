"""Every .ui file of the panel loads, and what code and files say of each other is true."""
import re
from pathlib import Path
from typing import get_type_hints
from xml.etree import ElementTree

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "LTDiffStandardize"
FILES = sorted((FOLDER / "Resources" / "UI").glob("*.ui"))
SOURCES = sorted((FOLDER / "LTDiffStandardizeLib" / "panel").glob("*.py"))
KNOWN = {"QLabel", "QPushButton", "QComboBox", "QSpinBox", "QCheckBox", "QPlainTextEdit", "QTableWidget", "QProgressBar", "QWidget",
         "qMRMLWidget", "qMRMLNodeComboBox", "ctkCollapsibleButton"}  # fmt: skip


def widgets_of(path):
    return {widget.get("name"): widget for widget in ElementTree.parse(path).iter("widget")}


def property_of(widget, name):
    found = widget.find(f"property[@name='{name}']")
    return None if found is None else "".join(found.itertext()).strip()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_ui_file_loads(scene, path):
    import slicer

    widget = slicer.util.loadUI(str(path))
    widget.setMRMLScene(slicer.mrmlScene)
    assert set(widgets_of(path)) - {path.stem} <= set(vars(slicer.util.childWidgetVariables(widget)))


def test_every_ui_file_is_used_by_the_panel(scene):
    from LTDiffStandardizeLib.panel.panel import UI_FILES

    assert sorted(UI_FILES) == [path.stem for path in FILES]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_widgets_are_of_classes_that_slicer_has_and_what_a_user_sets_has_a_tool_tip(path):
    for name, widget in widgets_of(path).items():
        assert widget.get("class") in KNOWN, name
        if widget.get("class") in ("QComboBox", "QSpinBox", "QCheckBox", "qMRMLNodeComboBox"):
            assert property_of(widget, "toolTip"), name


def test_names_are_told_apart_and_every_widget_that_the_code_names_exists(scene):
    names = [name for path in FILES for name in widgets_of(path)]
    assert len(names) == len(set(names))
    used = {name for path in SOURCES for name in re.findall(r"\b(?:ui|_progress)\.([a-z]\w+)", path.read_text(encoding="utf-8"))}
    assert used and used <= set(names), used - set(names)


def test_every_parameter_that_a_widget_is_bound_to_exists_and_is_shown_in_its_range(panel):
    from LTDiffStandardizeLib.panel.parameters import Parameters

    bound = {property_of(widget, "SlicerParameterName"): name for path in FILES for name, widget in widgets_of(path).items()}
    bound.pop(None)
    hints = get_type_hints(Parameters, include_extras=True)
    assert set(bound) <= set(hints)
    by_hand = {"target", "method", "device", "profile"}  # combo boxes over values of our own
    assert set(bound) | by_hand == {name for name in hints if not name.startswith("_") and name != "parameterNode"}


def test_every_selector_is_given_the_scene(panel):
    import slicer

    for path, widget in zip(FILES, sorted(panel.widgets, key=lambda one: one.objectName)):
        for name, one in widgets_of(path).items():
            if one.get("class") == "qMRMLNodeComboBox":
                assert getattr(slicer.util.childWidgetVariables(widget), name).mrmlScene() is slicer.mrmlScene, name


def test_texts_of_the_panel_go_through_translation():
    shown = re.compile(r"(?:setText|setToolTip|tell|addItem|setTitle)\(\s*f?\"[A-Za-z]")
    for path in SOURCES:
        assert not shown.search(path.read_text(encoding="utf-8")), path.name
