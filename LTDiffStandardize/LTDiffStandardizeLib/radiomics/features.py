"""The values of a list of features in a list of regions, as one array."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterable, Sequence

import numpy as np

Features = Dict[str, Dict[str, float]]  # {class: {feature: value}} of one region
Name = tuple[str, str]  # (class, feature)


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Rows are regions, columns are features.

    Attributes
        names: (class, feature) of every column; the columns of a class lie together.
        values: (regions, features) float64; NaN where a feature is undefined.
    """

    names: tuple[Name, ...]
    values: np.ndarray

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[1] != len(self.names):
            raise ValueError(f"{len(self.names)} names were given for values of the shape {self.values.shape}")

    def __len__(self) -> int:
        return len(self.values)

    def classes(self) -> dict[str, slice]:
        """{class: its columns}, in the order of the columns."""
        found: dict[str, slice] = {}
        for index, (feature_class, _) in enumerate(self.names):
            start = found[feature_class].start if feature_class in found else index
            found[feature_class] = slice(start, index + 1)
        return found

    def names_of(self, feature_class: str) -> list[str]:
        return [feature for name, feature in self.names if name == feature_class]

    def without(self, classes: Sequence[str]) -> FeatureTable:
        """The table of the other classes."""
        kept = [index for index, (feature_class, _) in enumerate(self.names) if feature_class not in classes]
        return self if len(kept) == len(self.names) else FeatureTable(tuple(self.names[index] for index in kept), self.values[:, kept])

    def row(self, index: int) -> Features:
        """{class: {feature: value}} of one region."""
        return as_features(self.names, self.values[index])

    @staticmethod
    def of(rows: Iterable[Features]) -> FeatureTable:
        """From one {class: {feature: value}} a region, which must all hold the same features in the same order."""
        rows = list(rows)
        names = tuple((name, feature) for name, features in rows[0].items() for feature in features) if rows else ()
        values = [[value for features in row.values() for value in features.values()] for row in rows]
        return FeatureTable(names, np.array(values, dtype=float).reshape(len(rows), len(names)))

    @staticmethod
    def joined(tables: Sequence[FeatureTable]) -> FeatureTable:
        """The regions of several tables of the same features, one after the other."""
        return FeatureTable(tables[0].names, np.concatenate([table.values for table in tables]))


def relative_change(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """(after - before) / |before|; NaN where that is not defined, as for a feature that was 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        change = (after - before) / np.abs(before)
    return np.where(np.isfinite(change), change, np.nan)


def as_features(names: Sequence[Name], values: Iterable[float]) -> Features:
    """{class: {feature: value}} from the (class, feature) names and their values."""
    found: Features = {}
    for (feature_class, feature), value in zip(names, values):
        found.setdefault(feature_class, {})[feature] = float(value)
    return found

