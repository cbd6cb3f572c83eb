"""Reconstruction kernels by their modulation transfer function.

Frequencies are in lp/cm. A kernel is named by what it does, "Br40-like", never by a vendor's name:
published MTF figures of the vendors' chest kernels were not found.
"""
from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np


@dataclass(frozen=True)
class Kernel:
    """T(f) = exp(-(f/a)^b), a and b from MTF50 and MTF10, times an optional cos^2 stop band.

    `mtf50`, `mtf10`: frequencies (lp/cm) at which the curve without stop band is 0.5 and 0.1.
    `stop_start`, `stop_end`: between these frequencies (lp/cm) T falls to exactly zero, as clinical soft kernels do;
    without one, an inverse filter brings back what the kernel never erased.
    """

    name: str
    mtf50: float
    mtf10: float
    stop_start: float | None = None
    stop_end: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.mtf50 < self.mtf10:
            raise ValueError(f"Kernel {self.name}: MTF50 {self.mtf50} must lie between 0 and MTF10 {self.mtf10} lp/cm.")
        if (self.stop_start is None) != (self.stop_end is None):
            raise ValueError(f"Kernel {self.name}: a stop band needs both its start and its end.")

    def mtf(self, frequency: np.ndarray) -> np.ndarray:
        """The modulation transfer at `frequency` (lp/cm, any shape), values 0..1."""
        f = np.abs(np.asarray(frequency, dtype=np.float64))
        exponent = np.log(np.log(10) / np.log(2)) / np.log(self.mtf10 / self.mtf50)
        curve = np.exp(-np.log(2) * (f / self.mtf50) ** exponent)
        if self.stop_start is None:
            return curve
        phase = np.clip((f - self.stop_start) / (self.stop_end - self.stop_start), 0, 1)
        return curve * np.cos(0.5 * np.pi * phase) ** 2

    def as_dict(self) -> dict:
        return asdict(self)


SOFT = Kernel("Br40-like", 4.0, 6.9, 7.0, 8.5)
SHARP = Kernel("Bl64-like", 8.5, 12.0)
