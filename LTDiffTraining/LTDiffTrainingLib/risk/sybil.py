"""Sybil (Mikhael et al., J Clin Oncol 2023, doi 10.1200/JCO.22.01345) as a program: what it takes, how it is run, what it writes.

Read in its public source, github.com/reginabarzilaygroup/Sybil (MIT licence), of the versions up to 1.7.2: setup.cfg, CHANGELOG.md,
docs/docker_guide.md, sybil/predict.py, sybil/serie.py, sybil/loaders/image_loaders.py.

- `sybil-predict FOLDER --output-dir DIR --file-type dicom`; from 1.7 on `sybil-predict single FOLDER ...`. Every file of the
  folder is a slice of one exam, whatever it is; sub-folders and names that begin with a dot are passed over.
- DIR/prediction_scores.json is {"predictions": [[r1, r2, r3, r4, r5, r6]]}: of the one exam the risk of lung cancer within 1 to
  6 years, 0 to 1.
- A slice needs ImagePositionPatient, PixelSpacing, Manufacturer and SliceThickness, which is taken for the distance of slices and
  may be 5 mm at most. HU are seen through a window of level -600 and width 1500, in 8 bits.
- It needs Python 3.8 to 3.10 and torch 1.13 (1.7: Python 3.10 or 3.11, torch 2.7), and at its first start it downloads its weights.
"""
from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from LTDiffStandardizeLib.child import NO_WINDOW, kill_tree
from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.volumes.atomic import file_aside
from LTDiffStandardizeLib.volumes.series import SeriesEntry, find_series

YEARS = (1, 2, 3, 4, 5, 6)
PROGRAM, RESULT = "sybil-predict", "prediction_scores.json"
THICKEST = 5.0  # mm, SliceThickness
SECONDS_BETWEEN_LOOKS = 0.1
OF_OUR_PYTHON = ("PYTHONHOME", "PYTHONPATH")  # PythonSlicer sets them, and another Python would not start with them


def find_program(words: Sequence[str]) -> list[str]:
    """The command, its first word as a path. Raises InputError where there is no such program."""
    found = shutil.which(words[0])
    if found is None:
        raise InputError(
            f"The program {words[0]} of Sybil was not found; install Sybil from https://github.com/reginabarzilaygroup/Sybil (the package sybil on "
            f"PyPI is another one) in an environment of its own with Python < 3.11, and name it with --sybil ENVIRONMENT/bin/{PROGRAM}.")  # fmt: skip
    return [found, *words[1:]]


def series_for_sybil(folder: Path) -> SeriesEntry:
    """The one series in the folder, alone in `path`. Raises InputError where Sybil would refuse it or take something else for a slice."""
    entries = find_series(folder)
    if folder.is_file() or len(entries) != 1 or not (entries[0].slices or entries[0].refusal):
        raise InputError(f"{folder} holds {len(entries)} series, and Sybil takes one DICOM series; name a folder that holds nothing else.")
    entry = entries[0]
    if entry.refusal:
        raise InputError(entry.refusal)
    seen = {path for path in entry.path.iterdir() if path.is_file() and not path.name.startswith(".")}
    if seen != {header.path for header in entry.slices}:
        raise InputError(f"{entry.path} holds other files than the slices of one series, which Sybil would take for slices too; name a folder of "
                         "the slices alone.")  # fmt: skip
    thickness = [header.slice_thickness for header in entry.slices]
    if None in thickness or max(thickness) > THICKEST:
        told = "no SliceThickness" if None in thickness else f"slices of {max(thickness):g} mm"
        raise InputError(f"{entry.path} has {told}, and Sybil takes {THICKEST:g} mm at most; choose a thinner reconstruction.")
    return entry


def predict(program: Sequence[str], folder: Path, log: Path, seconds: float, tick: Callable[[], None]) -> tuple[float, ...]:
    """(6,) risks within `YEARS`, 0 to 1. `tick` is called while Sybil works; what it printed is written to `log` where it fails.

    Raises InputError where Sybil cannot be started, fails, writes no valid prediction, or is not done after these seconds; then
    it is ended with all that it has started, as it is when `tick` raises.
    """
    with TemporaryDirectory(prefix="ltdiff-", ignore_cleanup_errors=True) as made:
        printed, output = Path(made, "printed.txt"), Path(made, "output")
        status = _run([*program, str(folder), "--output-dir", str(output), "--file-type", "dicom"], printed, seconds, tick)
        try:
            if status is None:
                raise InputError(f"Sybil was not done with {folder} after {seconds:g} s and was ended; allow more with --timeout.")
            if status != 0:
                raise InputError(f"Sybil ended with status {status} on {folder} ({_last_line(printed)}); see {log}.")
            risks = read_risks(output / RESULT, f"of {folder}")
        except InputError:
            with file_aside(log, overwrite=True) as partial:
                shutil.copyfile(printed, partial)
            raise
    log.unlink(missing_ok=True)
    return risks


def read_risks(path: Path, subject: str = "") -> tuple[float, ...]:
    """(6,) risks within `YEARS`, 0 to 1, from a file as Sybil writes it.

    Raises InputError where it is none; `subject`: what is wrong then, in place of the path.
    """
    subject = subject or str(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"There is no prediction {subject}; let Sybil predict the series, or leave the patient out.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"The prediction {subject} cannot be read ({error}); remove it and let Sybil predict the series again.") from error
    if problem := _problem_of(content):
        raise InputError(f"The prediction {subject} {problem}; remove it and let Sybil predict the series again.")
    return tuple(map(float, content["predictions"][0]))


def _problem_of(content: Any) -> str | None:
    """What is wrong with a prediction, a piece of a sentence."""
    exams = content.get("predictions") if isinstance(content, dict) else None
    if not (isinstance(exams, list) and len(exams) == 1 and isinstance(exams[0], list)):
        return 'is not as Sybil writes it, {"predictions": [[six risks]]}'
    if len(exams[0]) != len(YEARS):
        return f"has {len(exams[0])} risks where {len(YEARS)} years need one each"
    for year, risk in zip(YEARS, exams[0]):
        if type(risk) not in (int, float) or not 0 <= risk <= 1:  # NaN compares false
            return f"has {risk!r} for year {year} where a risk from 0 to 1 belongs"
    return None


def _run(command: Sequence[str], printed: Path, seconds: float, tick: Callable[[], None]) -> int | None:
    """The exit status; None where the time was over."""
    variables = {name: value for name, value in os.environ.items() if name not in OF_OUR_PYTHON}
    try:
        with open(printed, "wb") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=variables,
                                       start_new_session=os.name != "nt", creationflags=NO_WINDOW)  # fmt: skip
    except OSError as error:
        raise InputError(f"The program {command[0]} of Sybil cannot be started ({error.strerror}); name another one with --sybil.") from error
    end = time.monotonic() + seconds
    try:
        while process.poll() is None:
            if time.monotonic() > end:
                return None
            tick()
            time.sleep(SECONDS_BETWEEN_LOOKS)
        return process.returncode
    finally:
        if process.poll() is None:
            kill_tree(process)
            process.wait()


def _last_line(printed: Path) -> str:
    lines = [line.strip() for line in printed.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
