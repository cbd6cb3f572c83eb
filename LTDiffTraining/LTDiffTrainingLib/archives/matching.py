"""Which series were made from one acquisition, by what their headers say of geometry, time, tube current and voltage.

UIDs, names and descriptions are not asked: de-identification changes them, also differently in the two series of a pair.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from .index import Index, IndexedSeries, SeriesSlices

LEAST_SLICES = 3
"""Fewer slices say too little about time, tube current and images to tell one acquisition from another."""
POSITION_SHARE, POSITION_MM = 0.02, 0.05
"""Slices lie at one position within 2 % of the slice distance, or 0.05 mm, to which many scanners round."""
IN_PLANE_PIXELS = 0.1
SECONDS = 1.0
"""A rotation takes up to 1 s, and a thick slice may be dated by another part of it than a thin one; two scans of one region lie
further apart."""
CURRENT_SHARE = 0.05
"""Thick slices average a modulated tube current over more of the table's way than thin ones; the median over slices moves less."""
MODULATED_SHARE = 0.05


@dataclass(frozen=True)
class Candidate:
    """Two series of one geometry. differs: "kernel", "slice thickness" or both. tied_by: what else they agree in.

    refusal: why they are no pair, a piece of a sentence; None where the images are to decide.
    """

    first: IndexedSeries
    second: IndexedSeries
    slices: int
    differs: str
    tied_by: str
    refusal: str | None


def candidates(index: Index, progress: Callable[[int, int], None] | None = None) -> Iterator[Candidate]:
    """Every two series that may be one acquisition: of one geometry, and tied by time, modulated tube current or patient.

    Compares series, of which an archive has few for its files, by what the index holds of their ranges; the slices of two series
    are looked at only where those agree. progress: called with (series done, series in all).
    """
    series, done = index.series(LEAST_SLICES), 0
    for group in _by_matrix(series):
        ranges = _Ranges(group)
        for number, first in enumerate(group):
            for other in ranges.like(number):
                if found := _judged(index, first, group[other]):
                    yield found
            done += 1
            if progress:
                progress(done, len(series))


def matched_slices(first: SeriesSlices, second: SeriesSlices, pixel: float) -> tuple[np.ndarray, np.ndarray]:
    """Indices into the slices of either that lie at the same positions, ascending; `pixel`: mm. Partners are each other's nearest."""
    distance = min(_distance(first.z), _distance(second.z))
    tolerance = min(max(POSITION_SHARE * distance, POSITION_MM), distance / 3)
    nearest, back = _nearest(first.z, second.z), _nearest(second.z, first.z)
    apart = np.maximum(np.abs(first.u - second.u[nearest]), np.abs(first.v - second.v[nearest]))
    same = (np.abs(first.z - second.z[nearest]) <= tolerance) & (apart <= IN_PLANE_PIXELS * pixel)
    same &= back[nearest] == np.arange(len(nearest))
    return np.flatnonzero(same), nearest[same]


def _nearest(z: np.ndarray, among: np.ndarray) -> np.ndarray:
    """For each z the index of the nearest value `among` ascending ones."""
    right = np.clip(np.searchsorted(among, z), 1, len(among) - 1)
    return np.where(z - among[right - 1] <= among[right] - z, right - 1, right)


def _distance(z: np.ndarray) -> float:
    return float(np.median(np.diff(z)))


def _by_matrix(series: list[IndexedSeries]) -> Iterator[list[IndexedSeries]]:
    groups = defaultdict(list)
    for one in series:
        groups[one.facts.rows, one.facts.columns].append(one)
    yield from groups.values()


