"""The local standard deviation of what a filter cannot bring back, predicted from the source image alone.

Soft-tissue texture agrees or fails on this one scalar field. Two ways to know it: a ridge regression of log band energies
fitted on pairs (`FittedNoiseMap`), or, where only transfer curves were measured, the part of the filtered image that the
coherence calls unexplained (`CoherenceNoiseMap`).
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .spectra import RadialCurve, SliceSpectrum

CELL = 4
"""Pixels per side of a grid cell; the map is smooth, so it is computed on the cells and interpolated."""
Bands = tuple[tuple[float, float], ...]
COARSE_BANDS: Bands = ((1.0, 2.2), (2.2, 3.4), (3.4, 4.6))
"""lp/cm; on the grid of every clinical pixel size."""
FINE_BANDS: Bands = ((1.0, 2.5), (2.5, 4.0), (4.0, 5.5), (5.5, 7.5))
"""lp/cm; the highest holds noise and hardly any anatomy, which halves the map's error, at the pixel size of the fit alone."""
MINIMUM_AREA = 5.0
"""(lp/cm)^2 of a band that must lie on the pixel grid's spectrum."""
LUNG_HU, BONE_HU = -500.0, 200.0


def cell_mean(image: np.ndarray, cell: int = CELL) -> np.ndarray:
    """Means over cell x cell pixels; both sides must be multiples of it."""
    rows, columns = image.shape
    return image.reshape(rows // cell, cell, columns // cell, cell).mean((1, 3))


def from_cells(grid: np.ndarray, cell: int = CELL) -> np.ndarray:
    """Bilinear interpolation of a cell map to pixels, float32."""
    for axis in (0, 1):
        grid = _interpolate(grid, axis, cell)
    return grid.astype(np.float32)


def _interpolate(grid: np.ndarray, axis: int, cell: int) -> np.ndarray:
    count = grid.shape[axis]
    position = np.clip((np.arange(count * cell) + 0.5) / cell - 0.5, 0, count - 1)
    lower = np.minimum(position.astype(int), count - 2)
    shape = [1, 1]
    shape[axis] = -1
    part = (position - lower).reshape(shape).astype(np.float32)
    return np.take(grid, lower, axis) * (1 - part) + np.take(grid, lower + 1, axis) * part


def _band(low: float, high: float) -> RadialCurve:
    edge = 0.3
    return RadialCurve((low - edge, low + edge, high - edge, high + edge), (0.0, 1.0, 1.0, 0.0))


def tissue_weights(source: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How much a cell is lung or bone, 0..1 each, from its smoothed HU."""
    from scipy.ndimage import gaussian_filter

    hu = gaussian_filter(cell_mean(source), 1.5)
    soft_step = lambda v: 1 / (1 + np.exp(-np.clip(v, -30, 30)))
    return soft_step((LUNG_HU - hu) / 80), soft_step((hu - BONE_HU) / 60)


def noise_features(source: np.ndarray, spectrum: SliceSpectrum, bands: Bands) -> np.ndarray:
    """Regressors on the cell grid, shape (36 or 45, rows / 4, columns / 4): log power densities of the bands pooled three ways,
    log gradients, one; each plain, times lung, times bone. Densities, not energies, so that large pixels, which cut the
    highest band short, give the same values; a band wholly beyond them takes the next lower one's."""
    from scipy.ndimage import gaussian_filter, gaussian_gradient_magnitude, median_filter

    base = []
    for low, high in bands:
        area = spectrum.area(_band(low, high))
        if area > MINIMUM_AREA:
            density = cell_mean(spectrum.filtered(_band(low, high)) ** 2) / area + 1e-4
        robust = median_filter(density, 7)
        base += [np.log(gaussian_filter(density, 2)), np.log(gaussian_filter(robust, 1.5)), np.log(gaussian_filter(robust, 6))]
    cells = cell_mean(source)
    base += [np.log(gaussian_gradient_magnitude(cells, sigma) + 1) for sigma in (1, 3)]
    base.append(np.ones_like(cells))
    lung, bone = tissue_weights(source)
    base = np.stack(base)
    return np.concatenate([base, base * lung, base * bone]).astype(np.float32)


@dataclass(frozen=True)
class FittedNoiseMap:
    """log SD (HU) = weights . features; 36 or 45 numbers, as many as the bands ask, fitted on pairs (ridge regression)."""

    weights: tuple[float, ...]
    bands: Bands = COARSE_BANDS

    def log_sd(self, source: np.ndarray, spectrum: SliceSpectrum, filtered: np.ndarray) -> np.ndarray:
        """Log of the SD in HU on the cell grid."""
        return np.tensordot(np.asarray(self.weights, np.float32), noise_features(source, spectrum, self.bands), 1)

    def as_dict(self) -> dict:
        return {"kind": "fitted", "weights": list(self.weights), "bands_lp_cm": [list(band) for band in self.bands]}


@dataclass(frozen=True)
class CoherenceNoiseMap:
    """SD of the filtered slice seen through sqrt(1 - c^2) / c, pooled in the log over neighbours so that edges count little.

    `correction`: weights of `noise_features` (coarse bands) added to its log, learned over many pairs of kernels; or empty.
    """

    unexplained: RadialCurve
    correction: tuple[float, ...] = ()

    def log_sd(self, source: np.ndarray, spectrum: SliceSpectrum, filtered: np.ndarray) -> np.ndarray:
        from scipy.ndimage import gaussian_filter, median_filter

        energy = cell_mean(self.surrogate(filtered, spectrum) ** 2) + 1e-2
        plain = 0.5 * np.log(gaussian_filter(median_filter(energy, 7), 2))
        if not self.correction:
            return plain
        return plain + np.tensordot(np.asarray(self.correction, np.float32), noise_features(source, spectrum, COARSE_BANDS), 1)

    def surrogate(self, filtered: np.ndarray, spectrum: SliceSpectrum) -> np.ndarray:
        """An image with the spectrum and the places of the unexplained residual, HU."""
        return SliceSpectrum(filtered, spectrum.spacing).filtered(self.unexplained)

    def as_dict(self) -> dict:
        return {"kind": "coherence", "frequency_lp_cm": list(self.unexplained.frequency), "value": list(self.unexplained.value),
                "correction": list(self.correction)}


def noise_map_from_dict(data: dict) -> FittedNoiseMap | CoherenceNoiseMap:
    if data["kind"] == "fitted":
        return FittedNoiseMap(tuple(data["weights"]), tuple(tuple(band) for band in data["bands_lp_cm"]))
    return CoherenceNoiseMap(RadialCurve(tuple(data["frequency_lp_cm"]), tuple(data["value"])), tuple(data.get("correction", ())))
