"""Python packages that the application lacks: asked for once, in words, when they are first needed."""
from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import slicer
from slicer.i18n import tr as _

REQUIREMENTS = Path(__file__).resolve().parents[2] / "Resources" / "requirements.txt"
FOR_READING, FOR_WORKING, FOR_FEATURES = ("scipy", "pydicom"), ("SimpleITK", "safetensors"), ("matplotlib", "jinja2")  # modules
PACKAGES = {"jinja2": "Jinja2"}  # of the modules that are called otherwise
SIZES = {"torch": "200 MB to 3 GB, by the graphics card", "others": "about 60 MB"}
KEEP = ["SimpleITK", "torch", "numpy"]  # Slicer brings builds of its own; replacing them breaks it
TORCH = ">=2.1"


def ready(method: str = "none", features: bool = False, profile: str = "", only_reading: bool = False) -> tuple[bool, str]:
    """(whether everything is there, or else one sentence). Asks the user and installs what is missing."""
    if profile == "pyradiomics" and find_spec("radiomics") is None:
        return False, _("PyRadiomics is missing; install the SlicerRadiomics extension with the Extensions Manager, or choose the IBEX features.")
    modules = FOR_READING + (() if only_reading else FOR_WORKING) + (FOR_FEATURES if features else ())
    missing = missing_of(modules)
    if missing and not _installed(missing):
        return False, _("Python packages are missing ({names}); install them when asked, and without a network as the README says under "
                        "\"Offline\".").format(names=", ".join(missing))  # fmt: skip
    if method == "ltdiff" and not torch_is_there():
        return _install_torch()
    return True, ""


def missing_of(modules: Sequence[str]) -> list[str]:
    """Looked up, not imported."""
    return [module for module in modules if find_spec(module) is None]


def torch_is_there() -> bool:
    """A half-installed PyTorch has its folder without the library in it."""
    found = find_spec("torch")
    return found is not None and found.origin is not None


def _installed(missing: Sequence[str]) -> bool:
    """Through slicer.packaging (5.12), which asks by itself; before that with a question of our own."""
    names = [PACKAGES.get(module, module) for module in missing]
    question = _("LTDiff needs the Python packages {names} ({size} to download). Install them now?").format(names=", ".join(names), size=SIZES["others"])
    try:
        try:
            from slicer.packaging import load_requirements, pip_ensure
        except ImportError:
            if slicer.util.confirmOkCancelDisplay(question):
                slicer.util.pip_install(_lines_for(names))
        else:
            pip_ensure([one for one in load_requirements(REQUIREMENTS) if one.name in names], skip_packages=KEEP, requester="LTDiff")
    except Exception as error:  # pip fails in every way there is
        if "declined" in str(error):  # so says pip_ensure to a user who has just said no
            return False
        slicer.util.errorDisplay(_("The packages {names} could not be installed ({error}).").format(names=", ".join(names), error=error))
    return not missing_of(missing)


def _lines_for(names: Sequence[str]) -> list[str]:
    lines = [line.strip() for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line.partition(">")[0] in names]


def _install_torch() -> tuple[bool, str]:
    """Through the PyTorch extension alone, which chooses the build for the graphics card."""
    try:
        from PyTorchUtils import PyTorchUtilsLogic
    except ImportError:
        return False, _("LTDiff++ needs PyTorch; install the PyTorch extension with the Extensions Manager and restart, or choose the filter with noise.")
    question = _("LTDiff++ needs PyTorch ({size} to download). Install it now with the PyTorch extension?").format(size=SIZES["torch"])
    if not slicer.util.confirmOkCancelDisplay(question):
        return False, _("PyTorch was not installed; the filter with noise works without it.")
    try:
        installed = PyTorchUtilsLogic().installTorch(torchVersionRequirement=TORCH)
    except Exception as error:  # among them a TypeError over a half-installed PyTorch
        return False, _("PyTorch could not be installed ({error}); on Windows a path of Slicer as short as C:\\Slicer helps, elsewhere the "
                        "PyTorch extension's own panel says more.").format(error=error)  # fmt: skip
    return (True, "") if installed and torch_is_there() else (False, _("PyTorch was not installed; the filter with noise works without it."))
