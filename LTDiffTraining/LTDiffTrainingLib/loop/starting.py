"""Starting a training from a program that has other things to do, such as the Slicer application.

The training prints into a file that its starter reads as it grows, so that neither threads nor an event loop are needed.
"""
from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from LTDiffStandardizeLib.child import CRASHED, NO_MEMORY, NO_WINDOW, kill_tree, why_it_died
from LTDiffStandardizeLib.cohort.interruption import interruptible
from LTDiffStandardizeLib.cohort.progress import Listener
from LTDiffStandardizeLib.cohort.run import CANCELLED, Result
from LTDiffStandardizeLib.errors import OutputError

from .progress import from_line

TRAIN = Path(__file__).resolve().parents[2] / "Scripts" / "train.py"
LOG = "log.txt"
SECONDS_BETWEEN_LOOKS = 0.1


class Training:
    """A training at work. What it prints is told to the listener and stays in `output`/log.txt, after that of earlier starts.

    It goes on when its starter ends without cancelling it; then only its log tells of it, and another one in its folder is refused.
    """

    def __init__(self, output: Path, arguments: Sequence[str], listener: Listener, processes: int = 1, python: str = sys.executable,
                 script: Path = TRAIN) -> None:
        """arguments: of the script, without --output; processes: how many train together on this machine; python: the interpreter.
        Raises OutputError where the folder cannot be written, OSError where the interpreter cannot be started."""
        self.output, self.cancelled, self._listener = Path(output), False, listener
        try:
            self.output.mkdir(parents=True, exist_ok=True)
            log = open(self.output / LOG, "ab")
        except OSError as error:
            raise OutputError(f"{output} cannot be written ({error.strerror}); choose another output folder.") from error
        with log:
            self._read, self._rest = open(self.output / LOG, "rb"), b""
            self._read.seek(0, os.SEEK_END)
            command = [*_launcher(python, processes), str(script), "--output", str(self.output), *arguments]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=_environment(processes),
                                             start_new_session=os.name != "nt", creationflags=NO_WINDOW)  # fmt: skip

    def poll(self) -> bool:
        """Tells the listener what has been printed since the last call; whether the training is still at work."""
        ended = self._process.poll() is not None
        *lines, self._rest = (self._rest + self._read.read()).split(b"\n")
        if ended and self._rest:
            lines, self._rest = [*lines, self._rest], b""
        for line in (one.decode("utf-8", "replace").rstrip("\r") for one in lines):
            progress = from_line(line)
            if progress:
                self._listener.progress(progress)
            else:
                self._listener.say(line)
        return not ended

    def cancel(self) -> None:
        """Ends all its processes at once. Everything up to the last checkpoint stays, and the same start goes on from there."""
        if self._process.poll() is None:
            self.cancelled = True
            kill_tree(self._process)

    def result(self) -> Result:
        """What became of it. Only after its end."""
        status = self._process.returncode
        self._read.close()
        if status == 0:
            return Result(0, f"The training in {self.output} is done.")
        if self.cancelled:
            return Result(CANCELLED, "Cancelled; start it again with the same output folder to go on from its last checkpoint.")
        if status in NO_MEMORY | CRASHED:
            return Result(1, why_it_died(status))
        return Result(status, f"The training ended with status {status}; read the last lines of {self.output / LOG}, and start it again "
                              "with the same output folder to go on from its last checkpoint.")  # fmt: skip

    def wait(self) -> Result:
        """Until its end; Ctrl-C cancels it."""
        with interruptible():
            while True:
                try:
                    if not self.poll():
                        return self.result()
                    time.sleep(SECONDS_BETWEEN_LOOKS)
                except KeyboardInterrupt:
                    self.cancel()


def _launcher(python: str, processes: int) -> list[str]:
    if processes == 1:
        return [python]
    return [python, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]


def _environment(processes: int) -> dict[str, str]:
    set_here = {"PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}
    if processes > 1:
        set_here["OMP_NUM_THREADS"] = os.environ.get("OMP_NUM_THREADS") or str(max(1, (os.cpu_count() or 1) // processes))
        if os.name == "nt":
            set_here["USE_LIBUV"] = "0"  # which PyTorch's builds for Windows lack, but ask for
    return {**os.environ, **set_here}
