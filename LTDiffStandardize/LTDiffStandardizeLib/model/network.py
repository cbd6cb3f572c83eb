"""The whole model: encoder, moment head, denoiser, decoder, in the frame of the slice."""
from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .codec import LATENT_CHANNELS, BlockTransform, Decoder, Encoder, Latents
from .conditioning import PROTOCOL_FEATURES
from .diffusion import noised_source, sample_ancestral, sample_angle_euler, start_angles
from .directions import ORIENTATIONS, wedges
from .latent_unet import ANGLE_FEATURES, LatentUNet, angle_features
from .network_shape import NetworkShape

CONDITION_CHANNELS = (LATENT_CHANNELS[0] + 17 + ORIENTATIONS, LATENT_CHANNELS[1], LATENT_CHANNELS[2])


@dataclass(frozen=True)
class Condition:
    """What both networks know of a slice: `latents` of the source and its noise, `protocol` (n, PROTOCOL_FEATURES);
    and `log_spread`, per latent the log SD that directed unit noise has there."""

    latents: Latents
    protocol: Tensor
    log_spread: Latents


@dataclass(frozen=True)
class Moments:
    """Per latent: the mean of the target, and the log strength of its unrecoverable noise relative to directed unit noise."""

    mean: Latents
    log_scale: Latents

    def denormalise(self, z: Latents) -> Latents:
        return [m + torch.exp(s) * a for m, s, a in zip(self.mean, self.log_scale, z)]

    def trusted(self, share: float) -> "Moments":
        """Between no moments (the filter with directed noise), 0, and these, 1."""
        return Moments([share * m for m in self.mean], [share * s for s in self.log_scale])

    def normalise(self, z: Latents) -> Latents:
        return [(a - m) * torch.exp(-s) for m, s, a in zip(self.mean, self.log_scale, z)]


class DirectedSpread(nn.Module):
    """The log SD that each latent of directed unit noise has, from the amplitudes of the orientations."""

    def __init__(self, side: int = 64) -> None:
        super().__init__()
        windows = torch.from_numpy(wedges((side, side)))
        neighbours = torch.roll(windows, -1, 0)
        weight = torch.full(windows.shape[1:], 2.0)
        weight[:, [0, -1]] = 1.0
        # A latent's variance is a quadratic form of the amplitudes; only windows next to each other overlap.
        for level, impulses in enumerate(_basis_images(side)):
            power = torch.fft.rfft2(impulses).abs() ** 2 * weight
            same = torch.einsum("crf,krf->ck", power, windows**2)
            cross = 2 * torch.einsum("crf,krf->ck", power, windows * neighbours)
            form = torch.cat([same, cross], 1) / power.sum((1, 2))[:, None]
            self.register_buffer(f"form{level}", form[:, :, None, None], persistent=False)

    def forward(self, amplitudes: Tensor) -> Latents:
        """`amplitudes` (n, ORIENTATIONS, rows / 8, columns / 8) -> per level (n, channels, ...)."""
        found = []
        for level, size in enumerate((2.0, 1.0, 0.5)):
            a = amplitudes if size == 1 else F.interpolate(amplitudes, scale_factor=size, mode="bilinear", align_corners=False)
            products = torch.cat([a.square(), a * torch.roll(a, -1, 1)], 1)
            found.append(0.5 * torch.log(F.conv2d(products, getattr(self, f"form{level}")).clamp_min(1e-4)))
        return found


