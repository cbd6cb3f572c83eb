"""Standardizes a volume with a model that looks at HU alone, slice by slice."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from LTDiffStandardizeLib.model.noise import slice_noise
from LTDiffStandardizeLib.model.protocols import Protocol
from LTDiffStandardizeLib.model.standardizer import PaddedSlices
from LTDiffStandardizeLib.volumes.volume import CTVolume

from .intensity import hounsfield, normalised

SIDE_MULTIPLE = 32
"""Of the sides of an image: a space-to-depth grid of 1/4, halved three times by the deepest network."""

White = Callable[[int, tuple[int, ...]], Tensor]
"""(step, shape of one item) -> standard normal noise (1, *shape), the same whenever it is asked for."""


@torch.inference_mode()
def standardize_slices(model: nn.Module, volume: CTVolume, protocol: Protocol, seed: int) -> CTVolume:
    """`model(image, white)` of every slice: normalised image (1, 1, H, W) to normalised image.

    int16 HU on the volume's grid; padding comes back untouched. A slice's result depends on its HU, its position and the
    seed alone, so slices are taken one at a time. `protocol` is not looked at.
    """
    device, padded = next(model.parameters()).device, PaddedSlices(volume)
    hu = np.empty(volume.hu.shape, np.int16)
    for index, position in enumerate(volume.slice_positions()):
        image = torch.from_numpy(_grown(padded[index]))[None, None].to(device)
        made = hounsfield(model(normalised(image), _white(seed, float(position), device)))
        hu[index] = padded.restore(index, made[0, 0].cpu().numpy())
    return volume.with_hu(hu, f"{volume.name} standardized")


def _white(seed: int, position_mm: float, device: torch.device) -> White:
    def white(step: int, shape: tuple[int, ...]) -> Tensor:
        flat = slice_noise((shape[0], int(np.prod(shape[1:]))), seed, position_mm, step=step)
        return torch.from_numpy(flat).reshape(1, *shape).to(device)
    return white


def _grown(image: np.ndarray) -> np.ndarray:
    """Sides grown by the edge to multiples of SIDE_MULTIPLE."""
    return np.pad(image, tuple((0, -side % SIDE_MULTIPLE) for side in image.shape), mode="edge")
