"""Runs fault_driver.py with the shim of fault_injection.c, for the tests and the benchmark."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"), "1")
IN_MEMORY = Path("/dev/shm")  # where flushing to the disk takes no time


def why_not():
    """Why the shim cannot be used here, one sentence; None where it can."""
    if sys.platform != "linux":
        return "LD_PRELOAD and the calls that the shim stands before are those of Linux."
    return None if shutil.which("cc") else "There is no C compiler (cc) to make the shim with."


def injected(forms=("dicom", "nrrd", "nifti"), **plan):
    """The report of fault_driver.py; see there."""
    with tempfile.TemporaryDirectory(prefix="ltdiff-", dir=IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else None) as folder:
        shim = Path(folder, "faults.so")
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", shim, HERE / "fault_injection.c", "-ldl"], check=True)
        plan = {"work": str(Path(folder, "work")), "shim": str(shim), "forms": list(forms), **plan}
        child = subprocess.run([sys.executable, HERE / "fault_driver.py", json.dumps(plan)], capture_output=True, text=True,
                               env={**os.environ, **ONE_THREAD, "LD_PRELOAD": str(shim)})  # fmt: skip
    if child.returncode:
        raise RuntimeError(f"The driver failed:\n{child.stderr}")
    return json.loads(child.stdout)
