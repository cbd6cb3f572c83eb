"""Standardizing in a child process, so that the application stays alive, can cancel and gets all memory back.

The parent (`child`) writes a request, starts `Scripts/worker.py REQUEST RESULT`, reads `PROGRESS` lines (`progress.from_line`) and
other lines for the user from its stdout, and finds the `Result` as JSON in RESULT when it has ended. The exit status is the result's
exit code. `tasks` says what a worker can be asked to do.

The worker ends when its stdin does: a parent cancels by closing it, on every system and through any launcher in between,
and a parent that dies cancels too. What is finished by then stays.
"""
from __future__ import annotations

import _thread
import errno
import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from .child import Child
from .cohort.interruption import interruptible
from .cohort.progress import Listener, WorkerLines
from .cohort.request import Request
from .cohort.run import BAD_REQUEST, CANNOT_WRITE, Result, said
from .errors import InputError, OutputError
from .tasks import carry_out
from .volumes.atomic import write_text

SECONDS_BETWEEN_LOOKS, SECONDS_TO_CLEAN_UP = 0.05, 60
MOST_BYTES = 10 << 20  # of a request: paths of tens of thousands of inputs


def main(arguments: Sequence[str]) -> int:
    """Carries out the request in the first of two files, writes the result to the second and returns the exit code."""
    if len(arguments) != 2:
        print("usage: worker.py REQUEST RESULT (JSON files; standard input is kept open as long as the work is wanted)", file=sys.stderr)
        return BAD_REQUEST
    threading.Thread(target=_interrupt_when_input_ends, daemon=True).start()
    request_file, result_file = map(Path, arguments)
    try:
        result = carry_out(_read(request_file), WorkerLines())
    except InputError as error:
        result = said(Result(BAD_REQUEST, str(error)), WorkerLines())
    try:
        write_text(result_file, result.to_json(), overwrite=True)
    except OutputError as error:
        print(error, file=sys.stderr)
        return CANNOT_WRITE
    return result.exit_code


def run_in_child(request: Request, listener: Listener, python: str) -> Result:
    """Carries out a request in a child process of the interpreter `python`; Ctrl-C and SIGTERM cancel it and wait for its end,
    at most a minute."""
    with Child(request.to_json(), python) as child, interruptible():
        while True:
            try:
                if not child.poll(listener):
                    return child.result()
                time.sleep(SECONDS_BETWEEN_LOOKS)
            except KeyboardInterrupt:
                child.cancel(SECONDS_TO_CLEAN_UP)


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"The request {path} has more than {MOST_BYTES >> 20} MB, as no request needs; name folders instead of single files.")
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InputError(f"The request {path} cannot be read ({getattr(error, 'strerror', None) or error}); write it first.") from error


def _interrupt_when_input_ends() -> None:
    # Not through sys.stdin: the interpreter could not end while a thread waits with its lock.
    try:
        while os.read(0, 4096):
            pass
    except OSError as error:
        if error.errno == errno.EBADF:  # there is no input, so nobody can close it; the parent kills
            return
    _thread.interrupt_main()
