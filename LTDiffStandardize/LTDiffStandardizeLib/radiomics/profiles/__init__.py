"""The lists of features that can be measured, each under names of its own.

    ibex         1,401 features, IBEX-compatible, computed by our own engine; six classes of the paper
    ibsi         302 features under IBSI's tags, computed by our own engine
    pyradiomics  PyRadiomics itself, where it is installed

Imports `matrices` and `features`.
"""
from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Mapping, Protocol, Sequence

import numpy as np

from ...errors import InputError
from ..features import Name
from . import ibex_catalogue, ibsi
from .changing import changed
from .ibex import IbexProfile
from .ibex_settings import IbexSettings, LocalSettings
from .ibsi import IbsiProfile
from .pyradiomics import PyRadiomicsProfile, available

__all__ = ["PROFILES", "IbexProfile", "IbexSettings", "IbsiProfile", "Profile", "PyRadiomicsProfile", "describe", "profile_of",
           "read_settings", "values_of"]  # fmt: skip

PROFILES = {"ibex": IbexProfile, "ibsi": IbsiProfile, "pyradiomics": PyRadiomicsProfile}


class Profile(Protocol):
    """A list of features, and how to measure them. Profiles are plain data, which a child process can be handed."""

    name: str

    def names(self) -> tuple[Name, ...]:
        """(class, feature), in the order of `values`; always the same for the same settings."""

    def values(self, hu: np.ndarray, mask: np.ndarray, spacing_xyz: Sequence[float]) -> np.ndarray:
        """(features,) float64 of one region: hu (z, y, x) HU and mask (bool) on a box around it; spacing in mm."""

    def about(self) -> str:
        """What a report says of it, one sentence."""

    def as_dict(self) -> dict:
        """Every setting, for JSON."""


def values_of(profile: Profile, hu: np.ndarray, mask: np.ndarray, spacing_xyz: Sequence[float]) -> np.ndarray:
    """`Profile.values`; all NaN where the mask is empty or a voxel in it is no finite number, so that one region never ends a cohort."""
    if not mask.any() or not np.isfinite(hu[mask]).all():
        return np.full(len(profile.names()), np.nan)
    return profile.values(hu, mask, spacing_xyz)


def profile_of(name: str, settings: Mapping = {}) -> Profile:
    """A profile of `PROFILES` with some of its settings changed, as `Profile.as_dict` has them.

    Raises InputError where a setting is unknown or of the wrong kind, or PyRadiomics is asked for and missing.
    """
    usable, why_not = available() if name == "pyradiomics" else (True, "")
    if not usable:
        raise InputError(why_not)
    return IbexProfile(changed(IbexSettings(), settings)) if name == "ibex" else changed(PROFILES[name](), settings)


def read_settings(path: str | Path) -> dict:
    """Settings from a JSON file: those of a profile, or a summary.json that holds them. Raises InputError where it cannot be read."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        return content["profile"]["settings"] if "profile" in content else dict(content)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"The settings {path} cannot be read ({type(error).__name__}: {error}); give a JSON object such as summary.json "
                         "has under profile.") from error  # fmt: skip


def describe(feature: str) -> str:
    """What a feature of ibex or ibsi means. Raises InputError where neither has it."""
    for profile, text_of in ((IbexProfile(IbexSettings(local=LocalSettings(wanted=True))), ibex_catalogue.describe), (IbsiProfile(), ibsi.describe)):
        if feature in {name for _, name in profile.names()}:
            return inspect.cleandoc(text_of(feature)) + "\nEmpty region: NaN."
    raise InputError(f"No feature of ibex or ibsi is called {feature}; --list-features prints their names.")
