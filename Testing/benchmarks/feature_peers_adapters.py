"""How each of the other packages is called on a crop, and which of its features are defined as ours are.

An adapter has `calls`, {who: {class: call}} with the class "together" for all of them; `of_one_region`, which turns the times of
these into those of one region; and `values`, {tag of `Ours`: value}.
"""
from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from feature_peers_ours import WIDTH, lowest_edge

CLASSES = ("first-order", "GLCM", "GLRLM", "NGTDM")
UPPER_HU = 4000.0  # above anything in a CT

# Names of PyRadiomics, in lower case and without underscores, which two of the packages use; the kurtosis of one is not the excess.
FIRST_ORDER = {
    "mean": "mean", "variance": "var", "skewness": "skew", "median": "median", "minimum": "min", "10percentile": "p10",
    "90percentile": "p90", "maximum": "max", "interquartilerange": "iqr", "range": "range", "meanabsolutedeviation": "mad",
    "robustmeanabsolutedeviation": "rmad", "energy": "energy", "rootmeansquared": "rms", "entropy": "entropy", "uniformity": "uniformity",
}  # fmt: skip
GLCM = {
    "maximumprobability": "joint_max", "jointaverage": "joint_avg", "sumsquares": "joint_var", "jointentropy": "joint_entr",
    "differenceaverage": "diff_avg", "differencevariance": "diff_var", "differenceentropy": "diff_entr", "sumaverage": "sum_avg",
    "clustertendency": "clust_tend", "sumentropy": "sum_entr", "jointenergy": "energy", "contrast": "contrast", "id": "inv_diff",
    "idn": "inv_diff_norm", "idm": "inv_diff_mom", "idmn": "inv_diff_mom_norm", "inversevariance": "inv_var", "correlation": "corr",
    "autocorrelation": "auto_corr", "clustershade": "clust_shade", "clusterprominence": "clust_prom", "imc1": "info_corr1",
    "imc2": "info_corr2",
}  # fmt: skip
GLRLM = {
    "shortrunemphasis": "sre", "longrunemphasis": "lre", "lowgraylevelrunemphasis": "lgre", "highgraylevelrunemphasis": "hgre",
    "shortrunlowgraylevelemphasis": "srlge", "shortrunhighgraylevelemphasis": "srhge", "longrunlowgraylevelemphasis": "lrlge",
    "longrunhighgraylevelemphasis": "lrhge", "graylevelnonuniformity": "glnu", "graylevelnonuniformitynormalized": "glnu_norm",
    "runlengthnonuniformity": "rlnu", "runlengthnonuniformitynormalized": "rlnu_norm", "runpercentage": "r_perc",
    "graylevelvariance": "gl_var", "runvariance": "rl_var", "runentropy": "rl_entr",
}  # fmt: skip
NGTDM = {name: name for name in ("coarseness", "contrast", "busyness", "complexity", "strength")}
TAGS = {
    "first-order": FIRST_ORDER,
    "GLCM": {name: f"cm_{tag}" for name, tag in GLCM.items()},
    "GLRLM": {name: f"rlm_{tag}" for name, tag in GLRLM.items()},
    "NGTDM": {name: f"ngt_{tag}" for name, tag in NGTDM.items()},
}


class _Classwise:
    """A package whose classes are called one by one, `_call(class)`, and all of them one after the other for "together"."""

    def __init__(self) -> None:
        alone = {name: lambda name=name: self._call(name) for name in CLASSES}
        self.calls = {"peer": {**alone, "together": lambda: [self._call(name) for name in CLASSES]}}

    def of_one_region(self, milliseconds: dict) -> dict:
        return milliseconds["peer"]

    def values(self) -> dict:
        """From PyRadiomics' names, whatever comes before a colon, and however their words are joined."""
        found = {}
        for name in CLASSES:
            for key, value in self._call(name).items():
                bare = key.split(":")[-1].replace("_", "").replace("10th", "10").replace("90th", "90").lower()
                if bare in TAGS[name]:
                    found[TAGS[name][bare]] = float(value)
        return found


