"""A trained system on disk: weights.safetensors beside system.json with their hash."""
from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load, save
from torch import nn

from LTDiffStandardizeLib.errors import ModelError
from LTDiffStandardizeLib.model.bundle import WEIGHTS, checked_weights
from LTDiffStandardizeLib.model.network_shape import NetworkShape
from LTDiffStandardizeLib.volumes.atomic import folder_aside

from . import system_of
from .system import System

FACTS = "system.json"


@dataclass(frozen=True)
class TrainedSystem:
    """`facts`: what system.json says of the training (seed, steps, minutes)."""

    system: System
    model: nn.Module
    facts: dict


def save_system(folder: Path, system: System, model: nn.Module, shape: NetworkShape, facts: dict) -> Path:
    """Write a new folder, whole or not at all. Weights are kept in half precision."""
    weights = save({name: tensor.detach().cpu().half().contiguous() for name, tensor in model.state_dict().items()})
    document = {"system": system.name, "sha256": hashlib.sha256(weights).hexdigest(), "shape": shape.as_dict(), **facts}
    with folder_aside(Path(folder), overwrite=True) as aside:
        (aside / WEIGHTS).write_bytes(weights)
        (aside / FACTS).write_bytes((json.dumps(document, indent=1) + "\n").encode())
    return Path(folder)


def load_system(folder: Path, device: str = "cpu") -> TrainedSystem:
    """In evaluation mode. Raises ModelError where something is missing, was changed, or does not fit."""
    folder = Path(folder)
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        system = system_of(facts["system"])
        model = system.build(NetworkShape.from_dict(facts["shape"]))
        model.load_state_dict({name: tensor.float() for name, tensor in load(checked_weights(folder, facts["sha256"])).items()})
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise ModelError(f"{folder} is no trained system ({str(error).splitlines()[0]}); it needs {WEIGHTS} and {FACTS} as the training writes them.") from error
    return TrainedSystem(system, model.requires_grad_(False).eval().to(device=device, memory_format=torch.channels_last), facts)
