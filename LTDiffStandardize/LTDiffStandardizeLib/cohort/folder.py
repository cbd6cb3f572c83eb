"""The folder of results: one run at a time writes to it, and what killed runs left half-written is removed."""
from __future__ import annotations

import json
import re
import shutil
import traceback
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ..errors import OutputError
from ..volumes.atomic import file_aside
from .locks import Locked, is_locked, lock

LOCK, RUN, SUMMARY, LOG = ".ltdiff-lock", ".ltdiff-run-", "summary.json", "log.txt"
LEFT_BY_A_KILLED_RUN = r"\..+\.partial-\d+.*"  # the names that volumes.atomic gives


@contextmanager
def results_folder(folder: Path) -> Iterator[None]:
    """Makes the folder, locks it for the block and removes leftovers.

    Raises OutputError where it cannot be written or another run is at work in it.
    """
    with entrance(folder):
        tidy(folder)
        yield


@contextmanager
def entrance(folder: Path, seconds: float = 0) -> Iterator[None]:
    """Makes the folder; nobody else gets through its entrance during the block.

    Raises OutputError where it cannot be written, or another run does not let go of it within these seconds.
    """
    with ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(lock(folder / LOCK, seconds))
        except Locked:
            raise another_run(folder) from None
        except OSError as error:
            raise unwritable(folder, error) from error
        yield


def unwritable(folder: Path, error: OSError) -> OutputError:
    return OutputError(f"{folder} cannot be written ({error.strerror}); choose another output folder.")


def another_run(folder: Path) -> OutputError:
    return OutputError(f"Another run is writing to {folder}; wait for its end or choose another output folder.")


def tidy(folder: Path, own: Path | None = None, anew: bool = False) -> None:
    """Removes what killed runs left and the folders of ranks that have ended; to be called at the entrance.

    own: the folder of the caller's ranks. Where it exists others of them have been here since, unless they begin anew, and may be
    at work; then nothing is removed. Raises OutputError where ranks of another run are at work.
    """
    runs = set(folder.glob(f"{RUN}*"))
    at_work = {run for run in runs if any(map(is_locked, run.glob(f"*{LOCK}")))}
    if at_work - {own}:
        raise another_run(folder)
    if not at_work and (anew or own not in runs):
        leftovers = {path for path in folder.iterdir() if re.fullmatch(LEFT_BY_A_KILLED_RUN, path.name)}
        for path in leftovers | runs:
            remove(path)


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
