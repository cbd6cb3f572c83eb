"""Writing that leaves either the whole result or nothing: write aside in the same folder, flush to disk, rename.

Everything that writes a result goes through here, so that a crash, a full disk or a cancelled run never leaves half of one.
What a killed process leaves behind begins with a dot and contains ".partial-"; the readers pass over such names.
"""
from __future__ import annotations

import os
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Iterator

from ..errors import OutputError


@contextmanager
def file_aside(path: str | Path, overwrite: bool = False) -> Iterator[Path]:
    """Gives a temporary path beside `path`, ending alike, to write to; it takes the place of `path` when the block ends well.

    Raises OutputError where `path` exists (unless `overwrite`) or cannot be written. Other errors of the block pass through.
    """
    path = Path(path).absolute()
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}{''.join(path.suffixes[-2:])}")
    with _os_errors_told(path):
        refuse_existing(path, overwrite)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            _flush_to_disk(partial)
            refuse_existing(path, overwrite)
            os.replace(partial, path)
            _flush_to_disk(path.parent)
        finally:
            with suppress(OSError):
                partial.unlink()


@contextmanager
def folder_aside(folder: str | Path, overwrite: bool = False) -> Iterator[Path]:
    """Gives a new temporary folder beside `folder` to fill; it takes the place of `folder` when the block ends well.

    With `overwrite` an existing folder is removed only after the new one stands in its place.
    Raises OutputError where `folder` exists (unless `overwrite`) or cannot be written. Other errors of the block pass through.
    """
    folder = Path(folder).absolute()
    partial = folder.with_name(f".{folder.name}.partial-{os.getpid()}")
    replaced = folder.with_name(f".{folder.name}.partial-{os.getpid()}-replaced")
    with _os_errors_told(folder):
        refuse_existing(folder, overwrite and folder.is_dir())
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        try:
            yield partial
            for file in partial.rglob("*"):
                _flush_to_disk(file)
            _flush_to_disk(partial)
            refuse_existing(folder, overwrite)
            _exchange(partial, folder, replaced)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    shutil.rmtree(replaced, ignore_errors=True)


def _exchange(partial: Path, folder: Path, replaced: Path) -> None:
    if folder.exists():
        os.rename(folder, replaced)
    try:
        os.rename(partial, folder)
    except OSError:
        if replaced.exists():
            os.rename(replaced, folder)
        raise
    _flush_to_disk(folder.parent)


def refuse_existing(path: Path, overwrite: bool) -> None:
    if not overwrite and path.exists():
        raise OutputError(f"{path} exists already and is left as it is; choose another name or allow overwriting.")


def _flush_to_disk(path: Path) -> None:
    """fsync; a folder too, where the system allows it (Windows does not)."""
    if path.is_dir():
        if os.name == "nt":
            return
        descriptor = os.open(path, os.O_RDONLY)
    else:
        descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _os_errors_told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        cause = error.strerror or type(error).__name__
        raise OutputError(f"{path} cannot be written ({cause}); check the folder, its permissions and the free space.") from error
