"""Who is who: anonymous identifiers, groups of records that are one patient, and the split that a group falls into.

As an archive grows a patient keeps its split, unless a new pair shows that two groups are one patient.
"""
from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from pathlib import Path

from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.volumes.atomic import file_aside

from .facts import SeriesFacts

SPLITS = ("train", "validation", "test")
SALT = "salt.txt"

Record = tuple[str, str]
"""Digests of PatientID and of the birth date, "" where there is none."""


def record_of(facts: SeriesFacts) -> Record:
    return facts.patient, facts.born


class PatientGroups:
    """Records joined because they are of one patient (union-find). A group is named by its lowest record, whatever came first."""

    def __init__(self) -> None:
        self._above: dict[Record, Record] = {}

    def join(self, first: Record, second: Record) -> None:
        low, high = sorted((self.group(first), self.group(second)))
        self._above[high] = low

    def join_undated(self, records: Iterable[Record]) -> None:
        """A record without birth date may be any of the same PatientID, so it is taken for all of them."""
        dated: dict[str, set[Record]] = {}
        for record in records:
            dated.setdefault(record[0], set()).add(record)
        for patient, same in dated.items():
            for record in same if (patient, "") in same else ():
                self.join((patient, ""), record)

    def group(self, record: Record) -> Record:
        above = self._above.setdefault(record, record)
        while above != self._above[above]:
            above = self._above[above]
        self._above[record] = above
        return above


def split_of(group: Record, seed: int, shares: tuple[float, float, float]) -> str:
    """The same for a group whatever else an archive holds. shares: of train, validation and test, of any sum."""
    number = int(_keyed(str(seed).encode(), "\n".join(group), 8), 16) / 16**16
    train, validation, test = (share / sum(shares) for share in shares)
    return SPLITS[0] if number < train else SPLITS[1] if number < train + validation else SPLITS[2]


def shares_of(text: str) -> tuple[float, float, float]:
    """Of a text such as 70/15/15. Raises InputError where it is none."""
    try:
        shares = tuple(float(part) for part in text.split("/"))
    except ValueError:
        shares = ()
    if len(shares) != 3 or not all(0 <= share < float("inf") for share in shares) or not sum(shares):
        raise InputError(f"{text} is no split; give the shares of train, validation and test such as 70/15/15.")
    return shares


class Anonymous:
    """Identifiers that tell nothing without the salt of the output folder, and are the same whenever they are asked for there.

    Raises InputError where the salt is damaged.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / SALT
        if not path.exists():
            with file_aside(path) as aside:
                aside.write_text(secrets.token_hex(32) + "\n", encoding="ascii")
        try:
            self._salt = bytes.fromhex(path.read_text(encoding="ascii").strip())
        except ValueError:
            self._salt = b""
        if len(self._salt) != 32:
            raise InputError(f"{path} is damaged; restore it, or choose another output folder.")

    def patient(self, group: Record) -> str:
        return "patient-" + _keyed(self._salt, "\n".join(group), 6)

    def pair(self, first: SeriesFacts, second: SeriesFacts) -> str:
        return "pair-" + _keyed(self._salt, "\n".join(sorted((first.key, second.key))), 8)


def _keyed(key: bytes, text: str, size: int) -> str:
    return hashlib.blake2b(text.encode(), key=key, digest_size=size).hexdigest()
