"""A region of interest: one and the same mask for every volume compared.

Array axes are (z, y, x) = (slice, row, column); spacings are (x, y, z) in mm, as in `CTVolume`.
"""
from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import Iterable

import numpy as np


@dataclass(frozen=True, eq=False)
class Region:
    """A masked box in the index space of a volume.

    Attributes
        name: unique within a list of regions.
        hu_range: row label in the tables, such as "[10,250]" or "tumour".
        kind: "random", "label", "box", "sphere", "slice", "annotation", "SEG" or "RTSTRUCT".
        slices: three slice objects (z, y, x) with explicit start and stop.
        mask: bool array of the shape that `slices` cuts out.
        group: patient or phantom, the unit that the bootstrap draws; empty when there is one.
    """

    name: str
    hu_range: str
    kind: str
    slices: tuple[slice, slice, slice]
    mask: np.ndarray
    group: str = ""

    @property
    def number_of_voxels(self) -> int:
        return int(np.count_nonzero(self.mask))

    def crop(self, volume_hu: np.ndarray) -> np.ndarray:
        """The box cut out of `volume_hu` (z, y, x), as a view."""
        return volume_hu[self.slices]


def told_apart(regions: Iterable[Region]) -> list[Region]:
    """The regions, of which the second of a name becomes "name (2)", or with the next number that none has."""
    regions, taken, found = list(regions), set(), []
    theirs = {region.name for region in regions}
    for region in regions:
        name = region.name
        if name in taken:
            name = next(tried for number in count(2) if (tried := f"{region.name} ({number})") not in taken | theirs)
        taken.add(name)
        found.append(region if name == region.name else replace(region, name=name))
    return found


def range_label(hu_range: tuple[float, float]) -> str:
    """"[10,250]" for (10, 250)."""
    return "[{:g},{:g}]".format(*hu_range)
