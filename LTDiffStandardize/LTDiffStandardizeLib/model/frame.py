"""The frame of a slice: where the filtered source is the origin and what the filter cannot bring back is unit white noise.

residual = whiten((image - filtered) / sd). In this frame the standard image is nearly N(0, 1) whatever the scanner, but for the
orientation of its streaks (directions.py), so a network that returns nothing leaves the closed-form filter with noise, and a
new kernel pair needs new curves, not new weights.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .directions import directed, direction_amplitudes
from .noise_map import CoherenceNoiseMap, from_cells
from .protocols import Protocol, probe_indices
from .spectra import RadialCurve, SliceSpectrum, SpectrumAccumulator, apply_curve, colour

NEGLIGIBLE_SHARE = 0.06
"""Of the variance: a filter that lacks no more is within 3 % of the target's SD, the tolerance asked of the model."""
PIXEL_TOLERANCE = 0.1
"""Relative distance from the fitted pixel size within which the fine noise map is used."""
LOWEST_NOISE = 0.5
"""lp/cm; below, every kernel passes everything and the filter is exact."""
KEPT = RadialCurve((LOWEST_NOISE / 2, LOWEST_NOISE), (0.0, 1.0))
"""Of what noise or a network adds to the filtered image."""
SIDE_MULTIPLE = 16
"""Sides of a slice in its frame are multiples of this; the deepest latents have 1/16 of them."""


@dataclass(frozen=True)
class SliceFrame:
    """`source`: one slice, float32 HU, sides multiples of SIDE_MULTIPLE; `spacing`: (row, column) mm; `amplitude`: the noise spectrum."""

    source: np.ndarray
    spacing: tuple[float, float]
    protocol: Protocol
    amplitude: RadialCurve

    @cached_property
    def _spectrum(self) -> SliceSpectrum:
        return SliceSpectrum(self.source, self.spacing)

    @cached_property
    def filtered(self) -> np.ndarray:
        """The least-squares filter's image, HU."""
        return self._spectrum.filtered(self.protocol.transfer.ls)

    @cached_property
    def power(self) -> np.ndarray:
        """The power filter's image, HU."""
        return self._spectrum.filtered(self.protocol.transfer.power)

    @cached_property
    def log_sd(self) -> np.ndarray:
        """Log of the local noise SD in HU, per pixel."""
        cells = self.protocol.noise_map.log_sd(self.source, self._spectrum, self.filtered)
        return from_cells(np.clip(cells, -1.0, 6.5))

    @cached_property
    def sd(self) -> np.ndarray:
        return np.exp(self.log_sd)

    @cached_property
    def directions(self) -> np.ndarray:
        """Relative noise amplitude per orientation, (ORIENTATIONS, rows / 8, columns / 8)."""
        return direction_amplitudes(self.source, self.spacing, self.protocol.directionality)

    def directed(self, white: np.ndarray) -> np.ndarray:
        """Standard normal noise that runs as the slice's noise does: a draw of the residual where the source tells nothing more."""
        return directed(white, self.directions) if self.protocol.directionality else white

    def with_noise(self, white: np.ndarray) -> np.ndarray:
        """ls_noise: the filtered image plus noise (standard normal `white`) of the best local strength known, HU."""
        return self.filtered + self._kept(self._drawn_sd * colour(white, self.amplitude, self.spacing))

    @property
    def _drawn_sd(self) -> np.ndarray:
        fine, pixel = self.protocol.fine_noise_map, self.protocol.fitted_pixel
        if fine is None or abs(self.spacing[0] / pixel - 1) > PIXEL_TOLERANCE:
            return self.sd
        cells = fine.log_sd(self.source, self._spectrum, self.filtered)
        return np.exp(from_cells(np.clip(cells, -1.0, 6.5)))

    def to_residual(self, image: np.ndarray) -> np.ndarray:
        """An image in HU as whitened, noise-normalised residual."""
        return self.whiten(image - self.filtered)

    def whiten(self, difference: np.ndarray) -> np.ndarray:
        """A difference image in HU in units of the local noise, spectrally flat."""
        return colour(difference / self.sd, self.amplitude, self.spacing, inverse=True)

    def from_residual(self, residual: np.ndarray) -> np.ndarray:
        """The way back, exact: HU."""
        return self.filtered + self._in_hu(residual)

    def standardized(self, residual: np.ndarray) -> np.ndarray:
        """The image of a network's residual, HU: as `from_residual`, but the mean HU of whole regions stays the filter's."""
        return self.filtered + self._kept(self._in_hu(residual))

    def _in_hu(self, residual: np.ndarray) -> np.ndarray:
        return self.sd * colour(residual, self.amplitude, self.spacing)

    def _kept(self, added: np.ndarray) -> np.ndarray:
        return apply_curve(added, KEPT, self.spacing)


