"""What a damaged series may do to the program, and what it may not: a case is judged by what find_series, read_volume and run_request make of it."""
from __future__ import annotations

import os
import re
import tempfile
import time
import traceback
import unicodedata
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from mutations import mutated_series
from small_cohort import Heard, digests, record

from LTDiffStandardizeLib.cohort import Request, run_request
from LTDiffStandardizeLib.errors import LTDiffError
from LTDiffStandardizeLib.volumes import CTVolume, find_series, read_volume

PRODUCT = "LTDiffStandardizeLib"
LONGEST_SENTENCE = 2000  # characters
REQUESTS = (("none", "dicom"), ("ls", "nrrd"), ("none", "nifti"), ("ls", "dicom"))
MEGA = 1 << 20


@dataclass
class Verdict:
    """outcome: "read" where a volume came of it, "refused" in words, "nothing" where no series was found. defects: what must not be.

    seconds: of this process. peak: bytes resident at most, 0 where the system does not tell.
    """

    number: int
    what: str
    outcome: str = "nothing"
    standardized: int = 0
    defects: list[str] = field(default_factory=list)
    seconds: float = 0.0
    peak: int = 0


def judge(number: int, seeds, folder: Path, whole: bool) -> Verdict:
    """Writes the case to the new folder, reads it, and where `whole` standardizes it."""
    what, files = mutated_series(number, *seeds)
    (folder / "in").mkdir(parents=True)
    for name, data in files.items():
        (folder / "in" / name).write_bytes(data)
    verdict = Verdict(number, what)
    _forget_peak()
    start = time.process_time()
    with _nothing_printed(verdict.defects):
        _read(folder / "in", verdict)
        if whole:
            _standardize(folder, number, verdict)
    verdict.seconds, verdict.peak = time.process_time() - start, _peak()
    return verdict


def _read(folder: Path, verdict: Verdict) -> None:
    try:
        entries = find_series(folder)
    except Exception as error:
        verdict.defects.append(_raised("find_series", error))
        return
    for entry in entries:
        if not re.fullmatch(r"[A-Za-z0-9.+_-]{1,89}", entry.name) or entry.name[-1] in ".-" or entry.name[0] == ".":
            verdict.defects.append(f"name: {entry.name[:100]!r}")
        try:
            verdict.defects += _wrong_with(read_volume(entry))
            verdict.outcome = "read"
        except LTDiffError as error:
            verdict.outcome = verdict.outcome.replace("nothing", "refused")
            verdict.defects += _wrong_sentence(str(error), folder)
        except Exception as error:
            verdict.defects.append(_raised("read_volume", error))


def _wrong_with(volume: CTVolume) -> Iterator[str]:
    numbers = [*volume.spacing, *volume.origin, *volume.direction.ravel()]
    if not np.isfinite(numbers).all() or min(volume.spacing) <= 0:
        yield f"geometry: spacing {volume.spacing}, origin {volume.origin}"
    elif not np.allclose(volume.direction.T @ volume.direction, np.eye(3), atol=1e-3):
        yield f"direction is not orthonormal: {volume.direction.tolist()}"
    if not np.isfinite(volume.hu).all():
        yield "HU that are no numbers"
    elif np.abs(volume.hu.astype(np.float64)).max() > 1e9:
        yield "HU beyond 1e9"
    if volume.hu.size == 0:
        yield "no voxels"


def _standardize(folder: Path, number: int, verdict: Verdict) -> None:
    method, form = REQUESTS[number // 7 % len(REQUESTS)]
    before, out = digests(folder / "in"), folder / "out"
    try:
        result = run_request(Request((str(folder / "in"),), str(out), method=method, format=form), Heard())
    except Exception as error:
        verdict.defects.append(_raised("run_request", error))
        return
    if digests(folder / "in") != before:
        verdict.defects.append("an input was changed")
    expected = {"summary.json"}
    for outcome in result.outcomes:
        if outcome.outcome == "standardized":
            name = Path(outcome.output).name.removesuffix({"dicom": "", "nrrd": ".nrrd", "nifti": ".nii.gz"}[form])
            verdict.standardized += 1
            expected |= {Path(outcome.output).name, f"{name}-provenance.json"}
            if record(out, name)["state"] != "finished":
                verdict.defects.append("standardized without a finished record")
            verdict.defects += _unreadable(outcome.output)
        else:
            verdict.defects += _wrong_sentence(outcome.sentence, folder)
        if outcome.outcome == "failed":
            verdict.defects.append(f"failed: {_last_frame((out / 'log.txt').read_text()) if (out / 'log.txt').exists() else outcome.sentence[-200:]}")
    left = {path.name for path in out.glob("*")} - {"log.txt", ".ltdiff-lock"} if out.is_dir() else set()
    if left - expected:
        verdict.defects.append(f"left behind: {sorted(left - expected)}")


def _unreadable(output: str) -> Iterator[str]:
    try:
        read_volume(output)
    except Exception as error:
        yield f"the result cannot be read: {type(error).__name__} {str(error)[-120:]}"


def _wrong_sentence(sentence: str, folder: Path) -> Iterator[str]:
    """A sentence must be one, of printable letters, that a terminal shows as it is."""
    told = sentence.replace(str(folder), "FOLDER")
    if not told.endswith(".") or told.endswith(".."):
        yield f"sentence without its end: {told[-200:]!r}"
    if re.search(r"[a-z0-9)][.!?] +[A-Z]", told):
        yield f"several sentences: {told[:200]!r}"
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") for letter in told):
        yield f"sentence with control characters: {told[:200]!r}"
    if len(told) > LONGEST_SENTENCE:
        yield f"sentence of {len(told)} characters: {told[:100]!r}"


def _raised(function: str, error: Exception) -> str:
    return f"{function} raised {type(error).__name__}: {' '.join(str(error).split())[:150]} ({_where(traceback.extract_tb(error.__traceback__))})"


def _where(frames) -> str:
    """The innermost line of the product."""
    ours = [frame for frame in frames if PRODUCT in frame.filename]
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno} {ours[-1].name}" if ours else "outside the product"


def _last_frame(log: str) -> str:
    ours = re.findall(rf'{PRODUCT}[/\\]([^"]+)", line (\d+), in (\w+)', log)
    return f"{log.strip().splitlines()[-1][:150]} ({':'.join(ours[-1][:2])} {ours[-1][2]})" if ours else log[-200:]


@contextmanager
def _nothing_printed(defects: list[str]) -> Iterator[None]:
    """Warnings of Python count as defects: they go past the sentences and quote the file. What decoders in C print does where it quotes it."""
    with tempfile.TemporaryFile() as kept, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        saved = [os.dup(number) for number in (1, 2)]
        for number in (1, 2):
            os.dup2(kept.fileno(), number)
        try:
            yield
        finally:
            for number, descriptor in zip((1, 2), saved):
                os.dup2(descriptor, number)
                os.close(descriptor)
        kept.seek(0)
        printed = kept.read().decode("utf-8", "replace").strip()
    told = (f"warning: {one.category.__name__} {str(one.message)[:150]} ({Path(one.filename).name}:{one.lineno})" for one in warned)
    defects += dict.fromkeys(told)
    if re.search("Traceback|Warning|Doe|4711", printed):
        defects.append(f"printed: {printed[:150]!r}")


def _forget_peak() -> None:
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    """Largest resident memory since `_forget_peak`, bytes; 0 where the system does not tell."""
    with suppress(OSError):
        return 1024 * int(next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")).split()[1])
    return 0
