"""The training loop: one phase after another, on one or many processes, resumable at every checkpoint.

Processes started by torch.distributed.run train one model (DistributedDataParallel) on shares of the same batches, so that
their number changes nothing but the speed; process 0 alone writes. Batches are keyed by step, so that a run that was
killed and resumed ends where an unbroken one does, with the same log.
"""
from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn

from LTDiffStandardizeLib.cohort.folder import entrance, tidy
from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.volumes.atomic import file_aside

from ..patches import PatchSampler
from ..phases import Losses, Phase
from ..settings import PhaseSettings
from .logs import LOG, VALIDATION, LossLog, drop_rows_after
from .players import PlayerTraining, averaged
from .processes import ALONE, Processes

SECONDS_TO_WAIT = 10  # for the last processes of a run that was killed just now
Validate = Callable[[str, int], None]
"""(phase, step), called on process 0 with the averaged weights in the model."""


@dataclass
class Trainer:
    """Trains `model` phase by phase; everything it must remember is under `folder`.

    All processes have the same `validate_every`: steps between validations, which come at the end of each phase too; 0: none.
    """

    model: nn.Module
    sampler: PatchSampler
    folder: Path
    device: str = "cpu"
    precision: str = "float32"
    checkpoint_seconds: float = 120.0
    processes: Processes = ALONE
    report: Callable[[str], None] = print
    validate: Validate | None = None
    validate_every: int = 0

    def run(self, phases: dict[str, Phase], settings: dict[str, PhaseSettings]) -> None:
        """Train each phase in turn; finished phases are loaded, an interrupted one continues at its last checkpoint.

        Raises OutputError where another training is at work in the folder, InputError where what is there has other settings.
        """
        with ExitStack() as held:
            if self.processes.first:
                held.enter_context(entrance(self.folder, SECONDS_TO_WAIT))
                tidy(self.folder)
            for stream, (name, phase) in enumerate(phases.items()):
                self._train(name, stream, phase, settings[name])
                self.processes.wait()

    def _train(self, name: str, stream: int, phase: Phase, settings: PhaseSettings) -> None:
        done = self.folder / f"phase-{name}.pt"
        if self.agreed(int(done.exists()), done):
            self.model.load_state_dict(self.load(done, settings)["model"])
            self.report(f"{name}: finished before, loaded.")
        else:
            _PhaseRun(self, name, stream, phase, settings).run()
            self.save(done, {"model": self.model.state_dict()}, settings)
        if self.processes.first:
            self.resume_file(name).unlink(missing_ok=True)

    def agreed(self, number: int, path: Path) -> int:
        """The number, read from `path`. Raises InputError where other processes read another, which would leave all waiting for ever."""
        if self.processes.mean(torch.tensor(float(number), dtype=torch.float64, device=self.device)) != number:
            raise InputError(f"{path} is not the same for all processes; give them one output folder that all machines see, and start again.")
        return number

    def resume_file(self, phase: str) -> Path:
        return self.folder / f"resume-{phase}.pt"

    def save(self, path: Path, state: dict, settings: PhaseSettings) -> None:
        """On process 0, whole or not at all."""
        if self.processes.first:
            with file_aside(path, overwrite=True) as aside:
                torch.save({"settings": asdict(settings), **state}, aside)

    def load(self, path: Path, settings: PhaseSettings) -> dict:
        """What `save` wrote. Raises InputError where it cannot be read or was trained with other settings."""
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
            same = state["settings"] == asdict(settings)
        except Exception as error:  # torch.load raises almost anything
            raise InputError(f"{path} cannot be read ({str(error).splitlines()[0]}); remove it to train this phase anew.") from error
        if not same:
            raise InputError(f"{path} was trained with other settings; choose another output folder, or remove it.")
        return state


class _PhaseRun:
    """One phase: its players, its log, its checkpoints."""

    def __init__(self, trainer: Trainer, name: str, stream: int, phase: Phase, settings: PhaseSettings) -> None:
        self.trainer, self.name, self.stream, self.settings = trainer, name, stream, settings
        self.players = [PlayerTraining(trainer.model, player, settings, trainer.device, trainer.precision, trainer.processes)
                        for player in phase.players]
        self.scaler = torch.amp.GradScaler(torch.device(trainer.device).type, enabled=trainer.precision == "float16")
        self.log = LossLog(name, settings.steps, trainer.folder / LOG, trainer.processes, trainer.report)

    def run(self) -> None:
        trainer, steps = self.trainer, self.settings.steps
        start, spent = self._resume()
        began = saved = time.monotonic()
        for step in range(start + 1, steps + 1):
            self.log.add(self._step(step - 1))
            seconds = time.monotonic() - began
            self.log.tell(step, spent + seconds, seconds / (step - start))
            if step == steps:
                break
            if trainer.validate_every and step % trainer.validate_every == 0:
                self._validate(step)
            if time.monotonic() - saved >= trainer.checkpoint_seconds:  # after all that was written of this step
                self._checkpoint(step, spent + time.monotonic() - began)
                saved = time.monotonic()
        for player in self.players:
            player.keep_average()
        if trainer.validate_every:
            self._validate(steps)

    def _step(self, number: int) -> Losses:
        trainer, losses = self.trainer, {}
        batch = trainer.sampler.draw(number, self.stream).to(trainer.device)
        rate = self.settings.learning_rate * _schedule(number, self.settings)
        decay = min(self.settings.ema, (1 + number) / (10 + number))
        for player in self.players:
            losses |= player.step(batch, rate, decay, self.scaler)
        self.scaler.update()
        return losses

    def _checkpoint(self, step: int, seconds: float) -> None:
        self.trainer.save(self.trainer.resume_file(self.name), {
            "step": step, "seconds": seconds, "model": self.trainer.model.state_dict(), "scaler": self.scaler.state_dict(),
            "log": self.log.state(), "players": [player.state() for player in self.players]}, self.settings)

    def _resume(self) -> tuple[int, float]:
        """The step and the seconds of the checkpoint, 0 where there is none; the tables of the folder end there."""
        trainer, step, seconds = self.trainer, 0, 0.0
        path = trainer.resume_file(self.name)
        if path.exists():
            state = trainer.load(path, self.settings)
            step, seconds = state["step"], state["seconds"]
            trainer.model.load_state_dict(state["model"])
            self.scaler.load_state_dict(state["scaler"])
            self.log.restore(state["log"])
            for player, kept in zip(self.players, state["players"]):
                player.restore(kept)
            trainer.report(f"{self.name}: resumed at step {step}.")
        trainer.agreed(step, path)
        if trainer.processes.first:
            for table in (LOG, VALIDATION):
                drop_rows_after(trainer.folder / table, self.name, step)
        return step, seconds

    def _validate(self, step: int) -> None:
        if self.trainer.processes.first and self.trainer.validate:
            with averaged(self.players):
                self.trainer.validate(self.name, step)
        self.trainer.processes.wait()


def _schedule(step: int, settings: PhaseSettings) -> float:
    """Warm-up, then a cosine to zero; with `constant` no cosine, as the paper prints its learning rate."""
    if step < settings.warm_up:
        return (step + 1) / settings.warm_up
    return 1.0 if settings.constant else 0.5 * (1 + math.cos(math.pi * step / settings.steps))
