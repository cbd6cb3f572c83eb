"""Making inherited elements ones that the standard allows: archives hold many that it does not (DICOM PS3.5, 6.2; PS3.3, A.3)."""
from __future__ import annotations

from .derivation import stable_uid

# Type 2 elements of the CT Image IOD: there, empty where unknown.
TYPE_2 = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "ReferringPhysicianName", "StudyID",
    "AccessionNumber", "SeriesNumber", "PatientPosition", "PositionReferenceIndicator", "Manufacturer", "InstanceNumber", "KVP",
    "AcquisitionNumber", "SliceThickness",
)  # fmt: skip
# Defined terms of BodyPartExamined that are no pair (PS3.16, Annex L): with them Laterality must not be there, with others it must.
UNPAIRED = frozenset(
    """ABDOMEN ABDOMENPELVIS AORTA BACK BLADDER BRAIN CEREBELLUM CSPINE CTSPINE CERVIX CHEST CHESTABDOMEN CHESTABDPELVIS CIRCLEOFWILLIS
    COCCYX COLON CORONARYARTERY DUODENUM WHOLEBODY ESOPHAGUS FACE GALLBLADDER HEAD HEADNECK HEART ILEUM ILIUM JAW JEJUNUM LARYNX LIVER
    LSPINE LSSPINE MAXILLA MEDIASTINUM MOUTH NECK NECKCHEST NECKCHESTABDOMEN NECKCHESTABDPELV NOSE PANCREAS PELVIS PENIS PHARYNX PROSTATE
    RECTUM SSPINE SCALP SKULL SPINE SPLEEN STERNUM STOMACH TSPINE TLSPINE THYMUS THYROID TONGUE TRACHEA URETER URETHRA UTERUS VAGINA
    VULVA""".split()
)
ENUMERATED = {
    "PatientSex": "M F O", "Laterality": "R L", "BurnedInAnnotation": "YES NO", "LossyImageCompression": "00 01", "RotationDirection": "CW CC",
    "PatientIdentityRemoved": "YES NO", "QualityControlImage": "YES NO BOTH", "PatientPosition": "HFP HFS HFDR HFDL FFDR FFDL FFP FFS LFP LFS RFP "
    "RFS AFDR AFDL PFDR PFDL",
}  # fmt: skip
IDENTITY_UIDS = ("StudyInstanceUID", "FrameOfReferenceUID")
LONGEST = {"SH": 16, "LO": 64, "ST": 1024, "LT": 10240, "PN": 64, "CS": 16}
STRINGS = (*LONGEST, "AE", "AS", "DA", "DS", "DT", "IS", "TM", "UC", "UI", "UR", "UT")
UTF_8 = "ISO_IR 192"


def make_valid(header) -> None:
    """Mends what can be mended, and drops what cannot; elements of type 2 are there afterwards, if empty.

    A study or frame of reference with a UID that is none gets one that follows from it, so that its series stay together.
    """
    for keyword in IDENTITY_UIDS:
        value = str(header.get(keyword) or "")
        if value and not _is_valid("UI", value):
            setattr(header, keyword, stable_uid(value))
    for element in list(header):
        if not element.tag.is_private and (element.tag.element == 0 or not _mend(element) or _is_out_of_range(element)):
            del header[element.tag]
    for keyword in TYPE_2:
        if keyword not in header:
            setattr(header, keyword, None)
    _set_laterality(header)
    if header.get("PatientIdentityRemoved") == "YES" and not ("DeidentificationMethod" in header or "DeidentificationMethodCodeSequence" in header):
        header.DeidentificationMethod = "Not stated by the source"
    _set_character_set(header)


def _set_laterality(header) -> None:
    if header.get("BodyPartExamined") in UNPAIRED:
        if "Laterality" in header:
            del header.Laterality
    elif "Laterality" not in header:
        header.Laterality = ""


def _mend(element) -> bool:
    """Whether the element is one that the standard allows; texts are cut and numbers shortened for it to be."""
    if element.VR == "SQ":
        return all(_mend_all(item) for item in element.value)
    if element.VR not in STRINGS or element.is_empty:
        return True
    values = list(element.value) if element.VM > 1 else [element.value]
    if all(_is_valid(element.VR, str(value)) for value in values):
        return True
    mended = [_mended(element.VR, value) for value in values]
    if not all(value is not None and _is_valid(element.VR, str(value)) for value in mended):
        return False
    element.value = mended if element.VM > 1 else mended[0]
    return True


def _is_out_of_range(element) -> bool:
    allowed = ENUMERATED.get(element.keyword)
    return bool(allowed) and not element.is_empty and str(element.value) not in allowed.split()


def _mend_all(item) -> bool:
    return all(element.tag.is_private or _mend(element) for element in item)


def _mended(vr: str, value):
    if vr == "DS":
        from pydicom.valuerep import DSfloat

        return DSfloat(float(value), auto_format=True)
    if vr not in LONGEST:
        return None
    text = "".join(letter if letter.isprintable() or letter in "\r\n\t\f" and vr in ("ST", "LT") else " " for letter in str(value))
    if vr == "CS":
        text = "".join(letter if letter.isalnum() and letter.isascii() or letter in " _" else "_" for letter in text.upper())
    return text[: LONGEST[vr]].strip()


def _is_valid(vr: str, text: str) -> bool:
    from pydicom import config
    from pydicom.valuerep import validate_value

    if any(ord(letter) < 32 and letter not in "\r\n\t\f\x1b" for letter in text):
        return False
    if vr == "UI" and (not text or any(part != "0" and part.startswith("0") for part in text.split(".")) or text.split(".")[0] not in "012"):
        return False
    if vr in ("DA", "TM", "DT", "AS", "CS") and text != text.strip():
        return False
    try:
        validate_value(vr, text, config.RAISE)
    except ValueError:
        return False
    return True


def _set_character_set(header) -> None:
    """UTF-8 where a text needs more than ASCII, since the source may have stated none or the wrong one."""
    if all(text.isascii() for text in _texts(header)):
        if "SpecificCharacterSet" in header:
            del header.SpecificCharacterSet
    else:
        header.SpecificCharacterSet = UTF_8


def _texts(header):
    for element in header:
        if element.VR == "SQ":
            for item in element.value:
                yield from _texts(item)
        elif element.VR in ("SH", "LO", "ST", "LT", "PN", "UC", "UT"):
            yield str(element.value)
