"""Radial spectra of CT slices: measured, and applied as isotropic in-plane filters.

All radial frequencies are in lp/cm; spacing is (row, column) in mm.
"""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

BIN_WIDTH = 0.06
"""lp/cm; 170 bins up to the corner frequency of 0.7 mm pixels."""
_MARGIN = 14
"""Pixels of edge padding around a slice: 512 becomes 540, which FFTs like, and nothing wraps around."""


@dataclass(frozen=True)
class RadialCurve:
    """A function of radial frequency: `value` at `frequency` (lp/cm, ascending), linear between, constant beyond."""

    frequency: tuple[float, ...]
    value: tuple[float, ...]

    @staticmethod
    def of(frequency: np.ndarray, value: np.ndarray) -> "RadialCurve":
        return RadialCurve(tuple(float(f) for f in frequency), tuple(float(v) for v in value))

    def __call__(self, frequency: np.ndarray) -> np.ndarray:
        return np.interp(frequency, self.frequency, self.value)

    def map(self, function) -> "RadialCurve":
        """The curve with `function` applied to its values."""
        return RadialCurve.of(np.asarray(self.frequency), function(np.asarray(self.value)))


@lru_cache(maxsize=8)
def frequency_grid(shape: tuple[int, int], spacing: tuple[float, float]) -> np.ndarray:
    """Radial frequency (lp/cm) of each coefficient of the real 2-D FFT of an image of `shape`."""
    rows, columns = np.fft.fftfreq(shape[0], spacing[0] / 10), np.fft.rfftfreq(shape[1], spacing[1] / 10)
    return np.hypot(rows[:, None], columns[None]).astype(np.float32)


@lru_cache(maxsize=32)
def _gain(curve: RadialCurve, shape: tuple[int, int], spacing: tuple[float, float]) -> np.ndarray:
    return curve(frequency_grid(shape, spacing)).astype(np.float32)


@lru_cache(maxsize=32)
def _area(curve: RadialCurve, shape: tuple[int, int], spacing: tuple[float, float]) -> float:
    return _mean_square(_gain(curve, shape, spacing)) * 100 / (spacing[0] * spacing[1])


def _mean_square(gain: np.ndarray) -> float:
    """Over the whole plane, of which a real transform holds one half."""
    weight = np.full(gain.shape, 2.0)
    weight[:, 0] = 1.0
    return float(np.average(gain.astype(float) ** 2, weights=weight))


class SliceSpectrum:
    """The transform of one slice, so that several filters share it."""

    def __init__(self, image: np.ndarray, spacing: tuple[float, float], margin: int = _MARGIN) -> None:
        import scipy.fft

        self.spacing = spacing
        self._inner, self._margin = image.shape, margin
        padded = np.pad(np.asarray(image, dtype=np.float32), margin, mode="edge")
        self._shape = padded.shape
        self._coefficients = scipy.fft.rfft2(padded)

    def filtered(self, curve: RadialCurve) -> np.ndarray:
        """The slice with each radial frequency multiplied by the curve: float32, the slice's shape."""
        import scipy.fft

        gain = _gain(curve, self._shape, self.spacing)
        image = scipy.fft.irfft2(self._coefficients * gain, s=self._shape)
        rows, columns = (slice(self._margin, self._margin + n) for n in self._inner)
        return image[rows, columns]


    def area(self, curve: RadialCurve) -> float:
        """Integral of the squared curve over the frequencies of the pixel grid, (lp/cm)^2."""
        return _area(curve, self._shape, self.spacing)


def apply_curve(image: np.ndarray, curve: RadialCurve, spacing: tuple[float, float]) -> np.ndarray:
    """Filter one slice with an isotropic curve, its edges continued."""
    return SliceSpectrum(image, spacing).filtered(curve)


def colour(white: np.ndarray, amplitude: RadialCurve, spacing: tuple[float, float], inverse: bool = False) -> np.ndarray:
    """White noise given a radial amplitude spectrum, variance kept; with `inverse` the exact way back (periodic edges)."""
    import scipy.fft

    gain = _unit_power_gain(amplitude, white.shape, spacing)
    coefficients = scipy.fft.rfft2(np.asarray(white, np.float32))
    return scipy.fft.irfft2(coefficients / gain if inverse else coefficients * gain, s=white.shape)


@lru_cache(maxsize=16)
def _unit_power_gain(amplitude: RadialCurve, shape: tuple[int, int], spacing: tuple[float, float]) -> np.ndarray:
    gain = _gain(amplitude, shape, spacing)
    return (gain / np.sqrt(_mean_square(gain))).astype(np.float32)


class SpectrumAccumulator:
    """Sums Hann-windowed auto and cross spectra of image pairs in radial bins."""

    def __init__(self) -> None:
        self._sums: np.ndarray | None = None

    def add(self, first: np.ndarray, second: np.ndarray | None, spacing: tuple[float, float]) -> None:
        """Add a slice, or a pair of slices of one shape."""
        import scipy.fft

        spacing = (float(spacing[0]), float(spacing[1]))
        window = np.outer(*(np.hanning(n) for n in first.shape)).astype(np.float32)
        # One offset for both, so that their difference stays what it is; what the window leaks of a mean fills the lowest bins.
        transform = lambda image: scipy.fft.rfft2((np.asarray(image, np.float32) - np.float32(np.mean(first))) * window)
        a = transform(first)
        b = a if second is None else transform(second)
        bins = np.rint(frequency_grid(first.shape, spacing) / BIN_WIDTH).astype(int).ravel()
        weight = np.full(a.shape, 2.0)
        weight[:, 0] = 1.0
        parts = (weight * np.sum(window**2), weight * np.abs(a) ** 2, weight * np.abs(b) ** 2, weight * (a.conj() * b).real)
        sums = np.stack([np.bincount(bins, p.ravel()) for p in parts])
        self._sums = sums if self._sums is None else _add_padded(self._sums, sums)

    def curves(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Frequencies (lp/cm), power of the first, power of the second, cross power; per pixel, HU^2."""
        if self._sums is None:
            raise ValueError("No slices were added to the spectrum.")
        filled = self._sums[0] > 0
        count, first, second, cross = self._sums[:, filled]
        return np.flatnonzero(filled) * BIN_WIDTH, first / count, second / count, cross / count


def _add_padded(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    width = max(a.shape[1], b.shape[1])
    return sum(np.pad(part, ((0, 0), (0, width - part.shape[1]))) for part in (a, b))


def radial_power(images: Iterable[np.ndarray], spacing: tuple[float, float]) -> RadialCurve:
    """Mean power spectrum of slices in radial bins, HU^2 per pixel (white noise of variance v gives v)."""
    accumulator = SpectrumAccumulator()
    for image in images:
        accumulator.add(image, None, spacing)
    frequency, power, _, _ = accumulator.curves()
    return RadialCurve.of(frequency, power)
