"""Requests as JSON: what a caller writes for a worker, checked when it is read."""
from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import MISSING, asdict, fields
from typing import Any, TypeVar

from .errors import InputError

Kind = TypeVar("Kind")


def to_json(request: Any, **more: Any) -> str:
    return json.dumps({**asdict(request), **more}, indent=1) + "\n"


def object_of(text: str) -> dict[str, Any]:
    """Raises InputError where the text is no JSON object."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise InputError(f"The request is not valid JSON ({error}); write it as the request's to_json does.") from error
    if not isinstance(data, dict):
        raise InputError("The request is no JSON object; write it as the request's to_json does.")
    return data


def request_of(data: dict[str, Any], kind: type[Kind]) -> Kind:
    """The request with these fields. Raises InputError where a field is unknown, missing or not allowed."""
    known = {field.name for field in fields(kind)}
    needed = {field.name for field in fields(kind) if field.default is field.default_factory is MISSING}
    if unknown := sorted(set(data) - known):
        raise InputError(f"The request has unknown fields ({', '.join(unknown)}); known are {', '.join(sorted(known))}.")
    if missing := sorted(needed - set(data)):
        raise InputError(f"The request lacks {' and '.join(missing)}; add what is missing.")
    return kind(**data)


def check(request: Any, problems: Iterator[str]) -> None:
    """Lists, which JSON has, become tuples; then raises InputError with the first problem, a piece of a sentence, where there is one."""
    for field in fields(request):
        value = getattr(request, field.name)
        if isinstance(value, list):
            object.__setattr__(request, field.name, tuple(value))
    for problem in problems:
        raise InputError(f"The request cannot be carried out: {problem}.")


def unnamed(request: Any, *names: str) -> Iterator[str]:
    """A problem for each of these fields that is no path."""
    for name in names:
        if not is_text(getattr(request, name)):
            yield f"{name} must be a path"


def is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def are_texts(values: Any) -> bool:
    return isinstance(values, tuple) and all(map(is_text, values))


def is_whole(value: Any, lowest: int, highest: int) -> bool:
    return type(value) is int and lowest <= value <= highest
