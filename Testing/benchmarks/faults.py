"""Faults at every call that changes the output folder of a cohort, in every mode; fault_driver.py among the tests says what is looked for."""
from __future__ import annotations

import sys

from environment import ROOT

sys.path.insert(0, str(ROOT / "Testing" / "core"))

from fault_shim import injected, why_not
from measuring import Row, Skipped


def run(quick: bool) -> list[Row]:
    if reason := why_not():
        raise Skipped(reason)
    found = injected(["nifti"] if quick else ["dicom", "nrrd", "nifti"], every_mode=not quick)
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(found["points"].items()))
    return [
        Row("faults: calls that change the output folder", sum(found["points"].values()), "calls", note=kinds),
        Row("faults: cases", found["cases"], "cases", note=f"{found['seconds']:.0f} s, each with resuming"),
        Row("faults: results neither complete nor absent, or not told", len(found["violations"]), "cases", note="0 is right"),
        Row("faults: renames that a power loss could tear", len(found["disorders"]), "renames", note="0 is right"),
    ]
