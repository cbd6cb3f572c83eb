"""Standardizes latents per channel, so that a diffusion of unit noise fits them."""
from __future__ import annotations

import torch
from torch import Tensor, nn

BATCHES = 100
"""From which the scale is learned, at the start of the diffusion's phase; after them it stays."""
LEAST_VARIANCE = 1e-4


class LatentScale(nn.Module):
    """Latents (n, c, h, w) to mean 0 and variance 1 per channel, and back. Kept in buffers, hence with the weights."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))
        self.register_buffer("batches", torch.zeros(()))

    @torch.no_grad()
    def learn(self, latents: Tensor) -> None:
        """Running averages over the first BATCHES batches, over all processes."""
        if self.batches >= BATCHES:
            return
        self.batches += 1
        self.mean += (_over_processes(latents.float().mean((0, 2, 3))) - self.mean) / self.batches
        around = (latents.float() - self.mean[:, None, None]).square().mean((0, 2, 3))
        self.variance += (_over_processes(around) - self.variance) / self.batches

    def forward(self, latents: Tensor) -> Tensor:
        return (latents.float() - self.mean[:, None, None]) / self._deviation()

    def inverse(self, latents: Tensor) -> Tensor:
        return latents * self._deviation() + self.mean[:, None, None]

    def _deviation(self) -> Tensor:
        return self.variance.clamp_min(LEAST_VARIANCE).sqrt()[:, None, None]


def _over_processes(value: Tensor) -> Tensor:
    """The mean over the processes of one training."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.all_reduce(value)
        value = value / torch.distributed.get_world_size()
    return value
