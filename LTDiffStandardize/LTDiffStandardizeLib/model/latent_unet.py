"""The network over multiscale latents, used twice: as moment head, told the protocol, and as denoiser, told the angle too."""
from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .codec import Latents, zero_conv

EMBEDDING = ANGLE_FEATURES = 64


class PixelNorm(nn.Module):
    """Root-mean-square norm over the channels of each pixel.

    GroupNorm pools over space, so its output would depend on the crop and on how much air is in it.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-5) * self.gain[:, None, None]


class ResidualBlock(nn.Module):
    def __init__(self, channels: int, embedding: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(PixelNorm(channels) for _ in range(2))
        self.convs = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2))
        self.film = nn.Linear(embedding, 2 * channels)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        h = self.convs[0](F.silu(self.norms[0](x)))
        scale, shift = self.film(embedding)[:, :, None, None].chunk(2, 1)
        h = self.norms[1](h) * (1 + scale) + shift
        return x + self.convs[1](F.silu(h))


class LatentUNet(nn.Module):
    """A U-Net whose every level reads and writes the latents of its own scale; outputs start at zero.

    `inputs`, `outputs`: channels per level; `widths`: features per level; `told`: numbers that it is told of the whole patch.
    """

    def __init__(self, inputs: tuple[int, ...], outputs: tuple[int, ...], widths: tuple[int, ...], told: int) -> None:
        super().__init__()
        embedding = EMBEDDING
        self.embed = nn.Sequential(nn.Linear(told, EMBEDDING), nn.SiLU(), nn.Linear(EMBEDDING, EMBEDDING), nn.SiLU())
        self.enter = nn.ModuleList(nn.Conv2d(i, w, 3, padding=1) for i, w in zip(inputs, widths))
        self.down = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in zip(widths, widths[1:]))
        self.up = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in zip(widths, widths[1:]))
        self.descending = nn.ModuleList(ResidualBlock(w, embedding) for w in widths)
        self.ascending = nn.ModuleList(ResidualBlock(w, embedding) for w in widths)
        self.leave = nn.ModuleList(zero_conv(w, o, 3) for w, o in zip(widths, outputs))

    def forward(self, latents: Latents, told: Tensor) -> Latents:
        """`latents` per level (n, inputs[i], h / 2^i, w / 2^i); `told` (n, told)."""
        embedding = self.embed(told)
        kept, features = [], None
        for level, z in enumerate(latents):
            entering = self.enter[level](z)
            features = entering if level == 0 else entering + self.down[level - 1](features)
            features = self.descending[level](features, embedding)
            kept.append(features)
        written: Latents = [None] * len(kept)
        for level in reversed(range(len(kept))):
            if level < len(kept) - 1:
                features = kept[level] + F.interpolate(self.up[level](features), scale_factor=2.0, mode="nearest")
            features = self.ascending[level](features, embedding)
            written[level] = self.leave[level](F.silu(features))
        return written


def angle_features(angle: Tensor) -> Tensor:
    """(n, ANGLE_FEATURES) sines and cosines of a diffusion angle (n,) in 0..pi/2."""
    scales = torch.arange(1, ANGLE_FEATURES // 2 + 1, device=angle.device, dtype=angle.dtype)
    phase = angle[:, None] * scales
    return torch.cat([phase.sin(), phase.cos()], 1)
