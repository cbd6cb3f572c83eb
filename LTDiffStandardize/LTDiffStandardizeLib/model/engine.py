"""Runs the latent diffusion model on slices in their frames. The only inference code that imports torch."""
from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from .bundle import Bundle, load_bundle
from .conditioning import protocol_features
from .directions import DIRECTION_CELL
from .frame import SliceFrame
from .network import LatentDiffusionModel

Box = tuple[slice, slice]


class DiffusionEngine:
    """`residuals` turns frames and noise into standardized residuals; outside `box` the noise stays what it is
    but for the temperature, which is what the network would do in air."""

    def __init__(self, model: LatentDiffusionModel, device: str, steps: int, sampler: str = "euler") -> None:
        self.model, self.device, self.steps, self.sampler = model, device, steps, sampler

    def residuals(self, frames: Sequence[SliceFrame], noise: np.ndarray, box: Box, temperature: float, fresh_noise=None) -> np.ndarray:
        """(n, rows, columns) residuals for n frames of one protocol; `noise`: white, same shape; `temperature`: of what is drawn, 0..1;
        `fresh_noise(step)`: white noise for the ancestral sampler."""
        # On a CPU batches gain nothing, and convolutions of other batches round otherwise: slice by slice is the same always.
        size = 1 if self.device == "cpu" else len(frames)
        parts = [slice(start, start + size) for start in range(0, len(frames), size)]
        of_part = lambda part: fresh_noise and (lambda step: fresh_noise(step)[part])
        return np.concatenate([self._residuals(frames[part], noise[part], box, temperature, of_part(part)) for part in parts])

    @torch.inference_mode()
    def _residuals(self, frames: Sequence[SliceFrame], noise: np.ndarray, box: Box, temperature: float, fresh_noise) -> np.ndarray:
        latents_of = lambda white: self.model.encoder.transform(self._tensor(_directed(frames, white), box))
        fresh = fresh_noise and (lambda step: latents_of(fresh_noise(step)))
        latents = self.model.sample(self._condition(frames, box), latents_of(noise), self.steps, self.sampler,
                                    temperature=temperature, fresh_noise=fresh, trust=frames[0].protocol.trust)
        residual = temperature * noise
        residual[(slice(None),) + box] = self.model.decode(latents)[:, 0].float().cpu().numpy()
        return residual

    def _condition(self, frames: Sequence[SliceFrame], box: Box):
        maps = [np.stack([f.source for f in frames]), np.stack([f.to_residual(f.source) for f in frames]),
                np.stack([f.log_sd for f in frames])]
        cells = tuple(slice(side.start // DIRECTION_CELL, side.stop // DIRECTION_CELL) for side in box)
        amplitudes = np.stack([f.directions[(slice(None),) + cells] for f in frames])
        told = np.stack([protocol_features(f.protocol, f.amplitude, f.spacing[0]) for f in frames])
        return self.model.condition(*(self._tensor(m, box) for m in maps),
                                    *(torch.from_numpy(np.ascontiguousarray(a)).to(self.device) for a in (amplitudes, told)))

    def _tensor(self, maps: np.ndarray, box: Box) -> torch.Tensor:
        part = np.ascontiguousarray(maps[(slice(None),) + box], np.float32)
        return torch.from_numpy(part)[:, None].to(self.device)


def _directed(frames: Sequence[SliceFrame], white: np.ndarray) -> np.ndarray:
    return np.stack([frame.directed(part) for frame, part in zip(frames, white)])


def network_of(bundle: Bundle, device: str) -> LatentDiffusionModel:
    """The bundle's model on the device, loaded once."""
    return _network(bundle.folder, bundle.sha256, device)


@lru_cache(maxsize=1)
def _network(folder: Path, sha256: str, device: str):
    """Series of one cohort may have protocols of their own; the weights are loaded once."""
    return load_bundle(folder).network(device)


def choose_device(wanted: str) -> str:
    """"auto" becomes "cuda" where there is one; anything else is checked by using it. Raises ModelError."""
    from ..errors import ModelError

    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=wanted)
    except (RuntimeError, AssertionError) as error:
        raise ModelError(f"Device {wanted} cannot be used ({str(error).splitlines()[0]}); choose --device cpu or auto.") from error
    return wanted
