"""One training step of every phase, with the network and the batches of the shipped preset."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from LTDiffStandardizeLib.model.network import LatentDiffusionModel
from LTDiffTrainingLib.datasets import MAPS
from LTDiffTrainingLib.settings import load_settings
from LTDiffTrainingLib.trainer import Trainer
from measuring import Row, interleaved, timed, torch_on_one_thread

PRESET = "cpu"


def run(quick: bool) -> list[Row]:
    torch_on_one_thread()
    settings = load_settings(PRESET)
    steps = 1 if quick else 3
    model = LatentDiffusionModel(settings.network).to(memory_format=torch.channels_last)
    patches = RandomPatches((settings.training.batch, len(MAPS), settings.training.patch, settings.training.patch))

    def training(name, phase):
        def train():
            with TemporaryDirectory(prefix="ltdiff-") as folder:
                Trainer(model, patches, Path(folder), report=lambda line: None).run({name: replace(phase, steps=steps)})
        return train

    seconds = interleaved({name: training(name, phase) for name, phase in settings.phases.items()}, 1 if quick else 3)
    batch = "{0} patches of {2} x {3}".format(*patches.shape)
    return [timed(f"training step, {name}", seconds[name], per=steps, note=f"{batch}, preset {PRESET}") for name in settings.phases]


class RandomPatches:
    """Stands in for the prepared data: what the numbers are does not matter for the time."""

    seed = 0

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self._maps = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)

    def batch_maps(self, number: int, stream: int = 0):
        return self._maps
