"""What is missing is asked for in words, installed through what the application has, and never at import."""
import sys
from types import SimpleNamespace

import pytest
import stand_in


@pytest.fixture
def missing(monkeypatch, scene):
    """A function: from now on these modules are not installed."""
    from LTDiffStandardizeLib.panel import packages

    found = packages.find_spec

    def hide(*names):
        hidden = set(names)
        monkeypatch.setattr(packages, "find_spec", lambda name: None if name in hidden else found(name))
        return hidden

    return hide


def test_with_everything_there_nobody_is_asked(scene):
    import slicer

    from LTDiffStandardizeLib.panel import packages

    assert packages.ready("ltdiff", features=True) == (True, "")
    assert slicer.util.displayed == []


def test_slicer_5_12_installs_through_its_own_packaging_without_replacing_what_it_ships(missing):
    import slicer

    from LTDiffStandardizeLib.panel import packages

    missing("safetensors", "jinja2")
    stand_in.add_packaging()
    is_ready, sentence = packages.ready("ls_noise", features=True)
    ((requirements, options),) = slicer.packaging.calls
    assert [str(one) for one in requirements] == ["safetensors>=0.4", "Jinja2>=3.1"]
    assert {"SimpleITK", "torch", "numpy"} <= set(options["skip_packages"]) and options["requester"] == "LTDiff"
    assert not is_ready and "safetensors" in sentence and "Offline" in sentence


def test_slicer_5_10_is_asked_once_in_words_with_the_size(missing, monkeypatch):
    import slicer

    from LTDiffStandardizeLib.panel import packages

    hidden, asked = missing("safetensors"), []
    monkeypatch.setattr(slicer.util, "pip_install", lambda requirements: (asked.append(requirements), hidden.clear()))
    assert packages.ready("ls_noise") == (True, "")
    ((kind, text),) = slicer.util.displayed
    assert kind == "confirmOkCancel" and "safetensors" in text and "MB" in text and asked == [["safetensors>=0.4"]]


def test_a_user_who_declines_is_told_what_is_missing(missing):
    import slicer

    from LTDiffStandardizeLib.panel import packages

    missing("safetensors")
    slicer.util.answers[:] = [False]
    is_ready, sentence = packages.ready("ls_noise")
    assert not is_ready and "safetensors" in sentence


def test_declining_in_slicers_own_dialog_is_no_error(missing, monkeypatch):
    import slicer

    from LTDiffStandardizeLib.panel import packages

    missing("safetensors")
    stand_in.add_packaging()

    def declined(requirements, **options):
        raise RuntimeError("User declined package installation")

    monkeypatch.setattr(slicer.packaging, "pip_ensure", declined)
    assert packages.ready("ls_noise")[0] is False and slicer.util.displayed == []


def test_the_sample_can_be_looked_at_without_what_standardizing_needs(missing):
    from LTDiffStandardizeLib.panel import packages

    missing("safetensors", "torch", "SimpleITK", "matplotlib", "jinja2")
    assert packages.ready(only_reading=True) == (True, "")


def test_a_network_that_is_not_there_is_told_and_not_raised(missing):
    import slicer

    from LTDiffStandardizeLib.panel import packages

    missing("safetensors")
    assert packages.ready("ls_noise")[0] is False
    assert [kind for kind, _ in slicer.util.displayed] == ["confirmOkCancel", "error"]


def test_torch_comes_through_the_pytorch_extension_alone(missing, monkeypatch):
    import slicer

    from LTDiffStandardizeLib.panel import packages

    hidden, calls = missing("torch"), []
    is_ready, sentence = packages.ready("ltdiff")
    assert not is_ready and "PyTorch extension" in sentence

    class Logic:
        def installTorch(self, **options):
            calls.append(options)
            hidden.clear()
            return True

    monkeypatch.setitem(sys.modules, "PyTorchUtils", SimpleNamespace(PyTorchUtilsLogic=Logic))
    assert packages.ready("ltdiff") == (True, "") and calls == [{"torchVersionRequirement": ">=2.1"}]
    assert slicer.util.displayed[-1][0] == "confirmOkCancel" and "GB" in slicer.util.displayed[-1][1]


def test_a_half_installed_torch_is_explained(missing, monkeypatch):
    from LTDiffStandardizeLib.panel import packages

    missing("torch")

    class Logic:
        def installTorch(self, **options):
            raise TypeError("'NoneType' object is not iterable")

    monkeypatch.setitem(sys.modules, "PyTorchUtils", SimpleNamespace(PyTorchUtilsLogic=Logic))
    is_ready, sentence = packages.ready("ltdiff")
    assert not is_ready and "NoneType" in sentence and "C:\\Slicer" in sentence


def test_every_package_that_may_be_asked_for_has_a_line_with_a_floor_and_no_pin():
    from LTDiffStandardizeLib.panel import packages

    lines = [line for line in packages.REQUIREMENTS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    names = {line.partition(">=")[0] for line in lines}
    assert all(">=" in line and "==" not in line for line in lines)
    assert names == {packages.PACKAGES.get(module, module) for module in packages.FOR_READING + packages.FOR_WORKING + packages.FOR_FEATURES}
    assert "torch" not in names and "pyradiomics" not in names
