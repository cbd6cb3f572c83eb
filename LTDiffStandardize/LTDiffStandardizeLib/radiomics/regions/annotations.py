"""Regions from tumour boxes in Pascal VOC files, as TCIA's Lung-PET-CT-Dx publishes them."""
from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import InputError
from ...volumes.volume import CTVolume
from .reference import smooth
from .region import Region

# Halfway between aerated lung (about -850 HU) and soft tissue (about +40 HU): what the box holds of lung is left out.
MINIMUM_HU = -400.0


@dataclass(frozen=True, order=True)
class _Box:
    slice_index: int
    top: int
    left: int
    bottom: int
    right: int
    label: str

    def continues(self, other):
        """Whether both boxes are sections of one lesion: neighbouring slices, one label, overlapping in plane."""
        return (self.label == other.label and abs(self.slice_index - other.slice_index) <= 1
                and self.top < other.bottom and other.top < self.bottom
                and self.left < other.right and other.left < self.right)


def regions_from_voc(xml_folder: str | Path, volume: CTVolume, minimum_hu: float | None = MINIMUM_HU,
                     hu_range: str = "tumour", group: str = "") -> list[Region]:
    """One region per lesion: the boxes of consecutive slices with one label that overlap in plane, merged.

    A file belongs to the slice whose SOP Instance UID is the file's name without its suffix; files of other series are
    passed over. Limits are pixel indices from 0, the upper ones excluded. The mask is the inside of the boxes where the
    smoothed image of `volume` reaches `minimum_hu` (None: the whole boxes), so draw it once, on the standard volume,
    and use the region for all volumes.

    Args
        xml_folder: folder of `<SOPInstanceUID>.xml` files.
        volume: CTVolume with a DICOM source.

    Returns list of Region, empty when no file names a slice of the volume.
    Raises InputError when the volume has no DICOM source, a file cannot be read or a box lies outside the image.
    """
    if volume.source is None:
        raise InputError(f"The volume '{volume.name}' does not come from DICOM files, so its slices cannot be found in "
                         f"'{xml_folder}': load the DICOM series.")
    lesions = []
    for box in sorted(_read_boxes(Path(xml_folder), volume)):
        lesion = next((boxes for boxes in lesions if any(box.continues(other) for other in boxes)), None)
        if lesion is None:
            lesions.append([box])
        else:
            lesion.append(box)
    regions = (_lesion_region(boxes, number, volume, minimum_hu, hu_range, group)
               for number, boxes in enumerate(lesions, 1))
    return [region for region in regions if region.mask.any()]


def _read_boxes(folder, volume):
    for slice_index, uid in enumerate(volume.source.sop_instance_uids):
        path = folder / f"{uid}.xml"
        if uid and path.is_file():
            yield from _boxes_of_file(path, slice_index, volume.hu.shape[1:])


def _boxes_of_file(path, slice_index, shape):
    rows, columns = shape
    try:
        for item in ElementTree.parse(path).getroot().iter("object"):
            left, top, right, bottom = (int(float(item.find(f"bndbox/{name}").text))
                                        for name in ("xmin", "ymin", "xmax", "ymax"))
            if not (0 <= left < right <= columns and 0 <= top < bottom <= rows):
                raise ValueError(f"a box ({left}, {top}, {right}, {bottom}) outside {columns} x {rows} pixels")
            yield _Box(slice_index, top, left, bottom, right, item.findtext("name", default=""))
    except (ElementTree.ParseError, AttributeError, TypeError, ValueError) as error:
        raise InputError(f"The annotation '{path.name}' is not a usable Pascal VOC file ({error}): repair or remove "
                         f"it.") from error


def _lesion_region(boxes, number, volume, minimum_hu, hu_range, group):
    low = np.min([(box.slice_index, box.top, box.left) for box in boxes], axis=0)
    high = np.max([(box.slice_index + 1, box.bottom, box.right) for box in boxes], axis=0)
    slices = tuple(slice(int(a), int(b)) for a, b in zip(low, high))
    mask = np.zeros(high - low, dtype=bool)
    z, y, x = low
    for box in boxes:
        mask[box.slice_index - z, box.top - y:box.bottom - y, box.left - x:box.right - x] = True
    if minimum_hu is not None:
        padding = None if volume.padding is None else volume.padding[slices]
        mask &= smooth(volume.hu[slices], volume.spacing, padding) >= minimum_hu
    return Region(f"lesion {boxes[0].label} {number}", hu_range, "annotation", slices, mask, group)
