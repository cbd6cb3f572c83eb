"""The files of a finished result with their sizes and digests, so that a later run sees whether they are still what was written."""
from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..errors import OutputError

BLOCK = 1 << 20
Manifest = dict[str, dict[str, Any]]


def manifest_of(folder: Path, outputs: Iterable[str]) -> Manifest:
    """{name relative to the folder: {"size": bytes, "sha256": digest}} of every file of the outputs, of which a DICOM series is a folder.

    Raises OutputError where a file cannot be read.
    """
    return {path.relative_to(folder).as_posix(): _facts(path) for name in outputs for path in _files(folder / name)}


def damaged(folder: Path, manifest: Manifest) -> list[str]:
    """Pieces of a sentence, such as "a.nrrd is missing" or "a.nrrd has changed", for the files that are not as listed."""
    return [f"{name} {what}" for name, facts in manifest.items() if (what := _damage(folder / name, facts))]


def is_manifest(value: Any) -> bool:
    """Whether a value read from a file has the form of a manifest."""
    return isinstance(value, dict) and all(isinstance(facts, dict) and {"size", "sha256"} <= facts.keys() for facts in value.values())


def _damage(path: Path, facts: dict[str, Any]) -> str | None:
    if not path.is_file():
        return "is missing"
    if path.stat().st_size != facts["size"]:  # told without reading
        return f"has {path.stat().st_size} bytes instead of {facts['size']}"
    return None if _facts(path) == facts else "has changed"


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def _facts(path: Path) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    try:
        with open(path, "rb") as file:
            for block in iter(lambda: file.read(BLOCK), b""):
                digest.update(block)
                size += len(block)
    except OSError as error:
        raise OutputError(f"{path} cannot be read again ({error.strerror}); check the disk and resume.") from error
    return {"size": size, "sha256": digest.hexdigest()}
