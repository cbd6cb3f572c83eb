"""LTDiff++ in the reading that is shipped: in the frame of the slice, conditioned on the protocol."""
from __future__ import annotations

from dataclasses import replace

from LTDiffStandardizeLib.model.network import LatentDiffusionModel
from LTDiffStandardizeLib.model.protocols import Protocol
from LTDiffStandardizeLib.model.standardizer import Settings, Standardizer
from LTDiffStandardizeLib.volumes.volume import CTVolume

from ..phases import PHASES
from .system import System

STEPS = 4


def _standardize(model: LatentDiffusionModel, volume: CTVolume, protocol: Protocol, seed: int) -> CTVolume:
    settings = Settings(seed=seed, steps=STEPS, device=str(next(model.parameters()).device))
    # A protocol's trust is that of the shipped network.
    return Standardizer(replace(protocol, trust=1.0), settings, network=model).standardize(volume)[0]


LTDIFF = System("ltdiff", "LTDiff++", LatentDiffusionModel, PHASES, _standardize)
