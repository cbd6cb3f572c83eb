"""Lossless transfer syntaxes in which derived series can be stored (DICOM PS3.5, A.4)."""
from __future__ import annotations

NONE = "none"
SYNTAXES = {
    NONE: "1.2.840.10008.1.2.1",  # Explicit VR Little Endian
    "rle": "1.2.840.10008.1.2.5",
    "jpegls": "1.2.840.10008.1.2.4.80",
    "jpeg2000": "1.2.840.10008.1.2.4.90",
}
ENCODERS = {"rle": "pydicom", "jpegls": "pyjpegls", "jpeg2000": "pylibjpeg with pylibjpeg-openjpeg"}


def why_not_available(name: str) -> str | None:
    """One sentence where the encoder of a compression is missing here; None where it is there."""
    if name == NONE:
        return None
    try:
        from pydicom.pixels import get_encoder
    except ImportError:
        from pydicom.encoders import get_encoder
    try:
        if get_encoder(SYNTAXES[name]).is_available:
            return None
    except NotImplementedError:  # an older pydicom does not know the syntax
        pass
    return f"The compression {name} needs the Python package {ENCODERS[name]} (and pydicom 3), which is missing here; install it with pip, or choose another."


def compress(header, name: str) -> None:
    """Compresses the pixels of a dataset that has them uncompressed, and changes its transfer syntax."""
    if name == NONE:
        return
    try:
        header.compress(SYNTAXES[name], generate_instance_uid=False)
    except TypeError:  # pydicom 2 does not touch the instance UID
        header.compress(SYNTAXES[name])
