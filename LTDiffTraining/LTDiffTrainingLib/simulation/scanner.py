"""A parallel-beam scanner on non-uniform FFTs: object -> noisy sinogram -> image with any kernel.

Forward projection and filtered back-projection are exact in the Fourier domain (projection-slice theorem; Kak and
Slaney, Principles of Computerized Tomographic Imaging, chapter 3). Noise enters once, before any kernel, so that two
reconstructions of one sinogram share it as two series of one scan do.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from LTDiffStandardizeLib.errors import InputError

from .kernels import Kernel

MU_WATER = 0.0192
"""Linear attenuation of water, 1/mm."""
_EPSILON = 1e-4


@dataclass(frozen=True)
class Scanner:
    """Geometry of the acquisition; lengths in mm at the isocentre."""

    views: int = 1152
    samples: int = 1024
    sample_distance: float = 0.36
    aperture: float = 0.55
    focal_spot: float = 0.45
    electronic_noise: float = 5.0

    def system_mtf(self, f_per_mm: np.ndarray) -> np.ndarray:
        """Blur of detector aperture and focal spot at frequencies in 1/mm."""
        return np.sinc(self.aperture * f_per_mm) * np.sinc(self.focal_spot * f_per_mm)

    def project(self, hu: np.ndarray) -> np.ndarray:
        """Line integrals, shape (views, samples), of a square object in HU on the detector's own grid."""
        finufft = _finufft()
        mu = (MU_WATER * (1 + hu / 1000)).astype(np.complex64)
        x, y, f = self._polar(self.samples, self.sample_distance)
        spectrum = finufft.nufft2d2(x, y, mu, eps=_EPSILON, isign=-1, nthreads=1).reshape(self.views, -1)
        sign = 1 - 2 * (np.arange(f.size) % 2)
        spectrum = spectrum * (self.sample_distance * sign * self.system_mtf(f)).astype(np.float32)
        return np.fft.irfft(spectrum, self.samples, axis=1).astype(np.float32)

    def add_noise(self, sinogram: np.ndarray, photons: float, rng: np.random.Generator) -> np.ndarray:
        """The sinogram measured with `photons` per ray: Poisson counts plus electronic noise."""
        counts = rng.poisson(photons * np.exp(-sinogram)) + rng.normal(0, self.electronic_noise, sinogram.shape)
        return -np.log(np.maximum(counts, 1) / photons).astype(np.float32)

    def reconstruct(self, sinogram: np.ndarray, kernel: Kernel, pixel: float, size: int = 512) -> np.ndarray:
        """HU image (size, size), float32, with pixels of `pixel` mm and the total MTF of `kernel`."""
        finufft = _finufft()
        padded = 2 * self.samples
        x, y, f = self._polar(padded, pixel)
        system = np.maximum(self.system_mtf(f), 0.05)
        weight = self._ramp(padded) * kernel.mtf(10 * f) / system
        spectrum = np.fft.rfft(sinogram, padded, axis=1)
        shift = np.exp(2j * np.pi * np.arange(f.size) * (self.samples // 2) / padded)
        # The irfft of each view, summed over views: positive frequencies count twice.
        fold = np.where(np.arange(f.size) == 0, 1.0, 2.0) / padded
        strength = (spectrum * (weight * shift * fold)).astype(np.complex64)
        image = finufft.nufft2d1(x, y, strength.ravel(), (size, size), eps=_EPSILON, isign=1, nthreads=1).real
        return (1000 * (image * np.pi / self.views / MU_WATER - 1)).astype(np.float32)

    def _polar(self, samples: int, pixel: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Points (row phase, column phase) of the polar frequency grid and the radial frequencies in 1/mm."""
        f = np.arange(samples // 2 + 1) / (samples * self.sample_distance)
        angle = np.pi * np.arange(self.views)[:, None] / self.views
        scale = 2 * np.pi * pixel * f[None]
        rows, columns = (scale * np.sin(angle)).ravel(), (scale * np.cos(angle)).ravel()
        # Folding is what point sampling does: content above the pixel's Nyquist frequency is aliased.
        wrap = lambda phase: (np.remainder(phase + np.pi, 2 * np.pi) - np.pi).astype(np.float32)
        return wrap(rows), wrap(columns), f

    def _ramp(self, padded: int) -> np.ndarray:
        """Transform of the band-limited spatial ramp, which keeps the mean right (Kak and Slaney, eq. 61)."""
        n = np.arange(padded)
        n = np.where(n > padded // 2, n - padded, n).astype(float)
        taps = np.zeros(padded)
        odd = n % 2 != 0
        taps[odd] = -1 / (np.pi * n[odd] * self.sample_distance) ** 2
        taps[0] = 1 / (4 * self.sample_distance**2)
        return np.fft.rfft(taps).real * self.sample_distance


def _finufft():
    try:
        import finufft
    except ImportError as error:
        raise InputError(f"The simulator needs finufft, which cannot be imported ({error}); install it with pip.") from error
    return finufft


def as_stored(hu: np.ndarray) -> np.ndarray:
    """HU as a scanner stores them: rounded to integers, -1024..3071, int16."""
    return np.clip(np.rint(hu), -1024, 3071).astype(np.int16)
