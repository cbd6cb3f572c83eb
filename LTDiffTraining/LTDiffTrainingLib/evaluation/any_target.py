"""Protocols never seen in training: from reference scans of another phantom, from a pair, and the model's own for everything."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from LTDiffStandardizeLib.model.bundle import Bundle
from LTDiffStandardizeLib.model.protocols import Protocol
from LTDiffStandardizeLib.model.standardizer import Settings
from LTDiffStandardizeLib.model.unpaired import protocol_from_references
from LTDiffStandardizeLib.volumes.volume import CTVolume

from ..datasets import group_protocol
from ..fitting.trust import with_fitted_trust
from ..simulation.pairs import PairedSeries
from .cases import Case, as_volume, simulated_case
from .measuring import Method, by_standardizer


def varied_cases(pairs: Sequence[tuple[PairedSeries, PairedSeries]], bundle: Bundle, sharpen: bool = True, fit_slices: int = 12) -> list[Case]:
    """Of (series, calibration series of another phantom with the same acquisition): the protocol is fitted on the second.

    `sharpen` False: from the target kernel back to the source kernel.
    """
    cases = []
    for series, calibration in pairs:
        calibration = calibration if sharpen else Turned(calibration)
        protocol = with_fitted_trust(group_protocol([calibration], fit_slices), *as_volume(calibration), bundle)
        case = simulated_case(series, protocol)
        cases.append(case if sharpen else replace(case, source=case.target, target=case.source))
    return cases


class Turned(PairedSeries):
    """A pair from its target to its source."""

    def __init__(self, one: PairedSeries) -> None:
        super().__init__(one.folder)
        self.source, self.target = self.target, self.source
        kernels = self.description["acquisition"]
        kernels["source"], kernels["target"] = kernels["target"], kernels["source"]


def any_target_methods(calibrations: dict[str, PairedSeries], bundle: Bundle, seed: int, sharpen: bool) -> dict[str, Method]:
    """`calibrations`: {case name: the other phantom}. The case's protocol says whether it is paired; references are the other
    phantom's images with the target kernel, unpaired."""
    settings = Settings(seed=seed, device="cpu")
    diffusion, noisy, power = (by_standardizer(m, bundle if m == "ltdiff" else None, settings) for m in ("ltdiff", "ls_noise", "power"))

    def reference(volume: CTVolume) -> CTVolume:
        soft, sharp = as_volume(calibrations[_case_of(volume)])
        return sharp if sharpen else soft

    learned = lambda volume: protocol_from_references(volume, [reference(volume)], bundle.unpaired)
    plain = lambda volume: protocol_from_references(volume, [reference(volume)], None)
    own = bundle.protocol if sharpen else _reversed(bundle.protocol)
    return {
        "LTDiff++, reference": lambda volume, protocol: diffusion(volume, learned(volume)),
        "ls_noise, reference": lambda volume, protocol: noisy(volume, learned(volume)),
        "power, reference": lambda volume, protocol: power(volume, plain(volume)),
        "LTDiff++, reference without the unpaired model": lambda volume, protocol: diffusion(volume, plain(volume)),
        "LTDiff++, single target": lambda volume, protocol: diffusion(volume, own),
        "LTDiff++, paired": diffusion,
        "ls_noise, paired": noisy,
        "none": by_standardizer("none"),
    }


def _reversed(protocol: Protocol) -> Protocol:
    return Protocol.from_transfer(protocol.target, protocol.source, protocol.transfer.reversed(), f"{protocol.name}, reversed.")


def _case_of(volume: CTVolume) -> str:
    """Volumes of simulated cases are named after their case."""
    return volume.name.rsplit(" ", 1)[0]
