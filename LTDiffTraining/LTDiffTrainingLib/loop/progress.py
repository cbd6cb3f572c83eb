"""How far a training is: told as a line for people, which a program that started the training reads back."""
from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_FIGURE = re.compile(r"(\w+) (\S+)")
_SENTENCE = re.compile(rf"([\w-]+) (\d+)/(\d+)  ((?:{_FIGURE.pattern}  )*)(\S+) steps/s  (\S+) min left")


@dataclass(frozen=True)
class Progress:
    """`losses`: means over the steps since it was told last. `minutes_left`: of the phase."""

    phase: str
    step: int
    steps: int
    losses: Mapping[str, float]
    steps_per_second: float
    minutes_left: float

    def sentence(self) -> str:
        """Such as "moments 50/4000  loss 0.8012  mse 0.2100  3.1 steps/s  21.2 min left"."""
        figures = "".join(f"{name} {value:.4f}  " for name, value in self.losses.items())
        return f"{self.phase} {self.step}/{self.steps}  {figures}{self.steps_per_second:.3g} steps/s  {self.minutes_left:.1f} min left"

    @property
    def share(self) -> float:
        """Of the phase, 0 to 1."""
        return self.step / self.steps


def from_line(line: str) -> Progress | None:
    """What `sentence` said; None for any other line."""
    found = _SENTENCE.fullmatch(line)
    if not found:
        return None
    phase, step, steps, figures, *_, rate, left = found.groups()
    losses = {name: float(value) for name, value in _FIGURE.findall(figures)}
    return Progress(phase, int(step), int(steps), losses, float(rate), float(left))
