"""The model card: what a user must know before trusting the weights."""
from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from LTDiffStandardizeLib.model.network import LatentDiffusionModel, parameter_count

from .datasets import PreparedGroup
from .evaluation.text import as_text
from .model_checks import lowest_ceiling
from .settings import TrainingSettings

LIMITS = """\
- Simulated chest phantoms are no patients: cartoon anatomy, sharp synthetic edges, parallel beam, no beam hardening, no
  scatter, no motion, no iterative reconstruction. Its figures on phantoms say nothing about patients.
- "Br40-like" and "Bl64-like" are kernels with stated MTF, not the vendor's kernels.
- Texture that the source kernel erased is drawn anew, plausible and not the patient's own. It is for features, never for reading.
- The direction of noise streaks is computed from the attenuation in the slice itself: a field of view that cuts the body, and
  tube-current modulation, make it less true; three real pairs show a tenth to a half of the pattern that simulated scans show.
- Research use only, not a medical device."""


@dataclass(frozen=True)
class Findings:
    """What was measured of a model: codec checks and ceiling, agreement and SD rows on validation phantoms, gates, temperature."""

    checks: dict[str, float]
    ceiling: Sequence[dict]
    rows: Sequence[dict] = ()
    sd_rows: Sequence[dict] = ()
    gates: Sequence[dict] = ()
    temperature: float = 1.0


def model_card(settings: TrainingSettings, command: str, model: LatentDiffusionModel, groups: Sequence[PreparedGroup],
               found: Findings, minutes: dict[str, float]) -> str:
    """Markdown."""
    parts = {name: parameter_count(getattr(model, name)) for name in ("encoder", "decoder", "moment_head", "denoiser")}
    slices = sum(len(series.maps) for group in groups for series in group.series)
    phases = "\n".join(f"- {name}: {p.steps} steps of {settings.training.batch} patches of {settings.training.patch} px, "
                       f"learning rate {p.learning_rate:g}, {minutes.get(name, 0):.0f} minutes" for name, p in settings.phases.items())
    protocol, device = groups[0].protocol, next(model.parameters()).device
    return f"""# {settings.name}

LTDiff++ weights that standardize {protocol.name} in the frame of the slice; other kernel pairs use the same weights with
their own protocol. Research use only, not a medical device.

Made by `{command}` with PyTorch {torch.__version__} on {platform.machine()}, {device}, seed {settings.seed}.

## Trained on
{slices} slices in {len(groups)} groups of kernels, pixel size and thickness. {protocol.about}

{phases}

Parameters: {", ".join(f"{name} {count:,}" for name, count in parts.items())}. Default: {settings.steps} evaluations of the denoiser per slice,
{found.temperature:.3f} of the learned noise amplitude (set so that soft tissue of the first two validation phantoms has the target's SD).

## Encoder and decoder
RMSE in units of the local noise SD when D is given: {", ".join(f"{name} {value:.3g}" for name, value in found.checks.items() if name != "oracle_hu")}.
The oracle swap is off by {found.checks["oracle_hu"]:.3g} HU. {_ceiling_text(found.ceiling)}

## Agreement on validation phantoms
Mean CCC per feature over regions of phantoms that training did not see, 90 % bootstrap interval over phantoms; SD ratio to
the target and its spread. The phantoms come from the generator that training used.
```
{as_text(found.rows, found.sd_rows) if found.rows else "Not measured: PyRadiomics was missing."}
```

## Gates
{_gates_text(found.gates)}

## Limits
{LIMITS}
"""


def _ceiling_text(ceiling: Sequence[dict]) -> str:
    if not ceiling:
        return "Its CCC was not measured."
    return f"Decoding the target's own latents reaches a mean CCC of at least {lowest_ceiling(ceiling):.4f} in every class and range."


def _gates_text(held: Sequence[dict]) -> str:
    if not held:
        return "Not measured."
    missed = [g for g in held if not g["holds"]]
    lines = [f"{len(held) - len(missed)} of {len(held)} hold."]
    lines += [f"- missed: {g['gate']}: {g['value']:.3f} against {g['limit']:.3f}" for g in missed]
    return "\n".join(lines)
