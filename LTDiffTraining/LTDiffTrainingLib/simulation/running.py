"""Simulates a plan of series in several processes; what is there already is kept."""
from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from .pairs import PairedSeries, simulate_series
from .plan import PlannedSeries


def simulate_plan(plan: Sequence[PlannedSeries], folder: Path, processes: int = 1, clean: bool = True,
                  report: Callable[[str], None] = print, noise_seed: int = 0) -> list[PairedSeries]:
    """The series of the plan under `folder`, in its order; an interrupted run continues with what is missing.

    `clean`: with noise-free twins; another `noise_seed` is another scan of the same phantoms.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for series in plan:
        if (folder / series.name).exists():
            _simulate(series, folder, clean, noise_seed)  # refuses a series that was made otherwise
    missing = [s for s in plan if not (folder / s.name).exists()]
    began = time.monotonic()
    for done, name in enumerate(_run(missing, folder, clean, processes, noise_seed), start=1):
        left = (time.monotonic() - began) / done * (len(missing) - done)
        report(f"simulated {name}  {done}/{len(missing)}  {left / 60:.1f} min left")
    return [PairedSeries(folder / s.name) for s in plan]


def _run(missing: Sequence[PlannedSeries], folder: Path, clean: bool, processes: int, noise_seed: int):
    if processes <= 1:
        for series in missing:
            yield _simulate(series, folder, clean, noise_seed)
        return
    # Spawned: a fork of a process in which torch has started threads can hang.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(_simulate, s, folder, clean, noise_seed) for s in missing]):
            yield future.result()


def _simulate(series: PlannedSeries, folder: Path, clean: bool, noise_seed: int) -> str:
    simulate_series(folder / series.name, series.phantom_seed, series.acquisition, np.array(series.heights), noise_seed, clean)
    return series.name

