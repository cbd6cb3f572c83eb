"""Difficult DICOM files: what becomes of each. Prints the table; the rows are its sums."""
import sys
import tempfile
from pathlib import Path

from measuring import Row, Skipped

CORE = Path(__file__).resolve().parents[1] / "core"
FILES = Path(__file__).resolve().parents[3] / "shared" / "data" / "conformance"


def run(quick):
    if not FILES.is_dir():
        raise Skipped(f"conformance: {FILES} is not here.")
    sys.path.insert(0, str(CORE))
    from conformance_table import table

    with tempfile.TemporaryDirectory() as folder:
        rows = table(FILES, Path(folder) / "out")
    print("\n".join(row.markdown() for row in rows))
    made = [row for row in rows if row.outcome == "standardized"]
    exact = [row for row in made if not row.lossy]
    return [
        Row("conformance: files", len(rows), "files"),
        Row("conformance: standardized", len(made), "files"),
        Row("conformance: refused", sum(row.outcome == "refused" for row in rows), "files"),
        Row("conformance: largest difference, lossless", max(row.loss for row in exact), "HU"),
        Row("conformance: largest difference, lossy", max((row.loss for row in made if row.lossy), default=0.0), "HU"),
        Row("conformance: errors by validators", sum(len(row.errors) for row in made), "errors"),
    ]
