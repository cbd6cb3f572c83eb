"""The folder of an accepted pair: source.npy, target.npy and series.json, as `PairedSeries` opens it, with digests of the arrays."""
from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.model.protocols import KernelFacts
from LTDiffStandardizeLib.volumes.atomic import file_aside, folder_aside

from ..simulation.pairs import PairedSeries
from ..simulation.scanner import as_stored
from ..transfer_pairs import kernel_entry
from .partners import Partners

ARRAYS = ("source", "target")


def write_pair(folder: Path, partners: Partners, used: Sequence[int], sharper: int) -> None:
    """The slices `used`; `sharper`: 0 or 1, which of the partners becomes the target. A folder that is there is replaced.

    Raises Unreadable where a file has gone bad since it was examined, OutputError where the folder cannot be written.
    """
    with folder_aside(folder, overwrite=True) as aside:
        _write_arrays(aside, partners, used, sharper)
        kernels = [kernel_entry(KernelFacts(name)) for name in partners.names]
        description = {
            "volume": folder.name, "heights": [partners.heights[number] for number in used], "nodules": [],
            "acquisition": {"pixel": partners.pixel[1], "distance": partners.distance, "source": kernels[1 - sharper], "target": kernels[sharper]},
            "sha256": {name: _sha256(aside / f"{name}.npy") for name in ARRAYS},
        }  # fmt: skip
        (aside / "series.json").write_text(json.dumps(description, indent=1), encoding="utf-8")


def label_pair(folder: Path, patient: str, split: str) -> None:
    """Gives the pair its anonymous patient and its split. Raises InputError where the folder is damaged."""
    try:
        description = json.loads((folder / "series.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(folder, type(error).__name__) from error
    labelled = {**description, "patient": patient, "split": split}
    if labelled != description:
        with file_aside(folder / "series.json", overwrite=True) as aside:
            aside.write_text(json.dumps(labelled, indent=1), encoding="utf-8")


def verify_pair(folder: Path) -> PairedSeries:
    """The pair, whose arrays are read once. Raises InputError where they are not those that were written."""
    try:
        pair = PairedSeries(folder)
        changed = [f"{name}.npy" for name in ARRAYS if _sha256(folder / f"{name}.npy") != pair.description["sha256"][name]]
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        raise _damaged(folder, type(error).__name__) from error
    if changed:
        raise _damaged(folder, f"{' and '.join(changed)} changed")
    return pair


def _damaged(folder: Path, cause: str) -> InputError:
    return InputError(f"The pair {folder} is incomplete or damaged ({cause}); remove this folder and run find_pairs.py again.")


def _write_arrays(aside: Path, partners: Partners, used: Sequence[int], sharper: int) -> None:
    """In a function of its own, so that no memory map is open when the folder is renamed (Windows)."""
    arrays: list[np.ndarray] = []
    for row, number in enumerate(used):
        slices = partners.read(number)
        if not arrays:
            shape = (len(used), *slices[0].shape)
            arrays = [np.lib.format.open_memmap(aside / f"{name}.npy", "w+", np.int16, shape) for name in ARRAYS]
        for array, hu in zip(arrays, (slices[1 - sharper], slices[sharper])):
            array[row] = as_stored(hu)
    for array in arrays:
        array.flush()


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
