"""The losses of the three phases, one function each: a batch of maps in, a loss and what to log out.

Phase 1: encoder and decoder reconstruct every image, whatever its kernel, from every deep-supervision head.
Phase 2: with E and D frozen, first the moment head, then the denoiser in its normalised space.
Phase 3, integration, is the bundle (pipeline.py).
"""
from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from LTDiffStandardizeLib.model.codec import Latents
from LTDiffStandardizeLib.model.diffusion import clean_of, noised, velocity_of
from LTDiffStandardizeLib.model.network import LatentDiffusionModel, Moments, angles_for_training

Losses = dict[str, Tensor]
"""Named terms; "loss" is the one to descend."""
Phase = Callable[[LatentDiffusionModel, Tensor, torch.Generator], Losses]


def channel(maps: Tensor, index: int) -> Tensor:
    return maps[:, index:index + 1]


def phase1_reconstruction(model: LatentDiffusionModel, maps: Tensor, generator: torch.Generator) -> Losses:
    """An intensity term and a spectrum term on every head, sources and targets alike (residuals, kept within +-12)."""
    images = torch.cat([channel(maps, 1), channel(maps, 3)]).clamp(-12, 12)
    heads = model.decoder.all_heads(model.encoder(images))
    terms = [F.smooth_l1_loss(head, images, beta=0.5) + 0.1 * spectrum_distance(head, images) for head in heads]
    weights = [4.0 ** (j + 1 - len(terms)) for j in range(len(terms))]
    return {"loss": sum(w * t for w, t in zip(weights, terms)),
            "rmse": (heads[-1] - images).square().mean().sqrt().detach(),
            "rmse_pruned": (heads[0] - images).square().mean().sqrt().detach()}


def spectrum_distance(a: Tensor, b: Tensor) -> Tensor:
    """Mean distance of log amplitude spectra."""
    log_amplitude = lambda image: torch.log(torch.fft.rfft2(image, norm="ortho").abs() + 0.1)
    return (log_amplitude(a) - log_amplitude(b)).abs().mean()


def phase2_moments(model: LatentDiffusionModel, maps: Tensor, generator: torch.Generator) -> Losses:
    """The mean by squares against the noise-free expectation (or the target, where there is no twin), the SD by likelihood."""
    condition, target, expected = _condition_and_targets(model, maps)
    moments = model.moments(condition)
    # With a twin the SD is that of the noise alone: what the mean misses at an edge is no noise and must not become any.
    around = [torch.where(torch.isnan(e), m.detach(), e) for e, m in zip(expected, moments.mean)]
    mean_goal = [torch.where(torch.isnan(e), t, e) for e, t in zip(expected, target)]
    mse = _mean([(m - g).square() for m, g in zip(moments.mean, mean_goal)])
    nll = _mean([s + 0.5 * torch.exp(-2 * s) * (t - a).square() for s, t, a in zip(moments.log_sd, target, around)])
    return {"loss": 2 * mse + 0.5 * nll, "mse": mse.detach(), "nll": nll.detach()}


def phase2_diffusion(model: LatentDiffusionModel, maps: Tensor, generator: torch.Generator, decode_weight: float = 0.1) -> Losses:
    """v-prediction of the normalised Z_B given Z_A, plus lambda times the squared error of the decoded x0-prediction."""
    with torch.no_grad():
        condition, target, expected = _condition_and_targets(model, maps)
        moments = model.moments(condition)
        centred = Moments([torch.where(torch.isnan(e), m, e) for e, m in zip(expected, moments.mean)], moments.log_sd)
        clean = [z.clamp(-8, 8) for z in centred.normalise(target)]
        noise = [torch.randn(z.shape, generator=generator).to(z) for z in clean]
        angle = angles_for_training(len(maps), generator).to(maps)
        z = noised(clean, noise, angle)
    velocity = model.velocity(z, angle, condition)
    loss_v = _mean([(v - g).square() for v, g in zip(velocity, velocity_of(clean, noise, angle))])
    # Every eighth: the angles are sorted, and near zero the x0-prediction hardly depends on the velocity.
    image = lambda latents: model.decode([part[4::8] if len(maps) > 4 else part for part in latents])
    predicted, wanted = image(clean_of(z, velocity, angle)), image(clean)
    loss_d = (predicted - wanted).square().mean()
    return {"loss": loss_v + decode_weight * loss_d, "velocity": loss_v.detach(), "decoded": loss_d.detach()}


def _condition_and_targets(model: LatentDiffusionModel, maps: Tensor) -> tuple[Latents, Latents, Latents]:
    with torch.no_grad():
        condition = model.condition(channel(maps, 0), channel(maps, 1), channel(maps, 2))
        target = model.encoder(channel(maps, 3))
        expected = model.encoder(channel(maps, 4))
    return condition, target, expected


def _mean(parts: list[Tensor]) -> Tensor:
    """Mean over all latent numbers of all levels."""
    return sum(p.sum() for p in parts) / sum(p.numel() for p in parts)


PHASES: dict[str, Phase] = {"autoencoder": phase1_reconstruction, "moments": phase2_moments, "diffusion": phase2_diffusion}
MODULES = {"autoencoder": ("encoder", "decoder"), "moments": ("moment_head",), "diffusion": ("denoiser",)}
"""Which parts of the model a phase trains; all others are frozen."""
