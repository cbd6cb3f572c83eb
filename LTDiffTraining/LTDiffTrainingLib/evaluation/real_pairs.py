"""Real scans with two reconstructions as cases: their protocol is fitted on every other slice, the rest is measured."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.model.bundle import Bundle
from LTDiffStandardizeLib.model.protocols import Protocol, power_of
from LTDiffStandardizeLib.radiomics.regions.annotations import regions_from_voc
from LTDiffStandardizeLib.volumes import find_series, read_volume
from LTDiffStandardizeLib.volumes.volume import CTVolume

from ..fitting.protocols import fit_protocol_to_volumes
from ..fitting.trust import with_fitted_trust
from .cases import Case

SAMPLE = Path(__file__).resolve().parents[3] / "LTDiffStandardize" / "Resources" / "SampleData"
FEWEST_SLICES = 4
FINE_DETAIL = 4.0
"""lp/cm; the reconstruction with more power above is the sharp one."""


@dataclass(frozen=True)
class RealPair:
    """A folder of one scan. `phantom`: whether its name says so."""

    name: str
    cases: tuple[Case, ...]
    phantom: bool


def real_pairs(folder: Path | None, bundle: Bundle, report: Callable[[str], None] = print) -> list[RealPair]:
    """Of a folder with one subfolder per scan, each with two series or with two series at each of several positions; without one,
    the pair that is shipped. A folder that cannot be used is told in one sentence and left out."""
    found = []
    for place in sorted(p for p in (folder or SAMPLE).iterdir() if p.is_dir()):
        try:
            found.append(RealPair(place.name, tuple(_cases(place, bundle)), "phantom" in place.name.lower()))
        except InputError as error:
            report(f"{place.name} is left out: {error}")
    return found


def _cases(place: Path, bundle: Bundle) -> list[Case]:
    volumes = [read_volume(entry) for entry in find_series(place) if not entry.refusal]
    pairs = _on_one_grid(volumes)
    if not pairs:
        raise InputError(f"{place} holds no two series on one grid; give each scan a folder with its two reconstructions.")
    if len(pairs) > 1:
        # Fitted on one position, measured at the others.
        protocol = _protocol(*pairs[0], bundle)
        return [Case(f"{place.name} {number}", *pair, protocol) for number, pair in enumerate(pairs[1:], 1)]
    source, target = pairs[0]
    if len(source.hu) < 2 * FEWEST_SLICES:
        raise InputError(f"{place} has {len(source.hu)} slices; {2 * FEWEST_SLICES} are needed to fit a protocol on one half and to measure the other.")
    protocol = _protocol(_every_other(source, 0), _every_other(target, 0), bundle)
    return [Case(place.name, _every_other(source, 1), _every_other(target, 1), protocol, tuple(_tumours(place, target)))]


def _protocol(source: CTVolume, target: CTVolume, bundle: Bundle) -> Protocol:
    return with_fitted_trust(fit_protocol_to_volumes(source, target), source, target, bundle)


def _on_one_grid(volumes: Sequence[CTVolume]) -> list[tuple[CTVolume, CTVolume]]:
    """(soft, sharp) of every two series with the same grid."""
    pairs, left = [], list(volumes)
    while left:
        first = left.pop(0)
        for other in left:
            if other.hu.shape == first.hu.shape and np.allclose(other.origin, first.origin, atol=0.1) and np.allclose(other.spacing, first.spacing, rtol=1e-3):
                left.remove(other)
                pairs.append(tuple(sorted((first, other), key=_detail)))
                break
    return pairs


def _detail(volume: CTVolume) -> float:
    power = power_of([volume])
    frequency, value = np.asarray(power.frequency), np.asarray(power.value)
    return float(np.sum((frequency * value)[frequency > FINE_DETAIL]))


def _every_other(volume: CTVolume, first: int) -> CTVolume:
    """Its slices as an image with the same distance between them: texture is then measured within slices, as it is here anyway."""
    padding = None if volume.padding is None else volume.padding[first::2]
    origin = np.asarray(volume.origin, float) + first * volume.spacing[2] * np.asarray(volume.direction, float)[:, 2]
    spacing = (volume.spacing[0], volume.spacing[1], 2 * volume.spacing[2])
    return replace(volume, hu=volume.hu[first::2], padding=padding, origin=tuple(origin), spacing=spacing, source=None)


def _tumours(place: Path, standard: CTVolume):
    """From Pascal VOC boxes beside the series, slice by slice, in the slices that are measured."""
    folders = [p for p in (place / "annotations", place / "tumour") if p.is_dir()]
    if not folders:
        return
    from LTDiffStandardizeLib.comparison import slice_by_slice

    for region in regions_from_voc(folders[0], standard, group=place.name):
        for part in slice_by_slice(region):
            index = part.slices[0].start
            if index % 2 == 1:
                yield replace(part, slices=(slice(index // 2, index // 2 + 1), *part.slices[1:]))
