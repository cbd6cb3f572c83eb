"""Standardizing in a child process, so that the application stays alive, can cancel and gets all memory back.

The parent writes a request (`Request.to_json`), starts `Scripts/worker.py REQUEST RESULT`, reads `PROGRESS` lines
(`Progress.from_line`) and other lines for the user from its stdout, and finds the `Result` as JSON in RESULT when it has ended.
The exit status is the result's exit code.

The worker ends when its stdin does: a parent cancels by closing it, on every system and through any launcher in between,
and a parent that dies cancels too. What is finished by then stays.
"""
from __future__ import annotations

import _thread
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from .cohort.interruption import interruptible
from .cohort.progress import Listener, Progress, WorkerLines
from .cohort.request import Request
from .cohort.run import BAD_REQUEST, CANNOT_WRITE, SOMETHING_FAILED, Result, run_request
from .errors import InputError, OutputError
from .volumes.atomic import file_aside

SCRIPT = Path(__file__).resolve().parents[1] / "Scripts" / "worker.py"


def main(arguments: Sequence[str]) -> int:
    """Carries out the request in the first of two files, writes the result to the second and returns the exit code."""
    if len(arguments) != 2:
        print("usage: worker.py REQUEST RESULT (JSON files; standard input is kept open as long as the work is wanted)", file=sys.stderr)
        return BAD_REQUEST
    threading.Thread(target=_interrupt_when_input_ends, daemon=True).start()
    request_file, result_file = map(Path, arguments)
    try:
        result = run_request(_read_request(request_file), WorkerLines())
    except InputError as error:
        print(error, flush=True)
        result = Result(BAD_REQUEST, str(error))
    try:
        with file_aside(result_file, overwrite=True) as partial:
            partial.write_text(result.to_json(), encoding="utf-8")
    except OutputError as error:
        print(error, file=sys.stderr)
        return CANNOT_WRITE
    return result.exit_code


def run_in_child(request: Request, listener: Listener, python: str) -> Result:
    """Carries out a request in a child process of the interpreter `python`; Ctrl-C and SIGTERM cancel it and wait for its end."""
    with TemporaryDirectory(prefix="ltdiff-") as folder:
        request_file, result_file = Path(folder, "request.json"), Path(folder, "result.json")
        request_file.write_text(request.to_json(), encoding="utf-8")
        child = subprocess.Popen(
            command(python, request_file, result_file), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            encoding="utf-8", errors="replace", env={**os.environ, "PYTHONUTF8": "1"},
        )  # fmt: skip
        with child, interruptible():
            try:
                _relay(child.stdout, listener)
            except KeyboardInterrupt:
                child.stdin.close()
                _relay(child.stdout, listener)
        try:
            return Result.from_json(result_file.read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError, TypeError):
            sentence = (f"The worker ended with status {child.returncode} before it was done; free memory or choose a smaller task, "
                        "look at the messages above, and go on with --resume.")  # fmt: skip
            return Result(SOMETHING_FAILED, sentence)


def command(python: str, request_file: Path, result_file: Path) -> list[str]:
    """The command line of a worker; give it a pipe as stdin."""
    return [python, str(SCRIPT), str(request_file), str(result_file)]


def _relay(lines, listener: Listener) -> None:
    for line in lines:
        progress = Progress.from_line(line)
        if progress:
            listener.progress(progress)
        else:
            listener.say(line.rstrip("\r\n"))


def _read_request(path: Path) -> Request:
    try:
        return Request.from_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"The request {path} cannot be read ({error.strerror}); write it first.") from error


def _interrupt_when_input_ends() -> None:
    # Not through sys.stdin: the interpreter could not end while a thread waits with its lock.
    try:
        while os.read(0, 4096):
            pass
    except OSError:
        pass
    _thread.interrupt_main()
