"""The losses of LTDiff++, one function each: a batch in, a loss and what to log out.

Phase 1: encoder and decoder reconstruct every image, whatever its kernel, from every deep-supervision head.
Phase 2: with E and D frozen, first the moment head, then the denoiser in its normalised space.
Phase 3, integration, is the bundle (pipeline.py).
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from LTDiffStandardizeLib.model.codec import Latents
from LTDiffStandardizeLib.model.diffusion import clean_of, noised, velocity_of
from LTDiffStandardizeLib.model.network import Condition, LatentDiffusionModel, Moments, stratified_angles

from .patches import Batch

OUTLIER = 4.0
"""Units of the local noise."""
Losses = dict[str, Tensor]
"""Named terms; "loss" is the one to descend."""
Loss = Callable[[nn.Module, Batch], Losses]


@dataclass(frozen=True)
class Player:
    """Trains the parts `modules` of a model (attributes by name) to descend `loss`."""

    modules: tuple[str, ...]
    loss: Loss


@dataclass(frozen=True)
class Phase:
    """One player, or several that take turns at every step (a generator and its discriminator)."""

    players: tuple[Player, ...]

    @staticmethod
    def of(*modules: str, loss: Loss) -> "Phase":
        return Phase((Player(modules, loss),))


def phase1_reconstruction(model: LatentDiffusionModel, batch: Batch) -> Losses:
    """An intensity term and a spectrum term on every head, sources and targets alike (residuals, kept within +-12)."""
    images = torch.cat([batch.map("source_residual"), batch.map("target")]).clamp(-12, 12)
    heads = model.decoder.all_heads(model.encoder(images))
    terms = [F.smooth_l1_loss(head, images, beta=0.5) + 0.1 * spectrum_distance(head, images) for head in heads]
    weights = [4.0 ** (j + 1 - len(terms)) for j in range(len(terms))]
    return {"loss": sum(w * t for w, t in zip(weights, terms)),
            "rmse": (heads[-1] - images).square().mean().sqrt().detach(),
            "rmse_pruned": (heads[0] - images).square().mean().sqrt().detach()}


def spectrum_distance(a: Tensor, b: Tensor) -> Tensor:
    """Mean distance of log amplitude spectra."""
    log_amplitude = lambda image: torch.log(torch.fft.rfft2(image.float(), norm="ortho").abs() + 0.1)
    return (log_amplitude(a) - log_amplitude(b)).abs().mean()


def phase2_moments(model: LatentDiffusionModel, batch: Batch) -> Losses:
    """The mean by squares against the noise-free expectation (or the target, where there is no twin), the SD by likelihood.

    Squares grow linearly beyond OUTLIER: where a kernel pair leaves hardly any noise, edges are many SDs high and would outweigh all.
    """
    condition, target, expected = _condition_and_targets(model, batch)
    moments = model.moments(condition)
    # With a twin the SD is that of the noise alone: what the mean misses at an edge is no noise and must not become any.
    around = [torch.where(torch.isnan(e), m.detach(), e) for e, m in zip(expected, moments.mean)]
    mean_goal = [torch.where(torch.isnan(e), t, e) for e, t in zip(expected, target)]
    log_sd = [s + d for s, d in zip(moments.log_scale, condition.log_spread)]
    mse = _mean([_square_to(m - g, OUTLIER) for m, g in zip(moments.mean, mean_goal)])
    nll = _mean([s + 0.5 * torch.exp(-2 * s) * (t - a).square() for s, t, a in zip(log_sd, target, around)])
    return {"loss": 2 * mse + 0.5 * nll, "mse": mse.detach(), "nll": nll.detach()}


def phase2_diffusion(model: LatentDiffusionModel, batch: Batch, decode_weight: float = 0.1) -> Losses:
    """v-prediction of the normalised Z_B given Z_A, plus lambda times the squared error of the decoded x0-prediction."""
    with torch.no_grad():
        condition, target, expected = _condition_and_targets(model, batch)
        moments = model.moments(condition)
        centred = Moments([torch.where(torch.isnan(e), m, e) for e, m in zip(expected, moments.mean)], moments.log_scale)
        clean = [z.clamp(-8, 8) for z in centred.normalise(target)]
        noise = model.encoder.transform(batch.noise)
        angle = stratified_angles(batch.index, batch.total, batch.offsets)
        z = noised(clean, noise, angle)
    velocity = model.velocity(z, angle, condition)
    loss_v = _mean([(v - g).square() for v, g in zip(velocity, velocity_of(clean, noise, angle))])
    loss_d = _decoded_error(model, clean_of(z, velocity, angle), clean, batch)
    return {"loss": loss_v + decode_weight * loss_d, "velocity": loss_v.detach(), "decoded": loss_d.detach()}


def _decoded_error(model: LatentDiffusionModel, predicted: Latents, wanted: Latents, batch: Batch, every: int = 8) -> Tensor:
    """Of every eighth item: angles grow with the index, and near zero the x0-prediction hardly depends on the velocity.

    Scaled so that its average over the processes of one batch is the mean over the items decoded by any of them.
    """
    mine = (batch.index % every == every // 2).nonzero()[:, 0]
    anywhere = len(range(every // 2, batch.total, every))
    if not len(mine):
        return 0.0 * predicted[0].sum()
    image = lambda latents: model.decode([part[mine] for part in latents])
    errors = (image(predicted) - image(wanted)).square().mean((1, 2, 3))
    return errors.sum() / anywhere * (batch.total / len(batch))


def _condition_and_targets(model: LatentDiffusionModel, batch: Batch) -> tuple[Condition, Latents, Latents]:
    with torch.no_grad():
        condition = model.condition(batch.map("source"), batch.map("source_residual"), batch.map("log_sd"), batch.amplitudes, batch.protocol)
        target = model.encoder(batch.map("target"))
        expected = model.encoder(batch.map("expected"))
    return condition, target, expected


def _square_to(difference: Tensor, limit: float) -> Tensor:
    """Squares, beyond the limit on their tangent."""
    size = difference.abs()
    return torch.where(size < limit, difference.square(), limit * (2 * size - limit))


def _mean(parts: list[Tensor]) -> Tensor:
    """Mean over all latent numbers of all levels."""
    return sum(p.float().sum() for p in parts) / sum(p.numel() for p in parts)


PHASES: dict[str, Phase] = {
    "autoencoder": Phase.of("encoder", "decoder", loss=phase1_reconstruction),
    "moments": Phase.of("moment_head", loss=phase2_moments),
    "diffusion": Phase.of("denoiser", loss=phase2_diffusion),
}
