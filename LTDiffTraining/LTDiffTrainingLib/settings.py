"""Training settings: one TOML file; a preset by name or any file by path."""
from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.model.network_shape import NetworkShape

PRESETS = Path(__file__).resolve().parents[1] / "Resources" / "Presets"


@dataclass(frozen=True)
class DataSettings:
    nominal: int
    groups: int
    per_group: int
    slices: int


@dataclass(frozen=True)
class PatchSettings:
    patch: int
    batch: int


@dataclass(frozen=True)
class PhaseSettings:
    """`steps` batches; learning rate with warm-up, then a cosine to zero; gradients clipped to norm `clip`."""

    steps: int
    learning_rate: float = 6e-4
    warm_up: int = 100
    clip: float = 1.0
    ema: float = 0.999


@dataclass(frozen=True)
class ValidationSettings:
    phantoms: int
    slices: int
    per_range: int


@dataclass(frozen=True)
class TrainingSettings:
    name: str
    seed: int
    steps: int
    data: DataSettings
    network: NetworkShape
    training: PatchSettings
    phases: dict[str, PhaseSettings]
    validation: ValidationSettings

    def as_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)


def load_settings(name_or_path: str) -> TrainingSettings:
    """Raises InputError where there is no such file or a value is missing or unknown."""
    path = PRESETS / f"{name_or_path}.toml"
    path = path if path.is_file() else Path(name_or_path)
    try:
        raw = _read_toml(path)
        phases = {name: PhaseSettings(**values) for name, values in raw.pop("phases").items()}
        return TrainingSettings(data=DataSettings(**raw.pop("data")), network=NetworkShape.from_dict(raw.pop("network")),
                                training=PatchSettings(**raw.pop("training")), phases=phases,
                                validation=ValidationSettings(**raw.pop("validation")), **raw)
    except (OSError, ValueError, KeyError, TypeError) as error:
        known = ", ".join(sorted(p.stem for p in PRESETS.glob("*.toml")))
        raise InputError(f"{name_or_path} is no training configuration ({error}); use a preset ({known}) or a file like them.") from error


def _read_toml(path: Path) -> dict:
    try:
        import tomllib
    except ImportError:  # Python 3.10
        import tomli as tomllib
    return tomllib.loads(path.read_text(encoding="utf-8"))