class FrameFactory:
    """Makes frames for the slices of one volume; measures the noise spectrum on the volume where the protocol has none."""

    PROBE_SLICES = 8

    def __init__(self, protocol: Protocol, spacing: tuple[float, float], slices: np.ndarray) -> None:
        """`slices`: (n, rows, columns) HU; at most PROBE_SLICES of them, spread evenly, are looked at."""
        self.protocol, self.spacing = protocol, (float(spacing[0]), float(spacing[1]))
        self.amplitude, self.temperature = protocol.noise_amplitude, protocol.temperature
        if self.amplitude is None:
            self._measure(slices)

    def frame(self, source: np.ndarray) -> SliceFrame:
        return SliceFrame(np.asarray(source, np.float32), self.spacing, self.protocol, self.amplitude)

    def _measure(self, slices: np.ndarray) -> None:
        """The noise spectrum; and no noise at all where too little is missing for its uncertain strength to do good."""
        accumulator, fine_detail = SpectrumAccumulator(), SpectrumAccumulator()
        noise_map = self.protocol.noise_map
        assert isinstance(noise_map, CoherenceNoiseMap)
        for index in probe_indices(len(slices), self.PROBE_SLICES):
            frame = SliceFrame(np.asarray(slices[index], np.float32), self.spacing, self.protocol, RadialCurve((0.0,), (1.0,)))
            surrogate = noise_map.surrogate(frame.filtered, frame._spectrum)
            accumulator.add(np.clip(surrogate / frame.sd, -4, 4), None, self.spacing)
            fine_detail.add(frame.filtered, surrogate, self.spacing)
        self.amplitude = amplitude_curve(accumulator)
        if missing_share(fine_detail) < NEGLIGIBLE_SHARE:
            self.temperature = 0.0


def missing_share(pairs: SpectrumAccumulator) -> float:
    """Share of the target's variance above 1 lp/cm that the filtered image lacks, from (filtered, unexplained) slices."""
    frequency, filtered, unexplained, _ = pairs.curves()
    present, missing = (float(np.sum((frequency * power)[frequency > 1])) for power in (filtered, unexplained))
    return missing / max(present + missing, 1e-12)


def amplitude_curve(accumulator: SpectrumAccumulator, floor: float = 0.05) -> RadialCurve:
    """The accumulated power as amplitude, smooth, kept above `floor` of its maximum so that whitening stays bounded."""
    from scipy.ndimage import gaussian_filter1d

    frequency, power, _, _ = accumulator.curves()
    amplitude = np.sqrt(gaussian_filter1d(np.maximum(power, 0), 1.5, mode="nearest"))
    # Below, the residual is an offset of whole regions and no noise; drawn as noise it would shift their HU.
    lowest = min(np.searchsorted(frequency, LOWEST_NOISE), len(amplitude) - 1)
    amplitude[:lowest] = amplitude[lowest]
    return RadialCurve.of(frequency, np.maximum(amplitude, floor * amplitude.max()))
