"""Features of every method's volumes in the same regions, case by case."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from LTDiffStandardizeLib.comparison import STANDARD, Comparison, compare, joined
from LTDiffStandardizeLib.model.bundle import Bundle
from LTDiffStandardizeLib.model.protocols import Protocol
from LTDiffStandardizeLib.model.standardizer import Settings, Standardizer
from LTDiffStandardizeLib.radiomics.agreement import sd_ratio_of
from LTDiffStandardizeLib.radiomics.profiles.pyradiomics import CLASSES, PyRadiomicsProfile, within_slices
from LTDiffStandardizeLib.volumes.volume import CTVolume

from .cases import Case

FILTERS = ("none", "power", "ls", "ls_noise")
Method = Callable[[CTVolume, Protocol], CTVolume]
"""Standardizes a volume by a protocol."""


def by_standardizer(method: str, bundle: Bundle | None = None, settings: Settings = Settings(device="cpu")) -> Method:
    """A method of the Standardizer; "ltdiff" with a bundle."""
    return lambda volume, protocol: Standardizer(protocol, replace(settings, method=method), bundle).standardize(volume)[0]


def filters(seed: int = 0) -> dict[str, Method]:
    return {name: by_standardizer(name, settings=Settings(seed=seed, device="cpu")) for name in FILTERS}


def measure(cases: Sequence[Case], methods: Mapping[str, Method], per_range: int, seed: int = 0,
            report: Callable[[str], None] = print) -> Comparison:
    """Every method on every case, in `per_range` random regions per HU range over all cases and in their tumours.

    The cases are the patients of the comparison, the targets its standard. One case with thick slices has textures measured
    within slices in all of them.
    """
    share = -(-per_range // len(cases))
    profile = PyRadiomicsProfile(CLASSES, force2d=any(within_slices(case.target.spacing) for case in cases))

    def compared(number: int, case: Case) -> Comparison:
        regions, candidates = case.regions(share, seed)
        volumes = {name: method(case.source, case.protocol) for name, method in methods.items()}
        report(f"{case.name}: {number}/{len(cases)}, {len(regions)} regions.")
        return compare(case.target, volumes, regions, profile=profile, candidates=candidates)

    return joined(compared(number, case) for number, case in enumerate(cases, 1))


def sd_rows(made: Comparison) -> list[dict]:
    """Per method and range: median ratio of the SD in a region to the target's, and the SD of its logarithm."""
    rows = []
    for method in made.volumes:
        for label in made.ranges():
            where = [region.hu_range == label for region in made.regions]
            ratio = sd_ratio_of(made.hu[method][where, 1], made.hu[STANDARD][where, 1])
            rows.append({"method": method, "regions": label, "sd_ratio": ratio.median, "sd_ratio_spread": ratio.log_sd, "n_regions": ratio.n_regions})
    return rows


def largest_shifts(made: Comparison) -> dict[str, float]:
    """{method: largest |mean HU difference| from the target over the soft-tissue regions [10,250]}."""
    soft = [region.hu_range == "[10,250]" for region in made.regions]
    return {method: float(np.abs(made.hu[method][soft, 0] - made.hu[STANDARD][soft, 0]).max(initial=0.0)) for method in made.volumes}


def calibrated_temperature(cases: Sequence[Case], bundle: Bundle, per_range: int, seed: int = 0) -> float:
    """The share of the learned noise amplitude that gives soft tissue [10,250] the target's SD, between 0.8 and 1.2.

    Variances add: the mean alone and the mean with all of the noise tell how much of it is wanted.
    """
    def ratio(temperature: float) -> float:
        at_temperature = [replace(case, protocol=replace(case.protocol, temperature=temperature)) for case in cases]
        made = measure(at_temperature, {"ltdiff": by_standardizer("ltdiff", bundle)}, per_range, seed, report=lambda line: None)
        return next(r["sd_ratio"] for r in sd_rows(made) if r["regions"] == "[10,250]")
    mean_alone, all_of_it = ratio(0.0), ratio(1.0)
    return float(np.clip(np.sqrt(max(1 - mean_alone**2, 0) / max(all_of_it**2 - mean_alone**2, 1e-6)), 0.8, 1.2))
