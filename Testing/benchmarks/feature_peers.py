"""Our engine beside other packages for radiomics, on the classes that both have; they live in an environment of their own."""
from __future__ import annotations

import hashlib
import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np

from environment import ROOT
from features import Crop, crops_of, real_volume
from measuring import Row, Skipped, compared

sys.path.append(str(ROOT / "Testing"))
from run import ENVIRONMENTS, PINS, PYTHON, is_complete, only_one_set_up, python_of, stamp_of, timed_step, variables_for  # noqa: E402

REQUIREMENTS = Path(__file__).with_name("requirements-peers.txt")
CHILD = Path(__file__).with_name("feature_peers_child.py")
PLACE = "border"
"""Of `features.PLACES`: the one with many grey levels, which our matrices like least."""
NOTES = {
    "flash-radiomics": "its classes called directly, as its extractor always writes a file; has MCC too",
    "fastrad": "tensors made beforehand; has MCC too",
    "mirp": "together: one call",
    "nyxus": "reads files only: the cost of one more region in a label map; bins made beforehand; its NGTDM gives zeros",
}


def run(quick: bool) -> list[Row]:
    environment = ENVIRONMENTS / f"peers-{PYTHON}-{_fingerprint()}"
    if quick and not is_complete(environment):
        raise Skipped("It needs other packages, which are not installed where it only has to be quick.")
    _make(environment)
    rows = []
    with TemporaryDirectory(prefix="ltdiff-") as folder:
        crops = [next(crop for crop in crops if crop.place == PLACE) for crops in crops_of(real_volume(), quick)]
        for crop in crops:
            np.savez(Path(folder, f"{crop.voxels}.npz"), hu=crop.hu, mask=crop.mask, spacing=crop.spacing)
        for peer in NOTES:
            try:
                rows += _measured(environment, peer, crops, Path(folder), 1 if quick else 3)
            except Skipped as reason:
                print(f"Left out: peers, {peer}. {reason}", flush=True)
    return rows


def _measured(environment: Path, peer: str, crops: list[Crop], folder: Path, rounds: int) -> list[Row]:
    """Each peer in a process of its own, so that one that crashes takes no other with it."""
    rows, differences = [], {}
    for crop in crops:
        found = _child(environment, peer, folder / f"{crop.voxels}.npz", rounds)
        ours, theirs = found["ours"], found["peer"]
        ratios = ", ".join(f"{one} {median(a / b for a, b in zip(ours[one], theirs[one])):.2g}" for one in ours if one != "together")
        name = f"peers: {len(ours) - 1} classes, {crop.voxels:,} voxels / {peer}"
        rows.append(compared(name, ours["together"], theirs["together"], "ms", f"{ratios}; {NOTES[peer]}"))
        for feature, difference in found["differences"].items():
            differences[feature] = max(difference, differences.get(feature, 0.0))
    if differences:
        worst = max(differences, key=differences.get)
        note = f"of {len(differences)} features: {worst}"
        rows.append(Row(f"peers: largest relative difference / {peer}", differences[worst], "1", note=note))
    return rows


def _child(environment: Path, peer: str, crop: Path, rounds: int) -> dict:
    result = crop.with_name("result.json")
    result.unlink(missing_ok=True)
    command = [str(python_of(environment)), str(CHILD), peer, str(crop), str(rounds), str(result)]
    ended = subprocess.run(command, env=variables_for(environment), capture_output=True, text=True, errors="replace")
    if ended.returncode or not result.is_file():
        last = (ended.stderr.strip() or f"exit status {ended.returncode}").splitlines()[-1]
        raise Skipped(f"It cannot be installed or run here ({last}).")
    return json.loads(result.read_text())


def _fingerprint() -> str:
    return hashlib.sha256(PINS.read_bytes() + REQUIREMENTS.read_bytes() + platform.machine().encode()).hexdigest()[:8]


def _make(environment: Path) -> None:
    """Installs what is missing; the stamp comes last, so that an interrupted installation is taken up again."""
    ENVIRONMENTS.mkdir(exist_ok=True)
    with only_one_set_up():
        if is_complete(environment):
            return
        print(f"Setting up {environment.relative_to(ROOT)} once, 2 to 10 minutes:", flush=True)
        log = ENVIRONMENTS / "peers.log"
        log.write_bytes(b"")

        def step(title, *command):
            return timed_step(title, [str(part) for part in command], variables_for(environment), log)

        if not step("virtual environment", sys.executable, "-m", "venv", environment):
            raise Skipped(f"Its environment cannot be made; {log.relative_to(ROOT)} says why.")
        for requirement in _requirements():
            install = ("-m", "pip", "install", "--no-input", "--no-compile", "--progress-bar=off", "--constraint", PINS, requirement)
            step(requirement, python_of(environment), *install)  # what fails is missed only by the peer that needs it
        stamp_of(environment).touch()
        for stale in ENVIRONMENTS.glob(f"peers-{PYTHON}-*"):
            if stale != environment:
                shutil.rmtree(stale, ignore_errors=True)


def _requirements() -> list[str]:
    lines = (line.split("#")[0].strip() for line in REQUIREMENTS.read_text().splitlines())
    return [line for line in lines if line]
