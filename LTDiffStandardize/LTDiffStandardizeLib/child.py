"""A worker as its parent sees it: started, followed without waiting, cancelled, and understood when it has ended.

The worker writes to a file that the parent reads as it grows, so that neither threads nor an event loop are needed: the Slicer
application, whose interpreter lock starves threads, calls `poll` from a timer.
"""
from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from .cohort.progress import Listener, from_line
from .cohort.run import CANCELLED, SOMETHING_FAILED, Result

SCRIPT = Path(__file__).resolve().parents[1] / "Scripts" / "worker.py"
NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # Windows shows a console for each program that a window starts
SECONDS_TO_END = 1.5  # after which a cancelled worker is killed, if its parent does not want to wait

NO_MEMORY = {-9, 137, 0xC0000017, 0xC000012D}  # SIGKILL, as shells report it, and Windows' STATUS_NO_MEMORY and COMMITMENT_LIMIT
CRASHED = {-11, 139, -6, 134, -4, 132, -7, 135, 0xC0000005, 0xC0000374, 0xC0000409}


class Child:
    """One worker process. Its request, log and result lie in a folder of their own, which `close` removes."""

    def __init__(self, request: str, python: str, clock: Callable[[], float] = time.monotonic) -> None:
        """request: JSON, see `worker`; python: the interpreter. Raises OSError where that cannot be started."""
        self._folder = TemporaryDirectory(prefix="ltdiff-", ignore_cleanup_errors=True)
        self._clock, self._kill_at, self.cancelled = clock, None, False
        self._result_file, self.log = (Path(self._folder.name, name) for name in ("result.json", "log.txt"))
        request_file = Path(self._folder.name, "request.json")
        request_file.write_text(request, encoding="utf-8")
        try:
            with open(self.log, "wb") as log:
                self._process = subprocess.Popen(
                    command(python, request_file, self._result_file), stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT,
                    env={**os.environ, "PYTHONUTF8": "1"}, start_new_session=os.name != "nt",
                    creationflags=NO_WINDOW,
                )  # fmt: skip
        except OSError:
            self._folder.cleanup()
            raise
        self._read, self._rest = open(self.log, "rb"), b""

    def poll(self, listener: Listener) -> bool:
        """Tells the listener what has been printed since the last call; whether the worker is still at work."""
        ended = self._process.poll() is not None
        if not ended and self._kill_at is not None and self._clock() > self._kill_at:
            kill_tree(self._process)
        *lines, self._rest = (self._rest + self._read.read()).split(b"\n")
        if ended and self._rest:
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            _tell(listener, line.decode("utf-8", "replace").rstrip("\r"))
        return not ended

    def cancel(self, seconds: float = SECONDS_TO_END) -> None:
        """Asks the worker to end; what still runs after these seconds is killed (by `poll`)."""
        self.cancelled = True
        with suppress(OSError):
            self._process.stdin.close()
        self._kill_at = self._clock() + seconds

    def result(self) -> Result:
        """What the worker reports, or in words why it reports nothing. Only after its end."""
        try:
            return Result.from_json(self._result_file.read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError, TypeError):
            if self.cancelled:
                return Result(CANCELLED, "Cancelled; what was finished stays.")
            return Result(SOMETHING_FAILED, why_it_died(self._process.returncode))

    def close(self) -> None:
        """Ends the worker where it is still there, and removes its folder."""
        if self._process.poll() is None:
            kill_tree(self._process)
            self._process.wait()
        with suppress(OSError):
            self._process.stdin.close()
        self._read.close()
        self._folder.cleanup()

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_) -> None:
        self.close()


def command(python: str, request_file: Path, result_file: Path) -> list[str]:
    """The command line of a worker; give it a pipe as stdin."""
    return [python, str(SCRIPT), str(request_file), str(result_file)]


def kill_tree(process: subprocess.Popen) -> None:
    """Ends a process and what it started, such as the interpreter behind Slicer's launcher. Of a `Child` it is a group of its own."""
    with suppress(OSError):
        if os.name == "nt":
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], stdin=subprocess.DEVNULL, capture_output=True, check=False,
                           creationflags=NO_WINDOW)  # fmt: skip
        else:
            os.killpg(process.pid, signal.SIGKILL)


def remedy_for(sentence: str) -> str:
    """What to do about a failure for want of memory; "" for any other sentence."""
    if re.search("CUDA.*out of memory", sentence, re.IGNORECASE):
        return "The graphics card has too little free memory: close what else uses it, or choose the device cpu."
    if re.search("MemoryError|out of memory|bad_alloc|cannot allocate", sentence, re.IGNORECASE):
        return "Memory ran out: close other programs or crop the volume."
    return ""


def why_it_died(status: int) -> str:
    """One sentence for the exit status of a worker that left no result."""
    if status in NO_MEMORY:
        return ("The worker was ended by the system, which it does when memory runs out; close other programs, crop the volume, or choose "
                "fewer samples, and start again.")  # fmt: skip
    if status in CRASHED:
        return (f"The worker crashed (status {status}), mostly a sign of packages or drivers that do not fit each other; choose the device "
                "cpu, install torch again with the PyTorch extension, and look at the log.")  # fmt: skip
    return (f"The worker ended with status {status} before it was done; free memory or choose a smaller task, "
            "look at the messages above, and start again, a cohort with --resume.")  # fmt: skip


def _tell(listener: Listener, line: str) -> None:
    progress = from_line(line)
    if progress:
        listener.progress(progress)
    else:
        listener.say(line)
