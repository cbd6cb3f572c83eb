"""What is measured in every region of every volume, and how well it agrees."""
from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Callable, Iterable, Mapping, Sequence

import numpy as np

from ..errors import InputError
from ..radiomics.agreement import agreement_table, combat_table, sd_ratio_of
from ..radiomics.features import FeatureTable
from ..radiomics.measuring import measure
from ..radiomics.profiles import IbexProfile, Profile, PyRadiomicsProfile
from ..radiomics.profiles.pyradiomics import CLASSES, available, within_slices
from ..radiomics.regions import Region
from ..radiomics.regions.reference import smooth
from ..volumes.volume import CTVolume, why_not_on_grid

STANDARD = "standard"  # the reference's name where a method's would stand
COMBAT = " + ComBat"  # after the name of the method whose features were adjusted
OF_THE_MASK = ("Shape",)  # classes that are the same for all volumes, since the mask is


@dataclass(frozen=True, eq=False)
class Comparison:
    """What `compare` found, or `joined` from several patients.

    Attributes
        reference, volumes: what the pictures show; {method: CTVolume} on the grid of `reference`.
        regions: of all patients.
        features: {method or STANDARD: their values}, rows in the order of the regions. A method may have no volume: see `with_combat`.
        profile: which features these are.
        hu: {method with a volume, or STANDARD: (regions, 2) mean and SD of the HU in every region}.
        roughness: (regions,) SD of the smoothed reference in every region, HU: small where the region is homogeneous.
        missing: one sentence on features that could not be computed, or "".
        candidates: rows of the table that says how many places random regions had; see `draw_regions`.
    """

    reference: CTVolume
    volumes: dict[str, CTVolume]
    regions: list[Region]
    features: dict[str, FeatureTable]
    profile: Profile
    hu: dict[str, np.ndarray]
    roughness: np.ndarray
    missing: str = ""
    candidates: Sequence[dict] = ()

    @property
    def within_slices(self) -> bool:
        """Whether slices are so thick that PyRadiomics' texture neighbours were looked for within slices only."""
        return within_slices(self.reference.spacing)

    @cached_property
    def agreement(self) -> list[dict]:
        """Rows of `agreement_table`."""
        return agreement_table(*self.compared(), self.regions)

    @property
    def methods(self) -> list[str]:
        return [method for method in self.features if method != STANDARD]

    def ranges(self) -> list[str]:
        """The labels of the HU ranges, in the order of the regions."""
        return list(dict.fromkeys(region.hu_range for region in self.regions))

    def regions_of(self, hu_range: str) -> list[Region]:
        return [region for region in self.regions if region.hu_range == hu_range]

    def regions_of_the_pictures(self) -> list[Region]:
        """Those of the patient whose volumes these are, the first."""
        return [region for region in self.regions if region.group == self.regions[0].group]

    def patients(self) -> list[str]:
        return list(dict.fromkeys(region.group for region in self.regions))

    def compared(self) -> tuple[dict[str, FeatureTable], FeatureTable]:
        """The features of all methods, and those of the standard, without the classes that a mask alone decides."""
        kept = {method: table.without(OF_THE_MASK) for method, table in self.features.items()}
        return {method: kept[method] for method in self.methods}, kept[STANDARD]


def compare(reference: CTVolume, volumes: Mapping[str, CTVolume], regions: Sequence[Region], processes: int = 1,
            profile: Profile | None = None, progress: Callable[[int, int], None] | None = None,
            candidates: Sequence[dict] = ()) -> Comparison:
    """Measures every region in the reference and in the volume of every method.

    profile: the features; None: PyRadiomics' in the classes of the paper, and where it is missing the IBEX-compatible ones.
    processes, progress: see `measure`.
    Raises InputError where a volume does not lie on the grid of the reference, or there is no region.
    """
    for method, volume in volumes.items():
        check_name(method)
        check_same_grid(method, volume, reference)
    check_regions(regions, reference)
    profile, missing = (profile, "") if profile else _default_profile()
    hu_of = {STANDARD: reference.hu, **{method: volume.hu for method, volume in volumes.items()}}
    features = measure(profile, hu_of, regions, reference.spacing, processes, progress)
    hu = {name: np.array([_mean_and_sd(region, values) for region in regions]) for name, values in hu_of.items()}
    return Comparison(reference, dict(volumes), list(regions), features, profile, hu, _roughness(reference, regions), missing, candidates)


def joined(comparisons: Iterable[Comparison]) -> Comparison:
    """One comparison of several patients, whose regions say by their groups whose they are.

    The volumes of all but the first patient are forgotten as they come; the pictures are those of the first.
    Raises InputError where the patients were not measured with volumes of the same names, or some of them in two dimensions and others
    in three.
    """
    parts: list[Comparison] = []
    for other in comparisons:
        if parts:
            _check_same_dimensions(parts[0], other)
            other = replace(other, reference=parts[0].reference, volumes={})
        parts.append(other)
    first = parts[0]
    if any(list(other.features) != list(first.features) for other in parts):
        raise InputError("The patients were not measured with the same volumes, so they cannot be compared together; name the same for all.")
    return replace(
        first,
        regions=[region for part in parts for region in part.regions],
        features={method: FeatureTable.joined([part.features[method] for part in parts]) for method in first.features},
        hu={method: np.concatenate([part.hu[method] for part in parts]) for method in first.hu},
        roughness=np.concatenate([part.roughness for part in parts]),
        candidates=[row for part in parts for row in part.candidates],
    )


