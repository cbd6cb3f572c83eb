"""HU as the rivals' networks see them: clipped as scanners store them, soft tissue near 0, air at -1, dense bone above 1."""
from __future__ import annotations

from torch import Tensor

LOWEST_HU, HIGHEST_HU, UNIT_HU = -1024.0, 3071.0, 1000.0


def normalised(hu: Tensor) -> Tensor:
    """HU clipped to -1024..3071, in units of 1000 HU."""
    return hu.float().clamp(LOWEST_HU, HIGHEST_HU) / UNIT_HU


def hounsfield(image: Tensor) -> Tensor:
    """Back to HU."""
    return image.float() * UNIT_HU
