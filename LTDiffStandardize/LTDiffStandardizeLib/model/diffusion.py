"""The conditional diffusion over latents: Markov chain, predictions, samplers.

The forward chain is Z(t+1) = sqrt(1 - b_t) Z(t) + sqrt(b_t) e (Ho et al. 2020). It is written in the angle phi with
cos^2 phi = alpha_bar: Z_phi = cos(phi) Z_0 + sin(phi) e, and the velocity is v = cos(phi) e - sin(phi) Z_0 (Salimans and
Ho 2022). Steps of equal angle give the cosine schedule. Rotating by the angle keeps the variance whatever the number of
steps: with v = 0 and unit-variance data both samplers return SD one, where DDIM and straight-line flows lose 15 %.
"""
from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from .codec import Latents

Velocity = Callable[[Latents, Tensor], Latents]
"""(latents at an angle, angle of shape (n,)) -> velocity."""
NoiseSource = Callable[[int], Latents]
"""Step number -> standard normal latents; step 0 is the start."""


class MarkovChain:
    """A discrete chain of `steps` betas, equal in angle from 0 to pi/2."""

    def __init__(self, steps: int = 1000) -> None:
        # The last angle stays short of pi/2: a beta of one would forget everything in a single step.
        self.angles = torch.linspace(0, 0.5 * math.pi, steps + 1, dtype=torch.float64)
        self.angles[-1] = 0.5 * math.pi - 0.25 * math.pi / steps
        self.alpha_bar = torch.cos(self.angles) ** 2
        self.betas = 1 - self.alpha_bar[1:] / self.alpha_bar[:-1]

    def step(self, z: Tensor, t: int, noise: Tensor) -> Tensor:
        """Z(t+1) from Z(t)."""
        beta = float(self.betas[t])
        return math.sqrt(1 - beta) * z + math.sqrt(beta) * noise


def noised(clean: Latents, noise: Latents, angle: Tensor) -> Latents:
    """Z at an angle (n,), from Z_0 and noise in one step."""
    c, s = _column(angle.cos()), _column(angle.sin())
    return [c * z + s * e for z, e in zip(clean, noise)]


def velocity_of(clean: Latents, noise: Latents, angle: Tensor) -> Latents:
    """What a v-predicting network learns."""
    c, s = _column(angle.cos()), _column(angle.sin())
    return [c * e - s * z for z, e in zip(clean, noise)]


def clean_of(z: Latents, velocity: Latents, angle: Tensor) -> Latents:
    """The x0-prediction that a velocity stands for."""
    c, s = _column(angle.cos()), _column(angle.sin())
    return [c * a - s * v for a, v in zip(z, velocity)]


def _column(x: Tensor) -> Tensor:
    return x[:, None, None, None]


def start_angles(steps: int, strength: float = 1.0) -> Tensor:
    """`steps` + 1 angles from strength * pi/2 down to 0."""
    return torch.linspace(0.5 * math.pi * strength, 0.0, steps + 1)


def noised_source(source: Latents, noise: Latents, strength: float = 1.0) -> Latents:
    """Where the reverse process starts: the source's latent plus noise; at strength 1 the noise decides alone."""
    angle = torch.full((noise[0].shape[0],), 0.5 * math.pi * strength, dtype=noise[0].dtype, device=noise[0].device)
    return noised(source, noise, angle)


def sample_angle_euler(velocity: Velocity, z: Latents, angles: Tensor) -> Latents:
    """The deterministic few-step sampler: rotate by each difference of angles, exactly norm-keeping for v = 0."""
    for here, there in zip(angles[:-1], angles[1:]):
        v = velocity(z, here.expand(z[0].shape[0]).to(z[0]))
        step = float(here - there)
        z = [a - step * b for a, b in zip(z, v)]
    return z


def sample_ancestral(velocity: Velocity, z: Latents, angles: Tensor, noise: NoiseSource) -> Latents:
    """DDPM's own sampler on the given angles (a respaced chain): posterior mean, then fresh noise of variance beta.

    Beta, not the smaller posterior variance, is right for data of unit variance (Ho et al. 2020, section 3.2).
    """
    for number, (here, there) in enumerate(zip(angles[:-1].double(), angles[1:].double()), start=1):
        v = velocity(z, here.expand(z[0].shape[0]).to(z[0]))
        clean = clean_of(z, v, here.expand(z[0].shape[0]).to(z[0]))
        bar, bar_next = float(torch.cos(here) ** 2), float(torch.cos(there) ** 2)
        beta, alpha = 1 - bar / bar_next, bar / bar_next
        to_clean, to_here = math.sqrt(bar_next) * beta / (1 - bar), math.sqrt(alpha) * (1 - bar_next) / (1 - bar)
        z = [to_clean * c + to_here * a + math.sqrt(beta) * e for c, a, e in zip(clean, z, noise(number))]
    return z
