"""Renders slices of a random chest phantom.

The anatomy is a cartoon with the right materials: no fissures, few bronchi, spheres for tumours. It exists because one
object can be scanned once and reconstructed twice; results on it say nothing about patients.
"""
from __future__ import annotations

import numpy as np

from .anatomy import Chest, draw_chest
from .drawing import Canvas, TextureField

GRID = 1024
PIXEL = 0.36
"""The phantom's own pixels in mm, finer than any image made of it."""


class ChestPhantom:
    """A chest of `length` mm along z, all of it decided by `seed`."""

    def __init__(self, seed: int, length: float = 48.0) -> None:
        self.seed, self.length = seed, length
        self.chest: Chest = draw_chest(seed, length)
        self._fine = TextureField(seed * 4 + 1, GRID, PIXEL, beta=2.6, knot_mm=2.0)
        self._coarse = TextureField(seed * 4 + 2, GRID, PIXEL, beta=4.0, knot_mm=8.0)

    def slice_hu(self, z: float, thickness: float = 1.0) -> np.ndarray:
        """The object averaged over `thickness` mm around height z: HU, float32, shape (1024, 1024)."""
        count = max(2, int(np.ceil(2 * thickness)))
        offsets = ((np.arange(count) + 0.5) / count - 0.5) * thickness
        return np.mean([self._cut(z + offset) for offset in offsets], axis=0, dtype=np.float32)

    def _cut(self, z: float) -> np.ndarray:
        canvas, fine, coarse = Canvas(GRID, PIXEL), self._fine.slice(z), self._coarse.slice(z)
        self._draw_wall(canvas, fine, coarse)
        self._draw_mediastinum(canvas, fine, coarse)
        for lung in self.chest.lungs:
            depth = canvas.axis[:, None] * lung.gradient
            canvas.ellipse(lung.x, lung.y, lung.a, lung.b, lung.hu + depth + lung.texture_sd * fine, lung.angle)
        self._draw_vessels(canvas, z)
        self._draw_nodules(canvas, fine, z)
        self._draw_bones(canvas, fine, z)
        return canvas.hu

    def _draw_wall(self, canvas: Canvas, fine: np.ndarray, coarse: np.ndarray) -> None:
        (a, b), fat = self.chest.body, self.chest.fat
        canvas.ellipse(0, 0, a, b, 40.0)
        canvas.ellipse(0, 0, a - 1.5, b - 1.5, -105 + 6 * fine)
        planes = np.clip((self.chest.marbling - np.abs(coarse)) / 0.08, 0, 1) * (self.chest.marbling > 0.15) * 0.7
        muscle = self.chest.muscle_hu + 4 * fine
        canvas.ellipse(0, 0, a - fat, b - fat, muscle + planes * (-95 - muscle))

    def _draw_mediastinum(self, canvas: Canvas, fine: np.ndarray, coarse: np.ndarray) -> None:
        x, y, a, b, angle = self.chest.heart
        back = 0.45 * self.chest.body[1]
        canvas.ellipse(0, 0, 34, 0.75 * self.chest.body[1], -90 + 20 * np.clip(coarse, -1, 2))
        canvas.ellipse(x, y, a, b, self.chest.muscle_hu + 3 * fine, angle)
        canvas.ellipse(x + 4, y + 3, 0.7 * a, 0.66 * b, self.chest.blood_hu, angle)
        canvas.ellipse(14, back - 12, 12.5, 12.5, self.chest.blood_hu)
        canvas.ellipse(0, back - 24, 10, 9, 45.0)
        canvas.ellipse(0, back - 24, 8.2, 7.2, -1000.0)

    def _draw_vessels(self, canvas: Canvas, z: float) -> None:
        starts, ends, radii = self.chest.vessels
        low, high = np.minimum(starts[:, 2], ends[:, 2]), np.maximum(starts[:, 2], ends[:, 2])
        for index in np.flatnonzero((low - radii < z) & (z < high + radii)):
            canvas.capsule(starts[index], ends[index], radii[index], self.chest.blood_hu, z)

    def _draw_nodules(self, canvas: Canvas, fine: np.ndarray, z: float) -> None:
        for nodule in self.chest.nodules:
            for spike in nodule.spicules:
                canvas.capsule(nodule.centre, nodule.centre + spike, 0.5, nodule.hu, z)
            height = z - nodule.centre[2]
            if abs(height) < nodule.radius:
                radius = np.sqrt(nodule.radius**2 - height**2)
                canvas.ellipse(*nodule.centre[:2], radius, radius, nodule.hu + nodule.texture_sd * fine)

    def _draw_bones(self, canvas: Canvas, fine: np.ndarray, z: float) -> None:
        (a, b), fat, chest = self.chest.body, self.chest.fat, self.chest
        marrow = chest.marrow_hu + 40 * fine
        def bone(x, y, half_a, half_b, shell, angle=0.0):
            canvas.ellipse(x, y, half_a, half_b, chest.cortical_hu, angle)
            canvas.ellipse(x, y, half_a - shell, half_b - shell, marrow, angle)
        bone(0, 0.45 * b + 14, 19, 15, 1.8)
        bone(0, 0.45 * b + 36, 5, 14, 1.6)
        canvas.ellipse(0, 0.45 * b + 31, 8, 6, 30.0)
        bone(0, -(b - fat - 8), 15, 5, 1.3)
        for side in (-1, 1):
            for step in range(7):
                angle = 0.35 + chest.rib_phase + 0.38 * step + 0.006 * z
                x, y = side * (a - fat - 7) * np.sin(angle), -(b - fat - 7) * np.cos(angle)
                turn = np.arctan2((b - fat) * np.sin(angle), side * (a - fat) * np.cos(angle))
                bone(x, y, 8.5, 4.2, 1.2, turn)
