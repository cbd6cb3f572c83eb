"""Noise measured in homogeneous soft tissue of any scan: its SD, and how fine it is.

The noise power spectrum (NPS) of small patches tells how sharp the kernel was, whatever the dose: its mean frequency, the f_av
of AAPM TG-233, is taken from 1 to 6 lp/cm, since anatomy fills what lies below and few pixels show what lies above.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..model.protocols import probe_indices
from ..model.transfer import ROUNDING_POWER
from ..volumes.volume import CTVolume

SLICES, PATCHES = 12, 1200
SIDE_MM, CELLS = 12.0, 4
"""A patch is four by four cells, about 12 mm: wide enough for the lowest frequency, small enough to fit between vessels."""
SOFT_TISSUE = (-20.0, 130.0)
"""HU in which the means of all cells of a patch lie: water, muscle, organs, plastic; no fat, in whose strands anatomy prevails."""
LEAST_SD = 0.3
"""HU; less is filled in or rounded away (rounding alone has 0.29)."""
LEAST_PATCHES = 8
LOWEST, HIGHEST, BIN = 1.0, 6.0, 0.5
"""lp/cm."""
LEAST_NYQUIST = 5.0
"""lp/cm; pixels above 1 mm show too little of the band."""
_TRANSFORM = 64


@dataclass(frozen=True)
class Texture:
    """noise_hu: SD, HU. frequency: mean of the NPS from 1 to 6 lp/cm, width: its SD around that mean, lp/cm; None for pixels
    above 1 mm. folded: the pixels are too large (above 0.83 mm) for the whole band, and noise from above their Nyquist
    frequency is folded into it. patches: how many were measured."""

    noise_hu: float
    frequency: float | None
    width: float | None
    folded: bool
    patches: int


def measure_texture(volume: CTVolume) -> Texture | None:
    """None where there is too little homogeneous soft tissue (fewer than 8 patches), as in lungs alone or tiny volumes."""
    patches = _patches(volume)
    if len(patches) < LEAST_PATCHES:
        return None
    residual = _without_trend(patches)
    side = residual.shape[1]
    sd = np.sqrt(np.sum(residual**2, (1, 2)) / (side**2 - 6))
    residual, sd = residual[sd >= LEAST_SD], sd[sd >= LEAST_SD]
    if len(sd) < LEAST_PATCHES:
        return None
    typical = shortest_half(sd)
    spacing = volume.spacing[1], volume.spacing[0]
    nyquist = 5 / max(spacing)
    frequency, width = _moments(residual[typical], spacing, nyquist, volume.hu.dtype == np.int16) if nyquist >= LEAST_NYQUIST else (None, None)
    return Texture(float(np.median(sd[typical])), frequency, width, nyquist < HIGHEST, int(typical.sum()))


def shortest_half(values: np.ndarray) -> np.ndarray:
    """Bool, shape of `values` (n,): those in the shortest interval that holds half of them, around the mode of their distribution.

    Noise is what most patches have alike; vessels and borders make some patches differ more, by all degrees.
    """
    ordered = np.sort(values)
    half = len(ordered) // 2
    start = int(np.argmin(ordered[half:] - ordered[: len(ordered) - half]))
    return (values >= ordered[start]) & (values <= ordered[start + half])


def _patches(volume: CTVolume) -> np.ndarray:
    """(n, side, side) float32: patches of soft tissue, half overlapping, from slices spread over the volume."""
    cell = max(2, round(SIDE_MM / CELLS / max(volume.spacing[:2])))
    side = cell * CELLS
    if min(volume.hu.shape[1:]) < side:
        return np.empty((0, side, side), np.float32)
    indices = probe_indices(len(volume.hu), SLICES)
    return np.concatenate([_of_slice(volume.hu[index], cell, PATCHES // len(indices)) for index in indices])


def _of_slice(image: np.ndarray, cell: int, count: int) -> np.ndarray:
    from numpy.lib.stride_tricks import sliding_window_view

    rows, columns = (size // cell for size in image.shape)
    inner = image[: rows * cell, : columns * cell]
    means = inner.reshape(rows, cell, columns, cell).mean((1, 3), dtype=np.float32)
    windows = sliding_window_view(means, (CELLS, CELLS))[::2, ::2]
    soft = (windows.min((2, 3)) > SOFT_TISSUE[0]) & (windows.max((2, 3)) < SOFT_TISSUE[1])
    found = np.argwhere(soft)
    found = found[probe_indices(len(found), count)] if len(found) else found
    all_patches = sliding_window_view(inner, (cell * CELLS, cell * CELLS))[:: 2 * cell, :: 2 * cell]
    return all_patches[found[:, 0], found[:, 1]].astype(np.float32)


def _without_trend(patches: np.ndarray) -> np.ndarray:
    """Patches less their quadratic trend: shading and gentle anatomy."""
    count, side, _ = patches.shape
    y, x = (axis.ravel() for axis in np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j])
    trends, _ = np.linalg.qr(np.stack([np.ones(side**2), x, y, x * x, x * y, y * y], 1))
    flat, trends = patches.reshape(count, -1), trends.astype(np.float32)
    return (flat - (flat @ trends) @ trends.T).reshape(patches.shape)


def _moments(patches: np.ndarray, spacing: tuple[float, float], nyquist: float, is_rounded: bool) -> tuple[float, float]:
    """Mean frequency of the NPS and the SD around it, lp/cm."""
    side = patches.shape[1]
    window = np.outer(*[np.hanning(side + 2)[1:-1].astype(np.float32)] * 2)
    size = max(_TRANSFORM, side)
    periodograms = np.abs(np.fft.rfft2(patches * window, (size, size))) ** 2 / np.sum(window**2)
    # The geometric mean over patches, which the few with a vessel do not sway; of noise it is exp(-Euler's constant) of the mean.
    power = np.exp(np.mean(np.log(periodograms + 1e-9), 0) + np.euler_gamma)
    if is_rounded:
        power = np.maximum(power - ROUNDING_POWER, 0)
    frequencies = np.hypot(np.fft.fftfreq(size, spacing[0] / 10)[:, None], np.fft.rfftfreq(size, spacing[1] / 10))
    edges = np.arange(LOWEST, HIGHEST + BIN / 2, BIN)
    shown = edges[1:][edges[1:] <= nyquist]
    density = np.array([power[(frequencies >= high - BIN) & (frequencies < high)].mean() for high in shown])
    # Beyond the pixels' reach the spectrum is taken to fall as it did before, and never to rise.
    fall = min(1.0, np.sqrt(density[-1] / max(density[-3], 1e-9)))
    density = np.append(density, density[-1] * fall ** np.arange(1, len(edges) - len(shown)))
    centre = edges[1:] - BIN / 2
    weight = density * centre  # a ring of the plane grows with its radius
    mean = np.average(centre, weights=weight)
    return float(mean), float(np.sqrt(np.average((centre - mean) ** 2, weights=weight)))
