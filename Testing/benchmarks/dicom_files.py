"""Reading a DICOM series of 512 x 512 slices and writing a derived one."""
from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from LTDiffStandardizeLib.volumes import Derivation, find_series, read_volume, write_dicom_series
from measuring import Row, compared, interleaved, timed
from sample import write_chest_series


def run(quick: bool) -> list[Row]:
    slices = 6 if quick else 300
    with TemporaryDirectory(prefix="ltdiff-") as folder:
        source = write_chest_series(Path(folder, "source"), slices)
        volume = read_volume(find_series(source)[0])
        derivation = Derivation("power", "B70f", "benchmark")
        seconds = interleaved({
            "read": lambda: read_volume(find_series(source)[0]),
            "SimpleITK": lambda: _read_by_simpleitk(source),
            "write": lambda: write_dicom_series(volume, Path(folder, "result"), derivation, overwrite=True),
        }, 1 if quick else 5)  # fmt: skip
    return [
        compared(f"DICOM: find and read {slices} slices / SimpleITK", seconds["read"], seconds["SimpleITK"], note="the peer checks neither distances nor padding"),
        timed(f"DICOM: write {slices} derived slices", seconds["write"]),
    ]


def _read_by_simpleitk(folder: Path):
    import SimpleITK as sitk

    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return sitk.GetArrayFromImage(reader.Execute())
