"""How one kernel's images become another's: radial transfer curves measured from pairs of slices."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .spectra import RadialCurve, SpectrumAccumulator

Pair = tuple[np.ndarray, np.ndarray]
ROUNDING_POWER = 1 / 12
"""HU^2 per pixel: white noise of rounding to whole HU."""


@dataclass(frozen=True)
class TransferCurve:
    """Transfer from a source kernel A to a target kernel B, as functions of radial frequency (lp/cm).

    `ls`: the least-squares gain S_AB / S_AA, best in RMSE. `power`: sqrt(S_BB / S_AA), which keeps the target's power and
    needs no pairing. `coherence`: |S_AB| / sqrt(S_AA S_BB), 0..1; what is below one cannot be brought back by a filter.
    """

    ls: RadialCurve
    power: RadialCurve
    coherence: RadialCurve

    @staticmethod
    def measure(pairs: Iterable[Pair], spacing: tuple[float, float]) -> "TransferCurve":
        """From slices of one scan with both kernels, HU, equal shapes; spacing (row, column) in mm."""
        accumulator = SpectrumAccumulator()
        for source, target in pairs:
            accumulator.add(source, target, spacing)
        return TransferCurve.from_powers(*accumulator.curves())

    @staticmethod
    def from_powers(frequency: np.ndarray, source: np.ndarray, target: np.ndarray, cross: np.ndarray) -> "TransferCurve":
        floor = 1e-12 * source.max()
        source, target = np.maximum(source, floor), np.maximum(target, floor)
        # Kernels keep the mean; sharp noise that the scale's lower end clips in air does not, and would shift all tissue by 1 HU.
        curve = lambda gain: RadialCurve.of(frequency, np.where(frequency > 0, gain, 1.0))
        return TransferCurve(curve(cross / source), curve(np.sqrt(target / source)),
                             curve(np.clip(cross / np.sqrt(source * target), 0, 1)))

    @staticmethod
    def from_unpaired(source: RadialCurve, target: RadialCurve) -> "TransferCurve":
        """From power spectra (HU^2) of scans of other objects.

        The power gain is measured. Other patients have other amounts of everything, so it is scaled to one at the lowest
        frequencies, where all kernels agree. The coherence is what rounding to whole HU leaves of the source's power.
        """
        frequency = np.asarray(source.frequency)
        frequency = frequency[frequency <= max(target.frequency)]
        available = np.maximum(source(frequency), 1e-12)
        ratio = np.sqrt(target(frequency) / available)
        power = ratio / np.median(ratio[(frequency > 0.2) & (frequency < 1.2)])
        power = np.where(frequency < 0.5, 1.0, power)
        return TransferCurve.of(frequency, power, np.sqrt(np.clip(1 - ROUNDING_POWER / available, 0.02, 1)))

    @staticmethod
    def of(frequency: np.ndarray, power: np.ndarray, coherence: np.ndarray) -> "TransferCurve":
        """From the power gain and the coherence; the least-squares gain is their product."""
        curve = lambda value: RadialCurve.of(frequency, value)
        return TransferCurve(curve(coherence * power), curve(power), curve(coherence))

    def reversed(self) -> "TransferCurve":
        """From the target to the source."""
        f, power = np.asarray(self.power.frequency), np.asarray(self.power.value)
        return TransferCurve.of(f, 1 / np.maximum(power, 1e-3), np.asarray(self.coherence.value))

    def from_sharper_source(self, gain: RadialCurve) -> "TransferCurve":
        """The transfer to the same target from another source, whose amplitude is `gain` times this source's.

        What the source lacks (rounding, mostly) shrinks against its signal by the square of that gain.
        """
        f, power, c = (np.asarray(v) for v in (self.power.frequency, self.power.value, self.coherence.value))
        lacking = (1 / np.clip(c, 0.02, 1) ** 2 - 1) / gain(f) ** 2
        return TransferCurve.of(f, power / gain(f), 1 / np.sqrt(1 + lacking))

    def unexplained(self, floor: float = 0.15) -> RadialCurve:
        """sqrt(1 - c^2) / c: amplitude of what the target has and the filtered source lacks, relative to the latter."""
        return self.coherence.map(lambda c: np.sqrt(1 - np.clip(c, floor, 1) ** 2) / np.clip(c, floor, 1))

    def as_dict(self) -> dict:
        return {"frequency_lp_cm": list(self.ls.frequency), "ls": list(self.ls.value), "power": list(self.power.value),
                "coherence": list(self.coherence.value)}

    @staticmethod
    def from_dict(data: dict) -> "TransferCurve":
        f = tuple(data["frequency_lp_cm"])
        return TransferCurve(*(RadialCurve(f, tuple(data[name])) for name in ("ls", "power", "coherence")))
