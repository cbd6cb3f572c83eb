"""The features of PyRadiomics on the region's crop, in the columns of the paper's tables.

    ID     16  first-order intensity
    IH      9  first-order Entropy and Uniformity, and the seven of `pyradiomics_histogram`
    GLCM   24, GLRLM 16, NID (neighbourhood intensity difference, PyRadiomics' ngtdm) 5
    GOH    11  `pyradiomics_orientation`
    GLSZM  16, GLDM 14, Shape 14 (of the mask alone, so the same for all volumes), which have no column in the paper

Bins of 25 HU, no resampling, no normalisation, distance 1, features averaged over the directions. PyRadiomics anchors
its first bin at the smallest value of the region. Compare volumes that are rounded alike (CT: whole HU). Of a region
whose levels are not `countable`, `values_of` gives GOH, ID and Shape alone.
"""
from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Sequence

import numpy as np

from ...errors import InputError
from ..features import Features, FeatureTable, Name
from ..matrices.levels import box_of
from .checks import check, finite, some_of
from .pyradiomics_histogram import histogram_features
from .pyradiomics_orientation import orientation_features

BIN_WIDTH_HU = 25.0
THICK = 2.0
"""Slice distance in pixels above which slices are thick."""
CLASSES = ("GOH", "GLCM", "GLRLM", "ID", "IH", "NID")
"""Those of the paper's tables."""
ALL_CLASSES = (*CLASSES, "GLSZM", "GLDM", "Shape")
_HISTOGRAM_FEATURES = ("Entropy", "Uniformity")


def available() -> tuple[bool, str]:
    """(True, "") when PyRadiomics can be used, else (False, one sentence that says why and what to do)."""
    try:
        feature_classes()
    except Exception as error:  # a broken build fails in many ways, all of which mean the same to the user
        return False, (f"PyRadiomics cannot be used ({type(error).__name__}: {error}): run set-up with a C compiler "
                       f"and Python below 3.12 to build it, or install the SlicerRadiomics extension in 3D Slicer; "
                       f"everything else works without it, the IBEX and IBSI features too.")
    return True, ""


def within_slices(spacing_xyz: Sequence[float]) -> bool:
    """Whether the next slice is too far away to be a neighbour: texture is then looked for within slices."""
    return spacing_xyz[2] > THICK * spacing_xyz[0]


def extract(hu_crop: np.ndarray, mask_crop: np.ndarray, spacing_xyz: Sequence[float], force2d: bool | None = None,
            bin_width: float = BIN_WIDTH_HU, classes: Sequence[str] = CLASSES) -> Features:
    """Features of one region, {class: {feature: value}} with the classes asked for, of `ALL_CLASSES`.

    Args
        hu_crop: (z, y, x) HU, the region's box only: time grows with the crop, not with the region.
        mask_crop: bool, same shape.
        spacing_xyz: mm; enters TotalEnergy and GOH only.
        force2d: look for neighbours within slices only; matrices are summed over slices. None: where slices are thick
            (`within_slices`). A region within one slice is two-dimensional whatever is asked.
        bin_width: HU.

    A feature that is undefined for the region (such as textures of a single voxel) is NaN.
    Raises InputError when the mask is empty or a voxel in it is not a finite number.
    """
    voxels = hu_crop[mask_crop]
    if voxels.size == 0:
        raise InputError("The region holds no voxel, so it has no features: draw it inside the volume.")
    if not np.isfinite(voxels).all():
        raise InputError("The region holds voxels that are no finite numbers, so it has no features: mend the volume.")
    computed = {name: cls for name, cls in feature_classes().items() if name in {"ID", *classes}}
    force2d = within_slices(spacing_xyz) if force2d is None else bool(force2d)
    settings = {"binWidth": bin_width, "force2D": force2d, "force2Ddimension": 0, "label": 1}
    with _quiet():
        image, mask = _sitk_pair(hu_crop, mask_crop, spacing_xyz)
        values = {name: _values(cls, image, mask, settings) for name, cls in computed.items()}
    histogram = {name: values["ID"].pop(name) for name in _HISTOGRAM_FEATURES}
    values["IH"] = {**histogram, **histogram_features(voxels, bin_width)}
    values["GOH"] = orientation_features(hu_crop, mask_crop, spacing_xyz)
    return {name: values[name] for name in classes}


@dataclass(frozen=True)
class PyRadiomicsProfile:
    """The features of some of `ALL_CLASSES`; see `Profile` for the methods."""

    classes: tuple[str, ...] = ALL_CLASSES
    bin_width: float = BIN_WIDTH_HU
    force2d: bool | None = None
    name = "pyradiomics"

    def __post_init__(self) -> None:
        check("classes", self.classes, *some_of(self.classes, ALL_CLASSES))
        check("bin_width", self.bin_width, finite(self.bin_width) and self.bin_width > 0, "a finite number of HU above 0")

    def names(self) -> tuple[Name, ...]:
        return _names(self.classes)

    def values(self, hu: np.ndarray, mask: np.ndarray, spacing_xyz: Sequence[float]) -> np.ndarray:
        features = extract(hu, mask, spacing_xyz, self.force2d, self.bin_width, self.classes)
        return np.array([features[feature_class][name] for feature_class, name in self.names()])

    def about(self) -> str:
        from importlib.metadata import version

        return f"PyRadiomics {version('pyradiomics')} (GOH and most of IH by LTDiff), bins of {self.bin_width:g} HU, no resampling."

    def as_dict(self) -> dict:
        return asdict(self)


@lru_cache
def _names(classes: tuple[str, ...]) -> tuple[Name, ...]:
    """PyRadiomics tells its names only with a region at hand."""
    box = np.ones((3, 3, 3), bool)
    hu = np.arange(0, 27 * 25, 25, dtype=np.int16).reshape(box.shape)
    return FeatureTable.of([extract(hu, box, (1.0, 1.0, 1.0), classes=classes)]).names


def feature_classes():
    """PyRadiomics' classes themselves: on a crop its extractor adds only checks that cost a fifth of the time."""
    from radiomics import firstorder, glcm, gldm, glrlm, glszm, ngtdm, shape

    return {"ID": firstorder.RadiomicsFirstOrder, "GLCM": glcm.RadiomicsGLCM, "GLRLM": glrlm.RadiomicsGLRLM,
            "NID": ngtdm.RadiomicsNGTDM, "GLSZM": glszm.RadiomicsGLSZM, "GLDM": gldm.RadiomicsGLDM, "Shape": shape.RadiomicsShape}


def _values(feature_class, image, mask, settings):
    try:
        values = feature_class(image, mask, **settings).execute()
    except RuntimeError:  # no voxel of the region has a neighbour: PyRadiomics' matrices refuse
        return {name: float("nan") for name, deprecated in feature_class.getFeatureNames().items() if not deprecated}
    return {name: float(value) for name, value in values.items()}


def _sitk_pair(hu_crop, mask_crop, spacing_xyz):
    import SimpleITK

    box = box_of(mask_crop)  # texture matrices skip the empty rim
    image = SimpleITK.GetImageFromArray(hu_crop[box])
    mask = SimpleITK.GetImageFromArray(mask_crop[box].astype(np.uint8))
    for item in (image, mask):
        item.SetSpacing([float(step) for step in spacing_xyz])
    return image, mask


@contextmanager
def _quiet():
    """Hush PyRadiomics for this call only, as its logger is shared: it warns of every symmetrical matrix and prints the
    traceback of a feature that fails, which is NaN anyway.
    """
    logger = logging.getLogger("radiomics")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            yield
    finally:
        logger.setLevel(level)
