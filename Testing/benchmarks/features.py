"""Features of real regions: our 1,401 beside PyRadiomics' classes, and `extract` beside its extractor as its documentation uses it."""
from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, median

import numpy as np

from environment import ROOT
from LTDiffStandardizeLib.radiomics.profiles import IbexProfile
from LTDiffStandardizeLib.radiomics.profiles.pyradiomics import BIN_WIDTH_HU, extract
from LTDiffStandardizeLib.radiomics.regions import region_from_sphere
from LTDiffStandardizeLib.volumes import CTVolume, find_series, read_volume
from measuring import Row, Skipped, compared, interleaved, needed, timed
from sample import chest

CLASSES = ("firstorder", "glcm", "glrlm", "ngtdm")
RADIUS_MM = 10.0

REAL_VOLUME = ROOT.parent / "shared" / "data" / "volumes" / "lidc-idri-0314"  # 1 mm slices, but not part of the repository
SLICES = 120
BALLS = {1021: 6.25, 32795: 19.85, 262179: 39.7}
"""Voxels -> radius in voxels. The boxes around them have about 12^3, 40^3 and 80^3 voxels."""
PLACES = {"soft tissue": (60, 256, 256), "lung": (60, 256, 150), "border": (60, 330, 300)}
"""Centres (z, y, x) in either volume: the more grey levels a region has, the more there is to do."""
SECONDS_A_ROUND = 0.2
"""A shorter call is repeated within one timing, for the clock of the process may tick only every 16 ms."""
OFFSETS = (1, 4, 7)

Call = Callable[[], object]


@dataclass(frozen=True, eq=False)
class Crop:
    """A ball of `voxels` voxels at one of `PLACES`, cut out: hu and mask (z, y, x), spacing (x, y, z) in mm."""

    voxels: int
    place: str
    hu: np.ndarray
    mask: np.ndarray
    spacing: tuple[float, float, float]


def run(quick: bool) -> list[Row]:
    has_peer = _has_peer()
    rows = [row for crops in crops_of(real_volume(), quick) for row in _all_features(crops, has_peer, 1 if quick else 5)]
    return rows + (_of_the_paper(quick) if has_peer else [])


def real_volume() -> CTVolume:
    return read_volume(find_series(REAL_VOLUME)[0]) if REAL_VOLUME.is_dir() else chest(SLICES)


def crops_of(volume: CTVolume, quick: bool) -> list[list[Crop]]:
    """For each size, smallest first, its crops at all places; the largest takes too long to be quick."""
    return [[_crop(volume, voxels, place) for place in PLACES] for voxels in list(BALLS)[:2 if quick else None]]


def _crop(volume: CTVolume, voxels: int, place: str) -> Crop:
    region = region_from_sphere(PLACES[place], BALLS[voxels], (1.0, 1.0, 1.0), volume.hu.shape)
    assert region.number_of_voxels == voxels, (voxels, region.number_of_voxels)
    return Crop(voxels, place, np.ascontiguousarray(region.crop(volume.hu)), region.mask, volume.spacing)


def milliseconds(calls: dict[str, dict[str, Call]], rounds: int) -> dict[str, dict[str, list[float]]]:
    """CPU-ms of one call, {who: {place: [of each round]}}, all of them in turns. calls: {who: {place: call}}."""
    flat = {(who, place): call for who, places in calls.items() for place, call in places.items()}
    repeats = {key: _repeats(call) for key, call in flat.items()}
    seconds = interleaved({key: _repeated(call, repeats[key]) for key, call in flat.items()}, rounds)
    per_call = {key: [1000 * one / repeats[key] for one in values] for key, values in seconds.items()}
    return {who: {place: per_call[who, place] for place in places} for who, places in calls.items()}


def of_all_places(places: dict[str, list[float]]) -> list[float]:
    """Of each round the mean over the places."""
    return [fmean(one_round) for one_round in zip(*places.values())]


def told(places: dict[str, list[float]]) -> str:
    return ", ".join(f"{place} {median(values):.3g}" for place, values in places.items())


def _repeats(call: Call) -> int:
    for _ in range(2):  # the first call has more to do, unless it is so long that this is nothing
        start = time.process_time()
        call()
        seconds = time.process_time() - start
        if seconds > 2 * SECONDS_A_ROUND:
            return 1
    return math.ceil(SECONDS_A_ROUND / max(seconds, 1e-3))


def _repeated(call: Call, times: int) -> Call:
    def repeated():
        for _ in range(times):
            call()

    return repeated


def _has_peer() -> bool:
    """Without PyRadiomics there is nothing to compare to, but still our own time to tell."""
    try:
        needed("radiomics")
    except Skipped:
        return False
    logging.getLogger("radiomics").setLevel(logging.CRITICAL)
    return True


