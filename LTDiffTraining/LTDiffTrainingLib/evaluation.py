"""Every method on held-out phantoms: CCC per class and HU range, SD ratios, homogeneous HU, and the gates."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from LTDiffStandardizeLib.comparison import STANDARD, Comparison, compare, joined
from LTDiffStandardizeLib.model.bundle import Bundle
from LTDiffStandardizeLib.model.protocols import Protocol
from LTDiffStandardizeLib.model.standardizer import METHODS, Settings, Standardizer
from LTDiffStandardizeLib.radiomics.agreement import sd_ratio_of
from LTDiffStandardizeLib.radiomics.profiles.pyradiomics import CLASSES, PyRadiomicsProfile
from LTDiffStandardizeLib.radiomics.regions import Region, draw_regions, region_from_sphere
from LTDiffStandardizeLib.volumes.volume import CTVolume

from .simulation.pairs import PairedSeries

FILTERS = ("none", "power", "ls", "ls_noise")
TUMOUR_RADIUS_MM = 4.0
MARGIN = 0.02
SOFT_TISSUE_GOALS = {"GLCM": 0.96, "GLRLM": 0.92, "ID": 0.97, "IH": 0.96, "NID": 0.95}
"""Of LTDiff++ in [10,250] HU."""


def measure(series: Sequence[PairedSeries], protocol: Protocol, bundle: Bundle | None, per_range: int, seed: int = 0,
            methods: Sequence[str] = METHODS, settings: Settings = Settings(device="cpu"),
            report: Callable[[str], None] = print) -> Comparison:
    """Standardize each series by every method and measure `per_range` random regions per HU range over all of them.

    The phantoms are the patients of the comparison, the targets its standard.
    """
    share = -(-per_range // len(series))

    def compared(number: int, one: PairedSeries) -> Comparison:
        volume, target = as_volume(one)
        regions, candidates = _regions(one, volume, share, seed)
        volumes = {method: Standardizer(protocol, replace(settings, method=method), bundle).standardize(volume)[0] for method in methods}
        report(f"{one.folder.name}: {number}/{len(series)}, {len(regions)} regions.")
        return compare(target, volumes, regions, profile=PyRadiomicsProfile(CLASSES), candidates=candidates)

    return joined(compared(number, one) for number, one in enumerate(series, 1))


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


def calibrated_temperature(series: Sequence[PairedSeries], protocol: Protocol, bundle: Bundle, per_range: int, seed: int = 0) -> float:
    """The share of the learned noise amplitude that gives soft tissue [10,250] the target's SD, between 0.8 and 1.2.

    Variances add: the mean alone and the mean with all of the noise tell how much of it is wanted.
    """
    def ratio(temperature: float) -> float:
        made = measure(series, replace(protocol, temperature=temperature), bundle, per_range, seed, ("ltdiff",), report=lambda line: None)
        return next(r["sd_ratio"] for r in sd_rows(made) if r["method"] == "ltdiff" and r["regions"] == "[10,250]")
    mean_alone, all_of_it = ratio(0.0), ratio(1.0)
    return float(np.clip(np.sqrt(max(1 - mean_alone**2, 0) / max(all_of_it**2 - mean_alone**2, 1e-6)), 0.8, 1.2))


def as_volume(one: PairedSeries) -> tuple[CTVolume, CTVolume]:
    """The source and the target series as volumes."""
    spacing = (one.pixel, one.pixel, one.description["acquisition"]["distance"])
    make = lambda hu, name: CTVolume(np.asarray(hu), spacing, name=f"{one.folder.name} {name}")
    return make(one.source, "source"), make(one.target, "target")


def _regions(one: PairedSeries, volume: CTVolume, share: int, seed: int) -> tuple[list[Region], list[dict]]:
    drawn, candidates = draw_regions(volume, share, seed, group=one.folder.name)
    return drawn + _tumours(one, volume, one.folder.name), candidates


def _tumours(one: PairedSeries, volume: CTVolume, group: str) -> list[Region]:
    """The phantom's nodules of at least TUMOUR_RADIUS_MM whose centres lie in the volume, as spheres."""
    first, distance, size = one.description["heights"][0], volume.spacing[2], volume.hu.shape[1]
    tumours = []
    for number, nodule in enumerate(one.description["nodules"]):
        x, y, z = nodule["centre"]
        centre = ((z - first) / distance, y / one.pixel + size // 2, x / one.pixel + size // 2)
        if nodule["radius"] >= TUMOUR_RADIUS_MM and 0 <= centre[0] <= len(volume.hu) - 1:
            tumours.append(region_from_sphere(centre, nodule["radius"], volume.spacing, volume.hu.shape,
                                              name=f"nodule {number:02d}", group=group))
    return tumours


def gates(rows: Sequence[dict], sd_rows: Sequence[dict]) -> list[dict]:
    """What LTDiff++ must hold, each with its figure: never MARGIN below the best of doing nothing and the filters per class
    and range (GOH is reported, not gated: its ceiling is low), the soft-tissue goals, the SD ratio within 1 +- 0.03."""
    figure = {(r["method"], r["regions"], r["feature_class"]): r["ccc_mean"] for r in rows}
    found = []
    for (method, label, name), value in figure.items():
        if method != "ltdiff" or name == "GOH":
            continue
        best = max(FILTERS, key=lambda f: figure.get((f, label, name), -1))
        limit = figure[best, label, name] - MARGIN
        found.append({"gate": f"{label} {name} >= {best} - {MARGIN}", "value": value, "limit": limit, "holds": value >= limit})
        if label == "[10,250]" and name in SOFT_TISSUE_GOALS:
            goal = SOFT_TISSUE_GOALS[name]
            found.append({"gate": f"{label} {name} goal", "value": value, "limit": goal, "holds": value >= goal})
    for row in sd_rows:
        if row["method"] == "ltdiff":
            found.append({"gate": f"{row['regions']} SD ratio within 1 +- 0.03", "value": row["sd_ratio"], "limit": 1.03 if row["sd_ratio"] > 1 else 0.97,
                          "holds": abs(row["sd_ratio"] - 1) <= 0.03})
    return found


def as_text(rows: Sequence[dict], sd_rows: Sequence[dict]) -> str:
    """Aligned tables, one per range: methods down, classes across, mean CCC with its 90 % interval."""
    lines = []
    for label in dict.fromkeys(r["regions"] for r in rows):
        part = [r for r in rows if r["regions"] == label]
        classes = list(dict.fromkeys(r["feature_class"] for r in part))
        lines.append(f"\n{label} (n = {part[0]['n_regions']})".ljust(26) + "".join(c.center(18) for c in classes) + "SD ratio (spread)")
        for method in dict.fromkeys(r["method"] for r in part):
            cells = {r["feature_class"]: r for r in part if r["method"] == method}
            sd = next(s for s in sd_rows if s["method"] == method and s["regions"] == label)
            figures = "".join(f"{cells[c]['ccc_mean']:.2f} [{cells[c]['ccc_low']:.2f},{cells[c]['ccc_high']:.2f}]".center(18) for c in classes)
            lines.append(f"  {method}".ljust(25) + figures + f"{sd['sd_ratio']:.2f} ({sd['sd_ratio_spread']:.3f})")
    return "\n".join(lines)
