"""How a training is doing: CCC of the averaged weights on fixed regions of one held-out phantom, beside the best filter's."""
from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from .evaluation.cases import Case
from .evaluation.gates import MARGIN
from .evaluation.measuring import FILTERS, filters, measure
from .loop.logs import VALIDATION
from .settings import TrainingSettings
from .systems.system import System

HEADER = ("phase", "step", "method", "regions", "feature_class", "ccc")
SLICES = 12
"""Of the phantom, from its middle: enough for texture, and seconds to standardize."""


class Validation:
    """Called with (phase, step); appends to validation.csv and warns where a class lies below the best filter."""

    def __init__(self, system: System, model: nn.Module, case: Case, settings: TrainingSettings, folder: Path, report: Callable[[str], None]) -> None:
        self.system, self.model, self.report, self.seed = system, model, report, settings.seed
        self.per_range, self.path = settings.validation.per_range, folder / VALIDATION
        self.case = _middle(case)
        self._best: dict[tuple[str, str], tuple[str, float]] | None = None

    def __call__(self, phase: str, step: int) -> None:
        if phase == next(iter(self.system.phases)) and len(self.system.phases) > 1:
            return  # An encoder and a decoder alone standardize nothing.
        best, figures = self._filters(), self._figures({self.system.name: self._standardize})
        self._write([(phase, step, method, *key, value) for (method, *key), value in figures.items()])
        below = [f"{regions} {name} {value:.2f} ({best[regions, name][0]} {best[regions, name][1]:.2f})"
                 for (_, regions, name), value in figures.items() if value < best[regions, name][1] - MARGIN and name != "GOH"]
        self.report(f"Validation at {phase} {step}: " + (f"below the best filter in {', '.join(below)}." if below else "no class lies below the best filter."))

    def _standardize(self, volume, protocol):
        was_training, seed = self.model.training, self.seed
        with torch.no_grad():
            made = self.system.standardize(self.model.eval(), volume, protocol, seed)
        self.model.train(was_training)
        return made

    def _filters(self) -> dict[tuple[str, str], tuple[str, float]]:
        """{(range, class): the best filter and its CCC}, measured and written once."""
        if self._best is None:
            figures = self._figures(filters(self.seed))
            if not self.path.exists():
                self._write([("", 0, method, *key, value) for (method, *key), value in figures.items()])
            keys = {(regions, name) for _, regions, name in figures}
            self._best = {key: max(((f, figures[(f, *key)]) for f in FILTERS), key=lambda pair: pair[1]) for key in keys}
        return self._best

    def _figures(self, methods) -> dict[tuple[str, str, str], float]:
        made = measure([self.case], methods, self.per_range, self.seed, report=lambda line: None)
        return {(row["method"], row["regions"], row["feature_class"]): row["ccc_mean"] for row in made.agreement}

    def _write(self, rows: list[tuple]) -> None:
        new = not self.path.exists()
        with self.path.open("a", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerows([HEADER] * new + [(*row[:-1], f"{row[-1]:.4f}") for row in rows])


def _middle(case: Case) -> Case:
    """The middle slices of a case; its tumours, which may reach beyond them, are left out."""
    first = max((len(case.source.hu) - SLICES) // 2, 0)
    cut = lambda volume: replace(volume, hu=volume.hu[first:first + SLICES])
    return replace(case, source=cut(case.source), target=cut(case.target), tumours=())
