"""Conditional DDPM in image space, without encoder or latents: the target's HU given the source's.

Ho et al. 2020 with the source beside the noised target (Saharia et al. 2022, SR3); "the original DDPM" of the paper's
comparison. Where the source is silent: v-prediction as preconditioned in chain.py, the space-to-depth grid of 4 x 4 pixels
(a rearrangement, nothing is lost), EVALUATIONS steps of ancestral sampling from pure noise.
"""
from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from LTDiffStandardizeLib.model.network_shape import NetworkShape

from ..patches import Batch
from ..phases import Losses, Phase
from .chain import ConditionalDenoiser, sample, sampling_angles, velocity_loss
from .intensity import normalised
from .slices import White, standardize_slices
from .system import System

SPREAD = 0.05
"""Of the target around the source, in units of 1000 HU: the RMS difference of soft and sharp kernels, air included."""


class DDPM(nn.Module):
    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.denoiser = ConditionalDenoiser(16, shape.moments, SPREAD)

    def forward(self, image: Tensor, white: White) -> Tensor:
        source = F.pixel_unshuffle(image, 4)
        return F.pixel_shuffle(sample(self.denoiser, source, white(0, tuple(source.shape[1:])), sampling_angles(), white), 4)


def diffusion(model: DDPM, batch: Batch) -> Losses:
    source, target = (F.pixel_unshuffle(normalised(batch.map(name)), 4) for name in ("source", "target_hu"))
    loss = velocity_loss(model.denoiser, source, target, batch)
    return {"loss": loss, "velocity": loss.detach()}


DDPM_SYSTEM = System("ddpm", "DDPM", DDPM, {"diffusion": Phase.of("denoiser", loss=diffusion)}, standardize_slices, {"diffusion": 1.0})
