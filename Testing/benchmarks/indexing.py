"""Indexing an archive of tiny CT files, matching its series, and a second start; time and peak memory of a fresh process.

As a program: indexing.py ARCHIVE OUTPUT indexes the archive and prints what it measured of itself.
"""
from __future__ import annotations

import environment  # noqa: F401, before the libraries that read it

import io
import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from measuring import Row, Skipped

SLICES, KERNELS = 100, ("B30f", "B70f")
FOREIGN, CORRUPT = 50, 97  # every so-manieth file


def run(quick: bool) -> list[Row]:
    if not Path("/proc/self/status").exists():
        raise Skipped("It needs the peak memory of a process, as Linux tells it in /proc.")
    few, many = (200, 600) if quick else (10_000, 100_000)
    with TemporaryDirectory(prefix="ltdiff-") as folder:
        small, large = (_measured(Path(folder, str(files)), files) for files in (few, many))
    counts = ", ".join(f"{count} {kind}" for kind, count in large["counts"].items())
    growth = (large["end"] - small["end"]) / (many - few)
    return [
        Row(f"archive: index {many} files", large["first"], "CPU-s", note=f"{many / large['first']:.0f} files a CPU-second; {counts}"),
        Row("archive: index again, nothing has changed", large["again"], "CPU-s", note=f"{many / large['again']:.0f} files a CPU-second"),
        Row("archive: match the series", large["match"], "CPU-s", note=f"{large['series']} series, {large['candidates']} candidate pairs"),
        Row(f"archive: peak over import, {many} files", (large["end"] - large["import"]) / 1e6, "MB", note=f"whole process {large['end'] / 1e6:.0f} MB"),
        Row("archive: growth per file", growth, "B"),
    ]


def _measured(folder: Path, files: int) -> dict:
    write_archive(folder / "archive", files)
    child = subprocess.run([sys.executable, __file__, str(folder / "archive"), str(folder)], capture_output=True, text=True)
    if child.returncode:
        raise RuntimeError(f"The process of {files} files failed:\n{child.stderr}")
    return json.loads(child.stdout)


def write_archive(folder: Path, files: int) -> None:
    """Headers of patients that were reconstructed with `KERNELS`; some files are foreign, some damaged in their header."""
    template = _template()
    for number in range(files):
        series, index = divmod(number, SLICES)
        patient, kernel = divmod(series, len(KERNELS))
        path = folder / f"p{patient:05d}" / f"s{kernel}" / f"{index:04d}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if number % FOREIGN == FOREIGN - 1:
            content = b"a report"
        else:
            content = template
            places = (f"{index:04d}.0", f"{patient:05d}", f"{series:06d}", f"{number:08d}", KERNELS[kernel], f"{patient % 24:02d}{patient // 24 % 60:02d}{index % 60:02d}")
            for mark, text in zip(MARKS, places):
                content = content.replace(mark, text.encode())
            if number % CORRUPT == CORRUPT - 1:
                content = content[:132] + b"\x02\x00\x00\x00XX" + b"\xff" * 50
        path.write_bytes(content)


MARKS = (b"7777.7", b"66666", b"555555", b"44444444", b"KKKK", b"223344")
"""Stand in the template for z, patient, series, instance, kernel and AcquisitionTime."""


def _template() -> bytes:
    """A CT file of about 1 kB without pixels."""
    import pydicom
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

    z, patient, series, instance, kernel, acquired = (mark.decode() for mark in MARKS)
    ds = pydicom.Dataset()
    ds.SOPClassUID, ds.Modality, ds.ImageType = CTImageStorage, "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.SOPInstanceUID, ds.SeriesInstanceUID, ds.StudyInstanceUID = f"1.2.{instance}", f"1.3.{series}", f"1.4.{patient}"
    ds.PatientID, ds.PatientBirthDate, ds.AcquisitionDate, ds.AcquisitionTime = f"P{patient}", "19600102", "20200103", acquired
    ds.Manufacturer, ds.ManufacturerModelName, ds.ConvolutionKernel, ds.KVP = "SIEMENS", "Sensation 10", kernel, 120
    ds.XRayTubeCurrent, ds.ExposureTime, ds.SliceThickness, ds.ReconstructionDiameter = 200, 500, 1, 358
    ds.ImageOrientationPatient, ds.ImagePositionPatient = [1, 0, 0, 0, 1, 0], ["-179.0", "-179.0", z]
    ds.PixelSpacing, ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.Rows, ds.Columns = [0.7, 0.7], 1, "MONOCHROME2", 512, 512
    ds.PixelRepresentation, ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = 0, 1, -1024, "HU"
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID, ds.file_meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, CTImageStorage
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    with io.BytesIO() as file:
        pydicom.dcmwrite(file, ds, enforce_file_format=True)
        return file.getvalue()


def main(archive: str, output: str) -> None:
    import pydicom  # noqa: F401, all that would be imported on the way, so that it does not count as growth

    from LTDiffStandardizeLib.cohort.progress import Console
    from LTDiffTrainingLib.archives.index import Index
    from LTDiffTrainingLib.archives.matching import candidates
    from LTDiffTrainingLib.archives.scanning import scan

    found = {"import": _peak()}
    with Index(Path(output, "index.sqlite")) as index:
        for name in ("first", "again"):
            start = time.process_time()
            scan([Path(archive)], index, Path(output, "nothing"), 1, Console(sys.stderr))
            found[name] = time.process_time() - start
        start = time.process_time()
        found["candidates"] = sum(1 for _ in candidates(index))
        found |= {"match": time.process_time() - start, "counts": index.counts(), "series": len(index.series(1)), "end": _peak()}
    print(json.dumps(found))


def _peak() -> int:
    """Largest resident memory of this process so far, bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmHWM:")).split()[1])


if __name__ == "__main__":
    main(*sys.argv[1:])
