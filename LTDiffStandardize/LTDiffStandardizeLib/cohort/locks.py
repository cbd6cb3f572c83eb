"""Locks on files. The system frees them however their holder ends, so none is ever stale; the empty files stay."""
from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

LOCKED_ELSEWHERE = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
SECONDS_BETWEEN_TRIES = 0.02


class Locked(Exception):
    """Another process holds the lock."""


@contextmanager
def lock(path: Path, seconds: float = 0) -> Iterator[None]:
    """Makes the file where it is not there, and holds its lock for the block.

    Raises Locked where another process holds it and does not let go within these seconds, OSError where the file cannot be opened.
    """
    end = time.monotonic() + seconds
    file = open(path, "ab")
    try:
        while not _taken(file):
            if time.monotonic() >= end:
                raise Locked
            time.sleep(SECONDS_BETWEEN_TRIES)
        yield
    finally:
        with suppress(OSError):  # nothing was written, so nothing is lost
            file.close()


def is_locked(path: Path) -> bool:
    """Whether another process, or another opening of the file in this one, holds the lock."""
    try:
        with lock(path):
            return False
    except Locked:
        return True


def _taken(file: BinaryIO) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in LOCKED_ELSEWHERE:
            return False
        # Some network file systems offer no locks; then it is for the user to start one run only.
    return True
