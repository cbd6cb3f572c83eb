"""Standardizes the series in a folder as Scripts/standardize.py does, and prints its own peak memory: memory_child.py SOURCE OUTPUT"""
import environment  # noqa: F401, before the libraries that read it

import json
import sys
from pathlib import Path

import pydicom  # noqa: F401, all that would be imported on the way, so that it does not count as growth
import safetensors.torch  # noqa: F401
import scipy.ndimage  # noqa: F401
import SimpleITK  # noqa: F401

import LTDiffStandardizeLib.model.engine  # noqa: F401
from LTDiffStandardizeLib.cohort import Request, run_request
from LTDiffStandardizeLib.cohort.progress import Console


def main(source, output):
    imported = peak()
    result = run_request(Request((source,), output, device="cpu"), Console(sys.stderr))
    print(json.dumps({"import": imported, "end": peak()}))
    return result.exit_code


def peak():
    """Largest resident memory so far, bytes."""
    # Linux: ru_maxrss of a new process begins with what its parent held, VmHWM does not.
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    for line in lines:
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
