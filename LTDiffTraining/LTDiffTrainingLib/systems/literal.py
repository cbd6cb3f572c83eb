"""LTDiff++ as printed: UNet++ autoencoder with its encoder-to-decoder skips, conditional DDPM at the bottleneck X(L,0) alone.

arXiv 2410.04000v2, figure 2 and section III: D decodes the diffused bottleneck together with the skips of A. It returns its
input: everything travels over the skips and the bottleneck is ignored. The row of the table documents that. Changed is only
what cannot be computed: conditioned on Z_A, for the printed Z_B is unknown; L1 per head of equal weight for the printed
BCE + Dice, whose minimum is 1 everywhere. The loss of the diffusion is as printed, ||Z_A' - Z_B||^2 + lambda ||D(Z_A') - B||^2,
with the x0-prediction for Z_A'; the reverse process starts from Z_A + noise, as printed. Sigma and lambda have no printed values.
"""
from __future__ import annotations

import torch
from torch import Tensor, nn

from LTDiffStandardizeLib.model.diffusion import noised_source
from LTDiffStandardizeLib.model.network_shape import NetworkShape

from ..patches import Batch
from ..phases import Losses, Phase
from .chain import ConditionalDenoiser, clean_target, noised_target, sample, sampling_angles
from .intensity import UNIT_HU, normalised
from .latent_scale import LatentScale
from .nested import NestedDecoder, NestedEncoder, doubling
from .slices import White, standardize_slices
from .system import System

START, DECODE_WEIGHT = 0.5, 0.1
"""Where the reverse process starts, as a share of the chain (sigma); lambda."""
SPREAD = 0.1
"""Of Z_B around Z_A, in units of the SD of Z_B."""


class LiteralLTDiff(nn.Module):
    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        widths = doubling(3 * shape.moments[0] // 8)
        self.encoder, self.decoder = NestedEncoder(widths), NestedDecoder(widths)
        self.scale = LatentScale(widths[-1])
        # The bottleneck's grid is 1/32 of the image: coarse enough for a denoiser of a single level.
        self.denoiser = ConditionalDenoiser(widths[-1], (shape.moments[0],), SPREAD)

    def decode(self, features: list[Tensor], bottleneck: Tensor) -> list[Tensor]:
        """The heads' images from the bottleneck (as LatentScale leaves it) and the skips among `features`, shallowest first."""
        return self.decoder(features[:-1] + [self.scale.inverse(bottleneck)])

    def forward(self, image: Tensor, white: White) -> Tensor:
        features = self.encoder(image)
        source = self.scale(features[-1])
        start = noised_source([source], [white(0, tuple(source.shape[1:]))], START)[0]
        return self.decode(features, sample(self.denoiser, source, start, sampling_angles(START), white))[-1]


def reconstruction(model: LiteralLTDiff, batch: Batch) -> Losses:
    """Every image, whatever its kernel, from every head."""
    images = torch.cat([normalised(batch.map("source")), normalised(batch.map("target_hu"))])
    errors = [(head - images).abs().mean() for head in model.decoder(model.encoder(images))]
    return {"loss": sum(errors) / len(errors), "l1_hu": UNIT_HU * errors[-1].detach()}


def diffusion(model: LiteralLTDiff, batch: Batch) -> Losses:
    wanted = normalised(batch.map("target_hu"))
    with torch.no_grad():
        features, target = model.encoder(normalised(batch.map("source"))), model.encoder(wanted)[-1]
        model.scale.learn(target)
        source, target = model.scale(features[-1]), model.scale(target)
    z, angle, _ = noised_target(target, batch)
    made = clean_target(model.denoiser, source, z, angle)
    latent = (made - target).square().mean()
    decoded = (model.decode(features, made)[-1] - wanted).square().mean()
    return {"loss": latent + DECODE_WEIGHT * decoded, "latent": latent.detach(), "rmse_hu": UNIT_HU * decoded.sqrt().detach()}


LITERAL = System("literal", "LTDiff++ as printed", LiteralLTDiff, {
    "autoencoder": Phase.of("encoder", "decoder", loss=reconstruction),
    "diffusion": Phase.of("denoiser", loss=diffusion),
}, standardize_slices, {"autoencoder": 0.5, "diffusion": 0.5})
