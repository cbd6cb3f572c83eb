"""Which series the inputs of a request hold, each under a name that no other one has."""
from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import InputError
from ..volumes.series import NAME_LENGTH, SeriesEntry, find_series


@dataclass(frozen=True)
class CohortSeries:
    """A series and the input, as the user typed it, under which it was found."""

    entry: SeriesEntry
    input: str

    @property
    def files(self) -> frozenset[Path]:
        return frozenset(header.path.resolve() for header in self.entry.slices) or frozenset([self.entry.path.resolve()])


def find_cohort(inputs: Sequence[str], output: Path) -> list[CohortSeries]:
    """All series in the inputs, in their order; a series found in two inputs counts once, results in `output` do not count.

    An input that does not exist or holds no series becomes a refused entry.
    Raises InputError where the output folder is itself an input.
    """
    results, found, known = output.resolve(), [], set()
    for typed in inputs:
        if Path(typed).resolve() == results:
            raise InputError(f"{typed} is both an input and the output folder; choose another output folder.")
        for series in _series_in(typed):
            if series.files in known or (results not in Path(typed).resolve().parents and _lies_in(results, series)):
                continue
            known.add(series.files)
            found.append(series)
    for longer in (_with_parent_folder, _with_digest):
        found = _told_apart(found, longer)
    return found


def _series_in(typed: str) -> list[CohortSeries]:
    try:
        entries = find_series(typed)
    except InputError as error:
        entries = [_refused(typed, str(error))]
    if not entries:
        entries = [_refused(typed, f"{typed} holds no CT series (DICOM, NRRD or NIfTI); choose another file or folder.")]
    return [CohortSeries(entry, typed) for entry in entries]


def _refused(typed: str, sentence: str) -> SeriesEntry:
    return SeriesEntry(Path(typed).name or "input", Path(typed), "", 0, sentence)


def _lies_in(folder: Path, series: CohortSeries) -> bool:
    return any(folder in file.parents for file in series.files)


def _told_apart(found: Sequence[CohortSeries], longer: Callable[[CohortSeries], str]) -> list[CohortSeries]:
    """Equal names are made longer. They stay the same when an interrupted cohort is called again with the same inputs."""
    counts = Counter(series.entry.name.lower() for series in found)
    return [series if counts[series.entry.name.lower()] == 1 else replace(series, entry=replace(series.entry, name=longer(series)))
            for series in found]  # fmt: skip


def _with_parent_folder(series: CohortSeries) -> str:
    """For inputs such as patient1/CT patient2/CT."""
    parent = Path(series.input).resolve().parent.name
    safe = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "+-.") else "-" for letter in parent)
    return f"{safe.strip('-.')}-{series.entry.name}".lstrip("-")[:NAME_LENGTH]


def _with_digest(series: CohortSeries) -> str:
    digest = hashlib.sha256(str(Path(series.input).resolve()).encode("utf-8", "backslashreplace")).hexdigest()[:8]
    return f"{series.entry.name[:NAME_LENGTH]}_{digest}"
