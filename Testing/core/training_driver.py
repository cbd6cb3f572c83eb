"""Small trainings for the tests, alone or as one of the processes of torch.distributed.run: one unbroken, one of a game of two players,
and one in which the last process can die or stand still before a step of a phase, both by number.

    python training_driver.py --output FOLDER --pairs FOLDER [--kill PHASE STEP] [--stand-still PHASE STEP]
"""
import argparse
import os
import signal
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / "LTDiffStandardize"), str(ROOT / "LTDiffTraining")]

import numpy as np
import torch
from torch import nn

from LTDiffStandardizeLib.model.network import LatentDiffusionModel
from LTDiffStandardizeLib.model.network_shape import NetworkShape
from LTDiffTrainingLib.loop import logs
from LTDiffTrainingLib.datasets import prepare_group
from LTDiffTrainingLib.patches import PatchSampler
from LTDiffTrainingLib.phases import PHASES, Phase, Player
from LTDiffTrainingLib.loop.processes import ALONE, started
from LTDiffTrainingLib.settings import PhaseSettings
from LTDiffTrainingLib.simulation.pairs import Acquisition, PairedSeries, simulate_series
from LTDiffTrainingLib.loop.trainer import Trainer

SMALL = NetworkShape((8, 8, 8), (8, 8, 8), (8, 8, 8))
STEPS, ROWS_EVERY, VALIDATED_EVERY, BATCH = 4, 3, 2, 8
STANDING_STILL = "standing still"


def tell(line):
    """One write for the line and its end, which print makes two of: processes that share a log would break into each other's lines."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def pairs(folder):
    """A prepared group of one series of two slices, made at the first call."""
    if not (folder / "series").exists():
        simulate_series(folder / "series", 0, Acquisition(size=128, pixel=2.8), np.array([12.0, 30.0]))
    return prepare_group("tiny", [PairedSeries(folder / "series")], folder / "maps", log=lambda line: None)


class Game(nn.Module):
    """A generator and its critic."""

    def __init__(self):
        super().__init__()
        self.generator, self.critic = nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 3)


def generator_loss(game, batch):
    made = game.generator(batch.map("source_residual").clamp(-8, 8))
    error, fooled = (made - batch.map("target").clamp(-8, 8)).abs().mean(), (game.critic(made) - 1).square().mean()
    return {"loss": error + fooled, "error": error.detach()}


def critic_loss(game, batch):
    with torch.no_grad():
        made = game.generator(batch.map("source_residual").clamp(-8, 8))
    true = game.critic(batch.map("target").clamp(-8, 8))
    return {"loss": game.critic(made).square().mean() + (true - 1).square().mean(), "critic": true.detach().mean()}


GAME = {"game": Phase((Player(("generator",), generator_loss), Player(("critic",), critic_loss)))}


class InterruptedSampler(PatchSampler):
    """Dies, or stands still, before it draws a batch of (phase, step)."""

    dies = stands_still = None

    def draw(self, number, stream=0):
        if (stream, number) == self.dies:
            os.kill(os.getpid(), signal.SIGKILL)
        if (stream, number) == self.stands_still:
            tell(STANDING_STILL)
            time.sleep(600)
        return super().draw(number, stream)


def train(folder, folder_of_pairs, processes=ALONE, dies=None, stands_still=None, report=lambda line: None):
    """LTDiff++ in the folder, with checkpoints after every step. dies, stands_still: (phase, step) of this process, by number."""
    sampler = InterruptedSampler([pairs(folder_of_pairs)], 64, BATCH, 3, processes.rank, processes.world)
    sampler.dies, sampler.stands_still = dies, stands_still
    _train(lambda: LatentDiffusionModel(SMALL), PHASES, sampler, folder, processes, report)


def play(folder, folder_of_pairs, processes=ALONE):
    """The game in the folder."""
    sampler = PatchSampler([pairs(folder_of_pairs)], 64, BATCH, 3, processes.rank, processes.world)
    _train(Game, GAME, sampler, folder, processes, lambda line: None)


def _train(build, phases, sampler, folder, processes, report):
    logs.EVERY = ROWS_EVERY
    torch.manual_seed(0)
    model = build().to(memory_format=torch.channels_last)

    def validate(phase, step):
        with (folder / "validation.csv").open("a") as table:
            print("phase,step,sum\n" * (not table.tell()), f"{phase},{step},{sum(p.abs().sum() for p in model.parameters()):.6f}", sep="", file=table)

    trainer = Trainer(model, sampler, folder, checkpoint_seconds=0, processes=processes, report=report,
                      validate=validate if processes.first else None, validate_every=VALIDATED_EVERY)  # fmt: skip
    trainer.run(phases, {name: PhaseSettings(STEPS, warm_up=2) for name in phases})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", type=Path)
    parser.add_argument("--pairs", type=Path)
    parser.add_argument("--kill", type=int, nargs=2)
    parser.add_argument("--stand-still", type=int, nargs=2)
    arguments = parser.parse_args()
    with started("cpu") as (processes, _):
        tell(f"rank {processes.rank} is process {os.getpid()}")
        report = tell if processes.first else lambda line: None
        last = processes.rank == processes.world - 1
        first_start = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") == "0"
        dies = tuple(arguments.kill) if arguments.kill and last and first_start else None
        stands_still = tuple(arguments.stand_still) if arguments.stand_still and last else None
        train(arguments.output / "unbroken", arguments.pairs, processes)
        play(arguments.output / "game", arguments.pairs, processes)
        train(arguments.output / "broken", arguments.pairs, processes, dies, stands_still, report)


if __name__ == "__main__":
    main()
