"""Runs numbered cases of damaged series in child processes, so that a crash or a hang of a decoder is seen and its number known.

    python3 Testing/core/fuzz_running.py NUMBER ...      judges these cases alone and keeps their files in fuzz-NUMBER/ here
"""
from __future__ import annotations

import faulthandler
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from queue import Empty, Queue
from tempfile import TemporaryDirectory
from threading import Thread

ROOT = Path(__file__).resolve().parents[2]
SHARED_DATA = ROOT.parent / "shared" / "data"
MEMORY = 2 << 30  # bytes beyond what the imports take
CPU_SECONDS, SECONDS = 5, 60  # that a case may take: of its process, and on a clock, as the machine may be busy
EVERY = 20  # so-manieth case is standardized too


def cases(first: int, last: int, every: int = EVERY) -> Iterator[dict]:
    """The verdicts on the cases first ... last - 1, one each, as dictionaries; what ended the process has the outcome "crash" or "hang".

    As many processes as are needed, one at a time.
    """
    while first < last:
        for verdict in _one_process(first, last, every):
            first = verdict["number"] + 1
            yield verdict


def _one_process(first: int, last: int, every: int) -> Iterator[dict]:
    """The verdicts of one process until all is done or one case has ended it."""
    command = [sys.executable, __file__, "--child", str(first), str(last), str(every)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", env={**os.environ, "OMP_NUM_THREADS": "1"})
    lines, errors = Queue(), []
    readers = [Thread(target=_forward, args=(child.stdout, lines.put), daemon=True), Thread(target=_forward, args=(child.stderr, errors.append), daemon=True)]
    for reader in readers:
        reader.start()
    try:
        while first < last:
            line = _next_line(child, lines)
            if line is None:
                child.send_signal(signal.SIGABRT)  # its faulthandler then says where it was
                child.wait()
                yield _ended(first, "hang", f"no end after {CPU_SECONDS} s: {_end_of(errors)}")
                return
            if not line:
                child.wait()
                yield _ended(first, "crash", f"status {child.returncode}: {_end_of(errors)}")
                return
            yield json.loads(line)
            first += 1
    finally:
        child.kill()
        child.wait()
        for reader in readers:
            reader.join()


def _ended(number: int, how: str, why: str) -> dict:
    return {"number": number, "what": "", "outcome": how, "standardized": 0, "defects": [f"{how}: {why}"], "seconds": 0.0, "peak": 0}


def _end_of(errors: list[str]) -> str:
    """Where the process was, from what it printed last: the lines of the faulthandler that name the product or its decoders."""
    frames = [line.strip() for line in errors if line.strip().startswith("File")]
    return " < ".join(frame.rpartition("/")[2] for frame in frames[:4]) or "".join(errors)[-300:]


def _forward(stream, take) -> None:
    for line in stream:
        take(line)
    take("")


def _next_line(child: subprocess.Popen, lines: Queue) -> str | None:
    """The next line, "" at the end; None where the case takes too long."""
    start, used = time.monotonic(), None
    while True:
        with suppress(Empty):
            return lines.get(timeout=0.5)
        used = _cpu_seconds(child.pid) if used is None else used
        if time.monotonic() - start > SECONDS or _cpu_seconds(child.pid) - used > CPU_SECONDS:
            return None


def _cpu_seconds(process: int) -> float:
    """That a process has used so far; 0 where the system does not tell."""
    try:
        user, system = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    except OSError:
        return 0.0
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def judge_all(first: int, last: int, every: int) -> None:
    """The child: a line of JSON for each case."""
    from fuzz_judging import judge
    from fuzz_seeds import made_seeds, real_seeds

    seeds, report = (made_seeds(), real_seeds(SHARED_DATA)), os.fdopen(os.dup(1), "w")
    faulthandler.enable(os.fdopen(os.dup(2), "w"))  # not where the cases print to
    _limit_memory()
    with TemporaryDirectory(prefix="ltdiff-fuzz-") as folder:
        for number in range(first, last):
            case = Path(folder, "case")
            verdict = judge(number, seeds, case, number % every == 0)
            print(json.dumps(asdict(verdict)), file=report, flush=True)
            shutil.rmtree(case)


def _limit_memory() -> None:
    """The address space, where the system can do that, once everything is imported that will be."""
    import pydicom.pixels  # noqa: F401
    import scipy.ndimage  # noqa: F401
    import SimpleITK  # noqa: F401

    with suppress(ImportError, OSError):
        import resource

        now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, now + MEMORY))


def keep(number: int) -> None:
    """Judges one case in this process, and says where its files are."""
    from fuzz_judging import judge
    from fuzz_seeds import made_seeds, real_seeds

    folder = Path(f"fuzz-{number}")
    shutil.rmtree(folder, ignore_errors=True)
    verdict = judge(number, (made_seeds(), real_seeds(SHARED_DATA)), folder, True)
    print(f"{folder}: {json.dumps(asdict(verdict), indent=1)}")


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / "LTDiffStandardize")]
    warnings.simplefilter("ignore")  # pydicom's, of the real files
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if sys.argv[1:2] == ["--child"]:
        judge_all(*map(int, sys.argv[2:]))
    else:
        for argument in sys.argv[1:]:
            keep(int(argument))
