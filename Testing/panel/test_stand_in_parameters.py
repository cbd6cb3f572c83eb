"""The stand-in keeps parameters in a node of the scene and binds them to widgets, as the application does."""
from typing import Annotated

import pytest
import stand_in


@pytest.fixture
def parameter_class(scene):
    import slicer
    from slicer.parameterNodeWrapper import Choice, Default, Minimum, WithinRange, parameterNodeWrapper

    @parameterNodeWrapper
    class Parameters:
        volume: slicer.vtkMRMLScalarVolumeNode
        fast: bool = True
        steps: Annotated[int, WithinRange(1, 50)] = 20
        strength: Annotated[float, WithinRange(0, 1), Default(0.5)]
        protocol: str = "BL57"
        features: list[str] = ["mean; of all", "range"]
        kernel: Annotated[str, Choice(["sharp", "soft"])] = "soft"
        seed: Annotated[int, Minimum(0)]

    return Parameters


@pytest.fixture
def parameters(parameter_class):
    from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

    return parameter_class(ScriptedLoadableModuleLogic().getParameterNode())


def test_parameters_have_defaults_types_and_ranges(scene, parameters):
    assert (parameters.volume, parameters.fast, parameters.steps, parameters.strength) == (None, True, 20, 0.5)
    assert (parameters.protocol, parameters.features, parameters.seed) == ("BL57", ["mean; of all", "range"], 0)
    for name, value in (("steps", 51), ("strength", -0.1), ("kernel", "other"), ("seed", -1)):
        with pytest.raises(ValueError):
            setattr(parameters, name, value)
    with pytest.raises(TypeError):
        parameters.volume = scene.AddNewNodeByClass("vtkMRMLModelNode")


def test_a_changed_parameter_tells_its_observers(scene, parameters):
    told = []
    tag = parameters.AddObserver("ModifiedEvent", lambda *_: told.append(parameters.steps))
    parameters.steps = 7
    parameters.volume = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    parameters.RemoveObserver(tag)
    parameters.steps = 8
    assert told == [7, 7]


def test_parameters_are_saved_and_loaded_with_the_scene(scene, parameters, parameter_class, tmp_path):
    parameters.volume = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "CT")
    parameters.steps, parameters.features = 3, ["a\n", "b"]
    scene.SetURL(str(tmp_path / "scene.mrml"))
    assert scene.Commit()
    fresh = stand_in.new_scene()
    fresh.SetURL(str(tmp_path / "scene.mrml"))
    assert fresh.Import()
    loaded = parameter_class(fresh.GetFirstNodeByClass("vtkMRMLScriptedModuleNode"))
    assert (loaded.steps, loaded.features, loaded.volume.GetName()) == (3, ["a\n", "b"], "CT")


KINDS = [  # class of the widget, its parameter, what a user does, what that makes of the parameter, and its next value
    ("QCheckBox", "fast", lambda widget: widget.click(), False, True),
    ("QPushButton", "fast", lambda widget: widget.click(), False, True),
    ("QSpinBox", "steps", lambda widget: widget.stepUp(), 21, 4),
    ("QSlider", "steps", lambda widget: widget.setValue(30), 30, 4),
    ("QDoubleSpinBox", "strength", lambda widget: widget.setValue(0.75), 0.75, 0.25),
    ("QLineEdit", "protocol", lambda widget: widget.setText("BL64"), "BL64", "other"),
    ("QComboBox", "kernel", lambda widget: widget.setCurrentIndex(0), "sharp", "soft"),
]


@pytest.mark.parametrize("kind, name, act, result, value", KINDS)
def test_a_widget_and_its_parameter_follow_each_other(parameters, kind, name, act, result, value):
    import qt

    panel = qt.QWidget()
    widget = getattr(qt, kind)(panel)
    tag = parameters.connectParametersToGui({name: widget})
    act(widget)
    assert getattr(parameters, name) == result
    setattr(parameters, name, value)
    assert value in [widget.property(shown) for shown in ("checked", "value", "text", "currentText")]
    parameters.disconnectGui(tag)
    act(widget)
    assert getattr(parameters, name) == value


def test_a_node_selector_and_its_parameter_follow_each_other_without_end(scene, parameters):
    import qt
    import slicer

    panel, told = qt.QWidget(), []
    selector, steps = slicer.qMRMLNodeComboBox(panel), qt.QSpinBox(panel)
    selector.setProperty("SlicerParameterName", "volume")
    selector.setMRMLScene(scene)
    steps.setProperty("SlicerParameterName", "steps")
    nodes = [scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode") for _ in range(2)]
    parameters.connectGui(panel)
    parameters.AddObserver("ModifiedEvent", lambda *_: told.append(1))
    selector.setCurrentNode(nodes[1])
    assert parameters.volume is nodes[1] and len(told) == 1
    parameters.volume = nodes[0]
    assert selector.currentNode() is nodes[0] and len(told) == 2
    assert (steps.minimum, steps.maximum, steps.value) == (1, 50, 20)


REFUSED = [("QCheckBox", "unknown"), ("QLabel", "protocol"), ("QSpinBox", "strength"), ("QSlider", "seed")]


@pytest.mark.parametrize("kind, name", REFUSED)
def test_what_cannot_be_bound_is_refused(parameters, kind, name):
    import qt

    panel = qt.QWidget()
    getattr(qt, kind)(panel).setProperty("SlicerParameterName", name)
    with pytest.raises(ValueError):
        parameters.connectGui(panel)
