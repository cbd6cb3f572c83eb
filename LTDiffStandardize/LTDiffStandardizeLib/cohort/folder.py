"""The folder of results: one run at a time writes to it, and what killed runs left half-written is removed."""
from __future__ import annotations

import errno
import json
import os
import re
import shutil
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ..errors import OutputError
from ..volumes.atomic import file_aside

LOCK, SUMMARY, LOG = ".ltdiff-lock", "summary.json", "log.txt"
LEFT_BY_A_KILLED_RUN = r"\..+\.partial-\d+.*"  # the names that volumes.atomic gives
LOCKED_ELSEWHERE = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


@contextmanager
def results_folder(folder: Path) -> Iterator[None]:
    """Makes the folder, locks it for the block and removes leftovers.

    Raises OutputError where it cannot be written or another run is at work in it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = open(folder / LOCK, "ab")
    except OSError as error:
        raise OutputError(f"{folder} cannot be written ({error.strerror}); choose another output folder.") from error
    with lock:
        _take(lock, folder)
        for path in list(folder.iterdir()):
            if re.fullmatch(LEFT_BY_A_KILLED_RUN, path.name):
                remove(path)
        yield


def _take(lock: BinaryIO, folder: Path) -> None:
    """The system frees the lock however its holder ends, so none is ever stale; the empty file stays."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in LOCKED_ELSEWHERE:
            raise OutputError(f"Another run is writing to {folder}; wait for its end or choose another output folder.") from error
        # Some network file systems offer no locks; then it is for the user to start one run only.


def remove(path: Path) -> None:
    """Removes a file or a folder, if there is one. Raises OutputError where that fails."""
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{path} cannot be removed ({error.strerror}); remove it and try again.") from error


def read_summary(folder: Path) -> list[dict]:
    """The entries of an earlier run; none where there is no summary, or none that can be read."""
    with suppress(OSError, ValueError):
        entries = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return []


def write_summary(folder: Path, outcomes: Sequence[dict]) -> None:
    with file_aside(folder / SUMMARY, overwrite=True) as partial:
        partial.write_text(json.dumps(outcomes, indent=1) + "\n", encoding="utf-8")


def log_exception(folder: Path, subject: str) -> None:
    """Adds the traceback of the exception being handled to the log; a log that cannot be written stops nothing."""
    with suppress(OSError), open(folder / LOG, "a", encoding="utf-8", errors="backslashreplace") as log:
        log.write(f"{subject}\n{traceback.format_exc()}\n")