class Flash(_Classwise):
    def __init__(self, hu: np.ndarray, mask: np.ndarray, spacing: tuple[float, ...]) -> None:
        import flash_radiomics as flash

        super().__init__()
        self._classes = dict(zip(CLASSES, (flash.RadiomicsFirstOrder, flash.RadiomicsGLCM, flash.RadiomicsGLRLM, flash.RadiomicsNGTDM)))
        self._arguments = (hu.astype(np.float64), mask.astype(np.uint8))
        self._settings = {"backend": "cpu", "num_threads": 1, "binWidth": WIDTH, "spacing": spacing}

    def _call(self, name: str) -> dict:
        return self._classes[name](*self._arguments, **self._settings).execute()


class Fastrad(_Classwise):
    def __init__(self, hu: np.ndarray, mask: np.ndarray, spacing: tuple[float, ...]) -> None:
        import fastrad
        import torch

        super().__init__()
        torch.set_num_threads(1)
        self._image = fastrad.MedicalImage(torch.from_numpy(hu.astype(np.float64)), spacing[::-1])
        self._mask = fastrad.Mask(torch.from_numpy(mask.astype(np.float32)), spacing[::-1])
        theirs = dict(zip(CLASSES, ("firstorder", "glcm", "glrlm", "ngtdm")))
        settings = {name: fastrad.FeatureSettings(feature_classes=[theirs[name]], bin_width=WIDTH, device="cpu") for name in CLASSES}
        self._extractors = {name: fastrad.FeatureExtractor(settings[name]) for name in CLASSES}

    def _call(self, name: str) -> dict:
        return self._extractors[name].extract(self._image, self._mask)


class Mirp:
    """Its tags are those of the IBSI, as ours are; bins start where values are cut off below."""

    FAMILIES = {"first-order": "statistics", "GLCM": "cm", "GLRLM": "rlm", "NGTDM": "ngtdm"}
    SETTINGS = {
        "image_modality": "ct", "base_discretisation_method": "fixed_bin_size", "base_discretisation_bin_width": WIDTH,
        "glcm_spatial_method": "3d_average", "glrlm_spatial_method": "3d_average", "ngtdm_spatial_method": "3d",
    }  # fmt: skip

    def __init__(self, hu: np.ndarray, mask: np.ndarray, spacing: tuple[float, ...]) -> None:
        self._hu, self._mask, self._low = hu.astype(np.float64), mask, lowest_edge(hu, mask)
        families = {**self.FAMILIES, "together": list(self.FAMILIES.values())}
        self.calls = {"peer": {name: lambda family=family: self._call(family) for name, family in families.items()}}

    def _call(self, family):
        from mirp.extract_features_and_images import extract_features

        region = {"image": self._hu, "mask": self._mask, "resegmentation_intensity_range": [self._low, UPPER_HU]}
        return extract_features(**region, base_feature_families=family, **self.SETTINGS)[0]

    def of_one_region(self, milliseconds: dict) -> dict:
        return milliseconds["peer"]

    def values(self) -> dict:
        row = self.calls["peer"]["together"]().iloc[0]
        found = {}
        for column, value in row.items():
            family, _, tag = column.partition("_")
            bare = tag.split("_d1_")[0].split("_3d")[0]
            if family in ("stat", "cm", "rlm", "ngt"):
                found[bare if family == "stat" else f"{family}_{bare}"] = float(value)
        return found


