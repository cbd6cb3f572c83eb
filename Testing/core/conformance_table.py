"""What becomes of every file of a folder of difficult DICOM files: standardized or refused, in which words, and whether nothing was lost.

    python conformance_table.py FOLDER OUTPUT    prints a Markdown table
"""
import sys
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "LTDiffStandardize"))

import numpy as np
from small_cohort import Heard
from validators import DCIODVFY, errors_by_dciodvfy, errors_by_tables

from LTDiffStandardizeLib.cohort import Request, run_request
from LTDiffStandardizeLib.cohort.inputs import find_cohort
from LTDiffStandardizeLib.volumes import read_volume
from LTDiffStandardizeLib.volumes.headers import read_headers
from LTDiffStandardizeLib.volumes.volume import why_not_on_grid


@dataclass(frozen=True)
class Row:
    """A file. loss: largest difference of HU between source and result; errors: of the validators, in the first and last derived image."""

    file: str
    outcome: str
    sentence: str
    loss: float | None = None
    same_grid: bool | None = None
    lossy: bool = False
    errors: tuple[str, ...] = ()

    def markdown(self):
        kept = "" if self.loss is None else f"{self.loss:.3g} HU, {'same grid' if self.same_grid else 'OTHER GRID'}, {len(self.errors)} errors"
        return f"| {self.file} | {self.outcome} | {kept} | {self.sentence} |"


def table(folder, output):
    """A row for each DICOM file below the folder, made with the method none; of folders called single... each file by itself, since
    theirs are one image in many encodings."""
    folders = [path for path in sorted(folder.iterdir()) if path.is_dir()]
    parts = [part for path in folders for part in (sorted(path.iterdir()) if path.name.startswith("single") else [path])]
    return [row for number, part in enumerate(parts) for row in _rows(folder, part, output / str(number))]


def _rows(folder, path, output):
    result = run_request(Request((str(path),), str(output), method="none"), Heard())
    series = find_cohort([str(path)], output)
    assert len(series) == len(result.outcomes), result.sentence
    rows = {}
    for one, outcome in zip(series, result.outcomes):
        kept = {} if outcome.output is None else _kept(one.entry, Path(outcome.output))
        for header in one.entry.slices:
            file = str(header.path.relative_to(folder))
            rows[file] = Row(file, outcome.outcome, outcome.sentence, **kept)
    return sorted(rows.values(), key=lambda row: row.file)


def dicom_files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and read_headers(path))


def _kept(entry, made):
    before, after, files = read_volume(entry), read_volume(made), sorted(made.iterdir())
    errors = [error for file in {files[0], files[-1]} for error in (*errors_by_tables(file), *(errors_by_dciodvfy(file) if DCIODVFY else ()))]
    loss = float(np.abs(after.hu.astype(np.float64) - before.hu).max())
    return {"loss": loss, "same_grid": why_not_on_grid(after, before) is None, "lossy": before.facts.lossy_compression is not None, "errors": tuple(errors)}


if __name__ == "__main__":
    print("| file | outcome | against the source | sentence |\n|---|---|---|---|")
    print("\n".join(row.markdown() for row in table(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())))
