"""The record beside every result: how it came about, so that a later run can tell whether it is finished and the same."""
from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InputError, OutputError
from ..model.protocols import Protocol
from ..volumes.atomic import write_text
from ..volumes.series import SeriesEntry
from .manifest import Manifest, damaged, is_manifest

VERSION = "1.0.0"
STARTED, FINISHED = "started", "finished"


@dataclass(frozen=True)
class Record:
    """How the result of one series came about.

    state: `STARTED` before the first file of a result is written, `FINISHED` after the last: what a killed run leaves of a
        series is known by it. source: `fingerprint` of the input. settings: all that the result depends on besides; both must
        be equal for a result to be taken over. outputs: names beside the record, of all that may come or of what is there.
    facts: what is worth knowing beyond. files: what the outputs consist of when they are finished; earlier versions did not list it.
    """

    state: str
    input: str
    source: str
    settings: dict[str, Any]
    outputs: list[str]
    warnings: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    files: Manifest = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.state not in (STARTED, FINISHED) or not is_manifest(self.files):
            raise ValueError("no record")

    def write(self, path: Path) -> None:
        """Raises OutputError where the file cannot be written."""
        write_text(path, json.dumps(asdict(self), indent=1) + "\n", overwrite=True)

    @staticmethod
    def read(path: Path) -> Record | None:
        """None where there is no file. Raises OutputError where it is no record, so that nobody takes what is there for his."""
        try:
            return Record(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise OutputError(f"{path} is no record of a result; move it away or choose another folder.") from error

    def damages(self, folder: Path) -> list[str]:
        """What is no longer as it was finished, pieces of a sentence; of a record without files only whether the outputs exist."""
        missing = [f"{name} is missing" for name in self.outputs if not (folder / name).exists()]
        return missing or damaged(folder, self.files)

    def difference(self, source: str, settings: dict[str, Any]) -> str | None:
        """What a result with these would differ in, a piece of a sentence; None where it would be the same."""
        if self.source != source:
            return "from another source or an earlier state of it"
        differing = [key.removesuffix("_sha256").replace("_", " ") for key in settings if self.settings.get(key) != settings[key]]
        return f"with other settings ({', '.join(dict.fromkeys(differing))})" if differing else None


def fingerprint(entries: Iterable[SeriesEntry]) -> str:
    """SHA-256 of what tells sources apart without reading pixels.

    DICOM: SOP Instance UID (or file name) and size of every slice; other files: name, size and time of the last change.
    Raises InputError where a file is gone.
    """
    digest = hashlib.sha256()
    for entry in entries:
        parts = [(h.sop_instance_uid or h.path.name, _stat(h.path).st_size) for h in entry.slices] or [_file_identity(entry.path)]
        digest.update(repr(parts).encode("utf-8", "backslashreplace"))
    return digest.hexdigest()


def state_of(entry: SeriesEntry) -> str:
    """SHA-256 of the names, sizes and times of a series' files, by which a change within one run is seen; of files that are gone too."""
    return hashlib.sha256(repr([_state(path) for path in _paths(entry)]).encode("utf-8", "backslashreplace")).hexdigest()


def refuse_changed(entry: SeriesEntry, state: str) -> None:
    """Raises InputError where the files are not in the `state_of` before."""
    if state_of(entry) == state:
        return
    gone = next((path for path in _paths(entry) if not path.exists()), None)
    what = f"{gone} vanished" if gone else f"{entry.path} was changed"
    raise InputError(f"{what} during the run, so nothing of the series was kept; leave the source as it is and start again with --resume.")


def files_fingerprint(paths: Iterable[Path]) -> str:
    """SHA-256 of the names, sizes and times of files. Raises InputError where one is gone."""
    return hashlib.sha256(repr([_file_identity(path) for path in paths]).encode("utf-8", "backslashreplace")).hexdigest()


def protocol_digest(protocol: Protocol) -> str:
    """SHA-256 of all that a protocol says."""
    return hashlib.sha256(json.dumps(protocol.as_dict(), sort_keys=True).encode()).hexdigest()


def _file_identity(path: Path) -> tuple[str, int, int]:
    stat = _stat(path)
    return path.name, stat.st_size, stat.st_mtime_ns


def _paths(entry: SeriesEntry) -> list[Path]:
    return [header.path for header in entry.slices] or [entry.path]


def _state(path: Path) -> tuple:
    try:
        stat = path.stat()
    except OSError:
        return path, None
    return path, stat.st_size, stat.st_mtime_ns


def _stat(path: Path):
    try:
        return path.stat()
    except OSError as error:
        raise InputError(f"{path} cannot be found any more ({error.strerror}); put it back and try again.") from error
