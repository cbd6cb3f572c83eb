"""What a feature means, whatever profile it is of: for people, and put together from what the code says of itself."""
from __future__ import annotations

import inspect
import re
from difflib import get_close_matches
from typing import Sequence

from ...errors import InputError
from ..matrices import cooccurrence, differences, runs, statistics
from . import ibex_catalogue, ibsi
from .ibex import IbexProfile
from .ibex_catalogue import CLASSES
from .ibex_settings import ALL_DIRECTIONS, IN_SLICES, IN_SPACE, IbexSettings, LocalSettings
from .ibsi import IbsiProfile
from .pyradiomics import PyRadiomicsProfile, available, feature_classes
from .pyradiomics_histogram import histogram_features
from .pyradiomics_orientation import orientation_features

IBEX_CATEGORIES = {
    "GradientOrientHistogram": "angles of the gradient within slices",
    "GrayLevelCooccurenceMatrix25": "pairs of voxels within slices, summed over the slices (2.5 dimensions)",
    "GrayLevelCooccurenceMatrix3": "pairs of voxels in three dimensions",
    "GrayLevelRunLengthMatrix25": "runs of voxels within slices, summed over the slices (2.5 dimensions)",
    "IntensityDirect": "statistics of the intensities",
    "IntensityHistogram": "statistics and percentiles of the intensities",
    "NeighborIntensityDifference25": "neighbourhoods within slices (2.5 dimensions)",
    "NeighborIntensityDifference3": "neighbourhoods in three dimensions",
}


def describe(feature: str) -> str:
    """What a feature of a profile means: the parts of its name, the symbols of its class and its definition.

    Raises InputError, with the names that are most like it, where no profile has it.
    """
    ibex = {name: feature_class for feature_class, name in IbexProfile(IbexSettings(local=LocalSettings(wanted=True))).names()}
    ibsi_tags = {tag: feature_class for feature_class, tag in IbsiProfile().names()}
    if feature in ibex:
        return "\n".join([_parts_of(feature), _of_our_own(ibex[feature], ibex_catalogue.describe(feature))])
    if feature in ibsi_tags:
        return _of_our_own(ibsi_tags[feature], ibsi.describe(feature))
    usable, _ = available()
    others = PyRadiomicsProfile().names() if usable else ()
    texts = [_of_pyradiomics(*name) for name in others if feature in (name[1], ".".join(name))]
    if texts:
        return "\n\n".join(texts)
    install = "" if usable else ", and install PyRadiomics to have its features explained"
    close = like_it(feature, [*ibex, *ibsi_tags, *(name for _, name in others)])
    raise InputError(f"No feature is called {feature}{close}; --list-features prints the names of a profile{install}.")


def like_it(unknown: str, names: Sequence[str]) -> str:
    """A piece of a sentence with up to three of the names that an unknown one may stand for; "" where none is like it."""
    folded = {name.lower(): name for name in names}
    close = get_close_matches(unknown.lower(), folded, 3) or [name for name in folded if unknown.lower() in name][:3]
    return f" (did you mean {', '.join(folded[name] for name in close)}?)" if close else ""


def _of_our_own(feature_class: str, definition: str) -> str:
    return "\n".join([_symbols(feature_class), inspect.cleandoc(definition), "Empty region: NaN."])


def _symbols(feature_class: str) -> str:
    """What the definitions of a class share: the docstring of its module without title and sources."""
    module = {"GLCM": cooccurrence, "GLRLM": runs, "NID": differences}.get(feature_class, statistics)
    _, *paragraphs = inspect.cleandoc(module.__doc__).split("\n\n")
    histogram = ["Of a histogram p is the share of the values in a bin."] if module is statistics else []
    return "\n".join([*(paragraph for paragraph in paragraphs if not paragraph.startswith("Source")), *histogram])


def _parts_of(name: str) -> str:
    """What the parts of a name of IBEX say, one a line."""
    category, feature = name.split(".", 1)
    number, offset, bare = re.fullmatch(r"(-?\d+)?(?:-(\d+))?(.+)", feature).groups()
    parts = [f"{category}: category, {IBEX_CATEGORIES[category]}"]
    if number:
        parts.append(f"{number}: " + ("percent" if "Percentile" in bare else f"direction, {_direction(category, int(number))}"))
    if offset:
        parts.append(f"{offset}: offset, the voxels of a pair are so many steps apart")
    return "\n".join([*parts, f"{bare}: feature, defined below"])


def _direction(category: str, number: int) -> str:
    if number == ALL_DIRECTIONS:
        return "the mean of all" if CLASSES[category] == "GLRLM" else "all together"
    return f"a step of {(IN_SPACE if category.endswith('3') else IN_SLICES)[number]} in slices, rows and columns"


def _of_pyradiomics(feature_class: str, feature: str) -> str:
    """In PyRadiomics' own words, or ours for what it does not have."""
    documented = feature_classes().get("ID" if feature_class == "IH" else feature_class)
    method = getattr(documented, f"get{feature}FeatureValue", None)
    ours = orientation_features if feature_class == "GOH" else histogram_features
    texts = [_defined_in(inspect.getdoc(documented)), inspect.getdoc(method)] if method else [inspect.getdoc(ours)]
    return "\n\n".join([f"{feature} of the class {feature_class} of the profile pyradiomics:", *texts])


def _defined_in(text: str) -> str:
    """The part of a docstring of PyRadiomics that defines symbols, from "Let:" to the settings; all where there is none."""
    found = re.search(r"^Let:\n.*?(?=^(?:The following|Following|By default|References)|\Z)", text, re.DOTALL | re.MULTILINE)
    return found[0].strip() if found else text
