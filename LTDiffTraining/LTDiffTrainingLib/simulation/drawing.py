"""Anti-aliased shapes on the phantom's grid: each draws into an HU image in place."""
from __future__ import annotations

import numpy as np


class Canvas:
    """A square HU image centred on the isocentre; x grows to the patient's left, y to the back, both in mm."""

    def __init__(self, size: int, pixel: float, background: float = -1000.0) -> None:
        self.pixel = pixel
        self.hu = np.full((size, size), background, dtype=np.float32)
        self.axis = ((np.arange(size) - size // 2) * pixel).astype(np.float32)

    def window(self, x: float, y: float, reach: float) -> tuple[slice, slice]:
        """Rows and columns within `reach` mm of a point."""
        def span(centre: float) -> slice:
            low, high = np.searchsorted(self.axis, (centre - reach, centre + reach))
            return slice(int(low), int(high))
        return span(y), span(x)

    def blend(self, where: tuple[slice, slice], distance: np.ndarray, value: np.ndarray | float) -> None:
        """Paint `value` where the signed distance (mm, negative inside) says so, one pixel wide at the edge."""
        cover = np.clip(0.5 - distance / self.pixel, 0, 1)
        patch = self.hu[where]
        patch += cover * (value - patch)

    def ellipse(self, x: float, y: float, a: float, b: float, value: np.ndarray | float, angle: float = 0.0) -> None:
        """Ellipse with half axes a, b (mm), turned by `angle` (radians); `value` in HU or a full-size HU image."""
        where = self.window(x, y, max(a, b) + 2 * self.pixel)
        distance = self.ellipse_distance(where, x, y, a, b, angle)
        self.blend(where, distance, value[where] if isinstance(value, np.ndarray) else value)

    def ellipse_distance(self, where, x: float, y: float, a: float, b: float, angle: float = 0.0) -> np.ndarray:
        dx, dy = self.axis[where[1]][None] - x, self.axis[where[0]][:, None] - y
        u, v = dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)
        radius = np.sqrt((u / a) ** 2 + (v / b) ** 2) + 1e-6
        gradient = np.sqrt((u / a**2) ** 2 + (v / b**2) ** 2) + 1e-6
        return (radius - 1) * radius / gradient

    def capsule(self, start: np.ndarray, end: np.ndarray, radius: float, value: float, z: float) -> None:
        """The cut at height z through a rod from `start` to `end` (x, y, z in mm)."""
        axis = end - start
        low, high = sorted((start[2], end[2]))
        if z < low - radius or z > high + radius:
            return
        centre, reach = 0.5 * (start + end), 0.5 * np.hypot(axis[0], axis[1]) + radius + 2 * self.pixel
        where = self.window(centre[0], centre[1], reach)
        dx, dy = self.axis[where[1]][None] - start[0], self.axis[where[0]][:, None] - start[1]
        along = np.clip((dx * axis[0] + dy * axis[1] + (z - start[2]) * axis[2]) / (axis @ axis), 0, 1)
        distance = np.sqrt((dx - along * axis[0]) ** 2 + (dy - along * axis[1]) ** 2
                           + (z - start[2] - along * axis[2]) ** 2) - radius
        self.blend(where, distance, value)


class TextureField:
    """A smooth random field in three dimensions, unit variance in every slice.

    Each knot along z holds an independent 2-D Gaussian field with power spectrum f^-beta; slices between two knots
    mix them so that the variance stays one.
    """

    def __init__(self, seed: int, size: int, pixel: float, beta: float, knot_mm: float) -> None:
        self._seed, self._size, self._knot = seed, size, knot_mm
        fy, fx = np.fft.fftfreq(size, pixel)[:, None], np.fft.rfftfreq(size, pixel)[None]
        radius = np.hypot(fy, fx)
        self._gain = (np.maximum(radius, 1 / 60) ** (-beta / 2) * (radius > 0)).astype(np.float32)
        self._cache: dict[int, np.ndarray] = {}

    def slice(self, z: float) -> np.ndarray:
        lower = int(np.floor(z / self._knot))
        phase = 0.5 * np.pi * (z / self._knot - lower)
        return np.cos(phase) * self._field(lower) + np.sin(phase) * self._field(lower + 1)

    def _field(self, knot: int) -> np.ndarray:
        if knot not in self._cache:
            import scipy.fft

            rng = np.random.default_rng((self._seed, knot & 0xFFFFFFFF))
            white = rng.standard_normal((self._size, self._size), dtype=np.float32)
            field = scipy.fft.irfft2(scipy.fft.rfft2(white) * self._gain, s=white.shape)
            self._cache = {k: v for k, v in self._cache.items() if abs(k - knot) < 2}
            self._cache[knot] = (field / field.std()).astype(np.float32)
        return self._cache[knot]
