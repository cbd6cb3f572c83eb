"""One player of a phase in training: its loss over all processes, its optimizer, the running average of its weights."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from ..patches import Batch
from ..phases import Losses, Player
from ..settings import PhaseSettings
from .precision import PRECISIONS
from .processes import Processes


class PlayerTraining:
    """Trains the player's modules of `model` alone; the others are frozen whenever it is its turn."""

    def __init__(self, model: nn.Module, player: Player, settings: PhaseSettings, device: str, precision: str, processes: Processes) -> None:
        self._model, self._clip, self._precision, self._kind = model, settings.clip, PRECISIONS[precision], torch.device(device).type
        self._parts = [getattr(model, name) for name in player.modules]
        self.parameters = [p for part in self._parts for p in part.parameters()]
        self._thaw()  # what can learn now is what DistributedDataParallel averages
        self._losses = processes.distributed(_Losses(model, player), device)
        self._optimizer = torch.optim.Adam(self.parameters, lr=settings.learning_rate, betas=tuple(settings.betas))
        self._average = [p.detach().clone() for p in self.parameters]

    def step(self, batch: Batch, rate: float, decay: float, scaler: torch.amp.GradScaler) -> Losses:
        """One step of Adam at learning rate `rate`; the average keeps `decay` of itself. Returns the losses, detached."""
        self._thaw()
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast(self._kind, self._precision or torch.bfloat16, enabled=self._precision is not None):
            losses = self._losses(batch)
        self._optimizer.zero_grad(set_to_none=True)
        scaler.scale(losses["loss"]).backward()
        scaler.unscale_(self._optimizer)
        nn.utils.clip_grad_norm_(self.parameters, self._clip)
        scaler.step(self._optimizer)
        for mean, parameter in zip(self._average, self.parameters):
            mean.lerp_(parameter.detach(), 1 - decay)
        return {name: value.detach() for name, value in losses.items()}

    def keep_average(self) -> None:
        for parameter, mean in zip(self.parameters, self._average):
            parameter.data.copy_(mean)

    def state(self) -> dict:
        return {"optimizer": self._optimizer.state_dict(), "average": self._average}

    def restore(self, state: dict) -> None:
        self._optimizer.load_state_dict(state["optimizer"])
        for mean, kept in zip(self._average, state["average"]):
            mean.copy_(kept)

    def _thaw(self) -> None:
        self._model.requires_grad_(False)
        for part in self._parts:
            part.requires_grad_(True)


class _Losses(nn.Module):
    """A player's loss as a module, which is what DistributedDataParallel takes."""

    def __init__(self, model: nn.Module, player: Player) -> None:
        super().__init__()
        self.model, self._loss = model, player.loss

    def forward(self, batch: Batch) -> Losses:
        return self._loss(self.model, batch)


@contextmanager
def averaged(players: Sequence[PlayerTraining]) -> Iterator[None]:
    """The averaged weights in the model, and the trained ones back again."""
    kept = [[p.detach().clone() for p in player.parameters] for player in players]
    for player in players:
        player.keep_average()
    try:
        yield
    finally:
        for player, weights in zip(players, kept):
            for parameter, weight in zip(player.parameters, weights):
                parameter.data.copy_(weight)
