"""Carrying out a request: series after series, whatever becomes of the single one."""
from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from ..errors import Cancelled, InputError, LTDiffError, ModelError, OutputError
from .causes import cause_of, lacks_memory
from .folder import LOG, SUMMARY, log_exception, read_summary, refuse_removed, write_summary
from .inputs import CohortSeries, find_cohort
from .interruption import Interruption, interruptible
from .preparation import Preparation, prepare
from .progress import Listener, Meter
from .provenance import FINISHED, Record
from .ranks import Rank
from .request import Request
from .series import RECORD, SeriesFiles, standardize_series
from .sharing import Share, share_of

DONE, SOMETHING_FAILED, NO_MODEL, BAD_REQUEST, CANNOT_WRITE, CANCELLED = 0, 1, 2, 3, 4, 130
STANDARDIZED, REFUSED, FAILED = "standardized", "refused", "failed"
START_ERRORS = ((ModelError, NO_MODEL), (InputError, BAD_REQUEST), (OutputError, CANNOT_WRITE))


@dataclass(frozen=True)
class Outcome:
    """What became of one series; `output`: the volume, None where there is none. One entry of the summary."""

    input: str
    outcome: str
    sentence: str
    output: str | None = None


@dataclass(frozen=True)
class Result:
    """What became of a request. exit_code: 0 done; 1 a series failed; 2 the model cannot be used; 3 nothing to standardize, or a bad
    request; 4 the output folder cannot be written; 130 cancelled. sentence: the whole in words."""

    exit_code: int
    sentence: str
    outcomes: tuple[Outcome, ...] = field(default=())

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1) + "\n"

    @staticmethod
    def from_json(text: str) -> Result:
        """Raises ValueError, KeyError or TypeError where the text is no result."""
        data = json.loads(text)
        return Result(data["exit_code"], data["sentence"], tuple(Outcome(**outcome) for outcome in data["outcomes"]))


def run_request(request: Request, listener: Listener, rank: Rank | None = None) -> Result:
    """Standardizes all series of the request; never raises an LTDiffError.

    An input that does not exist is told first; the others are then standardized.
    SIGINT and SIGTERM cancel, as does a listener that raises Cancelled: the series under way is dropped, what is finished stays.
    rank: of several processes with the same request, which share the series. One that has been restarted resumes.
    """
    outcomes: list[Outcome] = []
    try:
        with interruptible() as interruption:
            request = replace(request, resume=request.resume or (rank is not None and rank.restarted))
            folder, inputs = Path(request.output), _existing(request.inputs, listener)
            preparation = prepare(request, rank)
            listener.say("Looking for CT series ...")
            series = find_cohort(inputs, folder, request.rois)
            with share_of(folder, rank) as share:
                cohort = _Cohort(preparation, series, listener, interruption, share, outcomes, _standing_entries(folder))
                try:
                    cohort.run()
                finally:
                    cohort.summarize()
                result = cohort.result()
    except (KeyboardInterrupt, Cancelled):
        result = Result(CANCELLED, "Cancelled; what was finished stays, and --resume goes on from there.", tuple(outcomes))
    except LTDiffError as error:
        result = replace(failed(error), outcomes=tuple(outcomes))
    return said(result, listener)


def failed(error: LTDiffError) -> Result:
    """The result of work that an error ended."""
    return Result(next(code for kind, code in START_ERRORS if isinstance(error, kind)), str(error))


def said(result: Result, listener: Listener) -> Result:
    """The result, whose sentence the listener has been told."""
    listener.say(result.sentence)
    return result


def _existing(inputs: Sequence[str], listener: Listener) -> list[str]:
    """Those that exist; the others are named to the listener, or where there is nothing else in an InputError."""
    missing = [path for path in inputs if not os.path.exists(path)]
    sentence = f"{', '.join(missing)} {'does' if len(missing) == 1 else 'do'} not exist; check the path."
    if len(missing) == len(inputs):
        raise InputError(sentence)
    if missing:
        listener.say(sentence)
    return [path for path in inputs if path not in missing]


def _standing_entries(folder: Path) -> dict[str, dict]:
    """{name of the record: entry} of earlier runs' summary, of the results whose record still says that they are finished."""
    records = {}
    for path in folder.glob(f"*{RECORD}"):
        with suppress(OutputError):  # no record, so nothing stands by it
            record = Record.read(path)
            if record is not None and record.state == FINISHED:
                records.update({(record.input, name): path.name for name in record.outputs})
    found = {}
    for entry in read_summary(folder):
        record_name = records.get((str(entry.get("input")), Path(str(entry.get("output"))).name))
        if record_name:
            found[record_name] = entry
    return found


