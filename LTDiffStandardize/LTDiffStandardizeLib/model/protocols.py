"""Protocols: what a source and a target kernel are, and how images of one become images of the other."""
from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..volumes.orientation import axial
from ..volumes.volume import CTVolume
from .noise_map import CoherenceNoiseMap, FittedNoiseMap, noise_map_from_dict
from .spectra import RadialCurve, SpectrumAccumulator
from .transfer import TransferCurve

UNCERTAIN_TEMPERATURE = 0.55
"""For noise maps from coherence. On two phantom pairs the log of their variance scatters by 0.9 around the truth; the
least squared error of a variance so uncertain is reached by exp(-1.5 * 0.9^2) = 0.30 of it, 0.55 of the amplitude."""
UNTRIED_TRUST = 0.25
"""Of protocols without a pair to fit it on. Pairs of three real scanners bore out 0 to 5 % of what the shipped network adds to the
filter, simulated ones 40 to 100 %; a quarter of its mean adds at most 0.4 % of the noise's variance where it is wrong."""
SHARPEST_SOURCE = 3.2
"""Amplification of fine detail above which an input is no soft kernel's."""
LIBRARY = Path(__file__).resolve().parents[2] / "Resources" / "Protocols"


@dataclass(frozen=True)
class KernelFacts:
    """A kernel by its label and, where known, MTF50, MTF10 and stop band (lp/cm) and noise SD (HU, with its conditions).

    noise_frequency: mean frequency (lp/cm) of the noise power spectrum of scans with the kernel, as `guard.texture` measures it.
    """

    label: str
    mtf50: float | None = None
    mtf10: float | None = None
    stop_band: tuple[float, float] | None = None
    noise_hu: float | None = None
    noise_frequency: float | None = None


@dataclass(frozen=True)
class Protocol:
    """A standardization: source kernel, target kernel, transfer curves, local noise map and noise spectrum.

    `noise_amplitude` is the radial amplitude spectrum of the unrecoverable residual divided by the noise map (only its
    shape counts); None means that it is measured on each volume from the coherence. `about` says where the numbers are from.
    `fine_noise_map`: a sharper map for ls_noise, good for pixels near `fitted_pixel` (mm); the model's frames do without.
    `temperature`: share of the map's noise amplitude that is drawn; below one where the map is uncertain.
    `directionality`: how much of the pattern of the rays' noise the image's noise shows, 0 (same in all orientations) to 1.5.
    `trust`: share of what the network adds to the filter that is used, 0 (the filter with directed noise) to 1; of the model
    that it was fitted with.
    """

    source: KernelFacts
    target: KernelFacts
    transfer: TransferCurve
    noise_map: FittedNoiseMap | CoherenceNoiseMap
    noise_amplitude: RadialCurve | None
    about: str = ""
    temperature: float = 1.0
    fine_noise_map: FittedNoiseMap | None = None
    fitted_pixel: float | None = None
    directionality: float = 0.0
    trust: float = 1.0

    @property
    def name(self) -> str:
        return f"{self.source.label} to {self.target.label}"

    def is_named(self, target: str | None) -> bool:
        """Whether the user's `target` (see `choose_protocol`) names this very protocol, and not a target kernel or nothing."""
        return bool(target) and (target.lower().endswith(".json") or same_kernel(self.name, target))

    @staticmethod
    def from_transfer(source: KernelFacts, target: KernelFacts, transfer: TransferCurve, about: str) -> "Protocol":
        """A protocol from transfer curves alone; the noise map follows from the coherence."""
        return Protocol(source, target, transfer, CoherenceNoiseMap(transfer.unexplained()), None, about, UNCERTAIN_TEMPERATURE,
                        trust=UNTRIED_TRUST)

    def as_dict(self) -> dict:
        amplitude = self.noise_amplitude
        return {"source": asdict(self.source), "target": asdict(self.target), "about": self.about, "temperature": self.temperature,
                "directionality": self.directionality, "trust": self.trust, "fine_noise_map": self.fine_noise_map and self.fine_noise_map.as_dict(), "fitted_pixel": self.fitted_pixel,
                "transfer": self.transfer.as_dict(), "noise_map": self.noise_map.as_dict(),
                "noise_amplitude": amplitude and {"frequency_lp_cm": list(amplitude.frequency), "value": list(amplitude.value)}}

    @staticmethod
    def from_dict(data: dict) -> "Protocol":
        amplitude, fine = data.get("noise_amplitude"), data.get("fine_noise_map")
        return Protocol(_facts(data["source"]), _facts(data["target"]), TransferCurve.from_dict(data["transfer"]),
                        noise_map_from_dict(data["noise_map"]),
                        amplitude and RadialCurve(tuple(amplitude["frequency_lp_cm"]), tuple(amplitude["value"])),
                        data.get("about", ""), data.get("temperature", 1.0),
                        fine and noise_map_from_dict(fine), data.get("fitted_pixel"), data.get("directionality", 0.0), data.get("trust", 1.0))


def _facts(data: dict) -> KernelFacts:
    band = data.get("stop_band")
    return KernelFacts(data["label"], data.get("mtf50"), data.get("mtf10"), tuple(band) if band else None, data.get("noise_hu"),
                       data.get("noise_frequency"))


def save_protocol(protocol: Protocol, path: Path) -> None:
    path.write_text(json.dumps(protocol.as_dict(), indent=1) + "\n", encoding="utf-8")


