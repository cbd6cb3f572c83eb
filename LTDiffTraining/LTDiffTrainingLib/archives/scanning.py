"""Reads the headers of archives into the index; files that are there already and have not changed are not opened."""
from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from LTDiffStandardizeLib.cohort.progress import Count, Listener

from .facts import CORRUPT, FileFacts, file_facts
from .index import Index
from .pool import in_order
from .walking import archive_files

BATCH = 500
"""Files per transaction and per task of a process: what a kill costs, and all that is in memory of the files."""

Read = tuple[str, int, int, FileFacts]


def scan(archives: Sequence[Path], index: Index, output: Path, processes: int, listener: Listener) -> None:
    """Afterwards the index holds the files of these archives as they are, and no others. `output` is passed over."""
    total = sum(1 for archive in archives for _ in archive_files(archive, output))
    number, done, started = index.next_scan(), 0, time.monotonic()
    for archive in archives:
        identity = index.archive_id(archive)
        for read, known in in_order(_read_batch, _batches(archive, identity, index, output), processes):
            index.add(identity, number, read, known)
            done += len(read) + len(known)
            listener.progress(Count("files", done, max(total, done), time.monotonic() - started))
    index.finish(number)


def _batches(archive: Path, identity: int, index: Index, output: Path) -> Iterator[tuple]:
    """(archive, files to read, what is known of others without reading them, paths that the index knows)."""
    closed: list[Read] = []

    def refuse(path: str, what: str) -> None:
        closed.append((path, 0, 0, FileFacts(CORRUPT, f"{what}; check its permissions")))

    files = archive_files(archive, output, lambda path, cause: refuse(path, f"is a folder that cannot be opened ({cause})"))
    while batch := list(islice(files, BATCH)):
        unread, known = [], []
        for path in batch:
            try:
                stat = (archive / path).stat()
            except OSError as error:
                refuse(path, f"cannot be opened ({error.strerror})")
                continue
            if index.is_known(identity, path, stat.st_size, stat.st_mtime_ns):
                known.append(path)
            else:
                unread.append((path, stat.st_size, stat.st_mtime_ns))
        yield archive, unread, closed[:], known
        closed.clear()
    if closed:
        yield archive, [], closed, []


def _read_batch(task: tuple) -> tuple[list[Read], list[str]]:
    archive, unread, told, known = task
    return [(path, size, mtime, file_facts(archive, path)) for path, size, mtime in unread] + told, known
