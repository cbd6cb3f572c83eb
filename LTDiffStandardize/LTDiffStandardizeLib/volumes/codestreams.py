"""What compressed pixels say of themselves, read before a decoder believes it: decoders take the memory that a stream claims."""
from __future__ import annotations

from struct import error, unpack_from

# Markers, each after FF: frame headers of JPEG (ITU-T T.81, B.2.2) and JPEG-LS (T.87, C.2.2); markers without a segment.
FRAMES = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
WITHOUT_SEGMENT = {0x01, *range(0xD0, 0xD9)}
JPEG_2000 = b"\xff\x4f\xff\x51"  # start of codestream, image and tile size (ITU-T T.800, A.4 and A.5)


def size_and_components(stream: bytes) -> tuple[int, int, int] | None:
    """(rows, columns, components) of a JPEG, JPEG-LS, JPEG 2000 or HTJ2K stream; None where it does not say them."""
    try:
        if stream[:2] == b"\xff\xd8":
            return _of_jpeg(stream)
        start = stream.find(JPEG_2000)
        return _of_jpeg_2000(stream, start + len(JPEG_2000)) if start >= 0 else None
    except (error, IndexError):
        return None


def _of_jpeg(stream: bytes) -> tuple[int, int, int] | None:
    position = 2
    while stream[position] == 0xFF:
        marker = stream[position + 1]
        if marker in FRAMES:
            rows, columns, components = unpack_from(">HHB", stream, position + 5)
            return rows, columns, components
        if marker == 0xFF:  # fill
            position += 1
        elif marker in WITHOUT_SEGMENT:
            position += 2
        else:
            position += 2 + unpack_from(">H", stream, position + 2)[0]
    return None


def _of_jpeg_2000(stream: bytes, start: int) -> tuple[int, int, int]:
    right, bottom, left, top = unpack_from(">4I", stream, start + 4)
    return bottom - top, right - left, unpack_from(">H", stream, start + 36)[0]
