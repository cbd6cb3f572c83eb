"""What a report of a problem should hold: versions, devices, disk, weights. Nothing of a patient, and nothing heavy is imported."""
from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .child import NO_WINDOW
from .cohort.provenance import VERSION
from .errors import LTDiffError
from .model.bundle import MODELS, load_bundle

PACKAGES = ("torch", "numpy", "scipy", "SimpleITK", "pydicom", "safetensors", "matplotlib", "Jinja2", "pyradiomics", "highdicom")
SECONDS_FOR_THE_DRIVER = 3
LONG_PATH = 120  # characters; torch's own files add about 160, and Windows ends at 260


def report(application: str, more: Mapping[str, str] | None = None) -> str:
    """Lines of "what: value". application: its name and version; more: further lines."""
    root = Path(__file__).resolve().parents[1]
    facts = {
        "LTDiff": VERSION, "Application": application, "System": platform.platform(), "Processor": f"{platform.machine()}, {os.cpu_count()} cores",
        "Python": platform.python_version(), **{name: version_of(name) for name in PACKAGES}, "GPU": "; ".join(gpus()) or "none found by nvidia-smi",
        "Free disk": f"{shutil.disk_usage(tempfile.gettempdir()).free / 1e9:.1f} GB for temporary files", "Extension": _path(root),
        "Packages": _path(Path(sys.prefix)), **{f"Weights {folder.name}": _weights(folder) for folder in sorted(MODELS.iterdir()) if folder.is_dir()},
        **(more or {}),
    }  # fmt: skip
    return "\n".join(f"{what}: {value}" for what, value in facts.items())


def gpus() -> list[str]:
    """Name, memory and driver of each NVIDIA device, such as "Quadro, 7.1 of 8.0 GB free, driver 550.1"; asked of the driver, not of torch."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    query = [program, "--query-gpu=name,memory.free,memory.total,driver_version", "--format=csv,noheader,nounits"]
    try:
        lines = subprocess.run(query, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS_FOR_THE_DRIVER, check=True,
                               creationflags=NO_WINDOW).stdout.splitlines()  # fmt: skip
        rows = [[part.strip() for part in line.rsplit(",", 3)] for line in lines if line.strip()]
        return [f"{name}, {float(free) / 1024:.1f} of {float(total) / 1024:.1f} GB free, driver {driver}" for name, free, total, driver in rows]
    except (OSError, ValueError, subprocess.SubprocessError):
        return []


def version_of(package: str) -> str:
    try:
        return version(package) or "damaged installation"
    except PackageNotFoundError:
        return "not installed"


def _weights(folder: Path) -> str:
    try:
        return f"SHA-256 {load_bundle(folder).sha256}"
    except LTDiffError as error:
        return str(error)


def _path(path: Path) -> str:
    """Length and trouble of a path; not the path, which often holds the user's name."""
    length = len(str(path))
    return f"path of {length} characters{', long for Windows' * (length > LONG_PATH)}{', with other letters than ASCII' * (not str(path).isascii())}"
