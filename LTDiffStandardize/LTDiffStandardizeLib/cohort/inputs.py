"""Which series the inputs of a request hold, each under a name that no other one has."""
from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import InputError
from ..volumes.series import SeriesEntry, find_series
from .provenance import state_of

PARENT_LENGTH = 20


@dataclass(frozen=True)
class CohortSeries:
    """A series and the input, as the user typed it, under which it was found. state: `state_of` its files when it was found."""

    entry: SeriesEntry
    input: str
    state: str

    def files(self) -> list[Path]:
        """The files of the series with their links resolved, in one order."""
        return sorted(header.path.resolve() for header in self.entry.slices) or [self.entry.path.resolve()]


def find_cohort(inputs: Sequence[str], output: Path, label_maps: Sequence[str] = ()) -> list[CohortSeries]:
    """All series in the inputs, in their order; a series found in two inputs counts once, results in `output` and label maps
    do not count.

    An input that holds no series becomes a refused entry.
    Raises InputError where an input does not exist, or the output folder is itself one.
    """
    results, found = output.resolve(), []
    known = {_digest(Path(path).resolve()) for path in label_maps}
    for typed in inputs:
        if Path(typed).resolve() == results:
            raise InputError(f"{typed} is both an input and the output folder; choose another output folder.")
        output_is_above = results in Path(typed).resolve().parents
        for series in _series_in(typed):
            files = series.files()
            key = _digest(*files)
            if key in known or (not output_is_above and any(results in file.parents for file in files)):
                continue
            known.add(key)
            found.append(series)
    for longer in (_with_parent_folder, _with_digest):
        found = _told_apart(found, longer)
    return found


def _series_in(typed: str) -> list[CohortSeries]:
    refusal = f"{typed} holds no CT series (DICOM, NRRD or NIfTI); choose another file or folder."
    entries = find_series(typed) or [SeriesEntry(Path(typed).name or "input", Path(typed), "", 0, refusal)]
    return [CohortSeries(entry, typed, state_of(entry)) for entry in entries]


def _told_apart(found: Sequence[CohortSeries], longer: Callable[[CohortSeries], str]) -> list[CohortSeries]:
    """Equal names are made longer. They stay the same when an interrupted cohort is called again with the same inputs."""
    counts = Counter(series.entry.name.lower() for series in found)
    return [series if counts[series.entry.name.lower()] == 1 else replace(series, entry=replace(series.entry, name=longer(series)))
            for series in found]  # fmt: skip


def _with_parent_folder(series: CohortSeries) -> str:
    """For inputs such as patient1/CT patient2/CT."""
    parent = Path(series.input).resolve().parent.name
    safe = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "+-.") else "-" for letter in parent)
    return f"{safe.strip('-.')[:PARENT_LENGTH]}-{series.entry.name}".lstrip("-")


def _with_digest(series: CohortSeries) -> str:
    return f"{series.entry.name}_{_digest(Path(series.input).resolve())[:8]}"


def _digest(*paths: Path) -> str:
    return hashlib.sha256("\n".join(map(str, paths)).encode("utf-8", "backslashreplace")).hexdigest()
