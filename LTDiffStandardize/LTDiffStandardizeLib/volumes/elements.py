"""Reading DICOM files and single elements of them, whatever is wrong with the file."""
from __future__ import annotations

import logging
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sys import intern
from typing import Any

import numpy as np

CT_IMAGE, ENHANCED_CT, LEGACY_CONVERTED_CT = (f"1.2.840.10008.5.1.4.1.1.2{ending}" for ending in ("", ".1", ".2"))  # SOP classes (PS3.4, B.5)
LONGEST_TEXT = 256  # characters kept of an element; no value that is asked for may be longer (DICOM PS3.5, 6.2)
DEFLATED = b"1.2.840.10008.1.2.1.99"
MOST_INFLATED = 1 << 30  # bytes
HIGHEST_RATIO = 1032  # of what deflate can make out of one byte


class TooLarge(ValueError):
    """A deflated file that would take more than `MOST_INFLATED`."""


@contextmanager
def quiet() -> Iterator[None]:
    """Invalid values are common in archives, and judged elsewhere; pydicom's complaints quote them, and so may name a patient."""
    logger = logging.getLogger("pydicom")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before, logger.disabled = logger.disabled, True
        try:
            yield
        finally:
            logger.disabled = before


def is_dicom(path: Path) -> bool:
    """Whether it is a regular file that begins as DICOM does: with the Part 10 preamble, or bare with an element of group 0002 or 0008."""
    if not path.is_file():  # to open a pipe would wait for its writer
        return False
    with open(path, "rb") as file:
        head = file.read(132)
    return head[128:] == b"DICM" or (head[:2] in (b"\x02\x00", b"\x08\x00") and head[3:4] == b"\x00" and len(head) == 132)


def read_dataset(path: Path, **options: Any):
    """pydicom's dataset of a file that `is_dicom`; files without a Part 10 header are read too. Raises almost anything where it is damaged."""
    import pydicom

    with quiet():
        _refuse_bomb(path)
        dataset = pydicom.dcmread(path, force=True, **options)
    if "TransferSyntaxUID" not in dataset.file_meta:
        explicit, implicit = pydicom.uid.ExplicitVRLittleEndian, pydicom.uid.ImplicitVRLittleEndian
        dataset.file_meta.TransferSyntaxUID = implicit if dataset.is_implicit_VR else explicit
    return dataset


def _refuse_bomb(path: Path) -> None:
    """pydicom inflates a deflated file whole, however large that is."""
    if path.stat().st_size * HIGHEST_RATIO <= MOST_INFLATED:
        return
    with open(path, "rb") as file:
        head = file.read(1024)
        if DEFLATED not in head:
            return
        # The group length (0002,0000) comes first, and tells where the deflated part begins (DICOM PS3.10, 7.1).
        file.seek(144 + int.from_bytes(head[140:144], "little"))
        inflater, total = zlib.decompressobj(-zlib.MAX_WBITS), 0
        rest = file.read(1 << 20)
        while rest and not inflater.eof:
            total += len(inflater.decompress(rest, 1 << 24))
            if total > MOST_INFLATED:
                raise TooLarge(f"inflates to more than {MOST_INFLATED >> 20} MB")
            rest = inflater.unconsumed_tail or file.read(1 << 20)


def text(dataset, keyword: str) -> str:
    """Several values joined by backslashes, in printable characters; "" where there is none."""
    value = dataset.get(keyword)
    if value is None or isinstance(value, bytes):
        return ""
    parts = [value] if isinstance(value, str) or not hasattr(value, "__iter__") else value
    joined = "\\".join(" ".join(str(part).split()) for part in parts)[:LONGEST_TEXT]
    return intern("".join(letter if letter.isprintable() else "?" for letter in joined))  # mostly the same in all slices of a cohort


def numbers(dataset, keyword: str) -> tuple[float, ...]:
    """The finite numbers of an element; () where one of them is none."""
    try:
        value = dataset.get(keyword)
        values = [] if value is None or value == "" else np.atleast_1d(np.asarray(value, np.float64)).tolist()
    except (TypeError, ValueError):
        return ()
    return tuple(values) if np.isfinite(values).all() else ()


def number(dataset, keyword: str) -> float | None:
    return next(iter(numbers(dataset, keyword)), None)
