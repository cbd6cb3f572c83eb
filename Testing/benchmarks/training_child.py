"""Trains every phase, alone or as one of several processes, and prints what the steps took: training_child.py PRESET STEPS FOLDER"""
import environment  # noqa: F401, before the libraries that read it

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from LTDiffStandardizeLib.model.conditioning import PROTOCOL_FEATURES
from LTDiffStandardizeLib.model.directions import DIRECTION_CELL, ORIENTATIONS
from LTDiffStandardizeLib.model.network import LatentDiffusionModel
from LTDiffTrainingLib.datasets import MAPS
from LTDiffTrainingLib.patches import Batch
from LTDiffTrainingLib.phases import PHASES
from LTDiffTrainingLib.loop.processes import started
from LTDiffTrainingLib.settings import load_settings
from LTDiffTrainingLib.loop.trainer import Trainer

BEFORE = 2  # steps that are not counted: buffers are made, and two processes meet


class RandomPatches:
    """Stands in for the prepared data: what the numbers are does not matter for the time. Notes when it was asked."""

    def __init__(self, patch, batch, processes):
        random, share, cells = np.random.default_rng(0), batch // processes.world, patch // DIRECTION_CELL
        normal = lambda *shape: torch.from_numpy(random.standard_normal((share, *shape), dtype=np.float32))
        index = torch.arange(share) + share * processes.rank
        self._batch = Batch(normal(len(MAPS), patch, patch), 1 + 0.1 * normal(ORIENTATIONS, cells, cells).abs(), normal(PROTOCOL_FEATURES),
                            normal(1, patch, patch), torch.rand(share), index, batch)
        self.clock, self.cpu = [], []

    def draw(self, number, stream=0):
        self.clock.append(time.monotonic())
        self.cpu.append(time.process_time())
        return self._batch


def main(preset, steps, folder):
    torch.set_num_threads(1)
    settings = load_settings(preset)
    with started("cpu") as (processes, _):
        model, seconds = LatentDiffusionModel(settings.network).to(memory_format=torch.channels_last), {}
        for name, phase in PHASES.items():
            patches = RandomPatches(settings.training.patch, settings.training.batch, processes)
            trainer = Trainer(model, patches, Path(folder), processes=processes, report=lambda line: None)
            trainer.run({name: phase}, {name: replace(settings.phases[name], steps=BEFORE + int(steps) + 1)})
            seconds[name] = {"clock": np.diff(patches.clock)[BEFORE:].tolist(), "cpu": np.diff(patches.cpu)[BEFORE:].tolist()}
        if processes.first:
            print(json.dumps(seconds))


if __name__ == "__main__":
    main(*sys.argv[1:])
