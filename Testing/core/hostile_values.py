"""Values that a scanner would not write, as bytes, for the elements that the reading of a CT series depends on."""
from __future__ import annotations

import struct
from random import Random

TEXTS = (
    b"", b" ", b".", b"..", b"../../x", b"/etc/passwd", b"C:\\x", b"CON", b"NUL.nrrd", b"A\0B", b"\0" * 20, b"\xff\xfe\x80", "ä€日".encode(), b"\\" * 60, b"x" * 300,
    b"<script>alert(1)</script>", b'" onload="alert(1)', b"{{7*7}}", b"$title", b"%s%n", b"\x1b[31mred\x07", b"one\nline\r\nmore",
    "\u202eevil\u2028".encode(), b"a" * 65534,
)  # fmt: skip
LONG_TEXT = 10 * 2**20  # bytes; rare, as writing and reading it takes time
DECIMALS = (
    b"", b"0", b"-0", b"1", b"-1", b"nan", b"inf", b"-inf", b"1e308", b"-1e308", b"1e300", b"1e309", b"1e-308", b"1e-10", b"1e10", b"0.001", b"1e-3", b"20", b"1e5",
    b"9" * 400, b"abc", b"1,5", b"--1", b"0x10", b"1e", b"\0", b"1_0", b"1\\2", b"1\\2\\3\\4\\5\\6\\7", b"2147483647", b"32768",
)  # fmt: skip
INTEGERS = (b"", b"0", b"1", b"2", b"-1", b"3", b"65535", b"2147483647", b"99999999999", b"1e3", b"1.5", b"nan", b"abc", b"9" * 400, b"1\\2")
SHORTS = (0, 1, 2, 3, 7, 8, 10, 12, 13, 15, 16, 17, 32, 33, 64, 255, 256, 4096, 8192, 8193, 32767, 32768, 65535)
ODD_SHORTS = (b"", b"\1", b"\1\2\3", b"\1\0" * 8)
KINDS = {
    "DS": "SliceThickness SpacingBetweenSlices GantryDetectorTilt RescaleSlope RescaleIntercept KVP ReconstructionDiameter LossyImageCompressionRatio",
    "IS": "NumberOfFrames SeriesNumber InstanceNumber AcquisitionNumber XRayTubeCurrent ExposureTime Exposure",
    "US": "Rows Columns BitsAllocated BitsStored HighBit PixelRepresentation SamplesPerPixel PixelPaddingValue PixelPaddingRangeLimit TemporalPositionIndex",
    "CS": "Modality PhotometricInterpretation RescaleType ImageType PixelPresentation LossyImageCompression SpecificCharacterSet PatientPosition FrameType",
    "LO": "Manufacturer ManufacturerModelName ConvolutionKernel PatientName PatientID StudyDate AcquisitionTime FrameComments",
    "UI": "SOPClassUID SOPInstanceUID SeriesInstanceUID StudyInstanceUID FrameOfReferenceUID",
    "VECTOR": "PixelSpacing ImageOrientationPatient ImagePositionPatient",
}  # fmt: skip
KEYWORDS = {keyword: kind for kind, keywords in KINDS.items() for keyword in keywords.split()}
CHARACTER_SETS = (b"ISO_IR 192", b"ISO_IR 100", b"ISO 2022 IR 87", b"\\ISO 2022 IR 149", b"GB18030", b"nonsense", b"utf_7", b"zip", b"ISO_IR 13\\ISO 2022 IR 87")


def hostile_value(keyword: str, now: bytes, little_endian: bool, random: Random) -> bytes:
    """Another value for an element; `now`: the one it has."""
    kind = KEYWORDS[keyword]
    if kind == "US":
        return random.choice(ODD_SHORTS) if random.random() < 0.15 else struct.pack("<H" if little_endian else ">H", random.choice(SHORTS))
    if random.random() < 0.001:
        return b"x" * LONG_TEXT
    if keyword == "SpecificCharacterSet":
        return random.choice(CHARACTER_SETS)
    if kind == "VECTOR":
        return _hostile_vector(now, random)
    choices = {"DS": DECIMALS, "IS": INTEGERS}.get(kind, TEXTS)
    return random.choice(TEXTS if random.random() < 0.1 else choices)


def _hostile_vector(now: bytes, random: Random) -> bytes:
    parts = now.strip(b" \0").split(b"\\")
    way = random.randrange(5)
    if way == 0:
        return b"\\".join([random.choice(DECIMALS)] * len(parts))
    if way == 1:
        return b"\\".join(parts[: random.randrange(len(parts) + 1)])
    if way == 2:
        return b"\\".join(parts + parts)
    if way == 3:
        return b"\\".join(parts[::-1])
    parts[random.randrange(len(parts))] = random.choice(DECIMALS)
    return b"\\".join(parts)
