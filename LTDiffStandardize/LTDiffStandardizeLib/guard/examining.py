"""Examining a volume before it is standardized: facts for the record, warnings, and the refusal of what is no CT in HU."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..model.protocols import Protocol, same_kernel, sharp_source_warning
from ..volumes.derivation import SOFTWARE
from ..volumes.orientation import axial
from ..volumes.volume import CTVolume
from .contents import METAL_HU, Enhanced, enhanced, metal_ml
from .scale import sampled, shares, why_not_hu
from .sharpness import already_standard, is_comparable, is_like_the_target, misfit
from .texture import Texture, measure_texture

LEAST_METAL_ML, LEAST_CONTRAST_ML = 0.05, 1.0
"""A cube of 3.7 mm; half of a slice of an aorta, 5 mm thick."""


@dataclass(frozen=True)
class Examination:
    """facts: for the record, None what could not be measured. warnings: whole sentences. refusal: one, or None."""

    facts: dict[str, Any]
    warnings: tuple[str, ...] = ()
    refusal: str | None = None


def examine(volume: CTVolume, protocol: Protocol | None = None, named: bool = False, trained_noise: tuple[float, float] | None = None) -> Examination:
    """What the voxels tell. Takes 0.2 s of one core for 150 slices of 512 x 512 and makes no copy of the volume.

    protocol: what it is to be standardized with; None: only whether it is a CT, and what it holds. named: the user chose just
    this protocol, so that an input that is like its target is warned of, not refused. trained_noise: lowest and highest noise SD
    (HU) of the scans that the network was trained on, where one is used.
    """
    values = sampled(volume)
    if refusal := _why_no_scan(volume, values):
        return Examination({}, refusal=f"{volume.name} {refusal}.")
    volume, _ = axial(volume)
    texture, contrast, metal = measure_texture(volume), enhanced(volume), metal_ml(volume)
    facts = _facts(shares(values), texture, contrast, metal)
    if protocol and not named and is_comparable(texture) and is_like_the_target(texture.frequency, protocol):
        return Examination(facts, refusal=already_standard(volume.name, volume.facts.kernel, texture.frequency, protocol))
    return Examination(facts, tuple(_warnings(volume, protocol, trained_noise, texture, contrast, metal)))


def _why_no_scan(volume: CTVolume, values: np.ndarray) -> str | None:
    """A piece of a sentence: results of this program and label maps lie in the folders of cohorts too."""
    if (volume.facts.kernel or "").startswith(SOFTWARE):
        return f"is a result of {SOFTWARE} already; give the series that it was made from"
    return why_not_hu(volume, values) if values.size else "holds nothing but padding; choose another series"


def _facts(share: dict[str, float], texture: Texture | None, contrast: Enhanced | None, metal: float) -> dict[str, Any]:
    return {
        "noise_hu": _rounded(texture and texture.noise_hu, 1),
        "noise_mean_frequency_lp_cm": _rounded(texture and texture.frequency, 2),
        "noise_width_lp_cm": _rounded(texture and texture.width, 2),
        "noise_patches": texture.patches if texture else 0,
        "air_share": _rounded(share["air"], 3),
        "soft_tissue_share": _rounded(share["tissue"], 3),
        "contrast_ml": _rounded(contrast and contrast.volume_ml, 1),
        "metal_ml": _rounded(metal, 2),
    }


def _warnings(volume: CTVolume, protocol: Protocol | None, trained_noise: tuple[float, float] | None, texture: Texture | None,
              contrast: Enhanced | None, metal: float) -> Iterator[str]:  # fmt: skip
    if volume.facts.lossy_compression:
        yield (f"The input was compressed with loss ({volume.facts.lossy_compression}), which changes fine detail and noise, so features of it "
               "are less certain.")  # fmt: skip
    if protocol:
        yield from filter(None, [_sharpness_warning(volume, protocol, texture)])
    if texture and trained_noise and not trained_noise[0] <= texture.noise_hu <= trained_noise[1]:
        yield (f"The input's noise has an SD of {texture.noise_hu:.3g} HU, while the network was trained with {trained_noise[0]:g} to "
               f"{trained_noise[1]:g} HU, so do not trust the result; --method ls_noise does without the network.")  # fmt: skip
    if contrast and contrast.volume_ml >= LEAST_CONTRAST_ML:
        yield (f"The input holds contrast medium (at least {contrast.volume_ml:.0f} mL at {contrast.hu:.0f} HU), which standardization leaves as it "
               "is; compare it with scans of the same phase.")  # fmt: skip
    if metal >= LEAST_METAL_ML:
        yield (f"The input holds metal or much tooth enamel ({metal:.2g} mL above {METAL_HU:,} HU), whose streaks are not standardized; do not "
               "measure features in them.")  # fmt: skip


def _sharpness_warning(volume: CTVolume, protocol: Protocol, texture: Texture | None) -> str | None:
    """The NPS where it can be compared; else what the filter would amplify, for a kernel that the protocol is not made for."""
    if is_comparable(texture):
        doubt = misfit(texture.frequency, protocol)
        if doubt or protocol.source.noise_frequency is not None:
            return doubt
    return None if same_kernel(protocol.source.label, volume.facts.kernel) else sharp_source_warning(protocol, volume)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(float(value), digits)