def with_combat(comparison: Comparison, method: str) -> Comparison:
    """With a further method, whose values are those of `method` adjusted by ComBat: what can be had without touching the image.

    Each HU range is adjusted by itself, on the very values that are compared, which favours it.
    """
    features, standard = comparison.features[method], comparison.features[STANDARD]
    adjusted = features.values.copy()
    for hu_range in comparison.ranges():
        where = np.array([region.hu_range == hu_range for region in comparison.regions])
        adjusted[where] = combat_table(*(FeatureTable(table.names, table.values[where]) for table in (features, standard))).values
    return replace(comparison, features={**comparison.features, f"{method}{COMBAT}": FeatureTable(features.names, adjusted)})


def slice_by_slice(region: Region) -> list[Region]:
    """One region for every slice in which the region has voxels, cut to them, so that a CCC across slices exists."""
    parts = []
    for offset in np.flatnonzero(region.mask.any(axis=(1, 2))):
        plane = region.mask[offset]
        rows, columns = (_extent(plane.any(axis)) for axis in (1, 0))
        z, y, x = (limit.start for limit in region.slices)
        z += int(offset)
        box = (slice(z, z + 1), slice(y + rows.start, y + rows.stop), slice(x + columns.start, x + columns.stop))
        parts.append(replace(region, name=f"{region.name} slice {z + 1:03d}", slices=box, mask=plane[None, rows, columns].copy()))
    return parts


def sd_ratios(comparison: Comparison) -> dict[tuple[str, str], float]:
    """{(HU range, method): median over the regions of the SD relative to the reference's}; 1 is the reference's strength."""
    ratios = {}
    for hu_range in comparison.ranges():
        where = [region.hu_range == hu_range for region in comparison.regions]
        for method in comparison.volumes:
            ratios[hu_range, method] = sd_ratio_of(comparison.hu[method][where, 1], comparison.hu[STANDARD][where, 1]).median
    return ratios


def hu_shifts(comparison: Comparison) -> dict[tuple[str, str], float]:
    """{(HU range, method): mean HU minus the reference's in homogeneous regions}; ranges without random regions are left out.

    Homogeneous are the quarter of a range's random regions in which the smoothed reference varies least.
    """
    shifts = {}
    for hu_range in comparison.ranges():
        drawn = [index for index, region in enumerate(comparison.regions) if (region.hu_range, region.kind) == (hu_range, "random")]
        quarter = sorted(drawn, key=lambda index: comparison.roughness[index])[: math.ceil(len(drawn) / 4)]
        for method in comparison.volumes if quarter else ():
            shifts[hu_range, method] = float((comparison.hu[method][quarter, 0] - comparison.hu[STANDARD][quarter, 0]).mean())
    return shifts


def _default_profile() -> tuple[Profile, str]:
    usable, why_not = available()
    return (PyRadiomicsProfile(CLASSES), "") if usable else (IbexProfile(), why_not)


def _check_same_dimensions(first: Comparison, other: Comparison) -> None:
    if first.within_slices != other.within_slices and getattr(first.profile, "force2d", False) is None:
        raise InputError("Some patients have slices so thick that PyRadiomics' textures are measured within slices, others have not, so their "
                         "values cannot be put together; set force2d for all with --settings.")  # fmt: skip


def check_name(method: str) -> None:
    """Raises InputError for a name that results give to something else."""
    if method == STANDARD or method.endswith(COMBAT):
        raise InputError(f"A volume cannot be called {method}, which is the name of something else in the results; choose another name.")


def check_regions(regions: Sequence[Region], volume: CTVolume) -> None:
    """Raises InputError where there is none."""
    if not regions:
        raise InputError(f"No region was found in {volume.name}, so nothing can be compared; draw one, or take more slices.")


def check_same_grid(method: str, volume: CTVolume, reference: CTVolume) -> None:
    """Raises InputError where the voxels of the volume are not those of the reference."""
    cause = why_not_on_grid(volume, reference)
    if cause:
        raise InputError(f"The volume of method {method} does not lie on the grid of {reference.name}: {cause}; resample one of the two, or "
                         "choose series of one scan.")  # fmt: skip


def _mean_and_sd(region: Region, values: np.ndarray) -> tuple[float, float]:
    inside = region.crop(values)[region.mask].astype(np.float64)
    return inside.mean(), inside.std()


def _roughness(reference: CTVolume, regions: Sequence[Region]) -> np.ndarray:
    smoothed = smooth(reference.hu, reference.spacing, reference.padding)
    return np.array([_mean_and_sd(region, smoothed)[1] for region in regions])


def _extent(flags: np.ndarray) -> slice:
    where = np.flatnonzero(flags)
    return slice(int(where[0]), int(where[-1]) + 1)
