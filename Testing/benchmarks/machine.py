"""What the numbers were measured on."""
from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from LTDiffStandardizeLib.model.bundle import load_bundle

PACKAGES = ("torch", "numpy", "scipy", "diffusers", "pyradiomics", "pydicom", "SimpleITK", "finufft")


def facts() -> list[str]:
    """Lines of text."""
    bundle = load_bundle()
    packages = ", ".join(f"{package} {_installed(package)}" for package in PACKAGES)
    return [
        f"Machine:  {processor()}, {os.cpu_count()} processors{_load()}, {platform.system()} {platform.machine()}",
        f"Versions: Python {platform.python_version()}, {packages}",
        f"Model:    {bundle.name}, weights {bundle.sha256[:12]}, {bundle.steps} steps",
    ]


def processor() -> str:
    """The processor's model, as far as the system tells."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.lower().startswith(("model name", "cpu model", "cpu part")):
                return " ".join(line.split(":", 1)[1].split())
    if platform.system() == "Darwin":
        return subprocess.run(["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True).stdout.strip()
    return platform.processor() or platform.machine()


def _load() -> str:
    return f" (load {os.getloadavg()[0]:.1f})" if hasattr(os, "getloadavg") else ""


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