class Nyxus:
    """It reads files only, so one region's cost is that of one more in a label map. Textures are given the levels instead of HU,
    since it has no bins of a fixed width: without them its GLCM takes 100 times as long.
    """

    GROUPS = {"first-order": "*3D_ALL_INTENSITY*", "GLCM": "*3D_GLCM*", "GLRLM": "*3D_GLRLM*", "NGTDM": "*3D_NGTDM*"}
    OFFSET = 1024  # its intensities are not negative
    TAGS = {
        "3MIN": "min", "3MAX": "max", "3MEAN": "mean", "3MEDIAN": "median", "3SKEWNESS": "skew", "3EXCESS_KURTOSIS": "kurt",
        "3VARIANCE_BIASED": "var", "3MEAN_ABSOLUTE_DEVIATION": "mad", "3RANGE": "range",
        "3GLCM_ACOR_AVE": "cm_auto_corr", "3GLCM_CLUPROM_AVE": "cm_clust_prom", "3GLCM_CLUSHADE_AVE": "cm_clust_shade",
        "3GLCM_CLUTEND_AVE": "cm_clust_tend", "3GLCM_CONTRAST_AVE": "cm_contrast", "3GLCM_DIFAVE_AVE": "cm_diff_avg",
        "3GLCM_JAVE_AVE": "cm_joint_avg", "3GLCM_ID_AVE": "cm_inv_diff", "3GLCM_IDM_AVE": "cm_inv_diff_mom", "3GLCM_IV_AVE": "cm_inv_var",
        "3GLCM_JMAX_AVE": "cm_joint_max", "3GLRLM_SRE_AVE": "rlm_sre", "3GLRLM_LRE_AVE": "rlm_lre", "3GLRLM_GLN_AVE": "rlm_glnu",
        "3GLRLM_GLNN_AVE": "rlm_glnu_norm", "3GLRLM_RLN_AVE": "rlm_rlnu", "3GLRLM_RLNN_AVE": "rlm_rlnu_norm", "3GLRLM_RP_AVE": "rlm_r_perc",
        "3GLRLM_GLV_AVE": "rlm_gl_var", "3GLRLM_RV_AVE": "rlm_rl_var", "3GLRLM_RE_AVE": "rlm_rl_entr",
        "3GLRLM_LGLRE_AVE": "rlm_lgre", "3GLRLM_HGLRE_AVE": "rlm_hgre", "3GLRLM_SRLGLE_AVE": "rlm_srlge", "3GLRLM_SRHGLE_AVE": "rlm_srhge",
        "3GLRLM_LRLGLE_AVE": "rlm_lrlge", "3GLRLM_LRHGLE_AVE": "rlm_lrhge",
    }  # fmt: skip

    def __init__(self, hu: np.ndarray, mask: np.ndarray, spacing: tuple[float, ...]) -> None:
        self._folder = TemporaryDirectory(prefix="ltdiff-")
        self._more = 4 if mask.size > 1e5 else 20
        intensities = hu.astype(np.int32) + self.OFFSET
        levels = np.where(mask, np.floor((hu - lowest_edge(hu, mask)) / WIDTH) + 1, 0)
        images = {"first-order": self._written(intensities, mask, "hu"), "texture": self._written(levels, mask, "levels")}
        numbers = {"one": 1, "more": 1 + self._more}
        self.calls = {who: {name: self._call_of(name, images, number) for name in CLASSES} for who, number in numbers.items()}
        for calls in self.calls.values():
            calls["together"] = lambda calls=dict(calls): [call() for call in calls.values()]

    def _written(self, values: np.ndarray, mask: np.ndarray, name: str) -> dict:
        """Files of the image and its labels, with one region and with several below one another."""
        import SimpleITK as sitk

        files = {}
        for number in (1, 1 + self._more):
            image = np.concatenate([values] * number).astype(np.uint16)
            labels = np.concatenate([mask * (index + 1) for index in range(number)]).astype(np.uint16)
            files[number] = [str(Path(self._folder.name, f"{name}-{number}-{kind}.nii")) for kind in ("image", "labels")]
            for array, path in zip((image, labels), files[number]):
                sitk.WriteImage(sitk.GetImageFromArray(array), path)
        return files

    def _call_of(self, name: str, images: dict, number: int):
        import nyxus

        extractor = nyxus.Nyxus3D([self.GROUPS[name]], n_feature_calc_threads=1, ibsi=name != "first-order")
        image, labels = images["first-order" if name == "first-order" else "texture"][number]
        return lambda: extractor.featurize_files([image], [labels], False)

    def of_one_region(self, milliseconds: dict) -> dict:
        one, more = milliseconds["one"], milliseconds["more"]
        return {name: [(b - a) / self._more for a, b in zip(one[name], more[name])] for name in one}

    def values(self) -> dict:
        found = {}
        for table in self.calls["one"]["together"]():
            found.update({self.TAGS[name]: float(value) for name, value in table.iloc[0].items() if name in self.TAGS})
        return {tag: value - self.OFFSET * (tag in ("min", "max", "mean", "median")) for tag, value in found.items()}


ADAPTERS = {"flash-radiomics": Flash, "fastrad": Fastrad, "mirp": Mirp, "nyxus": Nyxus}
