"""Noise keyed by seed and slice position, so that a result depends neither on the batch nor on the order of slices."""
from __future__ import annotations

import numpy as np


def slice_noise(shape: tuple[int, int], seed: int, position_mm: float, sample: int = 0, step: int = 0) -> np.ndarray:
    """White standard normal noise, float32; `position_mm`: of the slice along the normal, told apart to 1 micrometre."""
    key = [seed & 0xFFFFFFFF, round(1000 * position_mm) & 0xFFFFFFFF, sample, step]
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key))).standard_normal(shape, dtype=np.float32)
