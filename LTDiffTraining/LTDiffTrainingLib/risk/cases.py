"""Which series of which patients are compared: from a CSV file, one row a patient."""
from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from LTDiffStandardizeLib.errors import InputError

STANDARD, NON_STANDARD, SYNTHESIZED = ROLES = ("standard", "non_standard", "synthesized")
"""The series of a patient: with the target kernel, with the source kernel, and the latter standardized."""
SAFE = r"[A-Za-z0-9][A-Za-z0-9.+_-]*"


@dataclass(frozen=True)
class Case:
    """One patient: {role: folder of the DICOM series, None where none was named}."""

    patient: str
    folders: dict[str, Path | None]

    def name(self, role: str) -> str:
        """Of the files about one series, without ending."""
        return f"{self.patient}_{role}"


def read_cases(path: str | Path, needed: Sequence[str]) -> list[Case]:
    """The rows of the file, whose relative paths start at its folder; `needed`: the roles for which each row must name a folder.

    Raises InputError where the file cannot be read, a column or a folder is missing, or a patient has no usable name of its own.
    """
    path = Path(path)
    header, rows = _read(path)
    columns = ("patient", *needed)
    if any(header.count(name) != 1 for name in columns):
        raise InputError(f"The list of patients {path} has the columns {', '.join(header) or 'none'}; it needs {', '.join(columns)}, each once.")
    cases = [_case(path, number, row, needed) for number, row in enumerate(rows, 2)]
    if not cases:
        raise InputError(f"The list of patients {path} has no patient; give every patient one line.")
    names = Counter(case.name(role).lower() for case in cases for role in ROLES)  # "a_non" and "a" would share a_non_standard
    if clash := next((case.patient for case in cases if any(names[case.name(role).lower()] > 1 for role in ROLES)), None):
        raise InputError(f"The list of patients {path} has another patient whose files would be named as those of {clash}; "
                         "give every patient one line and a name of its own.")  # fmt: skip
    return cases


def _read(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            header = [name.strip() for name in reader.fieldnames or ()]
            rows = [{name.strip(): (value or "").strip() for name, value in row.items() if name} for row in reader]
    except FileNotFoundError as error:
        raise InputError(f"The list of patients {path} does not exist; check the path.") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"The list of patients {path} cannot be read ({error}); give a CSV file in UTF-8.") from error
    if len(header) == 1 and ";" in header[0]:
        raise InputError(f"The list of patients {path} has semicolons between its columns; save it again with commas.")
    return header, rows


def _case(path: Path, number: int, row: dict[str, str], needed: Sequence[str]) -> Case:
    if not re.fullmatch(SAFE, row["patient"]):
        raise InputError(f"Line {number} of the list of patients {path} has the patient {row['patient'] or '(none)'}, which cannot name "
                         "files; use letters from a to z, digits and . + - _.")  # fmt: skip
    if missing := [role for role in needed if not row[role]]:
        raise InputError(f"Line {number} of the list of patients {path} has no {' and no '.join(missing)}; fill it in or leave the patient out.")
    return Case(row["patient"], {role: path.parent / row[role] if row.get(role) else None for role in ROLES})
