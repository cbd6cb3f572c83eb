"""Reading a volume from whatever it lies in."""
from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..errors import InputError
from .dicom_reader import read_dicom_slices
from .image_files import read_volume_file
from .series import SeriesEntry, find_series
from .volume import CTVolume


def read_volume(entry_or_path: SeriesEntry | str | Path) -> CTVolume:
    """The volume of an entry that `find_series` gave, or of a path under which there is exactly one readable series.

    Raises InputError, in one sentence, where the entry is refused, there is no readable series or several, or one is damaged.
    """
    entry = entry_or_path if isinstance(entry_or_path, SeriesEntry) else _only_series(Path(entry_or_path))
    if entry.refusal:
        raise InputError(entry.refusal)
    if entry.slices:
        return read_dicom_slices(entry.slices, entry.name)
    return read_volume_file(entry.path, entry.name)


def read_volume_of_files(paths: Sequence[Path]) -> CTVolume:
    """The volume of the DICOM series to which these files belong, from wherever under their common folder its other files are.

    Raises InputError, see `read_volume`, also where the files are of several series or of none.
    """
    wanted = {path.resolve() for path in paths}
    folder = Path(os.path.commonpath([path.parent for path in wanted]))
    for entry in find_series(folder):
        if wanted <= {header.path.resolve() for header in entry.slices}:
            return read_volume(entry)
    raise InputError(f"The {len(wanted)} source files in {folder} are no longer one CT series; load the source again from DICOM.")


def _only_series(path: Path) -> SeriesEntry:
    entries = find_series(path)
    readable = [entry for entry in entries if not entry.refusal]
    if len(readable) > 1:
        names = ", ".join(entry.name for entry in readable[:5]) + (", ..." if len(readable) > 5 else "")
        raise InputError(f"{path} holds {len(readable)} CT series ({names}); choose one of them.")
    if not entries:
        raise InputError(f"{path} holds no CT series (DICOM, NRRD or NIfTI); choose another file or folder.")
    return readable[0] if readable else entries[0]
