"""The feature set of the agreement tables, computed by PyRadiomics on the region's crop.

    ID     16  first-order intensity
    IH      9  first-order Entropy and Uniformity, and the seven of `intensity_histogram`
    GLCM   24, GLRLM 16, NID (neighbourhood intensity difference, PyRadiomics' ngtdm) 5
    GOH    11  `gradient_orientation`

Bins of 25 HU, no resampling, no normalisation, distance 1, features averaged over the directions. PyRadiomics anchors
its first bin at the smallest value of the region. Compare volumes that are rounded alike (CT: whole HU).
"""
from __future__ import annotations

import logging
import warnings
from contextlib import closing, contextmanager
from typing import Callable, Dict, Sequence

import numpy as np

from ..errors import InputError
from .gradient_orientation import orientation_features
from .intensity_histogram import histogram_features
from .regions import Region

BIN_WIDTH_HU = 25.0
THICK = 2.0
"""Slice distance in pixels above which slices are thick."""
CLASSES = ("GOH", "GLCM", "GLRLM", "ID", "IH", "NID")
Features = Dict[str, Dict[str, float]]  # {class: {feature: value}}
_HISTOGRAM_FEATURES = ("Entropy", "Uniformity")


def available() -> tuple[bool, str]:
    """(True, "") when PyRadiomics can be used, else (False, one sentence that says why and what to do)."""
    try:
        _feature_classes()
    except Exception as error:  # a broken build fails in many ways, all of which mean the same to the user
        return False, (f"PyRadiomics cannot be used ({type(error).__name__}: {error}): run set-up with a C compiler "
                       f"and Python below 3.12 to build it; everything but the feature tables works without it.")
    return True, ""


def within_slices(spacing_xyz: Sequence[float]) -> bool:
    """Whether the next slice is too far away to be a neighbour: texture is then looked for within slices."""
    return spacing_xyz[2] > THICK * spacing_xyz[0]


def extract(hu_crop: np.ndarray, mask_crop: np.ndarray, spacing_xyz: Sequence[float], force2d: bool | None = None,
            bin_width: float = BIN_WIDTH_HU) -> Features:
    """Features of one region, {class: {feature: value}} with the classes of `CLASSES`.

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
    classes = _feature_classes()
    force2d = within_slices(spacing_xyz) if force2d is None else bool(force2d)
    settings = {"binWidth": bin_width, "force2D": force2d, "force2Ddimension": 0, "label": 1}
    with _quiet():
        image, mask = _sitk_pair(hu_crop, mask_crop, spacing_xyz)
        values = {name: _values(cls, image, mask, settings) for name, cls in classes.items()}
    histogram = {name: values["ID"].pop(name) for name in _HISTOGRAM_FEATURES}
    values["IH"] = {**histogram, **histogram_features(voxels, bin_width)}
    values["GOH"] = orientation_features(hu_crop, mask_crop, spacing_xyz)
    return {name: values[name] for name in CLASSES}


def extract_many(volume_hu: np.ndarray, regions: Sequence[Region], spacing_xyz: Sequence[float],
                 force2d: bool | None = None, processes: int = 1,
                 progress: Callable[[int, int], None] | None = None) -> list[Features]:
    """`extract` for every region of one volume, in the order of `regions`.

    Args
        volume_hu: (z, y, x) HU; only the crops are read.
        regions: sequence of Region.
        processes: above 1, worker processes are started; the calling script then needs the usual
            `if __name__ == "__main__":` guard. Threads would not help: the extraction holds the interpreter lock.
        progress: called with (regions done, regions in all) after each region; what it raises ends the work.
    """
    tasks = ((region.crop(volume_hu), region.mask, spacing_xyz, force2d) for region in regions)
    features = []
    with closing(_run(tasks, min(processes, len(regions)))) as results:
        for result in results:
            features.append(result)
            if progress is not None:
                progress(len(features), len(regions))
    return features


def _run(tasks, processes):
    if processes <= 1:
        yield from map(_extract_task, tasks)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # Spawned on every platform: a fork of a process in which torch has started threads can hang.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_extract_task, tasks, chunksize=4)


def _extract_task(task):
    return extract(*task)


def _feature_classes():
    """PyRadiomics' classes themselves: on a crop its extractor adds only checks that cost a fifth of the time."""
    from radiomics import firstorder, glcm, glrlm, ngtdm

    return {"ID": firstorder.RadiomicsFirstOrder, "GLCM": glcm.RadiomicsGLCM, "GLRLM": glrlm.RadiomicsGLRLM,
            "NID": ngtdm.RadiomicsNGTDM}


def _values(feature_class, image, mask, settings):
    try:
        values = feature_class(image, mask, **settings).execute()
    except RuntimeError:  # no voxel of the region has a neighbour: PyRadiomics' matrices refuse
        return {name: float("nan") for name, deprecated in feature_class.getFeatureNames().items() if not deprecated}
    return {name: float(value) for name, value in values.items()}


def _sitk_pair(hu_crop, mask_crop, spacing_xyz):
    import SimpleITK

    # Cut to the mask: texture matrices then skip the empty rim of the box.
    box = tuple(slice(int(where.min()), int(where.max()) + 1) for where in np.nonzero(mask_crop))
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
