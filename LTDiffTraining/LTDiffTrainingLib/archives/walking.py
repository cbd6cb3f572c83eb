"""The files of an archive, one after the other in one order on every system."""
from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path


def archive_files(archive: Path, without: Path, refuse: Callable[[str, str], None] | None = None) -> Iterator[str]:
    """Paths relative to `archive`, "/" between their parts; never more than the names of one folder and its parents in memory.

    `without` and what lies in it are passed over, as are names that begin with a dot, and __MACOSX. Links to folders are not
    followed. refuse: called with the relative path of a folder that cannot be opened, and the cause.
    """
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        try:
            files, folders = _names(archive / folder)
        except OSError as error:
            if refuse:
                refuse(folder or ".", error.strerror or type(error).__name__)
            continue
        below = [f"{folder}/{name}" if folder else name for name in reversed(folders)]
        waiting.extend(path for path in below if archive / path != without)
        for name in files:
            yield f"{folder}/{name}" if folder else name


def _names(folder: Path) -> tuple[list[str], list[str]]:
    files, folders = [], []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name == "__MACOSX":
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            elif entry.is_file():
                files.append(entry.name)
    return sorted(files), sorted(folders)
