"""Which way the noise of a slice runs: its amplitude per orientation of frequency, at every place.

Filtered back-projection makes the noise of one frequency orientation at a place from the rays through that place at right
angles to it (projection-slice theorem), and a ray whose attenuation is p has noise of variance exp(p) / I0 (Beer and Poisson).
So the rays of the image itself tell where its noise is streaky and which way. Tube-current modulation and bow-tie filters
even the rays out; how much of the pattern is left is one exponent per protocol, fitted on pairs (`Protocol.directionality`).
"""
from __future__ import annotations

from functools import lru_cache

import numpy as np

from .noise_map import cell_mean, from_cells

ORIENTATIONS = 8
"""Orientations of frequency, pi / 8 apart, from 0 (along the rows)."""
DIRECTION_CELL = 8
"""Pixels per side of a cell of the maps here."""
MU_WATER = 0.0192
"""1/mm."""


def direction_amplitudes(source: np.ndarray, spacing: tuple[float, float], directionality: float) -> np.ndarray:
    """(ORIENTATIONS, rows / 8, columns / 8) float32: relative amplitude of the noise in each orientation, such that white noise
    directed by them keeps unit variance at every place. `source`: one slice in HU, sides multiples of 8; `spacing` (row, column) in mm.
    """
    if not directionality:
        return np.ones((ORIENTATIONS, *(n // DIRECTION_CELL for n in source.shape)), np.float32)
    return unit_amplitudes(0.5 * directionality * log_ray_noise(source, spacing))


def log_ray_noise(source: np.ndarray, spacing: tuple[float, float]) -> np.ndarray:
    """Log variance, up to a constant, of the rays through each cell, one per orientation: their attenuation p."""
    from scipy.ndimage import rotate

    cells = cell_mean(np.asarray(source, np.float32), DIRECTION_CELL)
    attenuation = MU_WATER * np.maximum(1 + cells / 1000, 0) * DIRECTION_CELL * spacing[0]
    rows, columns = cells.shape
    side = int(np.ceil(np.hypot(rows, columns)))
    margins = [((side - n) // 2, side - n - (side - n) // 2) for n in cells.shape]
    square = np.pad(attenuation, margins)
    inner = tuple(slice(low, low + n) for (low, _), n in zip(margins, cells.shape))
    found = []
    for number in range(ORIENTATIONS):
        degrees = 180.0 * number / ORIENTATIONS
        rays = rotate(square, -degrees, reshape=False, order=1).sum(0)
        found.append(rotate(np.broadcast_to(rays, square.shape), degrees, reshape=False, order=1, mode="nearest")[inner])
    return np.stack(found).astype(np.float32)


def unit_amplitudes(log_amplitudes: np.ndarray) -> np.ndarray:
    """Amplitudes from their logs (ORIENTATIONS, ...), scaled so that directed white noise has unit variance everywhere."""
    amplitudes = np.exp(np.clip(log_amplitudes - log_amplitudes.mean(0), -2, 2))
    variance = np.einsum("j...,jk,k...->...", amplitudes, _overlaps(), amplitudes)
    return (amplitudes / np.sqrt(variance)).astype(np.float32)


def directed(white: np.ndarray, amplitudes: np.ndarray) -> np.ndarray:
    """White noise (rows, columns) given the local amplitudes of each orientation; with equal ones it comes back as it is."""
    import scipy.fft

    spectrum = scipy.fft.rfft2(np.asarray(white, np.float32))
    made = np.zeros(white.shape, np.float32)
    for wedge, amplitude in zip(wedges(white.shape), amplitudes):
        made += from_cells(amplitude, DIRECTION_CELL) * scipy.fft.irfft2(spectrum * wedge, s=white.shape)
    return made


@lru_cache(maxsize=4)
def wedges(shape: tuple[int, int]) -> np.ndarray:
    """(ORIENTATIONS, rows, columns / 2 + 1) float32: triangular windows over orientation on the real transform's grid, sum one."""
    angle = np.arctan2(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None])
    width = np.pi / ORIENTATIONS
    apart = (angle[None] - width * np.arange(ORIENTATIONS)[:, None, None] + np.pi / 2) % np.pi - np.pi / 2
    return np.maximum(1 - np.abs(apart) / width, 0).astype(np.float32)


@lru_cache(maxsize=1)
def _overlaps(side: int = 128) -> np.ndarray:
    """(ORIENTATIONS, ORIENTATIONS): mean product of two windows over the plane of frequencies."""
    weight = np.full(wedges((side, side)).shape[1:], 2.0)
    weight[:, [0, -1]] = 1.0
    return np.einsum("jrc,krc,rc->jk", *2 * (wedges((side, side)).astype(float),), weight) / weight.sum()


def apparent_directionality(energies: np.ndarray, rays: np.ndarray) -> float:
    """The exponent, 0..1.5, that by likelihood best explains `energies` by `rays` (direction_energies and log_ray_noise of the
    same cells, both (ORIENTATIONS, n)). Neighbouring windows share energy, so it comes out low; compare it with that of noise of known exponent.
    """
    from scipy.optimize import minimize_scalar

    rays = rays - rays.mean(0)
    gain = energies.mean(1, keepdims=True)  # The square grid treats orientations unequally, everywhere alike.

    def misfit(exponent: float) -> float:
        return float(np.mean(np.log(np.mean(energies / gain * np.exp(-exponent * rays), axis=0))))
    return float(minimize_scalar(misfit, bounds=(0.0, 1.5), method="bounded").x)


def direction_energies(residual: np.ndarray, sigma_cells: float = 1.0) -> np.ndarray:
    """(ORIENTATIONS, rows / 8, columns / 8): local energy of a residual in each orientation."""
    import scipy.fft
    from scipy.ndimage import gaussian_filter

    spectrum = scipy.fft.rfft2(np.asarray(residual, np.float32))
    energy = lambda wedge: cell_mean(scipy.fft.irfft2(spectrum * wedge, s=residual.shape) ** 2, DIRECTION_CELL)
    return np.stack([gaussian_filter(energy(wedge), sigma_cells) for wedge in wedges(residual.shape)]) + 1e-6
