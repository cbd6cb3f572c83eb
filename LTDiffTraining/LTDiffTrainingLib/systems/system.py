"""What every system is: a model, how its phases are trained, how it standardizes a volume."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import nn

from LTDiffStandardizeLib.model.network_shape import NetworkShape
from LTDiffStandardizeLib.model.protocols import Protocol
from LTDiffStandardizeLib.volumes.volume import CTVolume

from ..phases import Phase
from ..settings import PhaseSettings, TrainingSettings


@dataclass(frozen=True)
class System:
    """`build`: a model of the widths of a shape. `shares`: of the budget of steps, per phase; None: the settings name every phase.

    `standardize(model, volume, protocol, seed)`: int16 HU on the volume's grid. The model is on its device, in evaluation mode;
    systems that work on HU alone do not look at the protocol.
    """

    name: str
    title: str
    build: Callable[[NetworkShape], nn.Module]
    phases: dict[str, Phase]
    standardize: Callable[[nn.Module, CTVolume, Protocol, int], CTVolume]
    shares: dict[str, float] | None = None

    def settings(self, wanted: TrainingSettings) -> dict[str, PhaseSettings]:
        """Per phase. Systems get the same number of batches in all, so that all see as many patches."""
        if self.shares is None:
            return {name: wanted.phases[name] for name in self.phases}
        budget, like = sum(phase.steps for phase in wanted.phases.values()), wanted.phases["diffusion"]
        return {name: replace(like, steps=max(1, round(budget * share))) for name, share in self.shares.items()}
