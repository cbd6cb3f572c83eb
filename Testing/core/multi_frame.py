"""Enhanced CT made with pydicom: the slices of a small series as frames of one file."""
import pydicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from small_series import ct_slice, save

ENHANCED = "1.2.840.10008.5.1.4.1.1.2.1"
PER_FRAME_GROUPS = {
    "PlanePositionSequence": ["ImagePositionPatient"],
    "PixelValueTransformationSequence": ["RescaleSlope", "RescaleIntercept", "RescaleType"],
    "CTReconstructionSequence": ["ConvolutionKernel", "ReconstructionDiameter"],
}
SHARED_GROUPS = {
    "PixelMeasuresSequence": ["PixelSpacing", "SliceThickness"],
    "PlaneOrientationSequence": ["ImageOrientationPatient"],
    "CTXRayDetailsSequence": ["KVP"],
}


def enhanced_ct(hu, each=lambda index: {}, **changes):
    """The dataset of all slices; `changes` and `each(index)` as for `ct_slice`, in the elements of single-frame CT."""
    slices = [ct_slice(index, values, **{**changes, **each(index)}) for index, values in enumerate(hu)]
    made = Dataset()
    made.update({element.tag: element for element in slices[0] if not element.tag.is_private and element.keyword not in _moved()})
    made.SOPClassUID, made.SOPInstanceUID, made.NumberOfFrames = ENHANCED, "1.2.3.99", len(slices)
    made.SharedFunctionalGroupsSequence = Sequence([_groups(slices[0], SHARED_GROUPS)])
    shared = made.SharedFunctionalGroupsSequence[0]
    exposure = Dataset()
    exposure.XRayTubeCurrentInmA, exposure.ExposureTimeInms = 200.0, 500.0
    shared.CTExposureSequence = Sequence([exposure])
    made.PerFrameFunctionalGroupsSequence = Sequence([_frame_groups(one, index) for index, one in enumerate(slices)])
    made.PixelData = b"".join(one.PixelData for one in slices)
    made["PixelData"].VR = "OW"
    return made


def save_enhanced(path, hu, transfer_syntax=pydicom.uid.ExplicitVRLittleEndian, **changes):
    return save(enhanced_ct(hu, **changes), path, transfer_syntax)


def compressed(dataset, syntax, **options):
    """The dataset with its pixels compressed by pydicom, with its encoder's options; to be saved with the same transfer syntax."""
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset.compress(syntax, generate_instance_uid=False, **options)
    return dataset


def _moved():
    keywords = [keyword for groups in (PER_FRAME_GROUPS, SHARED_GROUPS) for names in groups.values() for keyword in names]
    return {*keywords, "XRayTubeCurrent", "ExposureTime", "SmallestImagePixelValue", "LargestImagePixelValue"}


def _groups(one, names):
    made = Dataset()
    for group, keywords in names.items():
        item = Dataset()
        for keyword in keywords:
            setattr(item, keyword, one.get(keyword))
        setattr(made, group, Sequence([item]))
    return made


def _frame_groups(one, index):
    made = _groups(one, PER_FRAME_GROUPS)
    content = Dataset()
    content.StackID, content.InStackPositionNumber, content.FrameAcquisitionNumber = "1", index + 1, 7
    content.TemporalPositionIndex = int(one.get("TemporalPositionIndex") or 1)
    made.FrameContentSequence = Sequence([content])
    return made
