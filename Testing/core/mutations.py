"""Damaged and hostile CT series: for every number always the same one, made from the sound seeds of `fuzz_seeds`.

What is changed: bytes (of the whole file, its header or its pixels), lengths, single values, value representations, sequences, functional
groups, fragments and sizes of compressed pixels, and the transfer syntax that a file claims to have.
"""
from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from random import Random

import pydicom
from fuzz_seeds import Files, body_start, with_body
from hostile_values import KEYWORDS, hostile_value
from pydicom.dataelem import RawDataElement
from pydicom.encaps import encapsulate, generate_fragments
from pydicom.filewriter import write_file_meta_info
from pydicom.sequence import Sequence
from pydicom.tag import Tag

PIXELS = (b"\xe0\x7f\x10\x00", b"\x7f\xe0\x00\x10")  # the tag (7FE0,0010) in both byte orders
ITEM, LONG_VRS = b"\xfe\xff\x00\xe0", ("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV")
LENGTHS = (0, 1, 2, 3, 0x7F, 0xFF, 0xFFFE, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
VRS = ("AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "OB", "OW", "PN", "SH", "SL", "SQ", "SS", "ST", "TM", "UI", "UL", "UN", "US", "UT", "??")
SYNTAXES = (
    "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81",
    "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.100", "1.2.840.10008.1.2.4.92", "1.2.3", "", "x" * 64,
)  # fmt: skip
SIZES = (0, 1, 31, 33, 64, 4096, 8192, 30000, 60000, 65535, 2**31 - 1, 2**32 - 1)  # rows and columns
SHARE_OF_REAL = 5
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"


def mutated_series(number: int, made: Mapping[str, Files], real: Mapping[str, Files]) -> tuple[str, dict[str, bytes]]:
    """What was done, in words, and the files by name. In most series one file is changed, in some every file in the same way or in its own.

    Every fifth number begins with a real file where there are any; the others are the same with them and without.
    """
    random = Random(number)
    seeds = real if real and number % SHARE_OF_REAL == 0 else made
    seed = random.choice(list(seeds))
    files, done = list(seeds[seed]), []
    which = [random.randrange(len(files))] if random.random() < 0.7 else range(len(files))
    alike = random.getrandbits(64) if random.random() < 0.6 else None
    for index in which:
        files[index], names = mutated(files[index], Random(random.getrandbits(64) if alike is None else alike))
        done.append(f"{index}: {' '.join(names)}")
    if random.random() < 0.03:
        files.append(files[random.randrange(len(files))])
    return f"{seed}; {'; '.join(done)}", {f"{index:03d}.dcm": data for index, data in enumerate(files)}


def mutated(data: bytes, random: Random) -> tuple[bytes, list[str]]:
    """The file with one to three mutations, and their names. One that does not apply to what earlier ones left is passed over."""
    names = []
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        mutation = random.choices(list(MUTATIONS), list(MUTATIONS.values()))[0]
        try:
            data = mutation(data, random)
            names.append(mutation.__name__)
        except Exception:  # pydicom cannot take apart what is broken already
            continue
    return data, names


def bytes_changed(data: bytes, random: Random) -> bytes:
    """Bits, runs, cuts, copies and insertions somewhere in the file, in its header or in its pixels."""
    if pydicom.uid.DeflatedExplicitVRLittleEndian.encode() + b"\0" in data[:400] and random.random() < 0.7:
        return with_body(data, lambda body: _bytes_changed(body, random))
    return _bytes_changed(data, random)


def _bytes_changed(data: bytes, random: Random) -> bytes:
    pixels = max(data.rfind(tag) for tag in PIXELS)
    low, high = random.choice(((0, len(data)), (0, max(pixels, 1)), (max(pixels, 0), len(data)), (max(pixels, 0), max(pixels, 0) + 200)))
    high = max(min(high, len(data)), low + 1)
    at, length = random.randrange(low, high), random.choice((1, 2, 4, 8, 16, 50, 300))
    changed = bytearray(data)
    match random.randrange(7):
        case 0:
            for _ in range(random.choice((1, 1, 3, 10, 40))):
                changed[random.randrange(low, high) % len(changed)] ^= 1 << random.randrange(8)
        case 1:
            changed[at:at + length] = random.choice((b"\0", b"\xff", b"\x80", b"\x7f", b" ")) * length
        case 2:
            changed[at:at + length] = random.randbytes(length)
        case 3:
            del changed[at:]
        case 4:
            del changed[at:at + length]
        case 5:
            changed[at:at] = changed[at:at + length] * random.choice((1, 2, 50))
        case 6:
            changed[at:at] = random.randbytes(length)
    return bytes(changed)


def length_changed(data: bytes, random: Random) -> bytes:
    """The length field of an element, or of an item of a sequence or a fragment."""
    little = _syntax(data) != "1.2.840.10008.1.2.2"
    items = [at + 4 for at in _places(data, ITEM)]
    places = [(at, 4) for at in items] if items and random.random() < 0.4 else _length_fields(data)
    at, size = random.choice(places)
    length = random.choice((*LENGTHS, random.randrange(2**32))) % 256**size
    return data[:at] + length.to_bytes(size, "little" if little else "big") + data[at + size:]


def _length_fields(data: bytes) -> list[tuple[int, int]]:
    """(offset, bytes) of the length of every element at the top level that was not read yet."""
    dataset = _dataset(data)
    raw = [dataset.get_item(tag) for tag in dataset.keys()]
    return [(one.value_tell - 4, 4) if one.is_implicit_VR or one.VR in LONG_VRS else (one.value_tell - 2, 2) for one in raw if hasattr(one, "value_tell")]


def value_changed(data: bytes, random: Random) -> bytes:
    """A value that the reader asks for, wherever it stands."""
    def change(dataset) -> None:
        holders = [(one, keyword) for one in _datasets(dataset) for keyword in KEYWORDS if keyword in one]
        holder, keyword = random.choice(holders) if random.random() < 0.9 else (dataset, random.choice(list(KEYWORDS)))
        now = str(holder.get(keyword) or "").strip("[]").replace(", ", "\\").encode()
        _put(holder, keyword, hostile_value(keyword, now, _syntax(data) != "1.2.840.10008.1.2.2", random))
    return _rewritten(data, change)


def element_removed(data: bytes, random: Random) -> bytes:
    def change(dataset) -> None:
        holder = random.choice(list(_datasets(dataset)))
        del holder[random.choice(list(holder.keys()))]
    return _rewritten(data, change)


def kind_changed(data: bytes, random: Random) -> bytes:
    """The value representation of an element."""
    def change(dataset) -> None:
        tag = random.choice(list(dataset.keys()))
        _put(dataset, tag, dataset.get_item(tag).value, random.choice(VRS))
    return _rewritten(data, change)


def sequence_added(data: bytes, random: Random) -> bytes:
    """A sequence in a sequence and so on, of defined or undefined lengths, ended or not."""
    depth, ended, value = random.choice((5, 100, 1200)), random.random() < 0.7, b""
    tag, vr = b"\x18\x00\x01\xa0", b"SQ\0\0" if not _is_implicit(data) else b""
    for _ in range(depth):
        undefined = random.random() < 0.5
        length = b"\xff\xff\xff\xff" if undefined else len(value).to_bytes(4, "little")
        item = ITEM + length + value + (b"\xfe\xff\x0d\xe0\0\0\0\0" if undefined and ended else b"")
        value = tag + vr + len(item).to_bytes(4, "little") + item
    return _rewritten(data, lambda dataset: _put(dataset, Tag(0x0018A001), value, "SQ"))


def groups_changed(data: bytes, random: Random) -> bytes:
    """Functional groups: items lost, doubled, emptied or exchanged; for a file of one frame, groups that it should not have."""
    def change(dataset) -> None:
        sequences = [one for holder in _datasets(dataset) for one in holder if one.VR == "SQ"]
        if "PerFrameFunctionalGroupsSequence" not in dataset:
            dataset.SOPClassUID, dataset.NumberOfFrames = ENHANCED_CT, 1
            dataset.PerFrameFunctionalGroupsSequence = Sequence([pydicom.Dataset()] * random.randrange(3))
            return
        one = random.choice(sequences)
        match random.randrange(5):
            case 0:
                one.value = Sequence()
            case 1:
                one.value = Sequence([*one.value, *one.value])
            case 2:
                one.value = Sequence([pydicom.Dataset() for _ in one.value])
            case 3:
                one.value = Sequence([deepcopy(random.choice([*_datasets(dataset)][1:])), *one.value[1:]])
            case 4:
                one.value = Sequence(one.value[:-1])
    return _rewritten(data, change)


def fragments_changed(data: bytes, random: Random) -> bytes:
    """Compressed pixels: the offset table and the fragments, lost, emptied, cut, doubled or damaged; native ones declared to be compressed."""
    def change(dataset) -> None:
        if not dataset.file_meta.TransferSyntaxUID.is_compressed:
            dataset.PixelData, dataset["PixelData"].is_undefined_length, dataset["PixelData"].VR = encapsulate([dataset.PixelData]), True, "OB"
            return
        table, *fragments = generate_fragments(dataset.PixelData)
        at = random.randrange(len(fragments))
        match random.randrange(9):
            case 0:
                fragments[at] = b""
            case 1:
                del fragments[at]
            case 2:
                fragments.insert(at, fragments[at])
            case 3:
                fragments[at] = fragments[at][: random.randrange(len(fragments[at]))]
            case 4 | 5 | 6:
                fragments[at] = _bytes_changed(fragments[at], random)
            case 7:
                middle = len(fragments[at]) // 2
                fragments[at:at + 1] = [fragments[at][:middle], fragments[at][middle:]]
            case 8:
                table = b"".join(random.choice((0, 8, 2**31, 2**32 - 1)).to_bytes(4, "little") for _ in range(random.randrange(4)))
        joined = b"".join(ITEM + (len(one) + len(one) % 2).to_bytes(4, "little") + one + b"\0" * (len(one) % 2) for one in (table, *fragments))
        end = b"\xfe\xff\xdd\xe0\0\0\0\0" if random.random() < 0.8 else b""
        dataset.PixelData = joined + end
    return _rewritten(data, change)


def size_claimed(data: bytes, random: Random) -> bytes:
    """Rows and columns in the stream of compressed pixels itself: JPEG 2000 (SIZ), JPEG and JPEG-LS (start of frame)."""
    for marker, offset, width in ((rb"\xff\x4f\xff\x51", 8, 4), (rb"\xff[\xc0-\xc3\xf7]\x00\x0b", 5, 2)):
        if found := re.search(marker, data):
            sizes = [random.choice(SIZES) % 256**width for _ in range(2)]
            at = found.start() + offset
            return data[:at] + b"".join(size.to_bytes(width, "big") for size in sizes) + data[at + 2 * width:]
    raise ValueError("no stream whose size could be changed")


def syntax_changed(data: bytes, random: Random) -> bytes:
    """Another transfer syntax than that of the content."""
    with io.BytesIO() as file:
        meta = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True).file_meta
        meta.add(pydicom.DataElement(0x00020010, "UI", random.choice(SYNTAXES), validation_mode=0))
        write_file_meta_info(file, meta, enforce_standard=False)
        return b"\0" * 128 + b"DICM" + file.getvalue() + data[body_start(data):]


# each with the weight by which it is chosen
MUTATIONS: dict[Callable[[bytes, Random], bytes], int] = {
    bytes_changed: 30, length_changed: 12, value_changed: 40, element_removed: 6, kind_changed: 6, sequence_added: 1, groups_changed: 8,
    fragments_changed: 14, size_claimed: 3, syntax_changed: 5,
}  # fmt: skip


def _dataset(data: bytes):
    return pydicom.dcmread(io.BytesIO(data), force=True)


def _rewritten(data: bytes, change: Callable[[pydicom.Dataset], None]) -> bytes:
    dataset = _dataset(data)
    change(dataset)
    with io.BytesIO() as file:
        dataset.save_as(file, enforce_file_format=False)
        return file.getvalue()


def _datasets(dataset):
    """The dataset and those in its sequences."""
    yield dataset
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from _datasets(item)


def _put(dataset, keyword: str | int, value: bytes, vr: str | None = None) -> None:
    """Sets the bytes of an element, which nothing checks."""
    value += b" " * (len(value) % 2)
    implicit, little = dataset.original_encoding if None not in dataset.original_encoding else (False, True)
    tag = Tag(keyword)
    dataset[tag] = RawDataElement(tag, vr or pydicom.datadict.dictionary_VR(tag).split()[0], len(value), value, 0, implicit, little)


def _syntax(data: bytes) -> str:
    return str(_dataset(data).file_meta.get("TransferSyntaxUID", ""))


def _is_implicit(data: bytes) -> bool:
    return bool(_dataset(data).original_encoding[0])


def _places(data: bytes, part: bytes) -> list[int]:
    found, at = [], data.find(part)
    while at >= 0:
        found.append(at)
        at = data.find(part, at + 1)
    return found
