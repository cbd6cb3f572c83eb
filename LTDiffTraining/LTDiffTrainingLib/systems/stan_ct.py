"""STAN-CT: a conditional GAN with a latent loss.

Selim et al. 2020 (arXiv 2004.01307): generator U-Net, loss 1 GAN + 100 L1 + 1 latent L1 |E(G(x)) - E(y)| with E the
generator's own encoder, a conditional and a plain discriminator, Adam with beta1 0.5. The L1 is of images in units of
1000 HU (theirs: of their window onto -1..1), so that 100 L1 is the error in HU / 10. Where we differ: a least-squares
adversarial term (Mao et al. 2017) for the Wasserstein form, no dropout, hence the same result every time; the generator adds
to its input; no gradient through E(y); the space-to-depth grid of 4 x 4 pixels.
"""
from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from LTDiffStandardizeLib.model.network_shape import NetworkShape

from ..patches import Batch
from ..phases import Losses, Phase, Player
from ..settings import PhaseSettings, TrainingSettings
from .intensity import UNIT_HU, normalised
from .slices import White, standardize_slices
from .system import System
from .unet import UNet

L1_WEIGHT, LATENT_WEIGHT, BETAS = 100.0, 1.0, (0.5, 0.99)


class Generator(nn.Module):
    """Image (n, 1, H, W) to image."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.network = UNet(16, 16, (width // 2, width, 2 * width), told=1)

    def forward(self, image: Tensor) -> Tensor:
        return image + F.pixel_shuffle(self.network(F.pixel_unshuffle(image, 4), _nothing_to_tell(image)), 4).float()

    def latent(self, image: Tensor) -> Tensor:
        """E: the features of the bottleneck, of unit root mean square per pixel; unscaled the latent loss makes them explode."""
        features = self.network.descend(F.pixel_unshuffle(image, 4), _nothing_to_tell(image))[-1].float()
        return features * torch.rsqrt(features.square().mean(1, keepdim=True) + 1e-5)


class Discriminator(nn.Module):
    """PatchGAN (Isola et al. 2017): a map of judgements, each of about 80 pixels, of `images` images laid over each other."""

    def __init__(self, images: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(16 * images, width, 3, padding=1), nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1), nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, 4 * width, 4, stride=2, padding=1), nn.LeakyReLU(0.2),
            nn.Conv2d(4 * width, 1, 3, padding=1))

    def forward(self, *images: Tensor) -> Tensor:
        return self.layers(F.pixel_unshuffle(torch.cat(images, 1), 4)).float()


class StanCT(nn.Module):
    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        width = shape.moments[0]
        self.generator = Generator(width)
        self.conditional, self.plain = Discriminator(2, width // 2), Discriminator(1, width // 2)

    def forward(self, image: Tensor, white: White) -> Tensor:
        return self.generator(image)

    def judgements(self, source: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        return self.conditional(source, image), self.plain(image)


def generating(model: StanCT, batch: Batch) -> Losses:
    source, target = normalised(batch.map("source")), normalised(batch.map("target_hu"))
    made = model.generator(source)
    gan = sum((judged - 1).square().mean() for judged in model.judgements(source, made)) / 2
    l1 = (made - target).abs().mean()
    with torch.no_grad():
        wanted = model.generator.latent(target)
    latent = (model.generator.latent(made) - wanted).abs().mean()
    return {"loss": gan + L1_WEIGHT * l1 + LATENT_WEIGHT * latent,
            "gan": gan.detach(), "l1_hu": UNIT_HU * l1.detach(), "latent": latent.detach()}


def discriminating(model: StanCT, batch: Batch) -> Losses:
    source, target = normalised(batch.map("source")), normalised(batch.map("target_hu"))
    with torch.no_grad():
        made = model.generator(source)
    pairs = zip(model.judgements(source, target), model.judgements(source, made))
    loss = sum((real - 1).square().mean() + false.square().mean() for real, false in pairs) / 2
    return {"loss": loss, "discriminators": loss.detach()}


def _nothing_to_tell(image: Tensor) -> Tensor:
    return image.new_ones(len(image), 1)


@dataclass(frozen=True)
class _Adversarial(System):
    def settings(self, wanted: TrainingSettings) -> dict[str, PhaseSettings]:
        return {name: replace(phase, betas=BETAS) for name, phase in super().settings(wanted).items()}


STAN_CT = _Adversarial("stan_ct", "STAN-CT", StanCT, {"adversarial": Phase((
    Player(("generator",), generating), Player(("conditional", "plain"), discriminating)))},
    standardize_slices, {"adversarial": 1.0})
