"""The whole model: encoder, moment head, denoiser, decoder, in the frame of the slice."""
from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .codec import LATENT_CHANNELS, Decoder, Encoder, Latents
from .diffusion import noised_source, sample_ancestral, sample_angle_euler, start_angles
from .latent_unet import LatentUNet
from .network_shape import NetworkShape

CONDITION_CHANNELS = (LATENT_CHANNELS[0] + 17, LATENT_CHANNELS[1], LATENT_CHANNELS[2])


@dataclass(frozen=True)
class Moments:
    """Per latent: the mean of the target, and the log SD of its unrecoverable noise."""

    mean: Latents
    log_sd: Latents

    def denormalise(self, z: Latents) -> Latents:
        return [m + torch.exp(s) * a for m, s, a in zip(self.mean, self.log_sd, z)]

    def normalise(self, z: Latents) -> Latents:
        return [(a - m) * torch.exp(-s) for m, s, a in zip(self.mean, self.log_sd, z)]


class LatentDiffusionModel(nn.Module):
    """E, the moment head, the denoiser and D. All images are residuals in the frame of their slice, (n, 1, H, W).

    A model as built, before any training, returns the noise it was given: the least-squares filter with local noise.
    """

    def __init__(self, shape: NetworkShape = NetworkShape()) -> None:
        super().__init__()
        self.shape = shape
        self.encoder, self.decoder = Encoder(shape.codec), Decoder(shape.codec)
        twice = tuple(2 * c for c in LATENT_CHANNELS)
        both = tuple(c + z for c, z in zip(CONDITION_CHANNELS, LATENT_CHANNELS))
        self.moment_head = LatentUNet(CONDITION_CHANNELS, twice, shape.moments, angle=False)
        self.denoiser = LatentUNet(both, LATENT_CHANNELS, shape.denoiser, angle=True)

    def condition(self, source_hu: Tensor, source_residual: Tensor, log_sd: Tensor) -> Latents:
        """What both networks know of the source: its latents Z_A, its 4 x 4 block coefficients, the noise map.

        `source_hu` in HU, `source_residual` the source in its own frame, `log_sd` of the noise map; each (n, 1, H, W).
        """
        transform = self.encoder.transform
        z = [torch.asinh(0.5 * latent) for latent in self.encoder(source_residual)]
        blocks, level = transform.blocks(source_hu), transform.blocks(log_sd)[:, :1] / 4
        texture = torch.asinh(blocks[:, 1:] * torch.exp(-level))
        return [torch.cat([z[0], blocks[:, :1] / 2000, texture, level - 3], 1), z[1], z[2]]

    def moments(self, condition: Latents) -> Moments:
        halves = [part.chunk(2, 1) for part in self.moment_head(condition)]
        return Moments([h[0] for h in halves], [h[1].clamp(-4, 3) for h in halves])

    def velocity(self, z: Latents, angle: Tensor, condition: Latents) -> Latents:
        return self.denoiser([torch.cat(pair, 1) for pair in zip(z, condition)], angle)

    def sample(self, condition: Latents, noise: Latents, steps: int, sampler: str = "euler", strength: float = 1.0,
               temperature: float = 1.0, fresh_noise=None) -> Latents:
        """Latents of one standardized image: reverse process from the noised source latent, then moments put back.

        The source's latent is the origin of the normalised space: its frame's origin is the filtered source, and the
        moment head's mean is subtracted. `noise`: standard normal latents. `temperature` scales what is drawn around the
        mean. `fresh_noise(step)`: for sampler "ancestral".
        """
        source = [torch.zeros_like(n) for n in noise]
        z, angles = noised_source(source, noise, strength), start_angles(steps, strength)
        velocity = lambda latents, angle: self.velocity(latents, angle, condition)
        if sampler == "ancestral":
            z = sample_ancestral(velocity, z, angles, fresh_noise)
        else:
            z = sample_angle_euler(velocity, z, angles)
        return self.moments(condition).denormalise([temperature * part for part in z])

    def decode(self, latents: Latents) -> Tensor:
        return self.decoder(latents)


def parameter_count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def angles_for_training(count: int, generator: torch.Generator) -> Tensor:
    """Stratified uniform angles in (0, pi/2)."""
    offsets = torch.rand(count, generator=generator)
    return 0.5 * math.pi * (torch.arange(count) + offsets) / count
