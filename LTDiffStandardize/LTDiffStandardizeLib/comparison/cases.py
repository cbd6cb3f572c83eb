"""Which volumes of which patients are compared: from a CSV file, one row a patient."""
from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError

FIXED = ("patient", "reference", "roi")
CASES_HELP = """\
--cases FILE.csv compares several patients: a header line with the columns patient, reference, roi
and one column for each volume, named as its volume is to be called; then one line a patient with
paths (relative ones start at the folder of the file). In roi, several regions are separated by ;
and an empty field takes those of --roi. Patients are the units of the bootstrap.
"""


@dataclass(frozen=True)
class Case:
    """One patient: paths of the reference and of the volumes, {name: path}, and what `--roi` would be given."""

    patient: str
    reference: str
    volumes: dict[str, str]
    rois: tuple[str, ...]


def read_cases(path: str | Path) -> list[Case]:
    """The rows of the file; raises InputError where a column, a path or a patient is missing or named twice."""
    path = Path(path)
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            header, rows = [name.strip() for name in reader.fieldnames or ()], list(reader)
    except FileNotFoundError as error:
        raise InputError(f"The list of patients {path} does not exist; check the path.") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"The list of patients {path} cannot be read ({error}); give a CSV file in UTF-8.") from error
    if len(header) == 1 and ";" in header[0]:
        raise InputError(f"The list of patients {path} has semicolons between its columns; save it again with commas.")
    names = [name for name in header if name not in FIXED]
    if not {"patient", "reference"} <= set(header) or not names or len(set(header)) < len(header):
        raise InputError(f"The list of patients {path} has the columns {', '.join(header) or 'none'}; it needs patient, reference and at "
                         "least one named volume, each once.")  # fmt: skip
    cases = [_case(path, number, {name.strip(): (value or "").strip() for name, value in row.items() if name}, names)
             for number, row in enumerate(rows, 2)]  # fmt: skip
    twice = {case.patient for case in cases if sum(other.patient == case.patient for other in cases) > 1}
    if not cases or twice:
        raise InputError(f"The list of patients {path} " + (f"names {min(twice)} more than once; " if twice else "has no patient; ")
                         + "give every patient one line.")  # fmt: skip
    return cases


def _case(path: Path, number: int, row: dict[str, str], names: list[str]) -> Case:
    missing = [name for name in ("patient", "reference", *names) if not row.get(name)]
    if missing:
        raise InputError(f"Line {number} of the list of patients {path} has no {' and no '.join(missing)}; fill it in or leave the patient out.")
    rois = tuple(_from(path, roi.strip()) for roi in row.get("roi", "").split(";") if roi.strip())
    return Case(row["patient"], _from(path, row["reference"]), {name: _from(path, row[name]) for name in names}, rois)


def _from(path: Path, text: str) -> str:
    """A path that exists beside the list, or else the text as it is, which may be a shape."""
    beside = path.parent / text
    return str(beside) if beside.exists() else text
