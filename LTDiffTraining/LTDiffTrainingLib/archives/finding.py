"""From archives to pairs: index, match, examine, split, tell."""
from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from LTDiffStandardizeLib.cohort.folder import results_folder
from LTDiffStandardizeLib.cohort.progress import Count, Listener
from LTDiffStandardizeLib.errors import InputError

from . import checking
from .examining import Outcome, Task, examine
from .facts import CORRUPT, CT, FOREIGN, OTHER, SeriesFacts
from .index import Index
from .manifest import PAIRS, write_manifest, write_skipped
from .matching import Candidate, candidates, matched_slices
from .pair_folder import label_pair
from .partners import Partners
from .patients import SPLITS, Anonymous, PatientGroups, record_of, split_of
from .pool import in_order
from .scanning import scan

INDEX = "index.sqlite"
VERSION = 1
"""Of the examination; outcomes of another version are measured anew."""
Judged = tuple[Candidate, str, Outcome]
"""The identifier stands between."""


def find_pairs(archives: Sequence[Path], output: Path, processes: int, seed: int, shares: tuple[float, float, float],
               listener: Listener) -> dict[str, int]:
    """Fills `output`, see find_pairs.py, and returns the counts of the manifest; what an earlier run did there is not done again.

    Raises InputError where an archive cannot be used or the index is damaged, OutputError where the output cannot be written.
    """
    archives, output = _usable(archives), Path(output).resolve()
    with results_folder(output), results_folder(output / PAIRS), Index(output / INDEX) as index:
        scan(archives, index, output, processes, listener)
        listener.say("Headers read: " + ", ".join(f"{count} {kind}" for kind, count in index.counts().items()) + ".")
        anonymous = Anonymous(output)
        found = list(candidates(index, _progress("series", listener)))
        listener.say(f"{len(found)} candidate pairs by their headers, {sum(one.refusal is None for one in found)} of them to be told by their images.")
        judged = list(_judged(found, index, anonymous, output / PAIRS, processes, listener))
        pairs = _assigned(judged, index, anonymous, output / PAIRS, seed, shares)
        counts = _counts(index, pairs)
        write_skipped(output, _skipped(judged, index))
        write_manifest(output, pairs, {"counts": counts, "seed": seed, "split": dict(zip(SPLITS, shares))})
    return counts


def _usable(archives: Sequence[Path]) -> list[Path]:
    found = sorted({Path(archive).resolve() for archive in archives})
    for archive in found:
        if not archive.is_dir():
            raise InputError(f"{archive} is no folder; check the path.")
        if around := next((other for other in found if other in archive.parents), None):
            raise InputError(f"{archive} lies in {around}, which is given too; leave one of them out.")
    return found


def _judged(found: Sequence[Candidate], index: Index, anonymous: Anonymous, folder: Path, processes: int, listener: Listener) -> Iterator[Judged]:
    """Every candidate with its outcome: by its headers, from an earlier run, or examined now, in this order."""
    waiting = []
    for candidate in found:
        name = anonymous.pair(candidate.first.facts, candidate.second.facts)
        if candidate.refusal:
            yield candidate, name, Outcome(candidate.refusal, None, {}, [])
            continue
        kept = index.outcome(name, _partners(candidate, index)[1])
        if kept and (kept["refusal"] or (folder / name / "series.json").is_file()):
            yield candidate, name, Outcome(**kept)
        else:
            waiting.append((candidate, name))
    total, done, tell = sum(candidate.slices for candidate, _ in waiting), 0, _progress("slices of candidate pairs", listener)
    for (candidate, name), outcome in zip(waiting, in_order(examine, _tasks(waiting, index, folder), processes)):
        index.keep_outcome(name, candidate.first.id, candidate.second.id, _partners(candidate, index)[1], asdict(outcome))
        done += candidate.slices
        listener.say(f"{name}: {_reason(candidate, outcome)}")
        tell(done, total)
        yield candidate, name, outcome


def _progress(what: str, listener: Listener) -> Callable[[int, int], None]:
    started = time.monotonic()
    return lambda done, total: listener.progress(Count(what, done, total, time.monotonic() - started))


def _tasks(waiting: Sequence[tuple[Candidate, str]], index: Index, folder: Path) -> Iterator[Task]:
    """One by one, so that the files of few pairs are in memory."""
    for candidate, name in waiting:
        thick = "thickness" in candidate.differs
        yield Task(folder / name, _partners(candidate, index)[0], checking.LEAST_COHERENCE_THICK if thick else checking.LEAST_COHERENCE)


