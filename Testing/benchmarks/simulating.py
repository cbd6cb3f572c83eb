"""Simulating one pair of slices: a scan of the phantom, reconstructed with two kernels."""
from __future__ import annotations

from LTDiffTrainingLib.simulation.pairs import Acquisition, simulate_slice
from LTDiffTrainingLib.simulation.phantom import ChestPhantom
from measuring import Row, interleaved, needed, timed


def run(quick: bool) -> list[Row]:
    needed("finufft")
    phantom, acquisition = ChestPhantom(1), Acquisition()
    seconds = interleaved({
        "plain": lambda: simulate_slice(phantom, acquisition, 20.0, 0, clean=False),
        "twins": lambda: simulate_slice(phantom, acquisition, 20.0, 0),
    }, 1 if quick else 5)  # fmt: skip
    return [
        timed("simulation: one pair of 512 x 512", seconds["plain"], note="1152 views of 1024 samples"),
        timed("simulation: with its noise-free twins", seconds["twins"], note="as for training"),
    ]
