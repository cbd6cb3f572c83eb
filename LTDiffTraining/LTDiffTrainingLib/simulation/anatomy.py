"""What a random chest phantom is made of: numbers drawn once from a seed, in mm and HU."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NODULE_DIAMETERS = (3, 5, 8, 10, 12, 20, 30)
NODULE_HU = (100, -630, -800, 40)


@dataclass(frozen=True)
class Nodule:
    """A sphere in the lung: centre (x, y, z) and radius in mm, mean HU, SD of its texture, spicules (n, 3) or empty."""

    centre: np.ndarray
    radius: float
    hu: float
    texture_sd: float
    spicules: np.ndarray


@dataclass(frozen=True)
class Lung:
    x: float
    y: float
    a: float
    b: float
    angle: float
    hu: float
    gradient: float
    texture_sd: float

    def contains(self, point: np.ndarray, margin: float) -> bool:
        dx, dy = point[0] - self.x, point[1] - self.y
        u = dx * np.cos(self.angle) + dy * np.sin(self.angle)
        v = dy * np.cos(self.angle) - dx * np.sin(self.angle)
        return (u / (self.a - margin)) ** 2 + (v / (self.b - margin)) ** 2 < 1


@dataclass(frozen=True)
class Chest:
    body: tuple[float, float]
    fat: float
    muscle_hu: float
    marbling: float
    lungs: tuple[Lung, Lung]
    heart: tuple[float, float, float, float, float]
    blood_hu: float
    cortical_hu: float
    marrow_hu: float
    rib_phase: float
    vessels: tuple[np.ndarray, np.ndarray, np.ndarray]
    nodules: tuple[Nodule, ...]


def draw_chest(seed: int, length: float) -> Chest:
    """A chest of `length` mm along z; the same seed gives the same chest."""
    rng = np.random.default_rng((seed, 1))
    a, b = rng.uniform(140, 165), rng.uniform(98, 118)
    fat = rng.uniform(6, 16)
    lungs = tuple(_lung(rng, side, a, b, fat) for side in (-1, 1))
    vessels = [_vessel_tree(rng, lung, length) for lung in lungs]
    count = max(4, round(22 * length / 48))
    return Chest(
        body=(a, b), fat=fat, muscle_hu=rng.uniform(45, 65), marbling=rng.uniform(0.1, 0.6), lungs=lungs,
        heart=(rng.uniform(8, 22), rng.uniform(-25, -5), rng.uniform(34, 48), rng.uniform(34, 48), rng.uniform(-0.6, 0.6)),
        blood_hu=rng.uniform(120, 260) if rng.random() < 0.5 else rng.uniform(35, 50),
        cortical_hu=rng.uniform(650, 1000), marrow_hu=rng.uniform(120, 300), rib_phase=rng.uniform(0, 0.35),
        vessels=tuple(np.concatenate(part) for part in zip(*vessels)),
        nodules=tuple(_nodule(rng, lungs[int(rng.integers(2))], length) for _ in range(count)))


def _lung(rng: np.random.Generator, side: int, a: float, b: float, fat: float) -> Lung:
    half_width = rng.uniform(0.36, 0.41) * (a - fat)
    return Lung(x=side * (a - fat - 14 - half_width), y=rng.uniform(-8, 4), a=half_width,
                b=rng.uniform(0.72, 0.8) * (b - fat), angle=side * rng.uniform(-0.15, 0.1),
                hu=rng.uniform(-890, -830), gradient=rng.uniform(0.1, 0.5), texture_sd=rng.uniform(20, 45))


def _vessel_tree(rng: np.random.Generator, lung: Lung, length: float, limit: int = 3500):
    """Rods (starts, ends, radii) branching from the hilum, 4.5 mm down to 0.35 mm radius."""
    hilum = np.array([lung.x - np.sign(lung.x) * 0.75 * lung.a, lung.y, 0.0])
    stack = []
    for z in np.arange(-0.3 * length, 1.3 * length, 4.0):
        direction = np.array([np.sign(lung.x), 0, 0]) + rng.normal(0, 0.7, 3)
        stack.append((hilum + [0, rng.normal(0, 10), z], direction / np.linalg.norm(direction), rng.uniform(2.2, 4.5)))
    starts, ends, radii = [], [], []
    while stack and len(starts) < limit:
        start, direction, radius = stack.pop(0)
        end = start + direction * radius * rng.uniform(3.5, 8)
        if not lung.contains(end, 3.0) or not -15 < end[2] < length + 15:
            direction = direction - 1.2 * np.append((end - [lung.x, lung.y, 0])[:2] / (lung.a + lung.b), 0)
            end = start + direction / np.linalg.norm(direction) * radius * 3
            if not lung.contains(end, 2.0):
                continue
        starts.append(start), ends.append(end), radii.append(radius)
        for shrink in (rng.uniform(0.72, 0.92), rng.uniform(0.5, 0.8)):
            if radius * shrink > 0.35:
                turned = direction + rng.normal(0, 0.45, 3)
                stack.append((end, turned / np.linalg.norm(turned), radius * shrink))
    return np.array(starts), np.array(ends), np.array(radii)


def _nodule(rng: np.random.Generator, lung: Lung, length: float) -> Nodule:
    radius = rng.choice(NODULE_DIAMETERS) / 2
    while True:
        point = np.array([lung.x + rng.uniform(-lung.a, lung.a), lung.y + rng.uniform(-lung.b, lung.b), rng.uniform(0, length)])
        if lung.contains(point, min(radius, 0.5 * lung.a) + 2):
            break
    hu = rng.choice(NODULE_HU, p=(0.4, 0.2, 0.2, 0.2))
    spiculated = radius >= 4 and rng.random() < 0.35
    spikes = rng.normal(size=(int(rng.integers(12, 30)) if spiculated else 0, 3))
    spikes *= (radius * rng.uniform(1.3, 1.9, len(spikes)) / np.maximum(np.linalg.norm(spikes, axis=1), 1e-6))[:, None]
    return Nodule(point, radius, float(hu), rng.uniform(5, 50), spikes)