def _partners(candidate: Candidate, index: Index) -> tuple[Partners, str]:
    """The slices of a candidate, and a digest that changes with their files."""
    facts = [one.facts for one in (candidate.first, candidate.second)]
    first, second = (index.slices(one.id) for one in (candidate.first, candidate.second))
    pixel = (facts[0].row_spacing, facts[0].column_spacing)
    picked = list(zip((first, second), matched_slices(first, second, min(pixel))))
    files = tuple(index.paths(slices.files[number] for number in numbers) for slices, numbers in picked)
    stamps = [[slices.stamps[number] for number in numbers] for slices, numbers in picked]
    fingerprint = hashlib.sha256(repr((VERSION, stamps)).encode()).hexdigest()
    names = tuple(_name(one, "thickness" in candidate.differs) for one in facts)
    return Partners(files, names, first.z[picked[0][1]].tolist(), pixel), fingerprint


def _name(facts: SeriesFacts, thick: bool) -> str:
    kernel = facts.kernel or "unknown"
    return f"{kernel} {facts.thickness:g} mm" if thick else kernel


def _assigned(judged: Sequence[Judged], index: Index, anonymous: Anonymous, folder: Path, seed: int, shares: tuple) -> list[dict]:
    """The rows of the manifest, accepted pairs with their patient and split, which their folders are told too."""
    groups = PatientGroups()
    groups.join_undated(index.records())
    for candidate, _, outcome in judged:
        if outcome.refusal is None:
            groups.join(record_of(candidate.first.facts), record_of(candidate.second.facts))
    pairs = []
    for candidate, name, outcome in sorted(judged, key=lambda one: one[1]):
        patient = split = ""
        if outcome.refusal is None:
            group = groups.group(record_of(candidate.first.facts))
            patient, split = anonymous.patient(group), split_of(group, seed, shares)
            label_pair(folder / name, patient, split)
        pairs.append(_row(candidate, name, outcome, patient, split))
    return pairs


def _row(candidate: Candidate, name: str, outcome: Outcome, patient: str, split: str) -> dict:
    numbers = {"power_first": "", "power_second": "", **outcome.measured}
    powers = [numbers.pop("power_first"), numbers.pop("power_second")]
    sides = list(zip((candidate.first.facts, candidate.second.facts), powers))
    row = {"pair": name, "accepted": outcome.refusal is None, "reason": _reason(candidate, outcome), "patient": patient, "split": split,
           "differs": candidate.differs, "tied_by": candidate.tied_by, "pixel_mm": candidate.first.facts.column_spacing,
           "slices_matched": candidate.slices, **numbers}  # fmt: skip
    for side, (facts, power) in zip(("source", "target"), sides[::-1] if outcome.sharper == 0 else sides):
        row |= {f"{side}_kernel": facts.kernel, f"{side}_thickness_mm": facts.thickness, f"{side}_power": power}
    return row


def _reason(candidate: Candidate, outcome: Outcome) -> str:
    """One sentence."""
    if outcome.refusal:
        return f"Refused, as {outcome.refusal}."
    measured = outcome.measured
    return (f"Accepted, tied by {candidate.tied_by}: {measured['slices_used']} of {candidate.slices} slices agree, shifted by at most "
            f"{measured['largest_shift_pixels']:.2f} pixels, {measured['median_difference_hu']:+.1f} HU apart in tissue, coherence at least "
            f"{measured['lowest_coherence']:.3f}.")  # fmt: skip


def _counts(index: Index, pairs: Sequence[dict]) -> dict[str, int]:
    files, accepted = index.counts(), [pair for pair in pairs if pair["accepted"]]
    counts = {"files": sum(files.values()), "ct": files.get(CT, 0), "copies": files.get("copy", 0), "no_ct_slice": files.get(OTHER, 0),
              "foreign": files.get(FOREIGN, 0), "corrupt": files.get(CORRUPT, 0), "candidates": len(pairs), "accepted": len(accepted),
              "refused": len(pairs) - len(accepted), "paired_slices": sum(pair["slices_used"] for pair in accepted)}  # fmt: skip
    for split in SPLITS:
        counts[f"patients_{split}"] = len({pair["patient"] for pair in accepted if pair["split"] == split})
    return counts


def _skipped(judged: Sequence[Judged], index: Index) -> Iterator[tuple[str, str, str, str]]:
    yield from index.skipped()
    for path, sentence in dict(file for _, _, outcome in judged for file in outcome.unreadable).items():
        yield *index.within_archive(Path(path)), CORRUPT, sentence.removeprefix(f"{path} ")
