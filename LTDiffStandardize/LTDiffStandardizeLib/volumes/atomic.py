"""Writing that leaves either the whole result or nothing: write aside in the same folder, flush to disk, read back, rename.

Everything that writes a result goes through here, so that a crash, a full disk or a cancelled run never leaves half of one.
What a killed process leaves behind begins with a dot and contains ".partial-"; the readers pass over such names.
"""
from __future__ import annotations

import os
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Callable, Iterator

from ..errors import OutputError

Verify = Callable[[Path], bool]  # whether what was written aside reads back as it was meant; may raise as readers do


@contextmanager
def file_aside(path: str | Path, overwrite: bool = False, verify: Verify | None = None) -> Iterator[Path]:
    """Gives a temporary path beside `path`, ending alike, to write to; it takes the place of `path` when the block ends well
    and `verify` finds there what was meant.

    Raises OutputError where `path` exists (unless `overwrite`), cannot be written or not be read back. Other errors of the
    block pass through.
    """
    path = Path(path).absolute()
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}{''.join(path.suffixes[-2:])}")
    with _os_errors_told(path):
        refuse_existing(path, overwrite)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            flush_to_disk(partial)
            _read_back(path, partial, verify)
            refuse_existing(path, overwrite)
            os.replace(partial, path)
            flush_to_disk(path.parent)
        finally:
            with suppress(OSError):
                partial.unlink()


@contextmanager
def folder_aside(folder: str | Path, overwrite: bool = False, verify: Verify | None = None) -> Iterator[Path]:
    """Gives a new temporary folder beside `folder` to fill; it takes the place of `folder` when the block ends well
    and `verify` finds there what was meant.

    With `overwrite` an existing folder is removed only after the new one stands in its place.
    Raises OutputError where `folder` exists (unless `overwrite`), cannot be written or not be read back. Other errors of the
    block pass through.
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
                flush_to_disk(file)
            flush_to_disk(partial)
            _read_back(folder, partial, verify)
            refuse_existing(folder, overwrite)
            _exchange(partial, folder, replaced)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    shutil.rmtree(replaced, ignore_errors=True)


def write_text(path: str | Path, text: str, overwrite: bool = False) -> None:
    """Writes a file in UTF-8 with the ends of lines as they are; raises OutputError as `file_aside` does."""
    write_bytes(path, text.encode("utf-8", "backslashreplace"), overwrite)


def write_bytes(path: str | Path, data: bytes, overwrite: bool = False) -> None:
    """Writes a file and reads it back; raises OutputError as `file_aside` does."""
    with file_aside(path, overwrite, lambda partial: partial.read_bytes() == data) as partial:
        partial.write_bytes(data)


def _exchange(partial: Path, folder: Path, replaced: Path) -> None:
    if folder.exists():
        os.rename(folder, replaced)
    try:
        os.rename(partial, folder)
    except OSError:
        if replaced.exists():
            os.rename(replaced, folder)
        raise
    flush_to_disk(folder.parent)


def refuse_existing(path: Path, overwrite: bool) -> None:
    if not overwrite and path.exists():
        raise OutputError(f"{path} exists already and is left as it is; choose another name or allow overwriting.")


def _read_back(path: Path, partial: Path, verify: Verify | None) -> None:
    try:
        as_meant = verify is None or verify(partial)
    except (OSError, MemoryError):
        raise
    except Exception:  # damaged files make readers raise almost anything
        as_meant = False
    if not as_meant:
        raise OutputError(f"{path} did not read back as it was meant, so it was not kept; check the disk and the free space, and try again.")


def flush_to_disk(path: Path) -> None:
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
