"""What can be known of a source and a target kernel whose scans show different patients: two power spectra and no pair.

Their ratio is the power gain. What it does not tell, how much of the target a filter of the source can reach (coherence) and
where the rest lies, was learned over simulated pairs of random kernels, pixel sizes, thicknesses and doses, in both directions.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..volumes.orientation import axial
from ..volumes.volume import CTVolume
from .noise_map import CoherenceNoiseMap
from .protocols import UNTRIED_TRUST, KernelFacts, Protocol, power_of
from .spectra import RadialCurve
from .transfer import ROUNDING_POWER, TransferCurve

LOWEST, HIGHEST_SHARE = 0.5, 1.3
"""Coherence is estimated from 0.5 lp/cm to 1.3 of the pixels' Nyquist frequency (nearly the corner); below, all kernels agree."""
UNPAIRED_DIRECTIONALITY = 0.2
"""Between simulated scanners, whose tube current never changes (median 0.45), and three real pairs (0.01, 0.05, 0.28)."""


@dataclass(frozen=True)
class UnpairedModel:
    """`coherence`: weights of `spectral_features`; `noise`: of `noise_features`, what is added to the log SD that the
    coherence gives."""

    coherence: tuple[float, ...]
    noise: tuple[float, ...]

    def protocol(self, source: KernelFacts, target: KernelFacts, source_power: RadialCurve, target_power: RadialCurve,
                 pixel: float, about: str) -> Protocol:
        """From radial power spectra (HU^2) of images with pixels of `pixel` mm: the source's own, and any with the target kernel."""
        transfer = self.transfer(source_power, target_power, pixel)
        return Protocol(source, target, transfer, CoherenceNoiseMap(transfer.unexplained(), self.noise), None, about,
                        directionality=UNPAIRED_DIRECTIONALITY, trust=UNTRIED_TRUST)

    def transfer(self, source: RadialCurve, target: RadialCurve, pixel: float) -> TransferCurve:
        plain = TransferCurve.from_unpaired(source, target)
        frequency = np.asarray(plain.power.frequency)
        odds = np.tensordot(np.asarray(self.coherence), spectral_features(frequency, source, target, pixel), 1)
        coherence = np.sqrt(1 / (1 + np.exp(-np.clip(odds, -6, 9))))
        coherence = np.where(frequency < LOWEST, 1.0, coherence)
        beyond = frequency > HIGHEST_SHARE * 5 / pixel
        if beyond.any() and not beyond.all():
            coherence[beyond] = coherence[~beyond][-1]
        # What rounding to whole HU erased of the source cannot come back, whatever was learned.
        return TransferCurve.of(frequency, np.asarray(plain.power.value), np.minimum(coherence, np.asarray(plain.coherence.value)))

    def as_dict(self) -> dict:
        return {"coherence": list(self.coherence), "noise": list(self.noise)}

    @staticmethod
    def from_dict(data: dict) -> "UnpairedModel":
        return UnpairedModel(tuple(data["coherence"]), tuple(data["noise"]))


def protocol_from_references(source: CTVolume, references: Sequence[CTVolume], model: UnpairedModel | None) -> Protocol:
    """A protocol measured on the source volume and on scans made with the target kernel, of any patients; in both directions.

    `model` None: the coherence is what rounding leaves, and the noise is drawn with caution.
    """
    label = references[0].facts.kernel or references[0].name
    kernels = KernelFacts(source.facts.kernel or "unknown"), KernelFacts(label)
    about = f"Power spectra of {source.name} and of {len(references)} reference volume(s) with kernel {label}."
    before, after = power_of([source]), power_of(references)
    if model is None:
        return Protocol.from_transfer(*kernels, TransferCurve.from_unpaired(before, after), about)
    return model.protocol(*kernels, before, after, float(axial(source)[0].spacing[0]), about)


def spectral_features(frequency: np.ndarray, source: RadialCurve, target: RadialCurve, pixel: float) -> np.ndarray:
    """(45, n): one, what is known of a frequency (lp/cm) from two power spectra, and products of two of these."""
    nyquist = 5 / pixel
    gain = np.log(np.maximum(np.asarray(TransferCurve.from_unpaired(source, target).power(frequency)), 1e-3))
    level = lambda curve: np.log(np.maximum(curve(frequency), 1e-6) / ROUNDING_POWER) / 5
    within = lambda values, low, high: np.full(len(frequency), np.mean(values[(frequency > low * nyquist) & (frequency < high * nyquist)]))
    a, b = level(source), level(target)
    known = [gain, a, b, frequency / nyquist, within(gain, 0.8, 1.0), within(gain, 0.4, 0.6), within(b, 0.8, 1.0),
             np.full(len(frequency), (pixel - 0.7) / 0.15)]
    products = [known[i] * known[j] for i in range(len(known)) for j in range(i, len(known))]
    return np.stack([np.ones(len(frequency)), *known, *products])
