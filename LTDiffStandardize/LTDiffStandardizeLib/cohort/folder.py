"""The folder of results: one run at a time writes to it, and what killed runs left half-written is removed."""
from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ..errors import OutputError
from ..volumes.atomic import write_text
from .causes import trace_of
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


def refuse_removed(folder: Path) -> None:
    """Raises OutputError where the folder, or the file that locks it, has been removed, so that nobody else would be kept out."""
    if not (folder / LOCK).exists():
        raise OutputError(f"{folder} was removed during the run, so the run ended; start it again, with an output folder that stays.")


def unwritable(folder: Path, error: OSError) -> OutputError:
    return OutputError(f"{folder} cannot be written ({error.strerror}); choose another output folder.")


def another_run(folder: Path) -> OutputError:
    return OutputError(f"Another run is writing to {folder}; wait for its end or choose another output folder.")


def tidy(folder: Path, own: Path | None = None, anew: bool = False) -> None:
    """Removes what killed runs left and the folders of ranks that have ended; to be called at the entrance.

    own: the folder of the caller's ranks. Where it exists others of them have been here since, unless they begin anew, and may be
    at work; then nothing is removed. Raises OutputError where ranks of another run are at work.
    """
    try:
        runs = set(folder.glob(f"{RUN}*"))
        at_work = {run for run in runs if any(map(is_locked, run.glob(f"*{LOCK}")))}
        leftovers = {path for path in folder.iterdir() if re.fullmatch(LEFT_BY_A_KILLED_RUN, path.name)}
    except OSError as error:
        raise unwritable(folder, error) from error
    if at_work - {own}:
        raise another_run(folder)
    if not at_work and (anew or own not in runs):
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
    write_text(folder / SUMMARY, json.dumps(outcomes, indent=1) + "\n", overwrite=True)


def log_exception(folder: Path, subject: str, error: Exception) -> None:
    """Adds the traceback of an exception to the log; a log that cannot be written stops nothing."""
    with suppress(OSError), open(folder / LOG, "a", encoding="utf-8", errors="backslashreplace") as log:
        log.write(f"{subject}\n{trace_of(error)}\n")
