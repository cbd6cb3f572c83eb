"""LTDiff++ with one component taken away at a time (the paper's section V): what each is good for."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from LTDiffStandardizeLib.model.bundle import Bundle
from LTDiffStandardizeLib.model.network import LatentDiffusionModel, Moments
from LTDiffStandardizeLib.model.protocols import Protocol
from LTDiffStandardizeLib.model.standardizer import Settings, Standardizer
from LTDiffStandardizeLib.volumes.volume import CTVolume

from .measuring import Method

Change = Callable[[LatentDiffusionModel], None]


def ablations(bundle: Bundle, seed: int, device: str = "cpu") -> dict[str, Method]:
    """{row of the table: method}, all with the weights of one bundle; nothing is trained anew."""
    made: dict[str, Method] = {"LTDiff++": _with(bundle, seed, device)}
    changes: dict[str, Change] = {
        "without diffusion": _without_diffusion, "without moment head": _without_moments,
        "without moment head and diffusion": lambda model: (_without_moments(model), _without_diffusion(model)),
        "without learned codec": _without_learned_codec, "UNet++ pruned to depth 1": _pruned}
    for name, change in changes.items():
        made[name] = _with(bundle, seed, device, change)
    made["without protocol conditioning"] = _with(bundle, seed, device, _without_protocol)
    made["without noise (mean alone)"] = _with(bundle, seed, device, protocol=lambda p: replace(p, temperature=0.0))
    made["without directions"] = _with(bundle, seed, device, protocol=lambda p: replace(p, directionality=0.0))
    for steps in (1, 2, 8):
        made[f"{steps} step{'s' * (steps > 1)}"] = _with(bundle, seed, device, steps=steps)
    return made


def _with(bundle: Bundle, seed: int, device: str, change: Change | None = None, protocol=lambda p: p, steps: int | None = None) -> Method:
    def method(volume: CTVolume, wanted: Protocol) -> CTVolume:
        model = bundle.network(device)
        if change:
            change(model)
        settings = Settings(seed=seed, steps=steps or bundle.steps, device=device)
        calibrated = protocol(replace(wanted, temperature=wanted.temperature * bundle.temperature))
        return Standardizer(calibrated, settings, network=model).standardize(volume)[0]
    return method


def _without_diffusion(model: LatentDiffusionModel) -> None:
    """The denoiser silent: the noise stays what was drawn."""
    for head in model.denoiser.leave:
        torch.nn.init.zeros_(head.weight), torch.nn.init.zeros_(head.bias)


def _without_moments(model: LatentDiffusionModel) -> None:
    model.moments = lambda condition: Moments(*([torch.zeros_like(s) for s in condition.log_spread] for _ in range(2)))


def _without_learned_codec(model: LatentDiffusionModel) -> None:
    """Encoder and decoder as they start: the fixed transform."""
    for layer in (*model.encoder.projections, *model.decoder.heads):
        torch.nn.init.zeros_(layer.weight), torch.nn.init.zeros_(layer.bias)


def _pruned(model: LatentDiffusionModel) -> None:
    model.decode = lambda latents: model.decoder(latents, depth=1)


def _without_protocol(model: LatentDiffusionModel) -> None:
    """Both networks are told an average protocol, the origin of its features."""
    condition = model.condition

    def blind(*maps):
        known = condition(*maps)
        return replace(known, protocol=torch.zeros_like(known.protocol))
    model.condition = blind
