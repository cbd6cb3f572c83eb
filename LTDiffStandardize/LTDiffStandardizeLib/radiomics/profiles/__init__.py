"""The lists of features that can be measured, each under names of its own.

    ibex         1,401 features, IBEX-compatible, computed by our own engine; six classes of the paper
    ibsi         302 features under IBSI's tags, computed by our own engine
    pyradiomics  PyRadiomics itself, where it is installed

Imports `matrices` and `features`.
"""
from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Mapping, Protocol, Sequence

import numpy as np

from ...errors import InputError
from ..features import Name
from ..matrices.levels import countable
from .changing import changed
from .explaining import describe, like_it
from .ibex import IbexProfile
from .ibex_settings import IbexSettings
from .ibsi import IbsiProfile
from .pyradiomics import PyRadiomicsProfile, available

__all__ = ["PROFILES", "IbexProfile", "IbexSettings", "IbsiProfile", "Profile", "PyRadiomicsProfile", "describe", "like_it", "profile_of",
           "read_settings", "values_of"]  # fmt: skip

WITHOUT_LEVELS = ("GOH", "ID", "Shape")
"""The classes whose features need no grey levels."""
PROFILES = {"ibex": IbexProfile, "ibsi": IbsiProfile, "pyradiomics": PyRadiomicsProfile}

class Profile(Protocol):
    """A list of features, and how to measure them. Profiles are plain data, which a child process can be handed."""

    name: str
    bin_width: float
    """HU of a grey level; infinite where the number of levels is limited instead."""

    def names(self) -> tuple[Name, ...]:
        """(class, feature), in the order of `values`; always the same for the same settings."""

    def values(self, hu: np.ndarray, mask: np.ndarray, spacing_xyz: Sequence[float]) -> np.ndarray:
        """(features,) float64 of one region: hu (z, y, x) HU and mask (bool) on a box around it; spacing in mm."""

    def about(self) -> str:
        """What a report says of it, one sentence."""

    def as_dict(self) -> dict:
        """Every setting, for JSON."""


def values_of(profile: Profile, hu: np.ndarray, mask: np.ndarray, spacing_xyz: Sequence[float]) -> np.ndarray:
    """`Profile.values`, but NaN for what cannot be measured, so that one region never ends a cohort.

    All is NaN where the mask is empty or a voxel in it is no finite number. All but the classes `WITHOUT_LEVELS` is NaN where the
    region's grey levels are not `countable`: one voxel of 1e7 HU is enough, and its matrices would not fit into the memory.
    """
    inside = hu[mask]
    low, high = (float(inside.min()), float(inside.max())) if inside.size else (np.nan, np.nan)
    if not np.isfinite(high - low):
        return np.full(len(profile.names()), np.nan)
    if countable(low, high, profile.bin_width):
        return profile.values(hu, mask, spacing_xyz)
    coarse = replace(profile, bin_width=max(-low, high))  # three levels at most; in 64 bits, for sums beyond 3.4e38
    values = coarse.values(hu.astype(np.float64), mask, spacing_xyz)
    values[[feature_class not in WITHOUT_LEVELS for feature_class, _ in profile.names()]] = np.nan
    return values


def profile_of(name: str, settings: Mapping = {}) -> Profile:
    """A profile of `PROFILES` with some of its settings changed, as `Profile.as_dict` has them.

    Raises InputError where a setting is unknown, of the wrong kind or such that nothing can be measured with it, or PyRadiomics
    is asked for and missing.
    """
    usable, why_not = available() if name == "pyradiomics" else (True, "")
    if not usable:
        raise InputError(why_not)
    return IbexProfile(changed(IbexSettings(), settings)) if name == "ibex" else changed(PROFILES[name](), settings)


def read_settings(path: str | Path) -> dict:
    """Settings from a JSON file: those of a profile, or a summary.json that holds them. Raises InputError where it cannot be read."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        return dict(content["profile"]["settings"] if "profile" in content else content)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"The settings {path} cannot be read ({type(error).__name__}: {error}); give a JSON object such as summary.json "
                         "has under profile.") from error  # fmt: skip
