"""Whether what a header says can be a slice of a CT volume in HU as a scanner reconstructed it, and if not, why."""
from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from .elements import CT_IMAGE, ENHANCED_CT, LEGACY_CONVERTED_CT, quiet
from .headers import SliceHeader

CLASSES = ("", CT_IMAGE, ENHANCED_CT, LEGACY_CONVERTED_CT)  # de-identification may drop it
MOST_SIDE, MOST_FRAMES = 8192, 32768
PIXEL_MM, FARTHEST_MM, STEEPEST_DEGREES = (1e-3, 20.0), 1e5, 45.0
LONGEST_SHOWN = 40
LARGEST_SLOPE, LARGEST_INTERCEPT = 1e4, 1e6

# What ImageType (0008,0008) calls pictures that are not as they were reconstructed, in whole words of its third value and on
# (DICOM PS3.3 C.8.2.1.1.1, C.8.15.2.1.1 and what vendors write).
KINDS = {
    "a localizer (scout view)": {"LOCALIZER", "SCOUT", "SURVEY", "TOPO", "TOPOGRAM"},
    "a multiplanar reformat": {"MPR", "CPR", "REFORMATTED", "REFORMAT", "CURVED"},
    "a projection": {"MIP", "MINIP", "MAXIMUM", "MINIMUM", "PROJECTION"},
    "a rendering": {"VRT", "SSD", "RENDERED", "RENDERING", "RENDER"},
    "a perfusion map": {"PERFUSION", "RCBF", "RCBV", "MTT", "TTP", "CBF", "CBV"},
    "a dose sheet": {"DOSE", "PROT"},
    "a picture of a screen": {"SCREEN", "SCREENSHOT", "SNAPSHOT"},
    "a map of a material": {"IODINE", "VNC", "MATERIAL"},
    "a subtraction": {"SUBTRACTION", "SUBTRACTED"},
}
REMEDY = "choose the series of axial slices as the scanner reconstructed it"


def why_not_a_slice(header: SliceHeader) -> str | None:
    """The cause and remedy, a piece of a sentence; None where nothing speaks against it. No pixels are asked."""
    return next(_objections(header), None)


def kind_of_picture(header: SliceHeader) -> str | None:
    """What ImageType says it is, such as "a multiplanar reformat"; None for slices as they were reconstructed."""
    words = set(re.findall(r"[A-Z]+", " ".join(header.image_type[2:]).upper()))
    return next((kind for kind, names in KINDS.items() if words & names), None)


def _shown(text: str) -> str:
    """In damaged files a value can be anything, also what names the patient."""
    return re.sub(r"[^\w +-]", "", text)[:LONGEST_SHOWN].strip()


def _objections(header: SliceHeader) -> Iterator[str]:
    if header.problem:
        yield f"has a DICOM header that cannot be read ({header.problem}); export it again"
        return
    yield from _of_another_kind(header)
    if not (header.rows and header.columns):
        yield "holds no image; choose a CT series"
    if max(header.rows, header.columns) > MOST_SIDE or header.frames > MOST_FRAMES:
        yield (f"claims {header.rows} x {header.columns} pixels in {header.frames} frame(s), more than any CT image has "
               f"({MOST_SIDE} x {MOST_SIDE} in {MOST_FRAMES}); export it again")  # fmt: skip
    if header.samples != 1 or header.photometric != "MONOCHROME2":
        yield f"holds {_shown(header.photometric) or 'unnamed'} pictures, not HU (MONOCHROME2 with one sample per pixel); choose the CT series itself"
    yield from _badly_placed(header)
    yield from _not_in_hu(header)


def _of_another_kind(header: SliceHeader) -> Iterator[str]:
    from pydicom.uid import UID

    if header.modality != "CT":
        yield f"is not CT but {_shown(header.modality) or 'of no stated modality'}; choose a CT series"
    if header.sop_class_uid not in CLASSES:
        with quiet():
            name = UID(header.sop_class_uid).name.removesuffix(" Storage")
        remark = ", a picture of a screen" if "Secondary Capture" in name else ""
        yield f"is no CT image but a {name.lower() if name != header.sop_class_uid else 'private object'}{remark}; {REMEDY}"
    kind = kind_of_picture(header)
    if kind:
        yield f"is {kind} (image type {_shown(' '.join(filter(None, header.image_type)))}); {REMEDY}"
    if header.pixel_presentation in ("COLOR", "MIXED", "COLOR_RANGE", "TRUE_COLOR"):
        yield f"holds colours, not HU (pixel presentation {_shown(header.pixel_presentation)}); {REMEDY}"
    if header.frame is None and (header.frames > 1 or header.sop_class_uid in (ENHANCED_CT, LEGACY_CONVERTED_CT)):
        yield "is a multi-frame object that does not say where its frames lie (no functional groups); export it as single-frame CT"


def _badly_placed(header: SliceHeader) -> Iterator[str]:
    lowest, highest = PIXEL_MM
    if len(header.pixel_spacing) != 2 or not (lowest <= min(header.pixel_spacing) and max(header.pixel_spacing) <= highest):
        yield "has no valid PixelSpacing, so its size is unknown; export it again"
    if not _is_placed(header):
        yield "has no valid ImagePositionPatient and ImageOrientationPatient; export it again with them"
        return
    steepness = float(np.degrees(np.arccos(min(1.0, abs(float(header.normal[2]) / np.linalg.norm(header.normal))))))
    if steepness > STEEPEST_DEGREES:  # gantries tilt by 30 degrees
        yield f"lies {steepness:.0f} degrees off the axial plane, as no scanner reconstructs, so it is a reformat; {REMEDY}"


def _is_placed(header: SliceHeader) -> bool:
    if len(header.position) != 3 or len(header.orientation) != 6 or np.abs(header.position).max() > FARTHEST_MM or np.abs(header.orientation).max() > 2:
        return False
    row, column = np.array(header.orientation[:3]), np.array(header.orientation[3:])
    lengths_and_cosine = np.array([row @ row, column @ column, row @ column])
    return bool(np.allclose(lengths_and_cosine, [1, 1, 0], atol=0.01))


def _not_in_hu(header: SliceHeader) -> Iterator[str]:
    rescale = header.slope, header.intercept
    if None in rescale or not 0 < abs(header.slope) <= LARGEST_SLOPE or abs(header.intercept) > LARGEST_INTERCEPT:
        yield "has no valid RescaleSlope and RescaleIntercept, so its HU are unknown; export it again with them"
    if header.rescale_type not in ("", "HU", "US", "HU_MOD"):
        yield f"holds {_shown(header.rescale_type)} values, not HU (RescaleType); choose a series in HU"
