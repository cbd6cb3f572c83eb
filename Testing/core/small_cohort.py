"""Small cohorts of chest-like series for the tests: DICOM and NRRD, 64 x 64 pixels, kernel B40f."""
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from small_series import write_series

from LTDiffStandardizeLib.cohort import Request, run_request
from LTDiffStandardizeLib.volumes import CTFacts, CTVolume, write_volume_file

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "LTDiffStandardize" / "Scripts"
VARIABLES = {**os.environ, "OMP_NUM_THREADS": "1"}
SPACING = 0.7  # mm


class Heard:
    """A listener that remembers what it heard."""

    def __init__(self):
        self.said, self.steps = [], []

    def progress(self, progress):
        self.steps.append(progress)

    def say(self, text):
        self.said.append(text)


def chest_hu(slices=4, seed=0):
    """(slices, 64, 64) int16 HU: a body with two lungs and noise that is smooth as a soft kernel's."""
    from scipy.ndimage import gaussian_filter

    y, x = np.mgrid[:64, :64] / 64 - 0.5
    hu = np.where((x / 0.45) ** 2 + (y / 0.4) ** 2 < 1, 40.0, -990.0)
    hu[((np.abs(x) - 0.2) / 0.1) ** 2 + (y / 0.2) ** 2 < 1] = -860
    noise = gaussian_filter(np.random.default_rng(seed).normal(0, 60, (slices, 64, 64)), (0, 1.1, 1.1))
    return np.clip(np.rint(hu + noise), -1024, 3071).astype(np.int16)


def dicom_series(folder, number, slices=4, **changes):
    """Series `number` of one study, as files of the folder."""
    uid = {"SeriesInstanceUID": f"1.2.3.{number}", "SeriesNumber": number, "PixelSpacing": [SPACING, SPACING], "ConvolutionKernel": "B40f"}
    write_series(folder, chest_hu(slices, number), each=lambda index: {"SOPInstanceUID": f"1.2.3.{number}.{index + 1}"}, **{**uid, **changes})
    return folder


def nrrd_volume(path, slices=4, seed=0, kernel="B40f"):
    volume = CTVolume(chest_hu(slices, seed), (SPACING, SPACING, 2.0), (-20, -30, 100), facts=CTFacts(kernel=kernel), name=path.name)
    return write_volume_file(volume, path)


def standardize(inputs, output, heard=None, **changes):
    """The result of a request in this process, with the method ls_noise unless another is asked for."""
    inputs = [inputs] if isinstance(inputs, Path) else inputs
    request = Request(**{"inputs": [str(path) for path in inputs], "output": str(output), "method": "ls_noise", **changes})
    return run_request(request, heard or Heard())


def summary(output):
    return json.loads((output / "summary.json").read_text())


def record(output, name):
    return json.loads((output / f"{name}-provenance.json").read_text())


def digests(folder):
    """{relative path: digest} of every file below the folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def start_script(*arguments, script="standardize.py", **options):
    """A script in a child process, its output as text."""
    command = [sys.executable, str(SCRIPTS / script), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=VARIABLES, **options)


def run_script(*arguments, **options):
    """(exit status, stdout, stderr) of standardize.py."""
    child = start_script(*arguments, **options)
    output, errors = child.communicate(timeout=120)
    return child.returncode, output, errors


def stop_when(child, condition, with_signal=signal.SIGTERM):
    """Sends the signal as soon as the condition holds; fails where the child ends or a minute passes before."""
    end = time.monotonic() + 60
    while not condition():
        assert child.poll() is None, f"the child ended too early: {child.communicate()}"
        assert time.monotonic() < end, "the condition never came true"
        time.sleep(0.002)
    child.send_signal(with_signal)
