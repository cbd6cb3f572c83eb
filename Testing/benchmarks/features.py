"""Features of one region: ours on its crop against PyRadiomics on the whole volume, as its documentation uses it, and on the crop."""
from __future__ import annotations

import logging

import numpy as np

from LTDiffStandardizeLib.radiomics.profiles.pyradiomics import BIN_WIDTH_HU, extract
from LTDiffStandardizeLib.radiomics.regions import region_from_sphere
from measuring import Row, compared, interleaved, needed
from sample import chest

CLASSES = ("firstorder", "glcm", "glrlm", "ngtdm")
RADIUS_MM = 10.0


def run(quick: bool) -> list[Row]:
    needed("radiomics")
    slices = 30 if quick else 120
    volume = chest(slices)
    region = region_from_sphere((slices // 2, 200, 250), RADIUS_MM, volume.spacing, volume.hu.shape)
    crop = region.crop(volume.hu)
    in_volume = np.zeros(volume.hu.shape, bool)
    in_volume[region.slices] = region.mask
    extractor = _extractor()
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


def _extractor():
    from radiomics import featureextractor

    logging.getLogger("radiomics").setLevel(logging.CRITICAL)
    extractor = featureextractor.RadiomicsFeatureExtractor(binWidth=BIN_WIDTH_HU)
    extractor.disableAllFeatures()
    for name in CLASSES:
        extractor.enableFeatureClassByName(name)
    return extractor


def _execution(extractor, hu, mask, spacing):
    """A function that extracts; image and mask are made beforehand, which is to the peer's advantage."""
    import SimpleITK as sitk

    image, label = sitk.GetImageFromArray(hu), sitk.GetImageFromArray(mask.astype(np.uint8))
    image.SetSpacing(spacing)
    label.SetSpacing(spacing)
    return lambda: extractor.execute(image, label)


def _differences(ours, peer) -> list[float]:
    """The relative difference of every feature that PyRadiomics gave."""
    # Names that both classes have (Variance, ...) are features of the histogram in IH and PyRadiomics' own in ID.
    named = {"firstorder": {**ours["IH"], **ours["ID"]}, "glcm": ours["GLCM"], "glrlm": ours["GLRLM"], "ngtdm": ours["NID"]}
    values = {key.split("_", 1)[1]: float(value) for key, value in peer.items() if key.startswith("original_")}
    pairs = [(named[name][feature], values[f"{name}_{feature}"]) for name, feature in (key.split("_") for key in values)]
    return [abs(a - b) / max(abs(b), 1e-12) for a, b in pairs]
