"""Random patches of prepared pairs: batch `number` is the same whenever, wherever and by however many processes it is drawn."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from LTDiffStandardizeLib.model.directions import DIRECTION_CELL, ORIENTATIONS, directed, unit_amplitudes

from .datasets import MAPS, PreparedGroup, PreparedSeries

BODY_SHARE, TRIES = 0.5, 20


@dataclass(frozen=True)
class Batch:
    """Items `index` of a batch of `total`, of which other processes hold the rest.

    `maps` (n, len(MAPS), p, p); `amplitudes` (n, ORIENTATIONS, p / 8, p / 8); `protocol` (n, PROTOCOL_FEATURES); `noise`: directed
    unit noise (n, 1, p, p); `offsets` (n,), uniform in 0..1.
    """

    maps: Tensor
    amplitudes: Tensor
    protocol: Tensor
    noise: Tensor
    offsets: Tensor
    index: Tensor
    total: int

    def map(self, name: str) -> Tensor:
        """(n, 1, p, p), one of MAPS."""
        number = MAPS.index(name)
        return self.maps[:, number:number + 1]

    def to(self, device: str) -> "Batch":
        tensors = (self.maps, self.amplitudes, self.protocol, self.noise, self.offsets, self.index)
        return Batch(*(t.to(device, non_blocking=True) for t in tensors), self.total)

    def __len__(self) -> int:
        return len(self.maps)


class PatchSampler:
    """Draws batches of `batch` patches of `patch` pixels. Of `world` processes the one of number `rank` draws its own share."""

    def __init__(self, groups: Sequence[PreparedGroup], patch: int, batch: int, seed: int, rank: int = 0, world: int = 1) -> None:
        """Raises ValueError where the batch cannot be shared evenly, or the patch is no multiple of 16."""
        if batch % world or patch % 16:
            raise ValueError(f"A batch of {batch} patches of {patch} pixels cannot be shared by {world} processes; take a batch that is a multiple of their number and a patch of a multiple of 16.")
        self.patch, self.batch, self.seed = patch, batch, seed
        share = batch // world
        self.items = range(rank * share, (rank + 1) * share)
        self._series = [series for group in groups for series in group.series]

    def draw(self, number: int, stream: int = 0) -> Batch:
        """This process's share of batch `number`; streams (phases) draw differently."""
        parts = zip(*(self._item(np.random.default_rng((self.seed, stream, number, item))) for item in self.items))
        maps, amplitudes, protocol, noise, offsets = (torch.from_numpy(np.stack(part)) for part in parts)
        return Batch(maps, amplitudes, protocol, noise[:, None], offsets, torch.tensor(self.items), self.batch)

    def _item(self, rng: np.random.Generator):
        series = self._series[rng.integers(len(self._series))]
        maps, amplitudes = turned(*self._crop(series, rng), turns=int(rng.integers(4)), mirrored=bool(rng.integers(2)))
        # Half-precision rounding is no concern of the amplitudes' unit variance, but interpolated crops are: scale anew.
        amplitudes = unit_amplitudes(np.log(amplitudes))
        noise = directed(rng.standard_normal(maps.shape[1:], dtype=np.float32), amplitudes)
        return maps, amplitudes, series.protocol, noise, np.float32(rng.random())

    def _crop(self, series: PreparedSeries, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        index, (top, bottom, left, right) = rng.integers(len(series.maps)), series.body
        for _ in range(TRIES):
            row = int(rng.integers(top, max(bottom - self.patch, top) + 1))
            column = int(rng.integers(left, max(right - self.patch, left) + 1))
            row, column = (min(v, limit - self.patch) for v, limit in zip((row, column), series.maps.shape[2:]))
            patch = series.maps[index, :, row:row + self.patch, column:column + self.patch]
            if (patch[0, ::8, ::8] > -950).mean() > BODY_SHARE:
                break
        cells, first = self.patch // DIRECTION_CELL, (row // DIRECTION_CELL, column // DIRECTION_CELL)
        amplitudes = series.directions[index, :, first[0]:first[0] + cells, first[1]:first[1] + cells]
        return patch.astype(np.float32), amplitudes.astype(np.float32)


def turned(maps: np.ndarray, amplitudes: np.ndarray, turns: int, mirrored: bool) -> tuple[np.ndarray, np.ndarray]:
    """Both turned by `turns` quarters and mirrored, the orientations of the amplitudes with them: exact on the grid of pixels."""
    maps, amplitudes = (np.rot90(a, turns, (1, 2)) for a in (maps, amplitudes))
    if turns % 2:
        amplitudes = np.roll(amplitudes, ORIENTATIONS // 2, 0)
    if mirrored:
        maps, amplitudes = np.flip(maps, 2), np.flip(amplitudes, 2)[-np.arange(ORIENTATIONS)]
    return np.ascontiguousarray(maps), np.ascontiguousarray(amplitudes)
