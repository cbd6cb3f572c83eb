"""Checks of encoder and decoder before anything is built on them: oracle swap, whether z matters, and the ceiling of CCC."""
from __future__ import annotations

import numpy as np
import torch

from LTDiffStandardizeLib.model.frame import FrameFactory
from LTDiffStandardizeLib.model.network import LatentDiffusionModel
from LTDiffStandardizeLib.model.noise import slice_noise
from LTDiffStandardizeLib.model.protocols import Protocol
from LTDiffStandardizeLib.model.standardizer import as_int16
from LTDiffStandardizeLib.radiomics.agreement import agreement_table
from LTDiffStandardizeLib.radiomics.measuring import measure
from LTDiffStandardizeLib.radiomics.profiles.pyradiomics import CLASSES, PyRadiomicsProfile
from LTDiffStandardizeLib.radiomics.regions import HU_RANGES, random_regions

from .datasets import MAPS, PreparedGroup
from .simulation.pairs import PairedSeries


@torch.no_grad()
def codec_checks(model: LatentDiffusionModel, group: PreparedGroup) -> dict[str, float]:
    """RMSE, in units of the local noise SD, of D fed with: Z_B itself (the oracle), nothing, noise, another image's Z_B.

    `oracle_hu`: the oracle's error in HU at the slice's own noise level.
    """
    device = next(model.parameters()).device
    maps = torch.from_numpy(group.series[0].maps[:2].astype("float32")).to(device)
    channel = lambda name: maps[:, MAPS.index(name)][:, None]
    target, log_sd = channel("target").clamp(-12, 12), channel("log_sd")
    latents = model.encoder(target)
    rmse = lambda z, scale=1.0: float(((model.decode(z) - target) * scale).square().mean().sqrt())
    return {"oracle": rmse(latents), "oracle_hu": rmse(latents, log_sd.exp()),
            "zero": rmse([torch.zeros_like(z) for z in latents]),
            "noise": rmse([torch.randn(z.shape, generator=torch.Generator().manual_seed(0)).to(z) for z in latents]),
            "other_image": rmse([z.flip(0) for z in latents]),
            "source_instead": rmse(model.encoder(channel("source_residual").clamp(-12, 12)))}


@torch.no_grad()
def codec_ceiling(model: LatentDiffusionModel, series: PairedSeries, protocol: Protocol, per_range: int = 20) -> list[dict]:
    """Agreement rows of D(E(B)) ("decoded") and of ls_noise against B: what diffusion can reach, and what it must beat."""
    spacing = (series.pixel, series.pixel)
    frames = FrameFactory(protocol, spacing, series.source)
    made: dict[str, list[np.ndarray]] = {"decoded": [], "ls_noise": []}
    for index in range(len(series)):
        frame = frames.frame(series.source[index])
        residual = torch.from_numpy(frame.to_residual(np.asarray(series.target[index], np.float32)))[None, None]
        decoded = model.decode(model.encoder(residual.to(next(model.parameters())))).cpu().numpy()[0, 0]
        made["decoded"].append(as_int16(frame.from_residual(decoded)))
        made["ls_noise"].append(as_int16(frame.from_residual(slice_noise(decoded.shape, 0, float(index)))))
    return _agreement(made, np.asarray(series.target), (*spacing, series.description["acquisition"]["distance"]), per_range)


def _agreement(made: dict[str, list[np.ndarray]], target: np.ndarray, spacing, per_range: int) -> list[dict]:
    regions = [region for hu_range in HU_RANGES
               for region in random_regions(target, spacing, hu_range, per_range, seed=0, size_voxels=(1, 24, 24))[0]]
    volumes = {"target": target, **{method: np.stack(slices) for method, slices in made.items()}}
    features = measure(PyRadiomicsProfile(CLASSES), volumes, regions, spacing)
    return agreement_table({method: features[method] for method in made}, features["target"], regions, draws=50)


def ceiling_warnings(rows: list[dict]) -> list[str]:
    """One sentence for each class and range in which the codec alone already loses against the filter."""
    figure = {(r["method"], r["regions"], r["feature_class"]): r["ccc_mean"] for r in rows}
    return [f"Ceiling: {label} {name}: decoding the target's own latents reaches a CCC of {value:.3f}, ls_noise {figure['ls_noise', label, name]:.3f}; "
            "train the autoencoder longer before the diffusion." for (method, label, name), value in figure.items()
            if method == "decoded" and value < figure["ls_noise", label, name]]


def lowest_ceiling(rows: list[dict]) -> float:
    return min(r["ccc_mean"] for r in rows if r["method"] == "decoded" and np.isfinite(r["ccc_mean"]))
