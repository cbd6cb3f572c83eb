"""What settings can be: each class of settings checks its own when it is made."""
from __future__ import annotations

import sys
from typing import Any, Collection, Sequence

from ...errors import InputError


class SettingError(InputError):
    """A value that a setting cannot have; one within another is named with both, as glcm25.scale."""

    def __init__(self, name: str, value: Any, needed: str) -> None:
        super().__init__(f"The setting {name} cannot be {value!r}; it must be {needed}.")
        self._parts = name, value, needed

    def within(self, where: str) -> SettingError:
        name, value, needed = self._parts
        return SettingError(f"{where}{name}", value, needed)


def check(name: str, value: Any, holds: bool, needed: str) -> None:
    """Raises SettingError unless it holds. needed: what the value must be, after "it must be"."""
    if not holds:
        raise SettingError(name, value, needed)


def check_between(name: str, value: float, low: float, high: float, unit: str = "") -> None:
    check(name, value, low <= value <= high, f"from {low:,} to {high:,}{unit}")


def check_limits(low: float, high: float) -> None:
    check("low", low, finite(low), "a finite number")
    check("high", high, finite(high) and high > low, f"a finite number above low, {low:g}")


def check_size(name: str, size: int) -> None:
    """Of a neighbourhood: around a voxel, and with neighbours."""
    check(name, size, size >= 3 and size % 2 == 1, "an odd number of voxels from 3 on")


def finite(value: float) -> bool:
    """Compared, for a whole number of any size may be no float."""
    return -sys.float_info.max <= value <= sys.float_info.max


def some_of(values: Sequence, known: Collection) -> tuple[bool, str]:
    """For `check`: whether these are known, at least one and none twice, and what they must be."""
    return 0 < len(values) == len(set(values).intersection(known)), f"one or more of {', '.join(map(str, known))}, none twice"


def unlike_numbers(values: Sequence[int], low: int, high: int) -> tuple[bool, str]:
    """`some_of` the whole numbers from low to high."""
    return some_of(values, range(low, high + 1))[0], f"one or more whole numbers from {low} to {high}, none twice"
