"""How the benchmarks measure: process time of one thread, ours and the peer in turns, medians with their spread."""
from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from statistics import median

Range = tuple[float, float]


@dataclass(frozen=True)
class Row:
    """One line of the result: `value` in `unit`, smaller is better; `peer`: the peer's value; `ratio`: ours / peer.

    `spread`, `ratio_spread`: smallest and largest of the rounds. They and `note` are for the table alone.
    """

    name: str
    value: float
    unit: str
    peer: float | None = None
    ratio: float | None = None
    note: str = ""
    spread: Range | None = None
    ratio_spread: Range | None = None

    def as_dict(self) -> dict:
        return {key: getattr(self, key) for key in ("name", "value", "unit", "peer", "ratio")}


class Skipped(Exception):
    """A benchmark that cannot run here; the message is one sentence that says why."""


def needed(package: str) -> None:
    """Raises Skipped where the package is missing or broken."""
    try:
        import_module(package)
    except Exception as error:  # a broken build raises almost anything
        raise Skipped(f"It needs the package {package}, which cannot be imported ({type(error).__name__}: {error}).") from error


def torch_on_one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def interleaved(functions: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """CPU-seconds of this process for every call. Each function is called once uncounted, then once a round, in turns.

    Every other round runs backwards, so that none of them always follows the same other one.
    """
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for function in functions.values():
        function()
    for number in range(rounds):
        for name in list(functions)[:: -1 if number % 2 else 1]:
            start = time.process_time()
            functions[name]()
            seconds[name].append(time.process_time() - start)
    return seconds


def timed(name: str, seconds: Sequence[float], per: int = 1, unit: str = "CPU-s", note: str = "") -> Row:
    """The median of the rounds, each divided by `per`."""
    values = [one / per for one in seconds]
    return Row(name, median(values), unit, note=note, spread=(min(values), max(values)))


def compared(name: str, ours: Sequence[float], peer: Sequence[float], unit: str = "CPU-s", note: str = "") -> Row:
    """Ours beside the peer's. The ratio is the median of the rounds' ratios: what slows a round down slows both."""
    ratios = [a / b for a, b in zip(ours, peer)]
    return Row(name, median(ours), unit, median(peer), median(ratios), note, (min(ours), max(ours)), (min(ratios), max(ratios)))


def counted(name: str, ours: float, peer: float, unit: str) -> Row:
    """Two numbers that are known exactly."""
    return Row(name, ours, unit, peer, ours / peer)
