"""Settings from plain data."""
from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, Mapping, TypeVar

from ...errors import InputError
from .checks import SettingError

Settings = TypeVar("Settings")
_KINDS = {"bool": (bool,), "int": (int,), "float": (int, float), "None": (type(None),)}


def changed(settings: Settings, wanted: Mapping[str, Any], where: str = "") -> Settings:
    """A dataclass with the values of `wanted`, dataclasses within it likewise; lists become tuples.

    Raises InputError where a name is unknown, a value is of another kind than the field's, or the settings refuse it.
    """
    known = {item.name: item.type for item in fields(settings)}
    values = {}
    for name, value in wanted.items():
        if name not in known:
            raise InputError(f"The features have no setting {where}{name}; known are {', '.join(known)}.")
        values[name] = _like(getattr(settings, name), known[name], value, f"{where}{name}")
    try:
        return replace(settings, **values)
    except SettingError as error:
        raise error.within(where) from None


def _like(default: Any, annotation: str, value: Any, where: str) -> Any:
    if is_dataclass(default) and isinstance(value, Mapping):
        return changed(default, value, f"{where}.")
    if isinstance(default, tuple) and isinstance(value, (list, tuple)) and all(type(item) is type(default[0]) for item in value):
        return tuple(value)
    if any(type(value) in _KINDS.get(kind, ()) for kind in annotation.split(" | ")):
        return value
    raise InputError(f"The setting {where} cannot be {value!r}; it is {default!r} by default.")
