"""What a training writes while it runs: log.csv, one row per loss in long form."""
from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from LTDiffStandardizeLib.volumes.atomic import file_aside

from .processes import Processes
from .progress import Progress

LOG, VALIDATION = "log.csv", "validation.csv"
EVERY = 50
HEADER = ("phase", "step", "seconds", "name", "value")


class LossLog:
    """The losses of one phase, averaged over processes and over the steps between two rows. The first process writes them to
    `path` and reports them as `Progress`."""

    def __init__(self, phase: str, steps: int, path: Path, processes: Processes, report: Callable[[str], None]) -> None:
        self._phase, self._steps, self._path, self._processes, self._report = phase, steps, path, processes, report
        self._names: list[str] = []
        self._sums: Tensor | None = None
        self._count = 0

    def add(self, losses: Mapping[str, Tensor]) -> None:
        """Those of one step and this process; all processes call it."""
        # Averaged at every step, so that the first process alone can keep the sums in its checkpoint.
        values = self._processes.mean(torch.stack([value.float() for value in losses.values()]))
        self._names, self._count = list(losses), self._count + 1
        self._sums = values if self._sums is None else self._sums + values

    def tell(self, step: int, seconds: float, seconds_per_step: float) -> None:
        """After `step` steps and some seconds of the phase; every EVERY steps and at the end."""
        if step % EVERY and step != self._steps:
            return
        means = dict(zip(self._names, (self._sums / self._count).tolist()))
        self._sums, self._count = None, 0
        if self._processes.first:
            self._write(step, seconds, means)
            left = seconds_per_step * (self._steps - step) / 60
            self._report(Progress(self._phase, step, self._steps, means, 1 / max(seconds_per_step, 1e-9), left).sentence())

    def state(self) -> dict:
        """The sums since the last row."""
        return {"names": self._names, "sums": self._sums, "count": self._count}

    def restore(self, state: dict) -> None:
        self._names, self._sums, self._count = state["names"], state["sums"], state["count"]

    def _write(self, step: int, seconds: float, means: Mapping[str, float]) -> None:
        new = not self._path.exists()
        rows = [(self._phase, step, f"{seconds:.1f}", name, f"{value:.6g}") for name, value in means.items()]
        with self._path.open("a", newline="", encoding="utf-8") as stream:
            csv.writer(stream, lineterminator="\n").writerows([HEADER] * new + rows)


def drop_rows_after(path: Path, phase: str, step: int) -> None:
    """Remove what a killed training wrote about `phase` after its checkpoint at `step`, and a row that the kill cut short.

    `path`: a table with the columns phase and step, such as log.csv and validation.csv; nothing is done where there is none.
    """
    if not path.exists():
        return
    text = path.read_text(encoding="utf-8")
    if "\n" not in text:  # killed while it wrote the header
        path.unlink()
        return
    rows = list(csv.reader(io.StringIO(text)))
    of_phase, of_step = (rows[0].index(name) for name in ("phase", "step"))
    whole = [row for row in rows[1:] if len(row) == len(rows[0])]
    kept = io.StringIO()
    csv.writer(kept, lineterminator="\n").writerows(rows[:1] + [row for row in whole if row[of_phase] != phase or int(row[of_step]) <= step])
    if kept.getvalue() != text:
        with file_aside(path, overwrite=True) as aside:
            aside.write_text(kept.getvalue(), encoding="utf-8", newline="\n")


def phase_minutes(path: Path) -> dict[str, float]:
    """How long each phase took, over all its starts, from log.csv."""
    with path.open(newline="", encoding="utf-8") as stream:
        return {row["phase"]: float(row["seconds"]) / 60 for row in csv.DictReader(stream)}
