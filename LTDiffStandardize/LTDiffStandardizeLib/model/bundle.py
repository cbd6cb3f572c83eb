"""A model bundle: a folder of weights.safetensors, bundle.json (configuration, protocol, hashes) and card.md.

Weights are safetensors alone, refused unless their SHA-256 is the one in bundle.json. Nothing is unpickled.
"""
from __future__ import annotations

import hashlib
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import LTDiffError, ModelError
from ..requests import shown
from .protocols import Protocol
from .unpaired import UnpairedModel

if TYPE_CHECKING:
    from .network import LatentDiffusionModel

MODELS = Path(__file__).resolve().parents[2] / "Resources" / "Models"
DEFAULT = "ltdiff-chest"
FORMAT = 2
WEIGHTS, CONFIGURATION, CARD = "weights.safetensors", "bundle.json", "card.md"
MOST_BYTES = {WEIGHTS: 4 << 30, CONFIGURATION: 64 << 20}  # of what comes from strangers
MOST_STEPS, MOST_LEVELS, WIDEST = 1000, 8, 512


@dataclass(frozen=True)
class Bundle:
    """`configuration`: network shape, default steps, training facts. `protocol`: the kernel pair the model was trained on."""

    name: str
    folder: Path
    sha256: str
    configuration: dict
    protocol: Protocol

    @property
    def unpaired(self) -> UnpairedModel | None:
        """What it learned of protocols without pairs; None for a model trained on a single pair of kernels."""
        learned = self.configuration.get("unpaired")
        return UnpairedModel.from_dict(learned) if learned else None

    @property
    def steps(self) -> int:
        """Evaluations of the denoiser per slice unless the user asks for another number."""
        return int(self.configuration["steps"])

    @property
    def temperature(self) -> float:
        """Share of the learned noise amplitude that is drawn, calibrated on validation phantoms."""
        return float(self.configuration.get("temperature", 1.0))

    @property
    def trained_noise(self) -> tuple[float, float] | None:
        """Lowest and highest noise SD (HU) of the scans it was trained on, as `guard.texture` measures it; None where not known."""
        known = self.configuration.get("trained_noise_hu")
        return (float(known[0]), float(known[1])) if known else None

    def network(self, device: str = "cpu") -> "LatentDiffusionModel":
        """The model in evaluation mode. Raises ModelError where the weights changed since or do not fit the configuration."""
        import torch
        from safetensors.torch import load

        from .network import LatentDiffusionModel
        from .network_shape import NetworkShape

        try:
            model = LatentDiffusionModel(NetworkShape.from_dict(self.configuration["shape"]))
            model.load_state_dict(load(checked_weights(self.folder, self.sha256)))
        except LTDiffError:
            raise
        except Exception as error:  # what strangers wrote makes safetensors and torch raise almost anything
            raise ModelError(f"{self.folder / WEIGHTS} does not fit its configuration ({_first_line(error)}); use an undamaged bundle.") from error
        return model.requires_grad_(False).eval().to(device=device, memory_format=torch.channels_last)


def load_bundle(name_or_path: str | Path = DEFAULT) -> Bundle:
    """A shipped bundle by name, or any by its folder or weights file. Raises ModelError, naming what is missing or changed."""
    folder = _folder_of(name_or_path)
    try:
        configuration = json.loads(_own_file(folder, CONFIGURATION).read_text(encoding="utf-8"))
        if configuration["format"] != FORMAT:
            raise ModelError(f"{folder} has bundle format {shown(configuration['format'])}, this version reads {FORMAT}; get a matching bundle or version.")
        protocol, expected = Protocol.from_dict(configuration["protocol"]), configuration["sha256"]
        checked_weights(folder, expected)
        bundle = Bundle(folder.name, folder, expected, configuration, protocol)
        _check_configuration(bundle)
    except LTDiffError:
        raise
    except Exception as error:  # what strangers wrote is missing, of another kind or nested without end
        raise ModelError(f"{folder} is no complete model bundle ({_first_line(error)}); it needs {WEIGHTS} and {CONFIGURATION} as the training writes them.") from error
    return bundle


def _check_configuration(bundle: Bundle) -> None:
    """Raises almost anything where a part that is asked for later is not there, or would take all memory or for ever."""
    for widths in bundle.configuration["shape"].values():
        if len(widths) > MOST_LEVELS or not all(type(width) is int and 0 < width <= WIDEST for width in widths):
            raise ValueError(f"its networks are not 1 to {WIDEST} wide on 1 to {MOST_LEVELS} levels")
    if not 0 < bundle.steps <= MOST_STEPS or not 0 <= bundle.temperature < math.inf:
        raise ValueError(f"its steps are not 1 to {MOST_STEPS}, or its temperature is no number")
    bundle.unpaired  # noqa: B018, read to see that it can be


def _first_line(error: Exception) -> str:
    return shown((str(error) or type(error).__name__).splitlines()[0].rstrip("."), 200)


def checked_weights(folder: Path, expected: str) -> bytes:
    """The weights file's bytes; raises ModelError where its SHA-256 is not the expected one."""
    weights = _own_file(folder, WEIGHTS).read_bytes()
    sha256 = hashlib.sha256(weights).hexdigest()
    if sha256 != expected:
        raise ModelError(f"{folder / WEIGHTS} has SHA-256 {sha256[:12]}..., its bundle.json says {expected[:12]}...; the file was changed or damaged: get the bundle again.")
    return weights


def _own_file(folder: Path, name: str) -> Path:
    """A file of the bundle. Raises ModelError where it is none, leads out of the folder, or is larger than any should be."""
    path = folder / name
    if not path.is_file():
        raise ModelError(f"{folder} is no complete model bundle (it has no file {name}); it needs {WEIGHTS} and {CONFIGURATION} as the training writes them.")
    if path.resolve().parent != folder.resolve():
        raise ModelError(f"{path} is a link out of its bundle, and nothing outside is read; put the file itself there.")
    if path.stat().st_size > MOST_BYTES[name]:
        raise ModelError(f"{path} has more than {MOST_BYTES[name] >> 20} MB, as no bundle has; get the bundle again.")
    return path


def _folder_of(name_or_path: str | Path) -> Path:
    path = Path(name_or_path)
    if path.name == WEIGHTS and os.path.isfile(path):
        return path.parent
    if os.path.isdir(path):  # unlike Path, it takes names that no file can have
        return path
    if path.name == str(name_or_path) and os.path.isdir(MODELS / path.name):
        return MODELS / path.name
    known = ", ".join(sorted(p.name for p in MODELS.glob("*") if p.is_dir())) or "none"
    raise ModelError(f"There is no model {name_or_path}; shipped are: {known}. Name one of these or the folder of a bundle.")


def write_bundle(folder: Path, model: "LatentDiffusionModel", protocol: Protocol, configuration: dict, card: str) -> Path:
    """Write a bundle as a new folder, whole or not at all."""
    from safetensors.torch import save

    from ..volumes.atomic import folder_aside

    weights = save({name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()})
    document = {"format": FORMAT, "sha256": hashlib.sha256(weights).hexdigest(), "shape": model.shape.as_dict(),
                **configuration, "protocol": protocol.as_dict()}
    with folder_aside(Path(folder), overwrite=True) as aside:
        (aside / WEIGHTS).write_bytes(weights)
        (aside / CONFIGURATION).write_bytes((json.dumps(document, indent=1) + "\n").encode())
        (aside / CARD).write_bytes(card.encode())
    return Path(folder)
