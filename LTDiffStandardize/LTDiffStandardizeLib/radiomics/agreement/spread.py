"""The strength of noise and texture in regions, relative to a reference."""
from __future__ import annotations

from typing import NamedTuple, Sequence

import numpy as np

from ..regions import Region


class SDRatio(NamedTuple):
    """Standard deviation in the regions, relative to the reference's."""

    median: float    # median over the regions; 1 where noise and texture have the reference's strength
    log_sd: float    # SD (ddof 0) over the regions of the ratio's natural logarithm: 0.1 is about 10 %
    n_regions: int   # regions in which both volumes vary


def sd_ratio(volume_hu: np.ndarray, reference_hu: np.ndarray, regions: Sequence[Region]) -> SDRatio:
    """`SDRatio` of two volumes (z, y, x) HU; NaN where no region varies in both."""
    return sd_ratio_of(*([region.crop(hu)[region.mask].std(dtype=float) for region in regions] for hu in (volume_hu, reference_hu)))


def sd_ratio_of(sd: Sequence[float], reference_sd: Sequence[float]) -> SDRatio:
    """`SDRatio` from the SD of every region in both volumes; regions that do not vary in both are left out."""
    sd, reference_sd = np.asarray(sd, float), np.asarray(reference_sd, float)
    vary = (sd > 0) & (reference_sd > 0)
    if not vary.any():
        return SDRatio(float("nan"), float("nan"), 0)
    ratio = sd[vary] / reference_sd[vary]
    return SDRatio(float(np.median(ratio)), float(np.log(ratio).std()), len(ratio))
