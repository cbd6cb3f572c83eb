"""Damaged and hostile DICOM series: what became of them, and what may not: crashes, hangs, memory, exceptions, sentences that are none.

A case that shows a defect can be repeated alone: python3 Testing/core/fuzz_running.py NUMBER
"""
from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from importlib.util import find_spec

from environment import ROOT
from measuring import Row, Skipped

sys.path.append(str(ROOT / "Testing" / "core"))

CASES, FEW = 20_000, 200
NAMED = 5  # numbers of cases


def run(quick: bool) -> list[Row]:
    if find_spec("resource") is None:
        raise Skipped("It needs limits on the memory of a process, which this system does not have.")
    from fuzz_running import EVERY, SHARED_DATA, cases

    verdicts = list(cases(0, FEW if quick else CASES))
    outcomes = Counter(verdict["outcome"] for verdict in verdicts)
    longest, largest = (max(verdicts, key=lambda verdict: verdict[key]) for key in ("seconds", "peak"))
    for verdict in verdicts:
        for defect in verdict["defects"]:
            print(f"{verdict['number']}: {defect} [{verdict['what']}]", file=sys.stderr)
    told = ", ".join(f"{outcomes[name]} {name}" for name in ("read", "refused", "nothing"))
    whole = f"every {EVERY}th also standardized, {sum(verdict['standardized'] for verdict in verdicts)} series"
    return [
        Row("fuzzing: damaged series", len(verdicts), "cases", note=f"{told}; {whole}; {'with' if SHARED_DATA.is_dir() else 'without'} real files"),
        *(Row(f"fuzzing: {name}", len(found), "cases", note=_numbers(found)) for name, found in _kinds(verdicts).items()),
        Row("fuzzing: longest case", longest["seconds"], "CPU-s", note=f"number {longest['number']}"),
        Row("fuzzing: peak memory of a case", largest["peak"] / 1e6, "MB", note=f"number {largest['number']}; whole process"),
    ]


def _kinds(verdicts: Sequence[dict]) -> dict[str, list[int]]:
    """The numbers of the cases with a defect of each kind."""
    kinds = {name: [verdict["number"] for verdict in verdicts if verdict["outcome"] == outcome] for name, outcome in (("crashes", "crash"), ("hangs", "hang"))}
    kinds["other defects"] = [verdict["number"] for verdict in verdicts if verdict["defects"] and verdict["outcome"] not in ("crash", "hang")]
    return kinds


def _numbers(found: Sequence[int]) -> str:
    return f"numbers {', '.join(map(str, found[:NAMED]))}{', ...' if len(found) > NAMED else ''}" if found else ""
