"""The queue of jobs, one worker process at a time, followed by a timer while the window lives."""
from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import qt

from ..child import Child
from ..cohort.progress import Told
from ..cohort.run import CANCELLED, SOMETHING_FAILED, Result

MILLISECONDS = 100


@dataclass(eq=False)
class Job:
    """One request, in JSON, with a folder for its files that lives as long as the job; `done(job, result)` is told its end.

    source, output: IDs of nodes, which may be gone when the job ends.
    """

    title: str
    done: Callable[[Job, Result], None]
    source: str = ""
    output: str = ""
    difference: bool = False
    request: str = ""
    files: TemporaryDirectory = field(default_factory=lambda: TemporaryDirectory(prefix="ltdiff-job-", ignore_cleanup_errors=True))

    @property
    def folder(self) -> Path:
        return Path(self.files.name)


class Work:
    """Starts jobs in turn. on_change: called when a job comes or ends; on_progress(Told), on_line(str): of the running one."""

    def __init__(self, on_change: Callable[[], None], on_progress: Callable[[Told], None], on_line: Callable[[str], None]) -> None:
        self.current: Job | None = None
        self.waiting: list[Job] = []
        self._on_change, self._on_progress, self._on_line = on_change, on_progress, on_line
        self._child: Child | None = None
        self._timer = qt.QTimer()
        self._timer.setInterval(MILLISECONDS)
        self._timer.timeout.connect(self._look)

    def add(self, job: Job) -> None:
        self.waiting.append(job)
        self._start_next()

    def has(self, job: Job | None) -> bool:
        return job is not None and (job is self.current or job in self.waiting)

    def cancel(self, job: Job) -> None:
        """A waiting job goes at once; a running one has a moment to end, then its processes are killed."""
        if job in self.waiting:
            self.waiting.remove(job)
            self._finish(job, Result(CANCELLED, f"{job.title}: cancelled before it began."))
        elif job is self.current:
            self._child.cancel()
            self._on_change()

    @property
    def is_cancelling(self) -> bool:
        return self._child is not None and self._child.cancelled

    def stop(self) -> None:
        """Ends everything at once and tells nobody: the scene or the panel is going away."""
        self._timer.stop()
        jobs, self.waiting, self.current = [*self.waiting, self.current], [], None
        child, self._child = self._child, None
        if child is not None:
            child.close()
        for job in jobs:
            if job is not None:
                job.files.cleanup()
        self._on_change()

    def progress(self, told: Told) -> None:
        self._on_progress(told)

    def say(self, text: str) -> None:
        self._on_line(text)

    def _start_next(self) -> None:
        if self.current is None and self.waiting:
            self.current = job = self.waiting.pop(0)
            self._on_line(f"--- {job.title}")
            try:
                self._child = Child(job.request, interpreter())
            except OSError as error:
                self.current = None
                sentence = f"The worker cannot be started ({error.strerror}); install Slicer again, or look whether a virus scanner holds it back."
                self._finish(job, Result(SOMETHING_FAILED, sentence))
                return
            self._timer.start()
        self._on_change()

    def _look(self) -> None:
        if self._child is None or self._child.poll(self):
            return
        self._timer.stop()
        job, child, self.current, self._child = self.current, self._child, None, None
        result = child.result()
        child.close()
        self._finish(job, result)

    def _finish(self, job: Job, result: Result) -> None:
        """A result that cannot be shown is no reason to leave the next job waiting."""
        try:
            job.done(job, result)
        except Exception as error:
            logging.exception("LTDiff: %s", job.title)
            self._on_line(f"{job.title} ended, but its result cannot be shown ({type(error).__name__}: {error}).")
        finally:
            job.files.cleanup()
            self._start_next()


def interpreter() -> str:
    """The application's Python as a program of its own; in the application `sys.executable` is none."""
    return shutil.which("PythonSlicer") or sys.executable
