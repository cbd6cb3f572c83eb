"""Encoder and decoder: UNet++ around a lossless orthonormal block transform, with multiscale latents.

Nodes X(i,j) follow Zhou et al. 2018, X(i,j) = H[X(i,0..j-1), U(X(i+1,j-1))], written from the equations. The decoder sees
latents only, never encoder features: with raw skips the latent is ignored and diffusing it changes nothing. Every learned
part starts at zero, so that before training E is the transform, D its inverse, and white noise stays white.
"""
from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LATENT_CHANNELS = (15, 3, 4)
"""Channels of z_0, z_1, z_2 on grids of 1/4, 1/8, 1/16 of the image; together as many numbers as pixels."""

Latents = list[Tensor]


def _dct_kernels(size: int) -> Tensor:
    """Orthonormal 2-D DCT-II basis as convolution kernels (size^2, 1, size, size); the first is the block mean times size."""
    k, n = torch.arange(size)[:, None], torch.arange(size)[None]
    basis = torch.cos(math.pi * (2 * n + 1) * k / (2 * size)) * math.sqrt(2 / size)
    basis[0] /= math.sqrt(2)
    return torch.einsum("ia,jb->ijab", basis, basis).reshape(size * size, 1, size, size)


class BlockTransform(nn.Module):
    """Image (n, 1, H, W) <-> latents [z_0, z_1, z_2]; orthonormal: norms and whiteness are kept exactly."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("block", _dct_kernels(4), persistent=False)
        self.register_buffer("pair", _dct_kernels(2), persistent=False)

    def blocks(self, image: Tensor) -> Tensor:
        """The 16 coefficients of each 4 x 4 block: (n, 16, H/4, W/4), mean first."""
        return F.conv2d(image, self.block, stride=4)

    def forward(self, image: Tensor) -> Latents:
        coefficients = self.blocks(image)
        middle = F.conv2d(coefficients[:, :1], self.pair, stride=2)
        coarse = F.conv2d(middle[:, :1], self.pair, stride=2)
        return [coefficients[:, 1:], middle[:, 1:], coarse]

    def inverse(self, latents: Latents) -> Tensor:
        fine, middle, coarse = latents
        low = F.conv_transpose2d(coarse, self.pair, stride=2)
        low = F.conv_transpose2d(torch.cat([low, middle], 1), self.pair, stride=2)
        return F.conv_transpose2d(torch.cat([low, fine], 1), self.block, stride=4)


class Node(nn.Module):
    """H of a UNet++ node: two 3 x 3 convolutions with SiLU."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, *inputs: Tensor) -> Tensor:
        return F.silu(self.second(F.silu(self.first(torch.cat(inputs, 1)))))


def zero_conv(inputs: int, outputs: int, size: int = 1) -> nn.Conv2d:
    """A convolution that starts at zero, so that what it corrects starts uncorrected."""
    conv = nn.Conv2d(inputs, outputs, size, padding=size // 2)
    nn.init.zeros_(conv.weight)
    nn.init.zeros_(conv.bias)
    return conv


class Encoder(nn.Module):
    """z_i = transform_i(image) + projection_i(X(i,0)), on the 4x space-to-depth grid."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.transform = BlockTransform()
        inputs = (16,) + widths[:-1]
        self.nodes = nn.ModuleList(Node(i, w) for i, w in zip(inputs, widths))
        self.projections = nn.ModuleList(zero_conv(w, c) for w, c in zip(widths, LATENT_CHANNELS))

    def forward(self, image: Tensor) -> Latents:
        latents, features = self.transform(image), F.pixel_unshuffle(image, 4)
        for level, (node, projection) in enumerate(zip(self.nodes, self.projections)):
            features = node(features if level == 0 else F.avg_pool2d(features, 2))
            latents[level] = latents[level] + projection(features)
        return latents


class Decoder(nn.Module):
    """Images from latents through nested nodes; head j, on X(0,j), needs only latents 0..j and can be pruned to."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.transform = BlockTransform()
        self.lifts = nn.ModuleList(nn.Conv2d(c, w, 1) for c, w in zip(LATENT_CHANNELS, widths))
        depth = len(widths) - 1
        self.nodes = nn.ModuleDict({f"{i}_{j}": Node(j * widths[i] + widths[i + 1], widths[i])
                                    for j in range(1, depth + 1) for i in range(depth + 1 - j)})
        self.heads = nn.ModuleList(zero_conv(widths[0], 16, 3) for _ in range(depth))
        self.depth = depth

    def forward(self, latents: Latents, depth: int | None = None) -> Tensor:
        """The image of the deepest head, or of head `depth` (1..2) with everything deeper pruned."""
        return self.all_heads(latents, depth or self.depth)[-1]

    def all_heads(self, latents: Latents, depth: int | None = None) -> list[Tensor]:
        """One image per deep-supervision head, shallowest first."""
        depth = depth or self.depth
        nodes = {(i, 0): lift(z) for i, (lift, z) in enumerate(zip(self.lifts, latents)) if i <= depth}
        images = []
        for j in range(1, depth + 1):
            for i in range(depth + 1 - j):
                up = F.interpolate(nodes[i + 1, j - 1], scale_factor=2.0, mode="nearest")
                nodes[i, j] = self.nodes[f"{i}_{j}"](*(nodes[i, k] for k in range(j)), up)
            known = [z if level <= j else torch.zeros_like(z) for level, z in enumerate(latents)]
            images.append(self.transform.inverse(known) + F.pixel_shuffle(self.heads[j - 1](nodes[0, j]), 4))
        return images
