"""What a comparison has written, read back for tables and charts."""
from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Iterator, Sequence

import numpy as np

from .comparing import STANDARD
from .files import VALUES


@dataclass(frozen=True)
class Findings:
    """The results of one comparison in a folder, with a reference (agreement) or without one (changes)."""

    folder: Path

    @property
    def has_reference(self) -> bool:
        return (self.folder / "agreement.json").is_file()

    @cached_property
    def classes(self) -> list[dict]:
        """Rows a class and range: those of agreement.json, or of changes.json."""
        if self.has_reference:
            return _json(self.folder / "agreement.json")
        return _json(self.folder / "changes.json")["classes"]

    @cached_property
    def summary(self) -> dict:
        return _json(self.folder / ("summary.json" if self.has_reference else "changes.json"))

    @cached_property
    def features(self) -> list[dict]:
        """Rows a feature: those of feature_agreement.csv, as texts; none without a reference."""
        return list(_rows(self.folder / "feature_agreement.csv")) if self.has_reference else []

    def ranges(self) -> list[str]:
        return list(dict.fromkeys(row["regions"] for row in self.classes))

    def class_names(self) -> list[str]:
        return list(dict.fromkeys(row["feature_class"] for row in self.classes))

    def methods(self) -> list[str]:
        return list(dict.fromkeys(row["method"] for row in self.classes)) if self.has_reference else []

    def class_rows(self, hu_range: str, feature_class: str = "") -> list[dict]:
        """Those of a range, and of a class unless that is ""."""
        return [row for row in self.classes if row["regions"] == hu_range and feature_class in ("", row["feature_class"])]

    def feature_rows(self, hu_range: str, feature_class: str = "") -> list[dict]:
        return [row for row in self.features if row["regions"] == hu_range and feature_class in ("", row["feature_class"])]

    def names_of(self, feature_class: str) -> list[tuple[str, str]]:
        """(class, feature) of a class, or with "" of all, in the order of the profile."""
        return [name for name in self.values.names if feature_class in ("", name[0])]

    def trustworthy(self, hu_range: str) -> dict[str, list]:
        """{"became": ..., "stayed": ..., ...}: the lists of features of `trustworthy`; none without a reference."""
        return self.summary["trustworthy"]["regions"].get(hu_range, {}) if self.has_reference else {}

    @cached_property
    def values(self) -> Values:
        """Every value of every feature."""
        return Values.read(self.folder / VALUES)


@dataclass(frozen=True, eq=False)
class Values:
    """values: (volumes, regions, features). volumes, regions, ranges, names ((class, feature)): what the axes are."""

    volumes: Sequence[str]
    regions: Sequence[str]
    ranges: Sequence[str]
    names: Sequence[tuple[str, str]]
    values: np.ndarray

    @staticmethod
    def read(path: Path) -> Values:
        with np.load(path, allow_pickle=False) as file:
            names = [tuple(name.split("\t", 1)) for name in file["names"].tolist()]
            return Values(file["volumes"].tolist(), file["regions"].tolist(), file["ranges"].tolist(), names, file["values"])

    def of(self, volume: str, feature_class: str, feature: str, hu_range: str) -> np.ndarray:
        """(regions of the range,): the values of one feature in a volume."""
        where = [index for index, one in enumerate(self.ranges) if one == hu_range]
        return self.values[self.volumes.index(volume), where, list(self.names).index((feature_class, feature))]

    @property
    def reference(self) -> str:
        """The volume that the others are compared with: the reference, or without one the volume before."""
        return STANDARD if STANDARD in self.volumes else self.volumes[0]


def _json(path: Path):
    return json.loads(path.read_text(encoding="utf-8"))


def _rows(path: Path) -> Iterator[dict]:
    with open(path, newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)
