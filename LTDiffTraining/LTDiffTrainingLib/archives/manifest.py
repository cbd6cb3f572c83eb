"""manifest.json and manifest.csv: every candidate pair with what became of it; skipped.csv: every file that no pair can use.

The manifest names no patient, UID, date or path, only identifiers made with the salt of its folder.
"""
from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.volumes.atomic import file_aside

from ..simulation.pairs import PairedSeries
from .pair_folder import verify_pair
from .patients import SPLITS

JSON, CSV, SKIPPED, PAIRS = "manifest.json", "manifest.csv", "skipped.csv", "pairs"
COLUMNS = (
    "pair", "accepted", "reason", "patient", "split", "differs", "tied_by", "source_kernel", "source_thickness_mm", "target_kernel",
    "target_thickness_mm", "pixel_mm", "slices_matched", "slices_used", "slices_failed", "slices_unreadable", "slices_without_tissue",
    "largest_shift_pixels", "median_difference_hu", "lowest_coherence", "source_power", "target_power",
)  # fmt: skip
"""Of a pair, in both files. accepted: true or false. source is the softer of the two where that was measured (powers above 4 lp/cm,
HU^2 per pixel), else either. Numbers are of the slices used; what was not measured is empty."""


def write_manifest(folder: Path, pairs: Sequence[dict], about: dict) -> None:
    """pairs: with the keys `COLUMNS`. about: counts and settings, for manifest.json."""
    with file_aside(folder / CSV, overwrite=True) as aside, open(aside, "w", newline="", encoding="utf-8") as file:
        rows = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        rows.writeheader()
        rows.writerows({**pair, "accepted": str(pair["accepted"]).lower()} for pair in pairs)
    with file_aside(folder / JSON, overwrite=True) as aside:
        aside.write_text(json.dumps({**about, "pairs": list(pairs)}, indent=1) + "\n", encoding="utf-8")


def write_skipped(folder: Path, files: Iterable[tuple[str, str, str, str]]) -> None:
    """files: (archive, path within it, kind, reason)."""
    with file_aside(folder / SKIPPED, overwrite=True) as aside, open(aside, "w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("archive", "path", "kind", "reason"))
        rows.writerows(files)


def paired_series(folder: Path, split: str) -> list[PairedSeries]:
    """The accepted pairs of a split ("train", "validation" or "test") under an output folder of find_pairs.py, verified.

    Every array is read once, for its digest. Raises InputError where the folder holds no manifest, the split is unknown or has no
    pair, or a pair is damaged.
    """
    folder = Path(folder)
    if split not in SPLITS:
        raise InputError(f"{split} is no split; choose {', '.join(SPLITS[:-1])} or {SPLITS[-1]}.")
    try:
        pairs = json.loads((folder / JSON).read_text(encoding="utf-8"))["pairs"]
        names = [pair["pair"] for pair in pairs if pair["accepted"] and pair["split"] == split]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder} holds no {JSON} that can be read ({type(error).__name__}); run find_pairs.py with this output folder.") from error
    if not names:
        raise InputError(f"{folder} holds no accepted pair of the split {split}; add to the archive, or run find_pairs.py with another --split.")
    return [verify_pair(folder / PAIRS / name) for name in names]
