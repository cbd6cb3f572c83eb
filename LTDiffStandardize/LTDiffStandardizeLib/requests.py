"""Requests as JSON: what a caller writes for a worker, checked when it is read."""
from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import MISSING, asdict, fields
from typing import Any, TypeVar

from .errors import InputError

Kind = TypeVar("Kind")
LONGEST_TEXT, LONGEST_NAME = 4096, 255  # characters of a path and of each name in it, beyond which no system can open it
MOST_SHOWN = 60  # characters of a value in a sentence


def to_json(request: Any, **more: Any) -> str:
    return json.dumps({**asdict(request), **more}, indent=1) + "\n"


def object_of(text: str) -> dict[str, Any]:
    """Raises InputError where the text is no JSON object, or one that names a field twice."""
    try:
        data = json.loads(text, object_pairs_hook=_without_doubles)
    except ValueError as error:
        raise InputError(f"The request is not valid JSON ({error}); write it as the request's to_json does.") from error
    except RecursionError as error:
        raise InputError("The request is not valid JSON (too many brackets within each other); write it as the request's to_json does.") from error
    if not isinstance(data, dict):
        raise InputError("The request is no JSON object; write it as the request's to_json does.")
    return data


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    doubled = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
    if doubled:
        raise ValueError(f"{shown(doubled[0])} is named twice")
    return dict(pairs)


def request_of(data: dict[str, Any], kind: type[Kind]) -> Kind:
    """The request with these fields. Raises InputError where a field is unknown, missing or not allowed."""
    known = {field.name for field in fields(kind)}
    needed = {field.name for field in fields(kind) if field.default is field.default_factory is MISSING}
    if unknown := sorted(set(data) - known):
        raise InputError(f"The request has unknown fields ({shown(', '.join(unknown))}); known are {', '.join(sorted(known))}.")
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


def shown(value: Any, most: int = MOST_SHOWN) -> str:
    """A value as it stands in a sentence: printable, and cut where it is long."""
    text = "".join(letter if letter.isprintable() else "?" for letter in str(value))
    return text if len(text) <= most else f"{text[:most]}..."


def is_text(value: Any) -> bool:
    """Whether it is a text, not blank, that could be a path: without NUL, in letters that file names have, no longer than they can be."""
    if not isinstance(value, str) or not value.strip() or "\0" in value or len(value) > LONGEST_TEXT:
        return False
    try:
        os.fsencode(value)
    except UnicodeEncodeError:
        return False
    return max(map(len, re.split(r"[/\\]", value))) <= LONGEST_NAME


def are_texts(values: Any) -> bool:
    return isinstance(values, tuple) and all(map(is_text, values))


def is_whole(value: Any, lowest: int, highest: int) -> bool:
    return type(value) is int and lowest <= value <= highest
