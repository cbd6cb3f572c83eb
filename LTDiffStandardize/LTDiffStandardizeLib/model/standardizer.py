"""Standardizes volumes: one interface for the closed-form filters and the diffusion model, slice by slice."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ..volumes.orientation import axial
from ..volumes.volume import CTVolume
from .bundle import Bundle
from .frame import SIDE_MULTIPLE, FrameFactory, SliceFrame
from .noise import slice_noise
from .protocols import Protocol

METHODS = ("ltdiff", "ls_noise", "ls", "power", "none")
SAMPLERS = ("euler", "ancestral")
AIR_HU = -1000.0
_BODY_HU, _MARGIN = -500.0, 32


@dataclass(frozen=True)
class Settings:
    """How to standardize. `samples`: draws per slice; the first is the result, their spread the uncertainty."""

    method: str = "ltdiff"
    seed: int = 0
    samples: int = 1
    steps: int | None = None
    sampler: str = "euler"
    device: str = "auto"
    batch: int = 1

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"Method {self.method} is unknown; choose one of {', '.join(METHODS)}.")
        if self.sampler not in SAMPLERS:
            raise ValueError(f"Sampler {self.sampler} is unknown; choose one of {', '.join(SAMPLERS)}.")


@dataclass(frozen=True)
class StandardizedSlice:
    """`hu`: int16; `uncertainty`: SD over the samples in HU, float32, or None for one sample."""

    index: int
    hu: np.ndarray
    uncertainty: np.ndarray | None


class Standardizer:
    """Standardizes volumes by one protocol with one method; the model is loaded once, at the first volume."""

    def __init__(self, protocol: Protocol, settings: Settings, bundle: Bundle | None = None, network=None) -> None:
        """The method "ltdiff", and it alone, needs a `bundle`, or a `network` (LatentDiffusionModel in memory) and `settings.steps`."""
        if settings.method == "ltdiff" and bundle is None and (network is None or settings.steps is None):
            raise ValueError("The method ltdiff needs a model bundle, or a network and the number of steps.")
        self.protocol, self.settings, self.bundle = protocol, settings, bundle
        self._network, self._engine = network, None

    @property
    def steps(self) -> int:
        return self.settings.steps or (self.bundle.steps if self.bundle else 0)

    def standardize(self, volume: CTVolume, progress: Callable[[int, int], None] | None = None) -> tuple[CTVolume, CTVolume | None]:
        """The standardized volume (int16 HU, same geometry) and, for several samples, the uncertainty volume (HU).

        Axial slices are standardized, whatever the order of the volume's axes, so that this order does not change the result.
        `progress(done, total)` is called after every slice and may raise to cancel. Padding comes back untouched.
        """
        turned, back = axial(volume)
        hu = np.empty(turned.hu.shape, np.int16)
        spread = np.zeros(turned.hu.shape, np.float32) if self.settings.samples > 1 else None
        for done, made in enumerate(self.slices(turned), start=1):
            hu[made.index] = made.hu
            if spread is not None:
                spread[made.index] = made.uncertainty
            if progress:
                progress(done, len(hu))
        name = f"{volume.name} {self.settings.method}"
        return volume.with_hu(back(hu), name), None if spread is None else volume.with_hu(back(spread), f"{name} uncertainty")

    def slices(self, volume: CTVolume) -> Iterator[StandardizedSlice]:
        """The standardized slices of a volume whose slices are axial, in order; no more than a batch of them is held."""
        if self.settings.method == "none":
            yield from (StandardizedSlice(i, as_int16(s), None) for i, s in enumerate(volume.hu))
            return
        padded = PaddedSlices(volume)
        frames = FrameFactory(self.protocol, (volume.spacing[1], volume.spacing[0]), padded)
        positions, box = volume.slice_positions(), self._box(padded)
        for start in range(0, len(padded), self.settings.batch):
            indices = range(start, min(start + self.settings.batch, len(padded)))
            batch = [frames.frame(padded[i]) for i in indices]
            draws = np.stack([self._images(batch, positions[start:indices.stop], sample, box, frames.temperature)
                              for sample in range(self.settings.samples)])
            for k, index in enumerate(indices):
                first = padded.restore(index, draws[0, k])
                yield StandardizedSlice(index, first, padded.spread(index, draws[:, k]) if len(draws) > 1 else None)

    def _images(self, frames: list[SliceFrame], positions: np.ndarray, sample: int, box, temperature: float) -> np.ndarray:
        if self.settings.method == "ls":
            return np.stack([f.filtered for f in frames])
        if self.settings.method == "power":
            return np.stack([f.power for f in frames])
        shape = frames[0].source.shape
        white = lambda step=0: np.stack([slice_noise(shape, self.settings.seed, p, sample, step) for p in positions])
        if self.settings.method == "ltdiff":
            calibrated = self.bundle.temperature if self.bundle else 1.0
            residuals = self._diffusion().residuals(frames, white(), box, temperature * calibrated, white)
            return np.stack([f.standardized(r) for f, r in zip(frames, residuals)])
        return np.stack([f.with_noise(w) for f, w in zip(frames, temperature * white())])

    def _diffusion(self):
        if self._engine is None:
            from .engine import DiffusionEngine, choose_device, network_of

            device = choose_device(self.settings.device)
            self._engine = DiffusionEngine(self._network or network_of(self.bundle, device), device, self.steps, self.settings.sampler)
        return self._engine

    @staticmethod
    def _box(slices: "PaddedSlices") -> tuple[slice, slice]:
        """Rows and columns with a margin around the body of the whole volume, in steps that the network takes."""
        body = np.zeros(slices.shape, bool)[::4, ::4]
        for index in range(len(slices)):
            body |= slices[index][::4, ::4] > _BODY_HU
        return tuple(_span(np.flatnonzero(body.any(axis)) * 4, limit) for axis, limit in ((1, slices.shape[0]), (0, slices.shape[1])))


def _span(found: np.ndarray, limit: int) -> slice:
    if not len(found):
        return slice(0, limit)
    low = max(found[0] - _MARGIN, 0) // SIDE_MULTIPLE * SIDE_MULTIPLE
    return slice(low, min(-(-(found[-1] + _MARGIN) // SIDE_MULTIPLE) * SIDE_MULTIPLE, limit))


def as_int16(hu: np.ndarray) -> np.ndarray:
    """HU rounded to whole numbers."""
    return np.clip(np.rint(hu), -32768, 32767).astype(np.int16)


class PaddedSlices:
    """A volume's slices as float32 with sides that the network takes, and air where the scanner saw nothing."""

    def __init__(self, volume: CTVolume) -> None:
        self._volume = volume
        self._rows, self._columns = volume.hu.shape[1:]
        self.shape = tuple(-(-n // SIDE_MULTIPLE) * SIDE_MULTIPLE for n in (self._rows, self._columns))
        # Scanners store -1024..3071 HU; only a source with a wider scale gets a wider result.
        self._limits = self._range()

    def __len__(self) -> int:
        return len(self._volume.hu)

    def __getitem__(self, index: int) -> np.ndarray:
        image = self._volume.hu[index].astype(np.float32)
        if self._volume.padding is not None:
            image[self._volume.padding[index]] = AIR_HU
        grow = tuple((0, new - old) for new, old in zip(self.shape, image.shape))
        return np.pad(image, grow, mode="edge")

    def _range(self) -> tuple[float, float]:
        lowest, highest = -1024.0, 3071.0
        for index, image in enumerate(self._volume.hu):
            seen = image if self._volume.padding is None else image[~self._volume.padding[index]]
            if seen.size:
                lowest, highest = min(lowest, float(seen.min())), max(highest, float(seen.max()))
        return lowest, highest

    def inner(self, image: np.ndarray) -> np.ndarray:
        return image[:self._rows, :self._columns]

    def spread(self, index: int, draws: np.ndarray) -> np.ndarray:
        """SD over the draws (n, rows, columns), ddof 1; zero in padding."""
        deviation = self.inner(draws.std(0, ddof=1))
        return deviation if self._volume.padding is None else np.where(self._volume.padding[index], 0, deviation)

    def restore(self, index: int, image: np.ndarray) -> np.ndarray:
        """int16 HU cut back to the volume's size and range, padding voxels as they came."""
        image = as_int16(np.clip(self.inner(image), *self._limits))
        if self._volume.padding is not None:
            outside = self._volume.padding[index]
            image[outside] = as_int16(self._volume.hu[index][outside])
        return image
