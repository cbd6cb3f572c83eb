"""Runs the latent diffusion model on slices in their frames. The only inference code that imports torch."""
from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch

from .bundle import Bundle, load_bundle
from .conditioning import protocol_features
from .devices import is_lost, lacks_memory, lost_devices
from .directions import DIRECTION_CELL
from .frame import SliceFrame
from .network import LatentDiffusionModel

Box = tuple[slice, slice]


class DiffusionEngine:
    """`residuals` turns frames and noise into standardized residuals; outside `box` the noise stays what it is
    but for the temperature, which is what the network would do in air.

    Where a graphics card has too little memory fewer slices are computed at once; where that does not help, or the card is lost,
    the CPU goes on, with the model of `on_cpu` if there is one. `devices`: those that computed, in order; `warnings`: sentences about it.
    """

    def __init__(self, model: LatentDiffusionModel, device: str, steps: int, sampler: str = "euler",
                 on_cpu: Callable[[], LatentDiffusionModel] | None = None) -> None:  # fmt: skip
        self.model, self.device, self.steps, self.sampler, self._on_cpu = model, device, steps, sampler, on_cpu
        self.devices: list[str] = []
        self._most: int | None = None  # slices at once
        self.moved = ""  # to the CPU, and why; one sentence

    @property
    def warnings(self) -> list[str]:
        few = self._most and f"As little memory was free on the device, {self._most} slices at most were computed at once."
        return [sentence for sentence in (few, self.moved) if sentence]

    def residuals(self, frames: Sequence[SliceFrame], noise: np.ndarray, box: Box, temperature: float, fresh_noise=None) -> np.ndarray:
        """(n, rows, columns) residuals for n frames of one protocol; `noise`: white, same shape; `temperature`: of what is drawn, 0..1;
        `fresh_noise(step)`: white noise for the ancestral sampler."""
        of_part = lambda part: fresh_noise and (lambda step: fresh_noise(step)[part])
        made, done = [], 0
        while done < len(frames):
            size = min(self._size, len(frames) - done)
            part = slice(done, done + size)
            try:
                made.append(self._residuals(frames[part], noise[part], box, temperature, of_part(part)))
            except RuntimeError as error:
                self.retreat(error, size)
                continue
            done += size
            if self.device not in self.devices:
                self.devices.append(self.device)
        return np.concatenate(made)

    @property
    def _size(self) -> int:
        """On a CPU batches gain nothing, and convolutions of other batches round otherwise: slice by slice is the same always."""
        return 1 if self.device == "cpu" else self._most or sys.maxsize

    def retreat(self, error: Exception, size: int) -> None:
        """To half of `size` slices at once, or to the CPU; raises the error again where neither is of use."""
        if self.device == "cpu" or not (lacks_memory(error) or is_lost(error)):
            raise error
        if lacks_memory(error) and size > 1:
            self._most = size // 2
        elif self._on_cpu:
            self.moved = self._leave_the_device(error)
            self.model, self.device = self._on_cpu(), "cpu"
        else:
            raise error

    def _leave_the_device(self, error: Exception) -> str:
        if lacks_memory(error):
            return f"The device {self.device} had too little free memory even for one slice, so the CPU went on; close what else uses the device."
        lost_devices.add(self.device)
        cause = str(error).splitlines()[0].rstrip(".")
        return f"The device {self.device} was lost ({cause}), so the CPU went on, with later series of the run too; restart before using it again."

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


def engine_of(bundle: Bundle, wanted: str, steps: int, sampler: str) -> DiffusionEngine:
    """An engine with the bundle's model on the device; on the CPU where that was lost before or has no memory for the model.

    Raises ModelError where the device cannot be used for another reason.
    """
    device = "cpu" if wanted in lost_devices else choose_device(wanted) if wanted == "auto" else wanted
    engine = DiffusionEngine(None, device, steps, sampler, partial(network_of, bundle, "cpu"))
    if wanted in lost_devices:
        engine.moved = f"The device {wanted} was lost earlier in this run, so the CPU computed."
    try:
        engine.model = network_of(bundle, device)
    except (RuntimeError, AssertionError) as error:
        if not (lacks_memory(error) or is_lost(error)):
            choose_device(wanted)  # says what is wrong with it
        engine.retreat(error, 1)
    return engine


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
