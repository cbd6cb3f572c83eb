"""Names for what becomes of a series: safe as file names on every system, without what names the patient, told apart."""
from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

NAME_LENGTH = 80  # leaves room for an output folder within the 260 characters of a Windows path
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # by Windows, with any ending


def safe_name(root: Path, folder: Path, *parts: str, without: Collection[str] = ()) -> str:
    """Folders below the root (the root's own name where the series lies in it) and parts, in letters safe for file names.

    without: words in lower case that are left out of the folders' names, such as those of the patient's name.
    """
    below = folder.absolute().relative_to(root).parts or (root.name,)
    folders = "-".join(_without(name, without) for name in below)
    words = (re.sub(r"[^A-Za-z0-9.+-]+", "-", word).strip("-.") for word in (folders, *parts))
    name = "_".join(filter(None, words))[:NAME_LENGTH].rstrip("-.") or "series"
    return f"series-{name}" if RESERVED.fullmatch(name) else name


def _without(name: str, words: Collection[str]) -> str:
    return re.sub(r"\w+", lambda found: "" if found[0].casefold() in words else found[0], name.replace("_", " ")) if words else name


def told_apart(root: Path, names: Sequence[str], files: Sequence[Sequence[tuple[Path, int | None]]]) -> list[str]:
    """The names; equal ones get a digest of the files (and frames) of their series: it stays when other series come or go."""
    counts = Counter(name.lower() for name in names)
    return [name if counts[name.lower()] == 1 else f"{name}_{_digest(root, own)}" for name, own in zip(names, files)]


def _digest(root: Path, files: Sequence[tuple[Path, int | None]]) -> str:
    named = (file.absolute().relative_to(root).as_posix() + ("" if frame is None else f" {frame}") for file, frame in files)
    return hashlib.sha256("\n".join(sorted(named)).encode("utf-8", "backslashreplace")).hexdigest()[:8]
