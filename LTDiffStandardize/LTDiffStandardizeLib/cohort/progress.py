"""How far a cohort is: measured, shown to a person, and passed on from a worker as lines of text."""
from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Protocol, TextIO

PREFIX = "PROGRESS "
SECONDS_BETWEEN_LINES = 5.0


@dataclass(frozen=True)
class Progress:
    """Where a cohort stands. `series`: number of the series under way, from 1; `slices`: how many of it are done.

    slices_per_second: of this series. Times left are in seconds; that of the cohort takes all slices for equally fast.
    """

    name: str
    series: int
    series_total: int
    slices: int
    slices_total: int
    slices_per_second: float
    series_seconds_left: float
    cohort_seconds_left: float

    def sentence(self) -> str:
        """Such as "series 2/5 lung_B40f: 12/30 slices, 1.8 slices/s, 0:10 left, all series 1:20"; of a single series without what is about others."""
        here = f"{self.slices}/{self.slices_total} slices, {self.slices_per_second:.3g} slices/s, {_clock(self.series_seconds_left)} left"
        if self.series_total == 1:
            return here
        return f"series {self.series}/{self.series_total} {self.name}: {here}, all series {_clock(self.cohort_seconds_left)}"

    @property
    def share(self) -> float:
        """Of the series under way, 0 to 1."""
        return self.slices / max(self.slices_total, 1)


class Told(Protocol):
    """How far something is, as it can be shown: a `Progress` or a `Count`."""

    def sentence(self) -> str:
        """One line."""

    @property
    def share(self) -> float:
        """0 to 1."""


@dataclass(frozen=True)
class Count:
    """How many of a number of equal things are done after some seconds."""

    what: str
    done: int
    total: int
    seconds: float

    def sentence(self) -> str:
        """Such as "regions 120/500, 35 a second, 0:11 left"; rate and time are dashes until one is done."""
        if not self.done:
            return f"{self.what} 0/{self.total}, - a second, - left"
        rate = self.done / max(self.seconds, 1e-9)
        return f"{self.what} {self.done}/{self.total}, {rate:.3g} a second, {_clock((self.total - self.done) / rate)} left"

    @property
    def share(self) -> float:
        return self.done / max(self.total, 1)


def to_line(told: Progress | Count) -> str:
    """One line as a worker prints it: PROGRESS and a JSON object of the fields."""
    return PREFIX + json.dumps(asdict(told))


def from_line(line: str) -> Progress | Count | None:
    """What `to_line` wrote; None for any other line."""
    if not line.startswith(PREFIX):
        return None
    for kind in (Progress, Count):
        with suppress(ValueError, TypeError):
            return kind(**json.loads(line[len(PREFIX):]))
    return None


class Meter:
    """Turns slices done into `Progress`."""

    def __init__(self, slices_of_series: Sequence[int], clock: Callable[[], float] = time.monotonic, ranks: int = 1) -> None:
        """slices_of_series: how many slices each series of the cohort has, in the order in which they come. ranks: how many processes,
        taken for equally fast, share the series that come later."""
        self._sizes, self._clock, self._ranks = list(slices_of_series), clock, ranks
        self._earlier_slices, self._earlier_seconds = 0, 0.0
        self._done = self._start = 0

    def begin(self, number: int, name: str) -> None:
        """The work on series `number` (from 1) begins. Series before it in which no slice was worked on took no time."""
        now = self._clock()
        if self._done:
            self._earlier_slices, self._earlier_seconds = self._earlier_slices + self._done, self._earlier_seconds + now - self._start
        self._number, self._name, self._start, self._done = number, name, now, 0

    def progress(self, done: int, total: int) -> Progress:
        """`done` of `total` slices of the series are finished, at least one."""
        self._done = done
        seconds = max(self._clock() - self._start, 1e-9)
        rate = done / seconds
        overall = (self._earlier_slices + done) / (self._earlier_seconds + seconds)
        ahead = total - done + sum(self._sizes[self._number:]) / self._ranks
        return Progress(self._name, self._number, len(self._sizes), done, total, rate, (total - done) / rate, ahead / overall)


class Listener(Protocol):
    """Who is told how the work goes."""

    def progress(self, progress: Told) -> None:
        """Called after every slice or region, of regions before the first too."""

    def say(self, text: str) -> None:
        """One line for the user to keep."""


class Console:
    """Tells a person: results on stdout, progress on stderr, in a terminal as one line that is rewritten, else every few seconds.

    prefix: before every line, where several processes write to the same terminal; then none is rewritten.
    A terminal that has gone away is no reason to stop a cohort, so errors of the streams are passed over.
    """

    def __init__(self, output: TextIO | None = None, status: TextIO | None = None, clock: Callable[[], float] = time.monotonic,
                 prefix: str = "") -> None:  # fmt: skip
        self._output, self._status, self._clock, self._prefix = output or sys.stdout, status or sys.stderr, clock, prefix
        self._rewrites = not prefix and getattr(self._status, "isatty", bool)()
        self._shown, self._last = 0, -SECONDS_BETWEEN_LINES

    def progress(self, progress: Told) -> None:
        if self._rewrites:
            self._show(progress.sentence())
        elif self._clock() - self._last >= SECONDS_BETWEEN_LINES:
            self._last = self._clock()
            _print(self._status, f"{self._prefix}{progress.sentence()}\n")

    def say(self, text: str) -> None:
        if self._shown:
            self._show("")
        _print(self._output, f"{self._prefix}{_shown(text)}\n")

    def _show(self, text: str) -> None:
        text = text[:shutil.get_terminal_size().columns - 1]  # a line that wraps cannot be rewritten
        _print(self._status, "\r" + text.ljust(self._shown) + ("" if text else "\r"))
        self._shown = len(text)


class WorkerLines:
    """Tells the process that started this one, on stdout: progress as PROGRESS lines, the rest as it is."""

    def progress(self, progress: Progress | Count) -> None:
        _print(sys.stdout, to_line(progress) + "\n")

    def say(self, text: str) -> None:
        _print(sys.stdout, _shown(text) + "\n")


def _shown(text: str) -> str:
    """Without control characters but the ends of lines: names of files may hold what a terminal takes for commands."""
    return "".join("?" if letter < " " and letter != "\n" or "\x7f" <= letter < "\xa0" else letter for letter in text)


def _print(stream: TextIO, text: str) -> None:
    with suppress(OSError, ValueError):
        try:
            stream.write(text)
        except UnicodeEncodeError:  # file names that the terminal has no letters for
            stream.write(text.encode("ascii", "backslashreplace").decode())
        stream.flush()


def _clock(seconds: float) -> str:
    """m:ss, or h:mm:ss."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
