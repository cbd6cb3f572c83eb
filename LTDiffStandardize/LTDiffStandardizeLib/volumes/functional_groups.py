"""Frames of Enhanced and Legacy Converted Enhanced CT, each as the elements that a single-frame CT image would have."""
from __future__ import annotations

from collections.abc import Iterator

SHARED, PER_FRAME = "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"

# Functional group macros whose elements are those of the CT Image IOD (DICOM PS3.3 C.7.6.16.2 and C.8.15.3); the later ones overrule.
MACROS = (
    "UnassignedSharedConvertedAttributesSequence", "UnassignedPerFrameConvertedAttributesSequence",
    "PixelMeasuresSequence", "PlanePositionSequence", "PlaneOrientationSequence", "PixelValueTransformationSequence",
    "FrameContentSequence", "CardiacSynchronizationSequence", "CTImageFrameTypeSequence", "CTReconstructionSequence",
    "CTAcquisitionDetailsSequence", "CTExposureSequence", "CTXRayDetailsSequence", "CTTableDynamicsSequence",
)  # fmt: skip
RENAMED = {
    "FrameType": "ImageType", "FrameAcquisitionNumber": "AcquisitionNumber", "XRayTubeCurrentInmA": "XRayTubeCurrent",
    "ExposureTimeInms": "ExposureTime", "ExposureInmAs": "Exposure",
}  # fmt: skip


def is_multi_frame(dataset) -> bool:
    """Whether it says of each frame by itself what it is."""
    return PER_FRAME in dataset or SHARED in dataset


def number_of_frames(dataset) -> int:
    """As many as are described."""
    return len(dataset.get(PER_FRAME) or ())


def frames(dataset) -> Iterator:
    """A flat dataset for each frame that is described: the elements of the whole, and those of the frame."""
    for index in range(number_of_frames(dataset)):
        yield frame(dataset, index)


def frame(dataset, index: int):
    """The flat dataset of one frame, without pixels and functional groups."""
    from pydicom.dataset import Dataset

    flat = Dataset()
    flat.update({tag: dataset.get_item(tag) for tag in dataset.keys() if tag < 0x52000000})
    shared, own = dataset.get(SHARED) or (), dataset[PER_FRAME].value[index]
    for macro in MACROS:
        for group in (*shared[:1], own):
            for item in (group.get(macro) or ())[:1]:
                for element in item:
                    if not element.is_empty and element.VR != "SQ":
                        _set(flat, element)
    return flat


def _set(flat, element) -> None:
    keyword = RENAMED.get(element.keyword)
    if keyword is None:
        flat[element.tag] = element
    else:
        setattr(flat, keyword, _as_there(keyword, element.value))


def _as_there(keyword: str, value):
    """Numbers that are floating point here and whole in the CT Image IOD."""
    return value if keyword == "ImageType" else str(round(float(value)))
