"""The conditional diffusion of the rivals: one denoiser, one loss, one sampler, in whatever space source and target share.

The Markov chain and v-prediction of model/diffusion.py. The spread of a target around its source is small against the unit
noise of the chain (50 HU of 1000), so small angles decide about texture: training and sampling go by the square of an even
spacing (quadratic subsequence, Song et al. 2021, DDIM, appendix D.2).
"""
from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from LTDiffStandardizeLib.model.diffusion import clean_of, noised, sample_ancestral, velocity_of
from LTDiffStandardizeLib.model.latent_unet import ANGLE_FEATURES, angle_features
from LTDiffStandardizeLib.model.network import stratified_angles

from ..patches import Batch
from .slices import White
from .unet import UNet

EVALUATIONS = 25
"""Of the denoiser, per slice."""


class ConditionalDenoiser(nn.Module):
    """The velocity of a noised target (n, channels, h, w), given the source in the same space.

    `spread`: typical SD of the target around the source. The network corrects the best linear guess of a target that is the
    source plus white noise of that SD, in units of that guess's error (preconditioning, Karras et al. 2022, section 5).
    """

    def __init__(self, channels: int, widths: tuple[int, ...], spread: float) -> None:
        super().__init__()
        self.network, self.spread = UNet(2 * channels, channels, widths, ANGLE_FEATURES), spread

    def forward(self, z: Tensor, angle: Tensor, source: Tensor) -> Tensor:
        c, s = _column(angle.cos()), _column(angle.sin())
        around, variance = z - c * source, self._variance(angle)
        guess = c * s * (1 - self.spread**2) / variance * around
        correction = self.network(torch.cat([around * variance.rsqrt(), source], 1), angle_features(angle)).float()
        return guess + self.guess_error(angle) * correction - s * source

    def guess_error(self, angle: Tensor) -> Tensor:
        """SD of what the guess misses of the velocity, (n, 1, 1, 1)."""
        return self.spread * self._variance(angle).rsqrt()

    def _variance(self, angle: Tensor) -> Tensor:
        return _column(angle.sin()).square() + (self.spread * _column(angle.cos())).square()


def noised_target(target: Tensor, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """(z, angle, velocity) of every item at an angle of its own."""
    angle = _squared(stratified_angles(batch.index, batch.total, batch.offsets))
    noise = white_noise(batch, target)
    return noised([target], [noise], angle)[0], angle, velocity_of([target], [noise], angle)[0]


def velocity_loss(denoiser: ConditionalDenoiser, source: Tensor, target: Tensor, batch: Batch) -> Tensor:
    """Mean squared error of the velocity, at every angle in units of what the linear guess misses: 1 before training."""
    z, angle, velocity = noised_target(target, batch)
    return ((denoiser(z, angle, source) - velocity) / denoiser.guess_error(angle)).square().mean()


def clean_target(denoiser: ConditionalDenoiser, source: Tensor, z: Tensor, angle: Tensor) -> Tensor:
    """The x0-prediction."""
    return clean_of([z], [denoiser(z, angle, source)], angle)[0]


def white_noise(batch: Batch, like: Tensor) -> Tensor:
    """Standard normal, of the shape of `like` (n, ...); keyed by the items, so that it does not depend on the number of processes."""
    generators = (torch.Generator().manual_seed(int(offset * 2**31)) for offset in batch.offsets.tolist())
    return torch.stack([torch.randn(like.shape[1:], generator=generator) for generator in generators]).to(like.device)


def sampling_angles(strength: float = 1.0) -> Tensor:
    """EVALUATIONS + 1 angles from strength * pi/2 down to 0."""
    return _squared(torch.linspace(0.5 * math.pi * math.sqrt(strength), 0.0, EVALUATIONS + 1))


def sample(denoiser: ConditionalDenoiser, source: Tensor, start: Tensor, angles: Tensor, white: White) -> Tensor:
    """Ancestral sampling (Ho et al. 2020) from `start` at the first angle, on a respaced chain."""
    share = _fresh_share(angles.double(), denoiser.spread).tolist()
    fresh = lambda step: [share[step - 1] * white(step, tuple(start.shape[1:]))]
    velocity = lambda z, angle: [denoiser(z[0], angle, source)]
    return sample_ancestral(velocity, [start], angles, fresh)[0]


def _fresh_share(angles: Tensor, spread: float) -> Tensor:
    """Per step, the SD of the noise to add, in units of the square root of beta.

    Beta is right for targets of unit variance, the posterior variance for targets that are known (Ho et al. 2020, section 3.2);
    this for targets around the source by `spread`, which an untrained denoiser then returns with just that SD.
    """
    c2, s2 = angles.cos().square(), angles.sin().square()
    unknown = spread**2 * (c2[1:] - c2[:-1]) / (s2 + spread**2 * c2)[:-1]
    return ((s2[1:] + unknown) / s2[:-1]).sqrt()


def _column(x: Tensor) -> Tensor:
    return x[:, None, None, None]


def _squared(angle: Tensor) -> Tensor:
    """0..pi/2 onto itself, small angles made smaller."""
    return angle.square() / (0.5 * math.pi)
