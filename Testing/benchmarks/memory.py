"""Peak memory of standardizing a DICOM series into a derived one, in a fresh process."""
from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from measuring import Row, Skipped
from sample import write_chest_series

CHILD = Path(__file__).with_name("memory_child.py")
LIMIT = 1.5  # GB over import
GIGA, MEGA = 1e9, 1e6


def run(quick: bool) -> list[Row]:
    if find_spec("resource") is None:
        raise Skipped("It needs the peak memory of a process, which Python does not tell on this system.")
    few, many = (4, 8) if quick else (60, 300)
    with TemporaryDirectory(prefix="ltdiff-") as folder:
        small, large = (_peaks(Path(folder, str(slices)), slices) for slices in (few, many))
    (imported, peak), growth = large, (large[1] - small[1]) / (many - few)
    return [
        Row(f"memory: peak over import, {many} slices", (peak - imported) / GIGA, "GB", note=f"limit {LIMIT:g} GB; ltdiff, DICOM in, derived DICOM out"),
        Row(f"memory: peak over import, {few} slices", (small[1] - small[0]) / GIGA, "GB"),
        Row("memory: growth per slice", growth / MEGA, "MB", note="1.05 MB: the source and the result as 16-bit volumes"),
        Row("memory: whole process at its peak", peak / GIGA, "GB", note=f"{imported / GIGA:.2f} GB after import"),
    ]


def _peaks(folder: Path, slices: int) -> tuple[int, int]:
    """Bytes at the peak until everything was imported, and until the end."""
    source = write_chest_series(folder / "source", slices)
    child = subprocess.run([sys.executable, str(CHILD), str(source), str(folder / "result")], capture_output=True, text=True)
    if child.returncode:
        raise RuntimeError(f"The process of {slices} slices failed:\n{child.stderr}")
    peaks = json.loads(child.stdout)
    return peaks["import"], peaks["end"]
