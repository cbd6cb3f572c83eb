"""The numbers behind the charts of single regions."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Iterable, Mapping, Sequence

import numpy as np

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, eq=False)
class Pairs:
    """A method's values beside the standard's, of the regions in which both are finite.

    where: indices of those regions. n_regions: of all.
    """

    method: str
    standard: np.ndarray
    values: np.ndarray
    where: np.ndarray
    n_regions: int

    def means(self) -> np.ndarray:
        return (self.values + self.standard) / 2

    def differences(self) -> np.ndarray:
        return self.values - self.standard

    def counted(self) -> str:
        return f"n = {len(self.where)}" + (f" of {self.n_regions}" if len(self.where) < self.n_regions else "")


def paired(reference_values: Sequence[float], method_values: Mapping[str, Sequence[float]]) -> tuple[list[Pairs], str]:
    """The pairs of every method, and "× 10ⁿ" where all were divided by that power of ten to keep the numbers short.

    No pairs without regions. Raises ValueError where a method has values for another number of regions.
    """
    standard = np.asarray(reference_values, dtype=float)
    values = {method: np.asarray(numbers, dtype=float) for method, numbers in method_values.items()}
    if any(numbers.shape != standard.shape for numbers in values.values()):
        raise ValueError(f"Every method needs the values of {len(standard)} regions, as the standard has.")
    if not len(standard):
        return [], ""
    exponent = _exponent([standard, *values.values()])
    pairs = []
    for method, numbers in values.items():
        where = np.flatnonzero(np.isfinite(numbers) & np.isfinite(standard))
        pairs.append(Pairs(method, standard[where] / 10.0**exponent, numbers[where] / 10.0**exponent, where, len(standard)))
    return pairs, f"× 10{str(exponent).translate(_RAISED)}" if exponent else ""


def limits_of_agreement(differences: np.ndarray) -> tuple[float, float, float]:
    """Lower 95 % limit, bias, upper limit; NaN where too few regions define them."""
    if not len(differences):
        return math.nan, math.nan, math.nan
    bias = float(np.mean(differences))
    half = 1.96 * float(np.std(differences, ddof=1)) if len(differences) > 1 else math.nan
    return bias - half, bias, bias + half


def reach(values: Iterable[Iterable[float]]) -> tuple[float, float]:
    """The ends of an axis that holds all finite values with some room beyond them."""
    found = [float(value) for some in values for value in some if math.isfinite(value)] or [0.0]
    low, high = min(found), max(found)
    room = 0.06 * (high - low) or 0.1 * abs(low) or 1.0
    return low - room, high + room


def decimals(span: float) -> int:
    """How many decimals tell apart what lies within the span."""
    return min(8, max(0, 2 - math.floor(math.log10(span))))


def _exponent(arrays: Iterable[np.ndarray]) -> int:
    """A multiple of three; 0 where the largest value has a readable length as it is."""
    largest = max((float(np.abs(some[np.isfinite(some)]).max(initial=0.0)) for some in arrays), default=0.0)
    if largest == 0.0 or 0.01 <= largest < 1e5:
        return 0
    return max(-300, 3 * math.floor(math.log10(largest) / 3))
