"""The features of many regions of several volumes, region by region, in several processes if wanted.

Only the crops of a few regions are in memory at a time, and of each region only its values are kept.
"""
from __future__ import annotations

from collections import deque
from contextlib import closing
from itertools import islice
from typing import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from .features import FeatureTable
from .profiles import Profile, values_of
from .regions import Region

AHEAD = 4  # regions per process that wait to be measured


def measure(profile: Profile, volumes: Mapping[str, np.ndarray], regions: Sequence[Region], spacing_xyz: Sequence[float],
            processes: int = 1, progress: Callable[[int, int], None] | None = None) -> dict[str, FeatureTable]:
    """{volume: its features in every region}, rows in the order of `regions`.

    Args
        volumes: {name: (z, y, x) HU} on one grid; only the crops are read.
        spacing_xyz: mm.
        processes: above 1, worker processes are started; the calling script then needs the usual
            `if __name__ == "__main__":` guard. Threads would not help: the work holds the interpreter lock.
        progress: called with (regions done, regions in all) after each region; what it raises ends the work.
    """
    values = np.empty((len(volumes), len(regions), len(profile.names())))
    tasks = ((profile, [region.crop(hu) for hu in volumes.values()], region.mask, spacing_xyz) for region in regions)
    with closing(_in_order(_measure_region, tasks, min(processes, len(regions)))) as results:
        for done, of_region in enumerate(results, 1):
            values[:, done - 1] = of_region
            if progress is not None:
                progress(done, len(regions))
    return {name: FeatureTable(profile.names(), rows) for name, rows in zip(volumes, values)}


def _measure_region(task) -> np.ndarray:
    profile, crops, mask, spacing_xyz = task
    return np.array([values_of(profile, crop, mask, spacing_xyz) for crop in crops])


def _in_order(function: Callable, tasks: Iterable, processes: int) -> Iterator:
    """The results in the order of the tasks, of which `AHEAD` a process are taken in advance."""
    if processes <= 1:
        yield from map(function, tasks)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    tasks = iter(tasks)
    # Spawned on every platform: a fork of a process in which torch has started threads can hang.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        waiting = deque(pool.submit(function, task) for task in islice(tasks, AHEAD * processes))
        try:
            while waiting:
                result = waiting.popleft().result()
                waiting.extend(pool.submit(function, task) for task in islice(tasks, 1))
                yield result
        finally:
            for future in waiting:
                future.cancel()
