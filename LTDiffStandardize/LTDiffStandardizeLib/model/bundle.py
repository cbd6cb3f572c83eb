"""A model bundle: a folder of weights.safetensors, bundle.json (configuration, protocol, hashes) and card.md.

Weights are safetensors alone, refused unless their SHA-256 is the one in bundle.json. Nothing is unpickled.
"""
from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ModelError
from .protocols import Protocol
from .unpaired import UnpairedModel

if TYPE_CHECKING:
    from .network import LatentDiffusionModel

MODELS = Path(__file__).resolve().parents[2] / "Resources" / "Models"
DEFAULT = "ltdiff-chest"
FORMAT = 2
WEIGHTS, CONFIGURATION, CARD = "weights.safetensors", "bundle.json", "card.md"


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

        model = LatentDiffusionModel(NetworkShape.from_dict(self.configuration["shape"]))
        try:
            model.load_state_dict(load(checked_weights(self.folder, self.sha256)))
        except (RuntimeError, OSError) as error:
            raise ModelError(f"{self.folder / WEIGHTS} does not fit its configuration ({str(error).splitlines()[0]}); use an undamaged bundle.") from error
        return model.requires_grad_(False).eval().to(device=device, memory_format=torch.channels_last)


def load_bundle(name_or_path: str | Path = DEFAULT) -> Bundle:
    """A shipped bundle by name, or any by its folder or weights file. Raises ModelError, naming what is missing or changed."""
    folder = _folder_of(name_or_path)
    try:
        configuration = json.loads((folder / CONFIGURATION).read_text(encoding="utf-8"))
        if configuration["format"] != FORMAT:
            raise ModelError(f"{folder} has bundle format {configuration['format']}, this version reads {FORMAT}; get a matching bundle or version.")
        protocol, expected = Protocol.from_dict(configuration["protocol"]), configuration["sha256"]
        checked_weights(folder, expected)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{folder} is no complete model bundle ({error}); it needs {WEIGHTS} and {CONFIGURATION} as the training writes them.") from error
    return Bundle(folder.name, folder, expected, configuration, protocol)


def checked_weights(folder: Path, expected: str) -> bytes:
    """The weights file's bytes; raises ModelError where its SHA-256 is not the expected one."""
    weights = (folder / WEIGHTS).read_bytes()
    sha256 = hashlib.sha256(weights).hexdigest()
    if sha256 != expected:
        raise ModelError(f"{folder / WEIGHTS} has SHA-256 {sha256[:12]}..., its bundle.json says {expected[:12]}...; the file was changed or damaged: get the bundle again.")
    return weights


def _folder_of(name_or_path: str | Path) -> Path:
    path = Path(name_or_path)
    if path.name == WEIGHTS and path.is_file():
        return path.parent
    if path.is_dir():
        return path
    if path.name == str(name_or_path) and (MODELS / path.name).is_dir():
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