def _basis_images(side: int) -> Latents:
    """Per level (channels, side, side): the image of a single latent number, which is the filter that reads it."""
    transform, images = BlockTransform(), []
    sizes = (side // 4, side // 8, side // 16)
    for level, channels in enumerate(LATENT_CHANNELS):
        latents = [torch.zeros(channels, c, n, n) for c, n in zip(LATENT_CHANNELS, sizes)]
        latents[level][range(channels), range(channels), 0, 0] = 1.0
        images.append(transform.inverse(latents)[:, 0])
    return images


class LatentDiffusionModel(nn.Module):
    """E, the moment head, the denoiser and D. All images are residuals in the frame of their slice, (n, 1, H, W).

    A model as built, before any training, returns the noise it was given: the least-squares filter with local noise.
    """

    def __init__(self, shape: NetworkShape = NetworkShape()) -> None:
        super().__init__()
        self.shape = shape
        self.encoder, self.decoder = Encoder(shape.codec), Decoder(shape.codec)
        self.spread = DirectedSpread()
        twice = tuple(2 * c for c in LATENT_CHANNELS)
        both = tuple(c + z for c, z in zip(CONDITION_CHANNELS, LATENT_CHANNELS))
        self.moment_head = LatentUNet(CONDITION_CHANNELS, twice, shape.moments, PROTOCOL_FEATURES)
        self.denoiser = LatentUNet(both, LATENT_CHANNELS, shape.denoiser, ANGLE_FEATURES + PROTOCOL_FEATURES)

    def condition(self, source_hu: Tensor, source_residual: Tensor, log_sd: Tensor, amplitudes: Tensor, protocol: Tensor) -> Condition:
        """Z_A, the source's 4 x 4 block coefficients, the noise map, the directions of noise and the protocol.

        `source_hu` in HU, `source_residual` the source in its own frame, `log_sd` of the noise map; each (n, 1, H, W).
        `amplitudes` (n, ORIENTATIONS, H / 8, W / 8), `protocol` (n, PROTOCOL_FEATURES).
        """
        transform = self.encoder.transform
        z = [torch.asinh(0.5 * latent) for latent in self.encoder(source_residual)]
        blocks, level = transform.blocks(source_hu), transform.blocks(log_sd)[:, :1] / 4
        texture = torch.asinh(blocks[:, 1:] * torch.exp(-level))
        directions = F.interpolate(torch.log(amplitudes), scale_factor=2.0, mode="bilinear", align_corners=False)
        fine = torch.cat([z[0], blocks[:, :1] / 2000, texture, level - 3, directions], 1)
        return Condition([fine, z[1], z[2]], protocol, self.spread(amplitudes))

    def moments(self, condition: Condition) -> Moments:
        halves = [part.chunk(2, 1) for part in self.moment_head(condition.latents, condition.protocol)]
        return Moments([h[0] for h in halves], [h[1].clamp(-4, 3) for h in halves])

    def velocity(self, z: Latents, angle: Tensor, condition: Condition) -> Latents:
        told = torch.cat([angle_features(angle), condition.protocol], 1)
        return self.denoiser([torch.cat(pair, 1) for pair in zip(z, condition.latents)], told)

    def sample(self, condition: Condition, noise: Latents, steps: int, sampler: str = "euler", strength: float = 1.0,
               temperature: float = 1.0, fresh_noise=None, trust: float = 1.0) -> Latents:
        """Latents of one standardized image: reverse process from the noised source latent, then moments put back.

        The source's latent is the origin of the normalised space: its frame's origin is the filtered source, and the
        moment head's mean is subtracted. `noise`: latents of directed unit noise. `temperature` scales what is drawn around
        the mean; at zero nothing is drawn and the denoiser is not asked. `fresh_noise(step)`: for sampler "ancestral".
        `trust`: share of the moments that is used.
        """
        moments = self.moments(condition).trusted(trust)
        if temperature == 0:
            return moments.mean
        source = [torch.zeros_like(n) for n in noise]
        z, angles = noised_source(source, noise, strength), start_angles(steps, strength)
        velocity = lambda latents, angle: self.velocity(latents, angle, condition)
        if sampler == "ancestral":
            z = sample_ancestral(velocity, z, angles, fresh_noise)
        else:
            z = sample_angle_euler(velocity, z, angles)
        return moments.denormalise([temperature * part for part in z])

    def decode(self, latents: Latents) -> Tensor:
        return self.decoder(latents)


def parameter_count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def stratified_angles(index: Tensor, total: int, offsets: Tensor) -> Tensor:
    """Angles in (0, pi/2), one for each item `index` of a batch of `total`, spread evenly; `offsets` random in 0..1."""
    return 0.5 * math.pi * (index + offsets) / total
