"""Regions as a command line names them."""
from __future__ import annotations

import math
from pathlib import Path

from ...errors import InputError
from ...volumes.image_files import READABLE
from ...volumes.volume import CTVolume
from .annotations import regions_from_voc
from .dicom_objects import regions_from_dicom
from .label_maps import read_regions
from .markups import regions_from_markups
from .random_boxes import DEFAULT_SIZE_MM, HU_RANGES, draw_regions
from .region import Region
from .shapes import region_from_ball, region_from_box, whole_slices, without_padding

ROI_HELP = """\
  FILE.nrrd, FILE.nii.gz       label map on the voxels of the reference
  FILE.dcm                     DICOM SEG or RTSTRUCT
  FILE.mrk.json                boxes (ROI markups) of 3D Slicer
  FOLDER                       tumour boxes in Pascal VOC, SOPInstanceUID.xml
  box:X,Y,Z,DX,DY,DZ           box, its centre in the patient (LPS) and its size, mm
  sphere:X,Y,Z,R               sphere, centre and radius, mm
  slices                       every slice, all of it
  random:N                     N boxes in each HU range, drawn on the smoothed reference;
                               ,seed=S ,size=DXxDYxDZ (mm) ,range=LOW..HIGH (HU)
                               ,fill=SHARE (least share of the box inside the range);
                               fewer where the range has no room for more
What lies outside the field of view never belongs to a region.
"""


def regions_of(text: str, reference: CTVolume, group: str = "") -> tuple[list[Region], list[dict]]:
    """The regions that a text names, on the voxels of the reference, and the table of candidates where they are drawn at random.

    text: one of the forms in `ROI_HELP`. group: the patient. See `draw_regions` for the table.
    Of several regions, those that lie in padding alone are left out. Random regions may be fewer than wanted, or none: the table says so.
    Raises InputError where the text has no such form, what it names cannot be used, or all of it lies in padding.
    """
    name, _, arguments = str(text).partition(":")
    if name == "random" and arguments:
        return _random(str(text), arguments, reference, group)
    regions = without_padding(_named(str(text), name, arguments, reference, group), reference.padding)
    if not regions:
        raise InputError(f"The region {text} lies outside the field of view of {reference.name}, where nothing was measured; move it inside.")
    return regions, []


def _named(text: str, name: str, arguments: str, reference: CTVolume, group: str) -> list[Region]:
    if name == "box" and arguments:
        *centre, dx, dy, dz = _numbers(text, arguments, 6)
        return [region_from_box(reference, centre, (dx, dy, dz), name=text, group=group)]
    if name == "sphere" and arguments:
        *centre, radius = _numbers(text, arguments, 4)
        return [region_from_ball(reference, centre, radius, text, group=group)]
    if text == "slices":
        return whole_slices(reference, group)
    path = Path(text)
    if path.is_dir():
        return _from_voc(path, reference, group)
    if not path.is_file():
        raise InputError(f"The region {text} is neither a file or folder that exists nor one of box:, sphere:, slices and random:; see --help.")
    if path.name.lower().endswith(".mrk.json"):
        return regions_from_markups(path, reference, group=group)
    if path.name.lower().endswith(READABLE):
        return _from_labels(text, reference, group)
    return regions_from_dicom(path, reference, group=group)


def _from_voc(path: Path, reference: CTVolume, group: str) -> list[Region]:
    regions = regions_from_voc(path, reference, group=group)
    if not regions:
        raise InputError(f"No file in {path} names a slice of {reference.name}; give the boxes that were drawn on this series.")
    return regions


def _from_labels(text: str, reference: CTVolume, group: str) -> list[Region]:
    marked = read_regions(text)
    misfit = marked.why_not_on(reference)
    if misfit:
        raise InputError(misfit)
    return [Region(region.name, region.hu_range, region.kind, region.slices, region.mask, group) for region in marked.regions]


def _random(text: str, arguments: str, reference: CTVolume, group: str) -> tuple[list[Region], list[dict]]:
    count, *options = arguments.split(",")
    wanted = dict(option.partition("=")[::2] for option in options)
    if len(wanted) < len(options) or set(wanted) - {"seed", "size", "range", "fill"}:
        raise _not_understood(text)
    try:
        number, seed, fill = int(count), int(wanted.get("seed", 0)), float(wanted["fill"]) if "fill" in wanted else None
        x, y, z = (float(part) for part in wanted["size"].split("x")) if "size" in wanted else DEFAULT_SIZE_MM[::-1]
        low, high = (float(part) for part in wanted["range"].split("..")) if "range" in wanted else HU_RANGES[0]
    except ValueError as error:
        raise _not_understood(text) from error
    usable = number > 0 <= seed and all(0 < size < math.inf for size in (x, y, z)) and low < high and (fill is None or 0 < fill <= 1)
    if not usable:  # which "not a number" never is
        raise _not_understood(text)
    ranges = [(low, high)] if "range" in wanted else HU_RANGES
    return draw_regions(reference, number, seed, (z, y, x), group, ranges, fill)


def _numbers(text: str, arguments: str, count: int) -> list[float]:
    try:
        numbers = [float(part) for part in arguments.split(",")]
    except ValueError as error:
        raise _not_understood(text) from error
    if len(numbers) != count or not all(map(math.isfinite, numbers)) or any(number <= 0 for number in numbers[3:]):
        raise _not_understood(text)
    return numbers


def _not_understood(text: str) -> InputError:
    return InputError(f"The region {text} cannot be understood; write box:X,Y,Z,DX,DY,DZ, sphere:X,Y,Z,R or random:N,seed=S,size=DXxDYxDZ,"
                      "range=LOW..HIGH,fill=SHARE, with N and sizes above 0, LOW below HIGH and SHARE up to 1.")  # fmt: skip
