"""Many small series in a row in one process: whether memory and open files stay as they are. soak.py METHOD SERIES is the process."""
from __future__ import annotations

import environment  # noqa: F401, before the libraries that read it

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from environment import ROOT

sys.path.insert(0, str(ROOT / "Testing" / "core"))

from measuring import Row, Skipped

WARM_UP, WINDOW, IN_A_REQUEST = 20, 5, 10  # series
LIMIT = 5  # percent
MEGA = 1e6


def run(quick: bool) -> list[Row]:
    rows = []
    for method, series in (("ls_noise", 30 if quick else 200), ("ltdiff", 30 if quick else 200)):
        found = soaked(method, series)
        first, last = memory_before_and_after(found)
        rows += [
            Row(f"soak: memory growth from series {WARM_UP} to {series}, {method}", 100 * (last / first - 1), "%", note=f"limit {LIMIT} %; {last / MEGA:.0f} MB"),
            Row(f"soak: open files gained, {method}", found["files"][-1] - found["files"][WARM_UP], "files", note=f"{found['refused']} series refused"),
        ]  # fmt: skip
    return rows


def soaked(method: str, series: int) -> dict:
    """memory: resident bytes after each series; files: open ones; refused: how many series were."""
    if not Path("/proc/self/statm").exists():
        raise Skipped("It needs /proc, which tells the memory and the open files of a process.")
    child = subprocess.run([sys.executable, __file__, method, str(series)], capture_output=True, text=True)
    if child.returncode:
        raise RuntimeError(f"The process failed:\n{child.stderr}")
    return json.loads(child.stdout)


def memory_before_and_after(found: dict) -> tuple[float, float]:
    """Medians of the series after the warm-up, and of the last; the series differ in size, and so does what is kept for the next."""
    return median(found["memory"][WARM_UP:WARM_UP + WINDOW]), median(found["memory"][-WINDOW:])


def main(method: str, series: int) -> None:
    from small_cohort import Heard, standardize

    found = {"memory": [], "files": [], "refused": 0}

    class Watching(Heard):
        def say(self, text):
            if text.startswith("["):
                found["memory"].append(int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
                found["files"].append(len(os.listdir("/proc/self/fd")))
                found["refused"] += ": refused" in text

    with TemporaryDirectory(prefix="ltdiff-") as folder:
        for number, scans in enumerate(make_series(Path(folder, "scans"), series)):
            form = ("dicom", "nrrd")[number % 2]
            standardize(scans, Path(folder, form), Watching(), method=method, format=form, device="cpu", steps=2 if method == "ltdiff" else None)
    print(json.dumps(found))


def make_series(folder: Path, series: int) -> list[Path]:
    """Folders of `IN_A_REQUEST` DICOM series and NRRD volumes of 2 to 6 slices, every tenth of them a localizer or damaged."""
    from small_cohort import dicom_series, nrrd_volume

    for number in range(series):
        scan, slices = folder / f"{number // IN_A_REQUEST:03d}" / f"p{number:03d}", 2 + number % 5
        if number % 20 == 9:
            dicom_series(scan, number + 1, slices, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
        elif number % 2:
            scan.mkdir(parents=True)
            path = nrrd_volume(scan / "scan.nrrd", slices, seed=number)
            if number % 20 == 19:
                path.write_bytes(path.read_bytes()[:-2000])
        else:
            dicom_series(scan, number + 1, slices)
    return sorted(folder.iterdir())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
