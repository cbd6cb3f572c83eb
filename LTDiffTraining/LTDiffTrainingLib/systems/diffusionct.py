"""DiffusionCT: a convolutional autoencoder without skips, then a conditional DDPM over its latents.

Selim et al. 2023 (arXiv 2301.08815), read from the abstract: encoder-decoder with a DDPM at the bottleneck, trained in two
phases, the autoencoder frozen in the second. Where the source is silent: latents of 8 numbers per 4 x 4 pixels (a
compression of 2; stronger ones lose the texture of sharp kernels) that start as the block's coarsest cosines, L1 plus a
small spectrum term, Z_B given Z_A by v-prediction, ancestral sampling from pure noise.
"""
from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from LTDiffStandardizeLib.model.codec import BlockTransform, Node, zero_conv
from LTDiffStandardizeLib.model.network_shape import NetworkShape

from ..patches import Batch
from ..phases import Losses, Phase, spectrum_distance
from .chain import ConditionalDenoiser, sample, sampling_angles, velocity_loss
from .intensity import UNIT_HU, normalised
from .latent_scale import LatentScale
from .slices import White, standardize_slices
from .system import System

COARSEST = [0, 1, 2, 4, 5, 6, 8, 9]
"""The 8 coarsest of the 16 cosines of a block of 4 x 4 pixels, where the latents start."""
LATENT_CHANNELS = len(COARSEST)
SPREAD = 0.4
"""Of Z_B around Z_A, in units of the SD of Z_B."""
SPECTRUM_WEIGHT, SPECTRUM_UNIT_HU = 0.01, 100.0
"""The spectrum term is that of LTDiff++, whose images have noise of about unit SD."""


class Coder(nn.Module):
    """Half an autoencoder: (n, inputs, h, w) to (n, outputs, h, w); starts as the linear map `basis` (outputs, inputs)."""

    def __init__(self, basis: Tensor, width: int) -> None:
        super().__init__()
        outputs, inputs = basis.shape
        self.linear = nn.Conv2d(inputs, outputs, 1)
        self.linear.weight.data.copy_(basis[:, :, None, None])
        nn.init.zeros_(self.linear.bias)
        self.enter, self.leave = nn.Conv2d(inputs, width, 3, padding=1), zero_conv(width, outputs, 3)
        self.nodes = nn.ModuleList(Node(width, width) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        features = self.enter(x)
        for node in self.nodes:
            features = features + node(features)
        return self.linear(x) + self.leave(features)


class DiffusionCT(nn.Module):
    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        basis = BlockTransform().block.reshape(16, 16)[COARSEST]
        self.encoder, self.decoder = Coder(basis, shape.codec[-1]), Coder(basis.T, shape.codec[-1])
        self.scale = LatentScale(LATENT_CHANNELS)
        self.denoiser = ConditionalDenoiser(LATENT_CHANNELS, shape.moments, SPREAD)

    def encode(self, image: Tensor) -> Tensor:
        """(n, 1, H, W) to (n, LATENT_CHANNELS, H / 4, W / 4)."""
        return self.encoder(F.pixel_unshuffle(image, 4)).float()

    def decode(self, latents: Tensor) -> Tensor:
        return F.pixel_shuffle(self.decoder(latents), 4).float()

    def forward(self, image: Tensor, white: White) -> Tensor:
        source = self.scale(self.encode(image))
        made = sample(self.denoiser, source, white(0, tuple(source.shape[1:])), sampling_angles(), white)
        return self.decode(self.scale.inverse(made))


def reconstruction(model: DiffusionCT, batch: Batch) -> Losses:
    """Every image, whatever its kernel."""
    images = torch.cat([normalised(batch.map("source")), normalised(batch.map("target_hu"))])
    made = model.decode(model.encode(images))
    l1, unit = (made - images).abs().mean(), UNIT_HU / SPECTRUM_UNIT_HU
    return {"loss": l1 + SPECTRUM_WEIGHT * spectrum_distance(unit * made, unit * images), "l1_hu": UNIT_HU * l1.detach()}


def diffusion(model: DiffusionCT, batch: Batch) -> Losses:
    with torch.no_grad():
        source, target = (model.encode(normalised(batch.map(name))) for name in ("source", "target_hu"))
        model.scale.learn(target)
        source, target = model.scale(source), model.scale(target)
    loss = velocity_loss(model.denoiser, source, target, batch)
    return {"loss": loss, "velocity": loss.detach()}


DIFFUSIONCT = System("diffusionct", "DiffusionCT", DiffusionCT, {
    "autoencoder": Phase.of("encoder", "decoder", loss=reconstruction),
    "diffusion": Phase.of("denoiser", loss=diffusion),
}, standardize_slices, {"autoencoder": 0.35, "diffusion": 0.65})
