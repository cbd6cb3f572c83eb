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
    """Phantoms with the nominal kernels, groups with random ones, phantoms in each, slices of each; `seed`: of the phantoms, where
    it shall not be that of the training."""

    nominal: int
    groups: int
    per_group: int
    slices: int
    seed: int | None = None

    @property
    def total(self) -> int:
        """Slices in all."""
        return (self.nominal + self.groups * self.per_group) * self.slices


@dataclass(frozen=True)
class PatchSettings:
    """`patch` pixels a side, `batch` patches a step over all processes; `precision`: auto, float32, bfloat16 or float16."""

    patch: int
    batch: int
    precision: str = "auto"


@dataclass(frozen=True)
class PhaseSettings:
    """`steps` batches of Adam; learning rate with warm-up, then a cosine to zero unless `constant`; gradients clipped to norm `clip`;
    weights averaged with decay `ema`."""

    steps: int
    learning_rate: float = 6e-4
    warm_up: int = 100
    clip: float = 1.0
    ema: float = 0.999
    betas: tuple[float, float] = (0.9, 0.99)
    constant: bool = False


@dataclass(frozen=True)
class ValidationSettings:
    """Phantoms, slices of each, regions per HU range; `every`: steps between validations of the first phantom in training, 0 for none."""

    phantoms: int
    slices: int
    per_range: int
    every: int = 0


@dataclass(frozen=True)
class TrainingSettings:
    name: str
    system: str
    seed: int
    steps: int
    data: DataSettings
    network: NetworkShape
    training: PatchSettings
    phases: dict[str, PhaseSettings]
    validation: ValidationSettings

    @property
    def phantom_seed(self) -> int:
        return self.seed if self.data.seed is None else self.data.seed

    def as_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)


def load_settings(name_or_path: str, system: str = "ltdiff", seed: int | None = None) -> TrainingSettings:
    """For a system; `seed` instead of the file's. Raises InputError where there is no such file or a value is missing or unknown."""
    path = PRESETS / f"{name_or_path}.toml"
    path = path if path.is_file() else Path(name_or_path)
    try:
        raw = {**_read_toml(path), "system": system}
        if seed is not None:
            raw["seed"] = seed
        data, training = DataSettings(**raw.pop("data")), PatchSettings(**raw.pop("training"))
        phases = {name: _phase(values, data.total // training.batch) for name, values in raw.pop("phases").items()}
        return TrainingSettings(data=data, network=NetworkShape.from_dict(raw.pop("network")), training=training, phases=phases,
                                validation=ValidationSettings(**raw.pop("validation")), **raw)
    except (OSError, ValueError, KeyError, TypeError) as error:
        known = ", ".join(sorted(p.stem for p in PRESETS.glob("*.toml")))
        raise InputError(f"{name_or_path} is no training configuration ({error}); use a preset ({known}) or a file like them.") from error


def _phase(values: dict, steps_per_epoch: int) -> PhaseSettings:
    """An epoch is as many patches as there are slices."""
    epochs = values.pop("epochs", None)
    return PhaseSettings(**values) if epochs is None else PhaseSettings(steps=max(1, epochs * steps_per_epoch), **values)


def _read_toml(path: Path) -> dict:
    try:
        import tomllib
    except ImportError:  # Python 3.10
        import tomli as tomllib
    return tomllib.loads(path.read_text(encoding="utf-8"))
