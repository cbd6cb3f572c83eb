"""What to compare or to write, and how: the types that compare.py, the worker and the panel share."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from ..errors import InputError
from ..radiomics.profiles import PROFILES
from ..requests import are_texts, check, is_text, is_whole, shown, to_json, unnamed
from ..volumes.derivation import Derivation
from .cases import Case

MOST_PROCESSES = 256
DERIVATION = {field.name for field in fields(Derivation)}
OPTIONAL, COUNTS = {field.name for field in fields(Derivation) if field.default is None}, {"seed", "steps", "samples"}
RANDOM_REGIONS = ("random:100",)


@dataclass(frozen=True)
class ComparisonRequest:
    """Volumes of one or several patients, and what is measured in them.

    cases: the patients; one without a reference is about how features change from the volume `before` to the volume `after`.
    output: the folder that gets the results. profile: which features; settings: of the profile, where they are not the defaults.
    rois: as `regions_of` takes them, for cases that have none of their own. before, after: names of volumes, None: the first, the last.
    combat: with the features of `before` adjusted by ComBat. charted: names of features for the report's charts.
    patient: for the tables, None: the name of the output folder. processes: that measure at the same time.
    arrays: with all values as an array too, for programs.

    Raises InputError, naming the field, where a value is not allowed.
    """

    cases: tuple[Case, ...]
    output: str
    profile: str = "ibex"
    settings: dict[str, Any] = field(default_factory=dict)
    rois: tuple[str, ...] = RANDOM_REGIONS
    before: str | None = None
    after: str | None = None
    combat: bool = False
    charted: tuple[str, ...] = ()
    patient: str | None = None
    processes: int = 1
    overwrite: bool = False
    arrays: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.cases, (list, tuple)):
            object.__setattr__(self, "cases", tuple(map(_case, self.cases)))
        check(self, self._problems())

    @property
    def has_reference(self) -> bool:
        return bool(self.cases[0].reference)

    def to_json(self) -> str:
        return to_json(self, task="compare")

    def _problems(self) -> Iterator[str]:
        if not (isinstance(self.cases, tuple) and self.cases):
            yield "cases must hold at least one patient"
        elif any(bool(case.reference) != self.has_reference for case in self.cases):
            yield "either all patients or none must have a reference"
        elif not self.has_reference and len(self.cases[0].volumes) < 2:
            yield "without a reference there must be two volumes, one before and one after; name a second one, or a reference"
        if not is_text(self.output):
            yield "output must name a folder"
        if not (is_text(self.profile) and self.profile in PROFILES):
            yield f"profile must be one of {', '.join(PROFILES)}, not {shown(self.profile)}"
        if not isinstance(self.settings, dict):
            yield "settings must be an object with the parameters of the profile"
        if not (are_texts(self.rois) and self.rois):
            yield "rois must name at least one region"
        if not are_texts(self.charted):
            yield "charted must be names of features"
        if not is_whole(self.processes, 1, MOST_PROCESSES):
            yield f"processes must be a whole number from 1 to {MOST_PROCESSES}, not {shown(self.processes)}"
        for name in ("before", "after", "patient"):
            if not (getattr(self, name) is None or is_text(getattr(self, name))):
                yield f"{name} must be a text that is not empty, or be left out"
        for name in ("combat", "overwrite", "arrays"):
            if type(getattr(self, name)) is not bool:
                yield f"{name} must be true or false"


@dataclass(frozen=True)
class RegionsRequest:
    """Which regions `rois` mean on a volume, as `regions_of` takes them; they go to the folder `output`."""

    volume: str
    output: str
    rois: tuple[str, ...] = RANDOM_REGIONS

    def __post_init__(self) -> None:
        check(self, self._problems())

    def to_json(self) -> str:
        return to_json(self, task="regions")

    def _problems(self) -> Iterator[str]:
        yield from unnamed(self, "volume", "output")
        if not (are_texts(self.rois) and self.rois):
            yield "rois must name at least one region"


@dataclass(frozen=True)
class ExportRequest:
    """A volume file as a derived DICOM series in the new folder `output`.

    source_files: the DICOM files of the series that it was made from. derivation: the fields of a `Derivation`.
    """

    volume: str
    source_files: tuple[str, ...]
    output: str
    derivation: dict[str, Any]

    def __post_init__(self) -> None:
        check(self, self._problems())

    def to_json(self) -> str:
        return to_json(self, task="export")

    def _problems(self) -> Iterator[str]:
        yield from unnamed(self, "volume", "output")
        if not (are_texts(self.source_files) and self.source_files):
            yield "source_files must be paths of DICOM files"
        if not isinstance(self.derivation, dict) or not {"method", "target", "software_version"} <= set(self.derivation) <= DERIVATION:
            yield f"derivation must have method, target and software_version, of {', '.join(sorted(DERIVATION))}"
            return
        for name, value in self.derivation.items():
            if not (is_whole(value, 0, 2**63) if name in COUNTS else is_text(value)) and not (value is None and name in OPTIONAL):
                yield f"derivation has no valid {name}, but {shown(value)}"


def _case(value: Any) -> Case:
    """A case from what JSON makes of one."""
    if isinstance(value, Case):
        return value
    usable = (isinstance(value, dict) and set(value) <= {"patient", "reference", "volumes", "rois"} and isinstance(value.get("volumes"), dict)
              and isinstance(value.get("rois", ()), (list, tuple)))  # fmt: skip
    texts = [*value["volumes"], *value["volumes"].values(), *value.get("rois", ())] if usable else [None]
    if not all(map(is_text, texts)) or not (is_text(value.get("reference")) or value.get("reference") in ("", None)):
        raise InputError("The request cannot be carried out: each of the cases must be an object with volumes (names and paths) and, where they "
                         "apply, patient, reference and rois.")  # fmt: skip
    return Case(str(value.get("patient", "")), value.get("reference") or "", value["volumes"], tuple(value.get("rois", ())))
