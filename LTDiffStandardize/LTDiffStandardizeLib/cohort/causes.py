"""What can be told of an exception that nobody foresaw: where it came from and of which kind, without values of patients.

pydicom puts the value that it cannot read into its message, and any value of a header may name a patient.
"""
from __future__ import annotations

import re
import traceback
from collections.abc import Iterator

LEFT_OUT = "message left out, as it may hold values of a header"
NO_MEMORY = "allocate memory|not enough memory|out of memory|bad_alloc|bad allocation"  # as torch, ITK and C++ say it


def lacks_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and re.search(NO_MEMORY, str(error), re.IGNORECASE) is not None)


def cause_of(error: BaseException) -> str:
    """The kind of the exception and its message, on one line."""
    return " ".join(f"{type(error).__name__}: {_message(error)}".split())


def trace_of(error: BaseException) -> str:
    """The traceback with those of the exceptions behind it, the first of them on top."""
    parts = ["".join(traceback.format_tb(one.__traceback__)) + f"{type(one).__name__}: {_message(one)}\n" for one in _chain(error)]
    return "Traceback (most recent call last):\n" + "\nwhich led to\n\n".join(reversed(parts))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _message(error: BaseException) -> str:
    """Left out also where another exception quotes one that pydicom raised."""
    return LEFT_OUT if any(map(_came_through_pydicom, _chain(error))) else str(error)


def _came_through_pydicom(error: BaseException) -> bool:
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(frame.f_globals.get("__name__", "").split(".")[0] == "pydicom" for frame in frames)
