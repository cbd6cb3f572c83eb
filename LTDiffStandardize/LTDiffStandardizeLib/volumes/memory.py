"""Whether a volume fits into the memory of this machine, told from its size alone."""
from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence
from math import prod

BYTES_PER_VOXEL = 7  # the volume, its result and its padding; float32 volumes take twice as much
SHARE = 0.8


def why_too_large(shape: Sequence[int]) -> str | None:
    """The cause and remedy, a piece of a sentence, where voxels of this shape need more than most of the memory; None where they fit."""
    there, needed = physical_memory(), prod(map(int, shape)) * BYTES_PER_VOXEL
    if there is None or needed <= SHARE * there:
        return None
    return (f"claims {' x '.join(map(str, shape))} voxels, for which {needed / 2**30:.3g} GB of memory are needed and {there / 2**30:.3g} GB are there; "
            "check the file, split it, or use a larger machine")  # fmt: skip


def physical_memory() -> int | None:
    """Bytes; None where the system does not tell."""
    if sys.platform == "win32":
        return _memory_of_windows()
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None


def _memory_of_windows() -> int | None:
    class Status(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ulong), ("load", ctypes.c_ulong), *((name, ctypes.c_ulonglong) for name in
                    ("physical", "free", "page", "free_page", "virtual", "free_virtual", "extended"))]  # fmt: skip

    status = Status(length=ctypes.sizeof(Status))
    return status.physical if ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)) else None
