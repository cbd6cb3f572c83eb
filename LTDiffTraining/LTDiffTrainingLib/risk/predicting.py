"""The risks of one series after another: from files that were made elsewhere, or from Sybil, which may first need the synthesized series."""
from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from LTDiffStandardizeLib.cohort import Request, run_request
from LTDiffStandardizeLib.cohort.progress import Count, Listener
from LTDiffStandardizeLib.cohort.provenance import fingerprint
from LTDiffStandardizeLib.cohort.run import CANCELLED, START_ERRORS
from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.volumes.atomic import file_aside

from .cases import NON_STANDARD, ROLES, Case
from .sybil import predict, read_risks, series_for_sybil

RisksOf = Callable[[Case, str], Sequence[float]]
"""(6,) risks of the series of a patient in a role. Raises InputError where there are none."""


def recorded(folder: Path) -> RisksOf:
    """Reads <patient>_<role>.json of the folder, files as Sybil writes them."""
    return lambda case, role: read_risks(folder / f"{case.name(role)}.json")


class Predictor:
    """Runs Sybil, `RisksOf`. What it predicted is kept as predictions/<patient>_<role>.json and taken over by the next run."""

    def __init__(self, program: Sequence[str], output: Path, seconds: float, synthesis: Mapping[str, Any], cases: Iterable[Case],
                 listener: Listener) -> None:
        """seconds: that Sybil has for a series. synthesis: fields of the `Request` that makes synthesized series which no folder holds."""
        self._program, self._output, self._seconds, self._synthesis, self._listener = program, output, seconds, synthesis, listener
        self._total = sum(not self._kept(case, role).exists() for case in cases for role in ROLES)
        self._done, self._begin = 0, time.monotonic()

    def __call__(self, case: Case, role: str) -> Sequence[float]:
        kept = self._kept(case, role)
        folder = case.folders[role] or synthesize(case, self._output / "synthesized" / case.name(role), self._synthesis, self._listener)
        entry = series_for_sybil(folder)
        source = fingerprint([entry])
        if kept.exists():
            return _taken_over(kept, source)
        try:
            risks = predict(self._program, entry.path, kept.with_suffix(".log"), self._seconds, self._tell)
        finally:
            self._done += 1
        with file_aside(kept) as partial:
            partial.write_text(json.dumps({"predictions": [risks], "source": source, "program": self._program}, indent=1) + "\n", encoding="utf-8")
        return risks

    def _kept(self, case: Case, role: str) -> Path:
        return self._output / "predictions" / f"{case.name(role)}.json"

    def _tell(self) -> None:
        self._listener.progress(Count("series", self._done, self._total, time.monotonic() - self._begin))


def synthesize(case: Case, output: Path, options: Mapping[str, Any], listener: Listener) -> Path:
    """Standardizes the non-standard series of a patient into the folder `output`; returns the folder of the derived DICOM series.

    A finished one is taken over. Raises InputError where the series is refused, ModelError or OutputError where none could be made.
    """
    result = run_request(Request((str(case.folders[NON_STANDARD]),), str(output), resume=True, **options), listener)
    if result.exit_code == CANCELLED:
        raise KeyboardInterrupt
    if made := [outcome.output for outcome in result.outcomes if outcome.output]:
        return Path(made[0])
    kinds = {code: kind for kind, code in START_ERRORS}
    raise kinds.get(result.exit_code, InputError)(result.outcomes[0].sentence if result.outcomes else result.sentence)


def _taken_over(kept: Path, source: str) -> Sequence[float]:
    risks = read_risks(kept)
    if json.loads(kept.read_text(encoding="utf-8")).get("source") != source:
        raise InputError(f"{kept} was predicted from another series or an earlier state of it and is left as it is; remove it or choose another "
                         "output folder.")  # fmt: skip
    return risks
