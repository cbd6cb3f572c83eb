"""What is measured: a scan with a source and a target reconstruction, its protocol, and its regions."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from LTDiffStandardizeLib.model.protocols import Protocol
from LTDiffStandardizeLib.radiomics.regions import Region, draw_regions, region_from_sphere
from LTDiffStandardizeLib.volumes.volume import CTVolume

from ..simulation.pairs import PairedSeries

TUMOUR_RADIUS_MM = 4.0


@dataclass(frozen=True)
class Case:
    """One scan of one patient or phantom: `source` to be standardized by `protocol`, `target` the standard, tumours where known."""

    name: str
    source: CTVolume
    target: CTVolume
    protocol: Protocol
    tumours: tuple[Region, ...] = ()

    def regions(self, per_range: int, seed: int) -> tuple[list[Region], list[dict]]:
        """`per_range` random regions per HU range and the tumours; and how many places there were."""
        drawn, candidates = draw_regions(self.source, per_range, seed, group=self.name)
        return drawn + list(self.tumours), candidates


def simulated_case(one: PairedSeries, protocol: Protocol) -> Case:
    """A simulated pair; its nodules of at least TUMOUR_RADIUS_MM are the tumours."""
    source, target = as_volume(one)
    return Case(one.folder.name, source, target, protocol, tuple(_nodules(one, source)))


def as_volume(one: PairedSeries) -> tuple[CTVolume, CTVolume]:
    """The source and the target series as volumes."""
    spacing = (one.pixel, one.pixel, one.description["acquisition"]["distance"])
    make = lambda hu, name: CTVolume(np.asarray(hu), spacing, name=f"{one.folder.name} {name}")
    return make(one.source, "source"), make(one.target, "target")


def _nodules(one: PairedSeries, volume: CTVolume) -> list[Region]:
    """As spheres, where their centres lie in the volume."""
    first, distance, size = one.description["heights"][0], volume.spacing[2], volume.hu.shape[1]
    found = []
    for number, nodule in enumerate(one.description["nodules"]):
        x, y, z = nodule["centre"]
        centre = ((z - first) / distance, y / one.pixel + size // 2, x / one.pixel + size // 2)
        inside = 0 <= centre[0] <= len(volume.hu) - 1 and all(0 <= c < size for c in centre[1:])
        if nodule["radius"] >= TUMOUR_RADIUS_MM and inside:
            found.append(region_from_sphere(centre, nodule["radius"], volume.spacing, volume.hu.shape,
                                            name=f"nodule {number:02d}", group=one.folder.name))
    return found
