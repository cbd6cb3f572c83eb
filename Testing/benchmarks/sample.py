"""The chest that the benchmarks work on: the shipped B40f series, also repeated to as many slices as wanted."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from environment import ROOT
from LTDiffStandardizeLib.volumes import CTVolume, find_series, read_volume

SERIES = ROOT / "LTDiffStandardize" / "Resources" / "SampleData" / "lungdx-a0002" / "B40f"
SLICE_DISTANCE_MM = 1.0


def one_slice() -> CTVolume:
    """The middle slice, 512 x 512."""
    volume = read_volume(find_series(SERIES)[0])
    middle = len(volume.hu) // 2
    return replace(volume, hu=volume.hu[middle:middle + 1], padding=None, source=None)


def chest(slices: int) -> CTVolume:
    """The series up and down again until there are `slices` of 512 x 512, taken for 1 mm apart."""
    volume = read_volume(find_series(SERIES)[0])
    source = replace(volume.source, paths=_repeated(volume.source.paths, slices), sop_instance_uids=_repeated(volume.source.sop_instance_uids, slices))
    hu = np.stack(_repeated(volume.hu, slices))
    return replace(volume, hu=hu, spacing=(*volume.spacing[:2], SLICE_DISTANCE_MM), padding=None, source=source)


def write_chest_series(folder: Path, slices: int) -> Path:
    """`chest` as uncompressed DICOM files with the scanner's own headers."""
    import pydicom

    volume = chest(slices)
    folder.mkdir(parents=True)
    for index, path in enumerate(volume.source.paths):
        header = pydicom.dcmread(path)
        header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid(entropy_srcs=[str(index)])
        header.InstanceNumber = index + 1
        header.SliceThickness = SLICE_DISTANCE_MM
        header.ImagePositionPatient = [*header.ImagePositionPatient[:2], index * SLICE_DISTANCE_MM]
        header.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        stored = (volume.hu[index].astype(np.int32) - int(header.RescaleIntercept)) // int(header.RescaleSlope)
        header.PixelData = stored.astype("<u2").tobytes()
        header["PixelData"].VR, header["PixelData"].is_undefined_length = "OW", False
        header.save_as(folder / f"{index:04d}.dcm")
    return folder


def _repeated(items, count: int) -> tuple:
    """0 1 2 ... n ... 2 1 0 1 2 ..., so that neighbours stay neighbours."""
    there_and_back = [*range(len(items)), *range(len(items) - 2, 0, -1)]
    return tuple(items[there_and_back[index % len(there_and_back)]] for index in range(count))