class _Ranges:
    """What series of one matrix say, as arrays, so that each is compared with all at once."""

    def __init__(self, series: list[IndexedSeries]) -> None:
        facts = [one.facts for one in series]
        self._plane = np.array([(*f.orientation, f.row_spacing, f.column_spacing) for f in facts])
        self._kvp = np.array([np.nan if f.kvp is None else f.kvp for f in facts])
        self._low, self._high = (np.array([(one.z[i], one.u[i], one.v[i]) for one in series]) for i in (0, 1))
        days = [(int(first or 0), int(last or 99999999)) for first, last in (one.days for one in series)]
        self._first_day, self._last_day = np.array(days).T
        self._seconds, self._currents = (np.array([getattr(one, name) for one in series], np.float64) for name in ("seconds", "currents"))
        self._patient = np.unique([f.patient for f in facts], return_inverse=True)[1].reshape(-1)

    def like(self, number: int) -> np.ndarray:
        """Indices above `number` of series that may be of the same acquisition; what is unknown contradicts nothing."""
        later, plane = slice(number + 1, None), self._plane[number]
        slack = np.array([POSITION_MM, *(IN_PLANE_PIXELS * plane[-2:][::-1])])
        same = (np.abs(self._plane[later] - plane) <= 1e-3 * np.maximum(np.abs(plane), 0.5)).all(1)
        same &= ~(np.abs(self._kvp[later] - self._kvp[number]) >= 1)
        same &= ((self._low[later] <= self._high[number] + slack) & (self._high[later] >= self._low[number] - slack)).all(1)
        same &= (self._first_day[later] <= self._last_day[number]) & (self._last_day[later] >= self._first_day[number])
        same &= (self._patient[later] == self._patient[number]) | self._may_be_tied(number)
        return np.flatnonzero(same) + number + 1

    def _may_be_tied(self, number: int) -> np.ndarray:
        """Whether time and tube current have ranges in common, and one of the two tells something; (later series,) bool."""
        own_time, times = self._seconds[number], self._seconds[number + 1:]
        own, currents = self._currents[number], self._currents[number + 1:]
        timed = ~np.isnan(own_time[0] + times[:, 0])
        apart = (times[:, 0] > own_time[1] + SECONDS) | (times[:, 1] < own_time[0] - SECONDS)
        unlike = (currents[:, 0] * (1 - CURRENT_SHARE) > own[1]) | (currents[:, 1] < own[0] * (1 - CURRENT_SHARE))
        modulated = (own[1] > (1 + MODULATED_SHARE) * own[0]) & (currents[:, 1] > (1 + MODULATED_SHARE) * currents[:, 0])
        return ~apart & ~unlike & (timed | modulated)


def _judged(index: Index, first: IndexedSeries, second: IndexedSeries) -> Candidate | None:
    """None where nothing but the geometry says that the two belong together."""
    a, b = index.slices(first.id), index.slices(second.id)
    i, j = matched_slices(a, b, min(first.facts.row_spacing, first.facts.column_spacing))
    apart = _median(np.abs(a.second[i] - b.second[j]))
    current = _median(np.abs(a.current[i] - b.current[j]) / np.maximum(a.current[i], b.current[j]))
    same_patient = _same_patient(first, second)
    tied_by = _tie(apart, current, (a.current[i], b.current[j]), same_patient)
    if not tied_by and not same_patient:
        return None
    differs = _differences(first, second)
    refusal = _refusal(first, len(i), min(len(a.z), len(b.z)), apart, current, differs)
    return Candidate(first, second, len(i), differs, tied_by, refusal)


def _tie(apart: float | None, current: float | None, currents: tuple[np.ndarray, np.ndarray], same_patient: bool) -> str:
    if (apart is not None and apart > SECONDS) or (current is not None and current > CURRENT_SHARE):
        return ""
    if apart is not None:
        return "acquisition time" + ("" if current is None else " and tube current")
    if current is not None and all(np.nanmax(one) > (1 + MODULATED_SHARE) * np.nanmin(one) for one in currents):
        return "modulated tube current, as the acquisition time is missing"
    return "patient identifier, as the acquisition time is missing and the tube current tells nothing" if same_patient else ""


def _refusal(first: IndexedSeries, matched: int, slices: int, apart: float | None, current: float | None, differs: str) -> str | None:
    if matched < LEAST_SLICES:
        return f"only {matched} of {slices} slices lie at the same positions ({LEAST_SLICES} are needed)"
    if apart is not None and apart > SECONDS:
        return f"the slices were acquired {apart:.0f} s apart"
    if current is not None and current > CURRENT_SHARE:
        return f"the tube current differs by {100 * current:.0f} %"
    if not differs:
        thickness = "an unknown" if first.facts.thickness is None else f"{first.facts.thickness:g} mm"
        return f"both have the kernel {first.facts.kernel or '(unknown)'} and {thickness} slice thickness, so nothing is known to differ"
    return None


def _differences(first: IndexedSeries, second: IndexedSeries) -> str:
    a, b = first.facts, second.facts
    kernel = a.kernel != b.kernel
    thickness = None not in (a.thickness, b.thickness) and abs(a.thickness - b.thickness) > 0.01 * max(a.thickness, b.thickness)
    return " and ".join(name for name, differs in (("kernel", kernel), ("slice thickness", thickness)) if differs)


def _same_patient(first: IndexedSeries, second: IndexedSeries) -> bool:
    a, b = first.facts, second.facts
    return a.patient == b.patient and (a.born == b.born or not (a.born and b.born))


def _median(values: np.ndarray) -> float | None:
    """Of those that are known; None where fewer than `LEAST_SLICES` are."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) >= LEAST_SLICES else None
