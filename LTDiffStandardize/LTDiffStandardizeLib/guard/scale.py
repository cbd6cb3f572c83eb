"""Whether the values of a volume are HU: air and tissue lie where a CT has them."""
from __future__ import annotations

import numpy as np

from ..model.protocols import probe_indices
from ..volumes.volume import CTVolume

SLICES, SIDE = 16, 256
"""At most so many slices, of each every n-th pixel so that a side has at most twice as many: a million values."""
MOST_LABELS = 64
AIR, LEAST_AIR = -700, 0.001
"""HU below which there is air or lung, and the share of voxels that shows it. A volume cut to an organ holds none."""
TISSUE, LEAST_TISSUE = (-200, 300), 0.005
"""HU of fat to enhanced blood."""
BELOW_AIR, MOST_BELOW_AIR = -1200, 0.2
"""No noise of air reaches so low so often: of the real series none has more than 0.05 % there, once padding is left out."""
LEAST_RANGE = 3.0
"""HU from the tenth to the ninetieth percentile. Noise with an SD of 1.2 HU has this alone; SUV, probabilities and labels have not."""
DARK, BACKGROUND = -20, (-20, 60)
"""HU: background near 0 and nothing below is what magnetic resonance images have, and stored values that were taken for HU."""
BRIGHT, LEAST_BRIGHT = (100, 250), 0.2
"""With it they have a fifth or more of their voxels above 100 and a tenth above 250, which the inside of a head has not."""
OBJECT, LEAST_OBJECT, LEAST_BORDER = 500, 0.01, 0.8
"""Or, of DICOM series, which nobody crops to the inside of a head, most of the slices' borders in the background (0.87 around a
head phantom) and a hundredth above 500."""


def sampled(volume: CTVolume) -> np.ndarray:
    """(n,): at most a million voxels spread over the volume, those in padding left out."""
    step = max(1, max(volume.hu.shape[1:]) // SIDE)
    chosen = np.s_[probe_indices(len(volume.hu), SLICES), ::step, ::step]
    values = volume.hu[chosen]
    return values.ravel() if volume.padding is None else values[~volume.padding[chosen]]


def shares(values: np.ndarray) -> dict[str, float]:
    """Which shares of the voxels are air or lung, and fat to enhanced blood; 0..1."""
    return {"air": float(np.mean(values < AIR)), "tissue": float(np.mean((values >= TISSUE[0]) & (values <= TISSUE[1])))}


def why_not_hu(volume: CTVolume, values: np.ndarray) -> str | None:
    """The cause and remedy, a piece of a sentence that begins with the volume's name; None where the values can be HU.

    values: see `sampled`; not empty.
    """
    if volume.source is None and volume.hu.min() >= 0 and len(np.unique(values)) <= MOST_LABELS and len(np.unique(volume.hu)) <= MOST_LABELS:
        return f"holds {MOST_LABELS} values at most and none below 0 HU, so it is a label map and no CT; give it with --roi"
    remedy = "give a CT in HU" if volume.source is None else "export it again with the right RescaleSlope and RescaleIntercept"
    share = shares(values)
    above_fill = values[values > values.min()]  # the lowest value may fill what was not measured
    if len(above_fill) and (below := np.mean(above_fill < BELOW_AIR)) > MOST_BELOW_AIR:
        median = np.median(above_fill[above_fill < BELOW_AIR])
        return (f"holds {below:.0%} of its voxels below {BELOW_AIR:,} HU (median {median:,.0f}), where no CT has anything, so its "
                f"values are not HU; {remedy}")  # fmt: skip
    if share["air"] >= LEAST_AIR:
        return None
    low, dark, bright = np.percentile(values, (0.1, 10, 90))
    found = f"has no air (CT: about -1,000 HU), and 80 % of its values lie from {dark:,.4g} to {bright:,.4g}"
    if bright - dark < LEAST_RANGE:
        return f"{found}, closer together than the noise of any CT, so they are not HU; {remedy}"
    if share["tissue"] < LEAST_TISSUE:
        return f"{found}, none of them soft tissue (CT: {TISSUE[0]} to {TISSUE[1]} HU), so they are not HU; {remedy}"
    background = float(np.median(values[values <= dark]))
    if low >= DARK and _is_background(background) and (_is_bright(values, bright) or _is_surrounded(volume, values)):
        return f"{found} with the background at {background:,.4g} and nothing below, so they are not HU; {remedy}"
    return None


def _is_background(hu: np.ndarray | float) -> np.ndarray | bool:
    return (hu >= BACKGROUND[0]) & (hu <= BACKGROUND[1])


def _is_bright(values: np.ndarray, ninetieth: float) -> bool:
    return ninetieth > BRIGHT[1] and np.mean(values > BRIGHT[0]) > LEAST_BRIGHT


def _is_surrounded(volume: CTVolume, values: np.ndarray) -> bool:
    if volume.source is None:
        return False
    slices = volume.hu[probe_indices(len(volume.hu), SLICES)]
    border = np.concatenate([slices[:, [0, -1]].ravel(), slices[:, :, [0, -1]].ravel()])
    return np.mean(_is_background(border)) > LEAST_BORDER and np.mean(values > OBJECT) > LEAST_OBJECT