def load_protocol(path: Path) -> Protocol:
    """Raises InputError when the file is no protocol."""
    if Path(path).exists() and not Path(path).is_file():  # to open a pipe would wait for its writer
        raise InputError(f"{path} is no protocol file; name a protocol of the library or a file written by the training.")
    try:
        return Protocol.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist; check the path of the protocol file.") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{path} is no protocol file ({error!r}); name a protocol of the library or a file written by the training.") from error


def library() -> list[Protocol]:
    """The shipped protocols, sorted by file name."""
    return [load_protocol(path) for path in sorted(LIBRARY.glob("*.json"))]


def choose_protocol(target: str | None, kernel: str | None, default: Protocol) -> tuple[Protocol, str | None]:
    """The protocol for an input made with `kernel`, and a warning to record, or None.

    `target` None: towards the sharpest kernel that the library reaches from `kernel`; for a kernel that the library does not
    know, `default` (the model's own). A kernel label ("B70f"): from `kernel` to it. A whole name ("B40f to B70f") or a .json file: that one, whatever the input.
    Labels compare without case. Raises InputError, naming what there is.
    """
    if target and target.lower().endswith(".json"):
        return _as_asked(load_protocol(Path(target)), kernel)
    protocols = library() + [default]
    named = [p for p in protocols if p.is_named(target)]
    if named:
        return _as_asked(named[0], kernel)
    if target and same_kernel(target, kernel):
        raise InputError(f"The input is made with the target kernel {target} already; use it as it is.")
    towards = [p for p in protocols if not target or same_kernel(p.target.label, target)]
    if not towards:
        known = ", ".join(sorted({p.target.label for p in protocols}))
        raise InputError(f"No protocol leads to {target}; there are protocols to {known}: name one of these, a protocol file, or give --reference scans.")
    fitting = [p for p in towards if same_kernel(p.source.label, kernel)]
    if fitting and not target and max(map(_sharpness, fitting)) < 1:
        # Two kernels of one cohort must not be turned into each other.
        softer = ", ".join(sorted(p.target.label for p in fitting))
        raise InputError(f"The input's kernel is {kernel}, from which the library leads to softer ones alone ({softer}); name one "
                         "of these with --target, or keep the input as the sharp standard.")
    if fitting:
        return max(fitting, key=_sharpness), None
    if not target:
        return default, f"The input's kernel is {kernel or 'unknown'} to the library, so the model's own protocol {default.name} was applied; give --target or --reference if another fits better."
    if kernel is None and len(towards) == 1:
        return _as_asked(towards[0], kernel)
    known = ", ".join(sorted(p.name for p in towards))
    raise InputError(f"The input's kernel is {kernel or 'unknown'}, and the protocols to {target} are {known}: name one of these whole, or give --reference scans of {target}.")


def sharp_source_warning(protocol: Protocol, volume: CTVolume) -> str | None:
    """One sentence where the volume has the fine detail of a kernel far sharper than the protocol starts from.

    Measured as the factor by which the least-squares filter would amplify what the volume holds above 2 lp/cm: 1.4 to 2.7
    for soft clinical kernels, 3.4 to 9 for sharp ones, over eight series and the shipped sharpening protocols.
    """
    power = power_of([volume])
    frequency, value = np.asarray(power.frequency), np.asarray(power.value)
    fine = (frequency > 2) & (frequency < max(protocol.transfer.ls.frequency))
    weight = (frequency * value)[fine]
    factor = np.sqrt(np.sum(protocol.transfer.ls(frequency[fine]) ** 2 * weight) / max(np.sum(weight), 1e-12))
    if factor <= SHARPEST_SOURCE:
        return None
    return f"The input looks too sharp for this protocol, which amplifies its fine detail {factor:.1f} times (soft kernels: up to {SHARPEST_SOURCE}), so do not trust the result."


def power_of(volumes: Sequence[CTVolume]) -> RadialCurve:
    """Radial power spectrum, HU^2 per pixel, of at most 16 slices of each volume."""
    accumulator = SpectrumAccumulator()
    for volume, _ in map(axial, volumes):
        for index in probe_indices(len(volume.hu), 16):
            image = volume.hu[index] if volume.padding is None else np.where(volume.padding[index], -1000, volume.hu[index])
            accumulator.add(image, None, (volume.spacing[1], volume.spacing[0]))
    frequency, power, _, _ = accumulator.curves()
    return RadialCurve.of(frequency, power)


def probe_indices(length: int, count: int) -> np.ndarray:
    """At most `count` indices of 0..length - 1, spread evenly."""
    return np.unique(np.linspace(0, length - 1, count).round().astype(int))


def same_kernel(a: str, b: str | None) -> bool:
    """Kernel labels without case; of a kernel with several values ("Br40d\\3") the first is the label."""
    return a.casefold() in ((b or "").casefold(), (b or "").split("\\")[0].casefold())


def _sharpness(protocol: Protocol) -> float:
    return float(protocol.transfer.power(5.0))


def _as_asked(protocol: Protocol, kernel: str | None) -> tuple[Protocol, str | None]:
    if same_kernel(protocol.source.label, kernel):
        return protocol, None
    return protocol, f"The protocol {protocol.name} was applied, as asked, to an input whose kernel is {kernel or 'unknown'}."
