"""Checks of a trained encoder and decoder before anything is built on them: oracle swap, and whether z matters."""
from __future__ import annotations

import torch

from LTDiffStandardizeLib.model.network import LatentDiffusionModel

from .datasets import PreparedGroup
from .phases import channel


@torch.no_grad()
def codec_checks(model: LatentDiffusionModel, group: PreparedGroup) -> dict[str, float]:
    """RMSE, in units of the local noise SD, of D fed with: Z_B itself (the oracle), nothing, noise, another image's Z_B.

    `hu`: the oracle's error in HU at the slice's own noise level.
    """
    device = next(model.parameters()).device
    maps = torch.from_numpy(group.maps[0][:2].astype("float32")).to(device)
    target, log_sd = channel(maps, 3).clamp(-12, 12), channel(maps, 2)
    latents = model.encoder(target)
    rmse = lambda z, scale=1.0: float(((model.decode(z) - target) * scale).square().mean().sqrt())
    return {"oracle": rmse(latents), "oracle_hu": rmse(latents, log_sd.exp()),
            "zero": rmse([torch.zeros_like(z) for z in latents]),
            "noise": rmse([torch.randn(z.shape, generator=torch.Generator().manual_seed(0)).to(z) for z in latents]),
            "other_image": rmse([z.flip(0) for z in latents]),
            "source_instead": rmse(model.encoder(channel(maps, 1).clamp(-12, 12)))}