@dataclass(frozen=True)
class _Cohort:
    """outcomes: of this process. standing: entries of the summary of earlier runs, {name of the record: entry}; one of a finished
    result is replaced only by a newer result."""

    preparation: Preparation
    series: Sequence[CohortSeries]
    listener: Listener
    interruption: Interruption
    share: Share
    outcomes: list[Outcome]
    standing: dict[str, dict]

    def run(self) -> None:
        meter = Meter([0 if one.entry.refusal else one.entry.number_of_slices for one in self.series], ranks=self.share.ranks)
        for number, one in enumerate(self.series, start=1):
            if not self.share.claim(one.entry.name):
                continue
            meter.begin(number, one.entry.name)
            files = SeriesFiles.of(self._folder, one.entry.name, self.preparation.request.format)
            outcome = self._outcome(one, files, meter)
            self.outcomes.append(outcome)
            self.share.report(one.entry.name, asdict(outcome))
            self.summarize()
            self.listener.say(f"[{number}/{len(self.series)}] {one.entry.name}: {outcome.outcome}. {outcome.sentence}")
            self.interruption.check()

    def summarize(self) -> None:
        """Writes the summary of all that is known, whichever rank did it. Raises OutputError where that fails or the folder is gone."""
        refuse_removed(self._folder)
        with self.share.alone():
            entries = dict(self.standing)
            for name, entry in self._all_outcomes().items():
                if entry["outcome"] == STANDARDIZED or name + RECORD not in entries:
                    entries[name + RECORD] = entry
            write_summary(self._folder, list(entries.values()))

    def result(self) -> Result:
        """Of the whole cohort where all of it is done. Else others are at work, which torch.distributed.run would end if a rank failed."""
        everything = self._all_outcomes()
        if len(everything) == len(self.series):
            return _result([Outcome(**entry) for entry in everything.values()], len(self.series), self._folder)
        sentence = f"{_numbers(self.outcomes)} here; other ranks are at work on the rest of the {len(self.series)} series."
        return Result(DONE, sentence, tuple(self.outcomes))

    def _all_outcomes(self) -> dict[str, dict]:
        return self.share.outcomes([one.entry.name for one in self.series])

    @property
    def _folder(self) -> Path:
        return Path(self.preparation.request.output)

    def _outcome(self, one: CohortSeries, files: SeriesFiles, meter: Meter) -> Outcome:
        path = str(one.entry.path)

        def progress(done: int, total: int) -> None:
            self.interruption.check()
            self.listener.progress(meter.progress(done, total))

        try:
            if one.entry.refusal:
                raise InputError(one.entry.refusal)
            sentence = standardize_series(one, self.preparation, files, progress)
            return Outcome(path, STANDARDIZED, sentence, str(files.volume))
        except Cancelled:
            raise
        except InputError as error:
            return Outcome(path, REFUSED, str(error))
        except LTDiffError as error:
            return Outcome(path, FAILED, str(error))
        except Exception as error:  # one series must not end a cohort, whatever is wrong with it
            if lacks_memory(error):
                return Outcome(path, FAILED, f"{path} could not be standardized, as memory ran out; close other programs, crop the volume or "
                                             "choose fewer samples, and start again with --resume.")  # fmt: skip
            log_exception(self._folder, one.entry.name, error)
            return Outcome(path, FAILED, f"{path} could not be standardized ({cause_of(error)}); {self._folder / LOG} says where it happened.")


def _result(outcomes: Sequence[Outcome], total: int, folder: Path) -> Result:
    kinds = {outcome.outcome for outcome in outcomes}
    if FAILED in kinds:
        code = SOMETHING_FAILED
    else:
        code = DONE if STANDARDIZED in kinds else BAD_REQUEST
    return Result(code, f"{total} series: {_numbers(outcomes)}; see {folder / SUMMARY}.", tuple(outcomes))


def _numbers(outcomes: Sequence[Outcome]) -> str:
    return ", ".join(f"{sum(outcome.outcome == kind for outcome in outcomes)} {kind}" for kind in (STANDARDIZED, REFUSED, FAILED))
