"""Small archives for the tests: scans reconstructed with a soft and a sharp kernel, as DICOM files of 96 x 96 pixels."""
import csv
import json
import os
import sqlite3
import sys
from pathlib import Path

import numpy as np
from small_cohort import Heard
from small_series import write_series

from LTDiffTrainingLib.archives import finding
from LTDiffTrainingLib.archives.facts import CT, FileFacts, SeriesFacts, SliceFacts, digest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "LTDiffTraining" / "Scripts" / "find_pairs.py"
SIDE, PIXEL = 96, 0.7  # pixels, mm
SOFT, SHARP = 1.3, 0.5  # SD of the blur, pixels
DISTANCE = 2.0  # mm, of the slices
MODULATED = "modulated"  # a tube current that follows the position


def scan_hu(patient=0, slices=4, blur=SOFT):
    """(slices, 96, 96) int16 HU of a scan, whose anatomy and noise depend on the patient alone."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(patient)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    hu = np.empty((slices, SIDE, SIDE))
    for image in hu:
        image[:] = np.where((x / 0.45) ** 2 + (y / 0.42) ** 2 < 1, 40.0, -990.0)
        for _ in range(6):  # vessels, ribs and holes
            centre, radius = rng.uniform(-0.25, 0.25, 2), rng.uniform(0.02, 0.08)
            image[(x - centre[0]) ** 2 + (y - centre[1]) ** 2 < radius**2] = rng.choice([-800, 120, 300])
    return np.clip(np.rint(gaussian_filter(hu + rng.normal(0, 60, hu.shape), (0, blur, blur))), -1024, 3071).astype(np.int16)


def reconstruction(folder, patient=0, kernel="B40f", hu=None, uid=None, **changes):
    """A series of one patient; without `hu` soft for B40f and sharp otherwise. Returns the HU."""
    hu = scan_hu(patient, blur=SOFT if kernel == "B40f" else SHARP) if hu is None else hu
    uid = uid or f"1.2.{patient}.{1 if kernel == 'B40f' else 2}"
    at = {"SeriesInstanceUID": uid, "PatientID": f"Doe{patient}", "PatientName": f"Doe^{patient}", "PatientBirthDate": "19600102",
          "ConvolutionKernel": kernel, "PixelSpacing": [PIXEL, PIXEL], "SliceThickness": 2, "AcquisitionDate": f"20200{patient + 1}03",
          "StudyDate": f"20200{patient + 1}03", **changes}  # fmt: skip
    each = at.pop("each", lambda index: {})
    write_series(folder, hu, each=lambda index: {
        "SOPInstanceUID": f"{uid}.{index + 1}", "XRayTubeCurrent": 200 + 10 * index, "AcquisitionTime": f"1011{10 + index}.25",
        "ImagePositionPatient": [-33, -33, 100 + DISTANCE * index], **each(index)}, **at)  # fmt: skip
    return hu


def scan(folder, patient=0, **changes):
    """Both reconstructions of a patient, in a folder each."""
    reconstruction(folder / f"p{patient}" / "soft", patient, "B40f", **changes)
    reconstruction(folder / f"p{patient}" / "sharp", patient, "B70f", **changes)


def find(*archives, output, heard=None, processes=1, seed=0, shares=(70, 15, 15)):
    """The rows of the manifest."""
    finding.find_pairs(archives, output, processes, seed, shares, heard or Heard())
    return json.loads((output / "manifest.json").read_text())["pairs"]


def skipped(output):
    """The rows of skipped.csv."""
    with open(output / "skipped.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def series_facts(slices=5, *, uid="1", patient="a", born="", kernel="B40f", thickness=2.0, first=100.0, distance=2.0, day="20200103",
                 second=40000.0, pixel=0.7, currents=None, kvp=120.0, u=-33.0):
    """[FileFacts] of a series that needs no files; second: at z = 0, None for none; currents: mA, None or MODULATED."""
    about = (digest(patient), born and digest(born), kernel, thickness, kvp, 96, 96, pixel, pixel, (1.0, 0.0, 0.0, 0.0, 1.0, 0.0))
    series = SeriesFacts(digest(repr((uid, about))), *about)
    found = []
    for index in range(slices):
        # Table and current move on evenly with z, whatever the distance of the slices.
        z = first + distance * index
        current = 10 * (z - 60) if currents == MODULATED else currents
        found.append(FileFacts(CT, "", series, SliceFacts(f"{uid}.{index}", z, u, u, day, None if second is None else second + z / 50, current)))
    return found


def indexed(path):
    """Everything that the index says of the files, without the numbers that depend on the run."""
    with sqlite3.connect(path) as db:
        rows = db.execute("SELECT files.path, size, mtime, kind, reason, key, instance, z, u, v, day, second, current, copy "
                          "FROM files LEFT JOIN series ON files.series = series.id ORDER BY files.path").fetchall()  # fmt: skip
    db.close()
    return rows


def tiny_tree(folder, files):
    """Header-only CT files, every seventh one foreign and every eleventh one damaged."""
    from small_series import ct_slice, save

    template = save(ct_slice(0, np.zeros((8, 8), np.int16)), folder / "template").read_bytes()
    (folder / "template").unlink()
    for number in range(files):
        path = folder / f"{number // 50:03d}" / f"{number:05d}"
        path.parent.mkdir(exist_ok=True)
        content = b"no DICOM" if number % 7 == 0 else template[:200] + b"\xff" * 60 if number % 11 == 0 else template.replace(b"4711", b"%04d" % number)
        path.write_bytes(content)


def script(*arguments):
    """The command line of find_pairs.py."""
    return [sys.executable, str(SCRIPT), *map(str, arguments)]


VARIABLES = {**os.environ, "OMP_NUM_THREADS": "1"}