def _all_features(crops: Sequence[Crop], has_peer: bool, rounds: int) -> list[Row]:
    profile = IbexProfile()
    name = f"features: {len(profile.names()):,} IBEX-compatible, {crops[0].voxels:,} voxels"
    calls = {"ours": {crop.place: lambda crop=crop: profile.values(crop.hu, crop.mask, crop.spacing) for crop in crops}}
    if has_peer:
        calls["extractor"] = {crop.place: _extractor_runs(crop) for crop in crops}
        calls["classes"] = {crop.place: _same_matrices(crop) for crop in crops}
    found = milliseconds(calls, rounds)
    ours = of_all_places(found["ours"])
    rows = [timed(name, ours, unit="ms", note=f"mean of {told(found['ours'])}" + ("" if has_peer else "; PyRadiomics is missing"))]
    if has_peer:
        rows.append(compared(f"{name} / PyRadiomics' extractor, same matrices", ours, of_all_places(found["extractor"]), "ms", AT_DISTANCE_1))
        rows.append(compared(f"{name} / PyRadiomics' classes, same matrices", ours, of_all_places(found["classes"]), "ms", "without its extractor"))
    return rows


AT_DISTANCE_1 = ("8 runs on the crop; GLCM at distance 1 for each of the offsets 1, 4, 7, to its advantage: "
                 "its distances=[4] means 193 directions, not 13")  # fmt: skip


def _extractor_runs(crop: Crop) -> Call:
    """PyRadiomics as its users call it, for the matrices that the 1,401 features need: a run for each GLCM, and one a kind of slices for the rest."""
    rest = {True: ("firstorder", "glrlm", "ngtdm"), False: ("ngtdm",)}
    wanted = [(names, in_slices) for in_slices in rest for names in [("glcm",)] * len(OFFSETS) + [rest[in_slices]]]
    runs = [_execution(_extractor(names, force2D=in_slices), crop.hu, crop.mask, crop.spacing) for names, in_slices in wanted]
    return lambda: [run() for run in runs]


def _same_matrices(crop: Crop) -> Call:
    """PyRadiomics' classes for the matrices that the 1,401 features need: GLCM and NGTDM in slices and in space, GLRLM in slices."""
    from radiomics import firstorder, glcm, glrlm, ngtdm

    image, label = _sitk_pair(crop.hu, crop.mask, crop.spacing)
    jobs = [(firstorder.RadiomicsFirstOrder, False), (glrlm.RadiomicsGLRLM, True)]
    for in_slices in (True, False):
        jobs += [(glcm.RadiomicsGLCM, in_slices)] * len(OFFSETS) + [(ngtdm.RadiomicsNGTDM, in_slices)]
    common = {"binWidth": BIN_WIDTH_HU, "force2Ddimension": 0, "label": 1}
    return lambda: [feature_class(image, label, force2D=in_slices, **common).execute() for feature_class, in_slices in jobs]


def _of_the_paper(quick: bool) -> list[Row]:
    """The features that both name alike, ours with PyRadiomics' own classes inside."""
    slices = 30 if quick else SLICES
    volume = chest(slices)
    region = region_from_sphere((slices // 2, 200, 250), RADIUS_MM, volume.spacing, volume.hu.shape)
    crop = region.crop(volume.hu)
    in_volume = np.zeros(volume.hu.shape, bool)
    in_volume[region.slices] = region.mask
    extractor = _extractor(CLASSES)
    calls = {
        "ours": lambda: extract(crop, region.mask, volume.spacing),
        "volume": _execution(extractor, volume.hu, in_volume, volume.spacing),
        "crop": _execution(extractor, crop, region.mask, volume.spacing),
    }
    seconds = interleaved(calls, 1 if quick else 3)
    differences = _differences(calls["ours"](), calls["volume"]())
    size = f"{region.number_of_voxels} voxels"
    return [
        compared(f"features: {size} / PyRadiomics on the volume", seconds["ours"], seconds["volume"], note=f"512 x 512 x {slices}, as documented"),
        compared(f"features: {size} / PyRadiomics on the crop", seconds["ours"], seconds["crop"], note="ours has 18 features more (GOH, IH)"),
        Row("features: largest relative difference", max(differences), "1", note=f"of the {len(differences)} features that both have"),
    ]


def _extractor(classes: Sequence[str], **settings):
    from radiomics import featureextractor

    extractor = featureextractor.RadiomicsFeatureExtractor(binWidth=BIN_WIDTH_HU, **settings)
    extractor.disableAllFeatures()
    for name in classes:
        extractor.enableFeatureClassByName(name)
    return extractor


def _execution(extractor, hu, mask, spacing) -> Call:
    """A function that extracts; image and mask are made beforehand, which is to the peer's advantage."""
    image, label = _sitk_pair(hu, mask, spacing)
    return lambda: extractor.execute(image, label)


def _sitk_pair(hu, mask, spacing):
    import SimpleITK as sitk

    image, label = sitk.GetImageFromArray(hu), sitk.GetImageFromArray(mask.astype(np.uint8))
    image.SetSpacing(spacing)
    label.SetSpacing(spacing)
    return image, label


def _differences(ours, peer) -> list[float]:
    """The relative difference of every feature that PyRadiomics gave."""
    # Names that both classes have (Variance, ...) are features of the histogram in IH and PyRadiomics' own in ID.
    named = {"firstorder": {**ours["IH"], **ours["ID"]}, "glcm": ours["GLCM"], "glrlm": ours["GLRLM"], "ngtdm": ours["NID"]}
    values = {key.split("_", 1)[1]: float(value) for key, value in peer.items() if key.startswith("original_")}
    pairs = [(named[name][feature], values[f"{name}_{feature}"]) for name, feature in (key.split("_") for key in values)]
    return [abs(a - b) / max(abs(b), 1e-12) for a, b in pairs]
