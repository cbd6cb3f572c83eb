"""Whether two slices are images of one scan: same place, same HU where nothing changes, same coarse structure and noise.

Kernels and slice thickness change what is fine in an image. So slices are compared at frequencies that all kernels pass.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from LTDiffStandardizeLib.model.spectra import SpectrumAccumulator, frequency_grid

LARGEST_SHIFT = 0.5
"""Pixels. A reconstruction on another grid is off by more; two kernels on one grid were within 0.04 of each other."""
LARGEST_HU_DIFFERENCE = 5.0
"""HU. Kernels keep the mean (within 2.7 HU in every slice of three scanners, mostly 0.5); another calibration, energy or contrast phase does not."""
LEAST_COHERENCE, LEAST_COHERENCE_THICK = 0.9, 0.75
"""Of the frequencies of `COHERENCE_BAND`. Two kernels: 0.99 and more; a slice three to seven times as thick: 0.85 to 0.99; another
slice of the same chest three slices on: 0.65 at most, mostly under 0.5."""
COHERENCE_BAND = (1.0, 2.0)  # lp/cm: above the body's outline, below what kernels change
_SHIFT_BAND = (0.3, 3.0)  # lp/cm: without what the window leaks, and what only the sharper image has
SHARP_FROM = 4.0
"""lp/cm: above, kernels differ and anatomy has little; where sharpness is told by power."""
_SMOOTHING_MM = 2.0
_SHOWN = (-1000, 300)  # HU; sharp kernels clip and overshoot at bone and metal
_CELL, _LEAST_CELLS = 8, 8  # pixels; cells
_TISSUE = (-300, 300)  # HU
_LARGEST_CELL_SD = 15.0  # HU, after smoothing: no edge, whatever the noise of the kernel was


@dataclass(frozen=True)
class SliceCheck:
    """shift: pixels, along the longer of its parts; difference: median HU, second less first; coherence: -1 to 1.

    powers: mean power of the first and the second above `SHARP_FROM`, HU^2 per pixel. difference is None where the slices hold
    too little homogeneous tissue to say.
    """

    shift: float
    difference: float | None
    coherence: float
    powers: tuple[float, float]

    def agrees(self, least_coherence: float) -> bool:
        """Of slices whose difference is known."""
        return abs(self.difference) <= LARGEST_HU_DIFFERENCE and self.shift <= LARGEST_SHIFT and self.coherence >= least_coherence


def check_slice(first: np.ndarray, second: np.ndarray, spacing: tuple[float, float]) -> SliceCheck:
    """Two slices (rows, columns) in HU, padding filled with air; spacing (row, column) in mm."""
    shown = [np.clip(image, *_SHOWN) for image in (first, second)]
    spectrum = SpectrumAccumulator()
    spectrum.add(first, second, spacing)
    frequency, power_first, power_second, cross = spectrum.curves()
    band = (frequency >= COHERENCE_BAND[0]) & (frequency <= COHERENCE_BAND[1])
    sharp = frequency >= min(SHARP_FROM, 0.8 * frequency[-1])
    products = max(power_first[band].sum() * power_second[band].sum(), 1e-12)
    return SliceCheck(
        shift=float(np.abs(_shift(*shown, spacing)).max()),
        difference=_tissue_difference(*(_smoothed(image, spacing) for image in shown)),
        coherence=float(cross[band].sum() / np.sqrt(products)),
        powers=(float(power_first[sharp].mean()), float(power_second[sharp].mean())),
    )


def _smoothed(image: np.ndarray, spacing: tuple[float, float]) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(image, [_SMOOTHING_MM / side for side in spacing])


def _shift(first: np.ndarray, second: np.ndarray, spacing: tuple[float, float]) -> np.ndarray:
    """(rows, columns) by which the second has to be moved onto the first, pixels.

    Phase correlation of the frequencies of `_SHIFT_BAND`: the highest peak, then the plane through the phases that it leaves.
    """
    import scipy.fft

    window = np.outer(*(np.hanning(side) for side in first.shape)).astype(np.float32)
    a, b = (scipy.fft.rfft2((image - image.mean()) * window) for image in (first, second))
    frequency = frequency_grid(first.shape, spacing)
    phase = a * b.conj() * ((frequency >= _SHIFT_BAND[0]) & (frequency <= _SHIFT_BAND[1]))
    phase /= np.maximum(np.abs(phase), 1e-30)
    correlation = scipy.fft.irfft2(phase, s=first.shape)
    sides = np.array(first.shape)
    peak = (np.unravel_index(np.argmax(correlation), first.shape) + sides // 2) % sides - sides // 2
    waves = 2 * np.pi * np.stack(np.broadcast_arrays(np.fft.fftfreq(sides[0])[:, None], np.fft.rfftfreq(sides[1])))[:, phase != 0]
    left = -np.angle(phase[phase != 0] * np.exp(1j * (peak @ waves)))
    # Far from the peak's plane a phase is noise.
    near = np.abs(left) < 1
    return peak + np.linalg.lstsq(waves[:, near].T, left[near], rcond=None)[0]


def _tissue_difference(first: np.ndarray, second: np.ndarray) -> float | None:
    """Median difference of the means of cells in which both are homogeneous and of soft tissue, HU."""
    a, b = _cells(first), _cells(second)
    means = (a.mean(1), b.mean(1))
    picked = (a.std(1) < _LARGEST_CELL_SD) & (b.std(1) < _LARGEST_CELL_SD)
    picked &= (np.minimum(*means) > _TISSUE[0]) & (np.maximum(*means) < _TISSUE[1])
    return float(np.median((means[1] - means[0])[picked])) if picked.sum() >= _LEAST_CELLS else None


def _cells(image: np.ndarray) -> np.ndarray:
    """(cells, pixels of a cell)."""
    rows, columns = (side // _CELL for side in image.shape)
    trimmed = image[:rows * _CELL, :columns * _CELL]
    return trimmed.reshape(rows, _CELL, columns, _CELL).swapaxes(1, 2).reshape(rows * columns, -1)
