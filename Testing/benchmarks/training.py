"""One training step of every phase, with the network and the batches of the shipped preset, by one process and by two."""
from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from LTDiffTrainingLib.phases import PHASES
from LTDiffTrainingLib.settings import PatchSettings, load_settings
from measuring import Row, compared, timed

PRESET, SLICE = "cpu", 512 * 512
CHILD = Path(__file__).with_name("training_child.py")


def run(quick: bool) -> list[Row]:
    batch, steps = load_settings(PRESET).training, 1 if quick else 4
    several = (1, 2) if (os.cpu_count() or 1) > 1 else (1,)
    rounds = [{processes: _seconds(processes, steps) for processes in several} for _ in range(1 if quick else 2)]
    told = lambda processes, phase, kind: [value for one in rounds for value in one[processes][phase][kind]]
    rows = []
    for phase in PHASES:
        cpu, alone = told(1, phase, "cpu"), told(1, phase, "clock")
        rows.append(timed(f"training step, {phase}", cpu, note=_rate(batch, median(cpu))))
        if 2 in several:
            by_two = told(2, phase, "clock")
            rows.append(compared(f"training step, {phase}, two processes / one", by_two, alone, "s", note=_rate(batch, median(by_two))))
    return rows


def _rate(batch: PatchSettings, seconds: float) -> str:
    patches = batch.batch / seconds
    return (f"{patches:.3g} patches/s of {batch.patch} x {batch.patch}, {batch.batch} a step; "
            f"as many pixels as {patches * batch.patch ** 2 / SLICE:.3g} slices/s of 512 x 512")  # fmt: skip


def _seconds(processes: int, steps: int) -> dict[str, dict[str, list[float]]]:
    """{phase: {"clock" and "cpu": seconds of every step}}, as the first process sees it."""
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    with TemporaryDirectory(prefix="ltdiff-") as folder:
        command = [sys.executable, *launcher, str(CHILD), PRESET, str(steps), folder]
        child = subprocess.run(command, capture_output=True, text=True)
    if child.returncode:
        raise RuntimeError(f"The training by {processes} processes failed:\n{child.stderr}")
    return json.loads(child.stdout)
