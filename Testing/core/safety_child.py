"""Reads what lies under a path as the program does, in a process of its own, and prints what became of it: safety_child.py PATH"""
import json
import sys
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "LTDiffStandardize"))

import pydicom  # noqa: F401, all that would be imported on the way, so that it does not count
import scipy.ndimage  # noqa: F401
import SimpleITK  # noqa: F401

from LTDiffStandardizeLib.errors import LTDiffError
from LTDiffStandardizeLib.volumes import find_series, read_volume


def main(path):
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    before, read, sentences = memory("VmRSS"), 0, []
    try:
        for entry in find_series(path):
            try:
                read_volume(entry)
                read += 1
            except LTDiffError as error:
                sentences.append(str(error))
    except LTDiffError as error:
        sentences.append(str(error))
    print(json.dumps({"read": read, "sentences": sentences, "grown": memory("VmHWM") - before}))


def memory(what):
    """Bytes of this process, 0 where the system does not tell."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(what)), 0)


if __name__ == "__main__":
    main(sys.argv[1])
