"""The training loop: one phase after another, resumable at every checkpoint, the same batches whatever happened before."""
from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn

from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.model.network import LatentDiffusionModel
from LTDiffStandardizeLib.volumes.atomic import file_aside

from .datasets import PatchSampler
from .phases import MODULES, PHASES
from .settings import PhaseSettings


@dataclass
class Trainer:
    """Trains `model` phase by phase; everything it must remember is under `folder`."""

    model: LatentDiffusionModel
    sampler: PatchSampler
    folder: Path
    device: str = "cpu"
    checkpoint_seconds: float = 120.0
    report: Callable[[str], None] = print

    def run(self, phases: dict[str, PhaseSettings]) -> None:
        """Train each phase in turn; finished phases are loaded, an interrupted one continues at its last checkpoint."""
        for name, settings in phases.items():
            done = self.folder / f"phase-{name}.pt"
            if done.exists():
                state = torch.load(done, map_location=self.device, weights_only=True)
                if state["settings"] != asdict(settings):
                    raise InputError(f"{done} was trained with other settings; choose another output folder, or remove it.")
                self.model.load_state_dict(state["model"])
                self.report(f"{name}: finished before, loaded.")
                continue
            self._run_phase(name, settings)
            self._save(done, {"model": self.model.state_dict(), "settings": asdict(settings)})
            self._resume_file(name).unlink(missing_ok=True)

    def _run_phase(self, name: str, settings: PhaseSettings) -> None:
        parameters = self._thaw(name)
        optimizer = torch.optim.AdamW(parameters, lr=settings.learning_rate, betas=(0.9, 0.99), weight_decay=1e-4)
        average = [p.detach().clone() for p in parameters]
        start, spent = self._resume(name, optimizer, average)
        began = saved = time.monotonic()
        progress = _Progress(name, settings.steps, self.folder / "log.csv", self.report)
        for step in range(start, settings.steps):
            for group in optimizer.param_groups:
                group["lr"] = settings.learning_rate * _schedule(step, settings)
            losses = self._step(name, step, settings, optimizer, parameters)
            _update_average(average, parameters, min(settings.ema, (1 + step) / (10 + step)))
            now = time.monotonic()
            progress.add(step + 1, losses, spent + now - began, (now - began) / (step + 1 - start))
            if now - saved > self.checkpoint_seconds:
                self._save(self._resume_file(name), {"step": step + 1, "seconds": spent + now - began, "model": self.model.state_dict(),
                                                     "optimizer": optimizer.state_dict(), "average": average})
                saved = now
        for parameter, mean in zip(parameters, average):
            parameter.data.copy_(mean)

    def _thaw(self, phase: str) -> list[nn.Parameter]:
        """Freeze all but the phase's modules; its parameters."""
        self.model.requires_grad_(False)
        parts = [getattr(self.model, name).requires_grad_(True) for name in MODULES[phase]]
        return [p for part in parts for p in part.parameters()]

    def _step(self, phase: str, step: int, settings: PhaseSettings, optimizer, parameters) -> dict:
        stream = list(PHASES).index(phase)
        maps = torch.from_numpy(self.sampler.batch_maps(step, stream)).to(self.device)
        generator = torch.Generator().manual_seed((self.sampler.seed * 4 + stream) * 10_000_000 + step)
        losses = PHASES[phase](self.model, maps, generator)
        optimizer.zero_grad(set_to_none=True)
        losses["loss"].backward()
        nn.utils.clip_grad_norm_(parameters, settings.clip)
        optimizer.step()
        return losses

    def _resume(self, phase: str, optimizer, average) -> tuple[int, float]:
        path = self._resume_file(phase)
        if not path.exists():
            return 0, 0.0
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        for mean, kept in zip(average, state["average"]):
            mean.copy_(kept)
        self.report(f"{phase}: resumed at step {state['step']}.")
        return state["step"], state["seconds"]

    def _resume_file(self, phase: str) -> Path:
        return self.folder / f"resume-{phase}.pt"

    def _save(self, path: Path, state: dict) -> None:
        with file_aside(path, overwrite=True) as aside:
            torch.save(state, aside)


def _schedule(step: int, settings: PhaseSettings) -> float:
    if step < settings.warm_up:
        return (step + 1) / settings.warm_up
    return 0.5 * (1 + math.cos(math.pi * step / settings.steps))


def _update_average(average, parameters, decay: float) -> None:
    for mean, parameter in zip(average, parameters):
        mean.lerp_(parameter.detach(), 1 - decay)


def phase_minutes(log: Path) -> dict[str, float]:
    """How long each phase took, over all its starts, from log.csv."""
    with log.open(newline="") as stream:
        return {row["phase"]: float(row["seconds"]) / 60 for row in csv.DictReader(stream)}


class _Progress:
    """Averages the losses between reports; each report is a line of text and rows of log.csv (one per loss, long form)."""

    EVERY = 50

    def __init__(self, phase: str, steps: int, path: Path, report: Callable[[str], None]) -> None:
        self._phase, self._steps, self._path, self._report = phase, steps, path, report
        self._sums: dict[str, list[float]] = {}
        if not path.exists():
            path.write_text("phase,step,seconds,name,value\n")

    def add(self, step: int, losses: dict, seconds: float, seconds_per_step: float) -> None:
        for name, value in losses.items():
            self._sums.setdefault(name, []).append(float(value.detach()))
        if step % self.EVERY and step != self._steps:
            return
        means = {name: sum(values) / len(values) for name, values in self._sums.items()}
        self._sums = {}
        with self._path.open("a", newline="") as stream:
            csv.writer(stream).writerows([self._phase, step, f"{seconds:.1f}", name, f"{value:.6f}"] for name, value in means.items())
        figures = "  ".join(f"{name} {value:.4f}" for name, value in means.items())
        left = seconds_per_step * (self._steps - step) / 60
        self._report(f"{self._phase} {step}/{self._steps}  {figures}  {1 / seconds_per_step:.1f} steps/s  {left:.1f} min left")
