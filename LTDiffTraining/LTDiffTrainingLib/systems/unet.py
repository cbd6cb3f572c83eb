"""A plain conditional U-Net (Ronneberger et al. 2015) of residual blocks, told numbers such as an angle of diffusion."""
from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from LTDiffStandardizeLib.model.codec import zero_conv
from LTDiffStandardizeLib.model.latent_unet import EMBEDDING, ResidualBlock

DEEPEST_BLOCKS = 4
"""Blocks on the coarsest grid, where parameters cost least."""


class UNet(nn.Module):
    """(n, inputs, h, w) to (n, outputs, h, w); sides multiples of 2 ** (len(widths) - 1); the output starts at zero.

    `told`: numbers that it is told of the whole patch.
    """

    def __init__(self, inputs: int, outputs: int, widths: tuple[int, ...], told: int) -> None:
        super().__init__()
        self.embed = nn.Sequential(nn.Linear(told, EMBEDDING), nn.SiLU(), nn.Linear(EMBEDDING, EMBEDDING), nn.SiLU())
        self.enter = nn.Conv2d(inputs, widths[0], 3, padding=1)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in zip(widths, widths[1:]))
        self.descending = nn.ModuleList(ResidualBlock(w, EMBEDDING) for w in widths)
        self.deepest = nn.ModuleList(ResidualBlock(widths[-1], EMBEDDING) for _ in range(DEEPEST_BLOCKS - 1))
        self.merge = nn.ModuleList(nn.Conv2d(a + b, a, 1) for a, b in zip(widths, widths[1:]))
        self.ascending = nn.ModuleList(ResidualBlock(w, EMBEDDING) for w in widths[:-1])
        self.leave = zero_conv(widths[0], outputs, 3)

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        """`told` (n, told)."""
        return self.ascend(self.descend(x, told), told)

    def descend(self, x: Tensor, told: Tensor) -> list[Tensor]:
        """Features per level, finest first; the last are the bottleneck's."""
        embedding = self.embed(told)
        features = [self.descending[0](self.enter(x), embedding)]
        for down, block in zip(self.down, self.descending[1:]):
            features.append(block(down(features[-1]), embedding))
        for block in self.deepest:
            features[-1] = block(features[-1], embedding)
        return features

    def ascend(self, features: list[Tensor], told: Tensor) -> Tensor:
        embedding, x = self.embed(told), features[-1]
        for skip, merge, block in reversed(list(zip(features, self.merge, self.ascending))):
            x = block(merge(torch.cat([skip, F.interpolate(x, scale_factor=2.0, mode="nearest")], 1)), embedding)
        return self.leave(F.silu(x))
