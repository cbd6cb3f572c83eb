"""Examines a candidate pair slice by slice, and writes it where it stands."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import checking
from .checking import SliceCheck, check_slice
from .matching import LEAST_SLICES
from .pair_folder import write_pair
from .partners import Partners, Unreadable

LARGEST_FAILING_SHARE = 0.1
"""Of the slices of a pair; a series of which more disagree is no reconstruction of the same scan."""
LEAST_POWER_RATIO = 1.05
"""Of the sharper to the softer above `checking.SHARP_FROM`; below, there is nothing to learn."""


@dataclass(frozen=True)
class Task:
    """least_coherence: see `checking`. folder: where the pair goes."""

    folder: Path
    partners: Partners
    least_coherence: float


@dataclass(frozen=True)
class Outcome:
    """What became of a pair. refusal: a piece of a sentence, None where the pair was written. sharper: 0 or 1, None where unknown.

    measured: numbers for the manifest. unreadable: [path, sentence] of damaged files; their slices count as failing.
    """

    refusal: str | None
    sharper: int | None
    measured: dict[str, float | int | None]
    unreadable: list[tuple[str, str]]


def examine(task: Task) -> Outcome:
    """Failing slices are left out, as are those without tissue. Raises OutputError where the pair cannot be written."""
    partners, limit = task.partners, LARGEST_FAILING_SHARE * len(task.partners)
    used: dict[int, SliceCheck] = {}
    failed, unreadable, lost, empty = [], [], 0, 0  # lost: slices of which a file is unreadable
    for number in range(len(partners)):
        if len(failed) + lost > limit:
            break
        try:
            check = check_slice(*partners.read(number), partners.pixel)
        except Unreadable as error:
            unreadable, lost = unreadable + error.files, lost + 1
            continue
        if check.difference is None:
            empty += 1
        elif not check.agrees(task.least_coherence):
            failed.append(check)
        else:
            used[number] = check
    measured = {"slices_used": len(used), "slices_failed": len(failed), "slices_unreadable": lost, "slices_without_tissue": empty,
                **_numbers(list(used.values()))}  # fmt: skip
    refusal = _refusal(failed, measured, len(partners), limit, task.least_coherence)
    sharper = None if not used else int(measured["power_second"] >= measured["power_first"])
    if refusal is None:
        try:
            write_pair(task.folder, partners, list(used), sharper)
        except Unreadable as error:
            refusal, unreadable = "a slice that was examined could not be read again", unreadable + error.files
    return Outcome(refusal, sharper, measured, unreadable)


def _numbers(used: Sequence[SliceCheck]) -> dict[str, float | None]:
    first, second = (_over([check.powers[i] for check in used], np.mean) for i in (0, 1))
    return {
        "largest_shift_pixels": _over([check.shift for check in used], max),
        "median_difference_hu": _over([check.difference for check in used], np.median),
        "lowest_coherence": _over([check.coherence for check in used], min),
        "power_first": first, "power_second": second,
    }  # fmt: skip


def _over(values: Sequence[float], function: Callable) -> float | None:
    return round(float(function(values)), 4) if values else None


def _refusal(failed: Sequence[SliceCheck], measured: dict, slices: int, limit: float, least_coherence: float) -> str | None:
    used, lost = measured["slices_used"], measured["slices_unreadable"]
    if len(failed) + lost > limit:
        seen = used + len(failed) + lost + measured["slices_without_tissue"]
        causes = [f"{lost} cannot be read"] * bool(lost) + [_disagreement(failed, least_coherence)] * bool(failed)
        return f"of the first {seen} of {slices} slices {' and '.join(causes)}"
    if used < LEAST_SLICES:
        return f"only {used} of {slices} slices agree and hold homogeneous tissue to tell it by ({LEAST_SLICES} are needed)"
    softer, sharper = sorted((measured["power_first"], measured["power_second"]))
    if sharper < LEAST_POWER_RATIO * softer:
        return f"their power above {checking.SHARP_FROM:g} lp/cm differs by {100 * (sharper / softer - 1):.1f} % only, so there is nothing to learn"
    return None


def _disagreement(failed: Sequence[SliceCheck], least_coherence: float) -> str:
    """The worst of the failing slices, beside what is allowed."""
    shift, coherence = max(check.shift for check in failed), min(check.coherence for check in failed)
    difference = max(abs(check.difference) for check in failed)
    return (f"{len(failed)} do not agree: shifted by up to {shift:.2f} pixels (limit {checking.LARGEST_SHIFT:g}), {difference:.1f} HU apart in tissue "
            f"(limit {checking.LARGEST_HU_DIFFERENCE:g}), coherence down to {coherence:.2f} (limit {least_coherence:g})")  # fmt: skip
