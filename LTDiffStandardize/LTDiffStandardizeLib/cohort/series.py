"""Standardizing one series of a cohort: decide, compute, write, record."""
from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError, OutputError
from ..model.protocols import Protocol, sharp_source_warning
from ..volumes.derivation import SOFTWARE
from ..volumes.dicom_writer import write_dicom_series
from ..volumes.image_files import write_volume_file
from ..volumes.reading import read_volume
from ..volumes.series import SeriesEntry
from ..volumes.volume import CTVolume
from .features import regions_on, write_feature_changes
from .folder import remove
from .preparation import Preparation
from .provenance import FINISHED, STARTED, Record, fingerprint, protocol_digest

MOST_LABELS = 64
RECORD = "-provenance.json"  # after the name of the series
BODY_HU, LEAST_SPREAD = -500, 0.1  # HU
ENDINGS = {"dicom": "", "nrrd": ".nrrd", "nifti": ".nii.gz"}


@dataclass(frozen=True)
class SeriesFiles:
    """Where the results of one series go. What a series has no use for is not written."""

    volume: Path
    uncertainty: Path
    features: Path
    record: Path

    @staticmethod
    def of(folder: Path, name: str, form: str) -> SeriesFiles:
        ending = ENDINGS[form]
        return SeriesFiles(
            folder / f"{name}{ending}",
            folder / f"{name}-uncertainty{ending or ENDINGS['nrrd']}",
            folder / f"{name}-features.csv",
            folder / f"{name}{RECORD}",
        )

    @property
    def results(self) -> tuple[Path, ...]:
        return self.volume, self.uncertainty, self.features


def standardize_series(entry: SeriesEntry, preparation: Preparation, files: SeriesFiles, progress: Callable[[int, int], None]) -> str:
    """Writes the results of one series, its record last, and returns a sentence about it.

    With `resume`, a series that is finished with the same settings is left as it is. Whatever goes wrong, nothing of the series
    stays behind. Raises InputError for an unsuitable input, OutputError where results exist that are not to be replaced.
    """
    protocol, warning = preparation.protocol_by_name(entry.kernel)
    settings, source = preparation.settings(protocol), fingerprint([entry])
    if _is_finished(files, source, settings, preparation.request.resume):
        return "It was finished before and is left as it is."
    volume = read_volume(entry)
    _refuse_what_is_no_scan(volume)
    if preparation.references:
        protocol = preparation.measured_protocol(volume)
    regions, misfits = regions_on(volume, preparation.marked)
    doubt = sharp_source_warning(protocol, volume) if warning else None
    warnings = [*preparation.warnings, *filter(None, [warning, doubt]), *misfits]
    begin = time.monotonic()
    with _journal(files, Record(STARTED, str(entry.path), source, settings, [path.name for path in files.results], warnings)) as started:
        result, spread = preparation.standardizer(protocol).standardize(volume, progress)
        _write_volume(files, result, preparation, protocol)
        if spread is not None:
            write_volume_file(spread, files.uncertainty)
            warnings = [*warnings, *filter(None, [_spread_warning(spread, volume, preparation.request.method, protocol)])]
        if regions:
            write_feature_changes(files.features, volume, result, regions)
        seconds = (time.monotonic() - begin) / len(volume.hu)
        outputs = [path.name for path in files.results if path.exists()]
        facts = _facts(volume, protocol, preparation, seconds)
        replace(started, state=FINISHED, outputs=outputs, warnings=warnings, facts=facts).write(files.record)
    how = f"{preparation.request.method} from {protocol.name}" if protocol else "a copy"
    return " ".join([f"{len(volume.hu)} slices, {how}, {seconds:.2g} s a slice.", *warnings])


def _refuse_what_is_no_scan(volume: CTVolume) -> None:
    """Results of this program, and label maps among NRRD and NIfTI files, lie in the folders of cohorts too."""
    if (volume.facts.kernel or "").startswith(SOFTWARE):
        raise InputError(f"{volume.name} is a result of {SOFTWARE} already; give the series that it was made from.")
    if volume.source is None and volume.hu.min() >= 0 and len(np.unique(volume.hu)) <= MOST_LABELS:
        raise InputError(f"{volume.name} holds {MOST_LABELS} values at most and none below 0 HU, so it is a label map and no CT; give it with --roi.")


def _spread_warning(spread: CTVolume, volume: CTVolume, method: str, protocol: Protocol) -> str | None:
    """One sentence where the samples hardly differ: of a filter that lacks too little, the frame draws no noise."""
    body = volume.hu > BODY_HU if volume.padding is None else (volume.hu > BODY_HU) & ~volume.padding
    if not body.any() or np.median(spread.hu[body]) >= LEAST_SPREAD:
        return None
    return (f"The samples differ by less than {LEAST_SPREAD:g} HU in most of the body, as {method} draws no noise for the "
            f"protocol {protocol.name}, so their spread is no measure of uncertainty; do not use it as one.")  # fmt: skip


def _facts(volume: CTVolume, protocol: Protocol | None, preparation: Preparation, seconds_per_slice: float) -> dict[str, Any]:
    rank = preparation.rank
    return {
        "kernel": volume.facts.kernel,
        "protocol": protocol.name if protocol else None,
        "protocol_sha256": protocol_digest(protocol) if protocol else None,
        "target": protocol.target.label if protocol else None,
        "about_the_protocol": protocol.about if protocol else None,
        "trust_in_the_network": protocol.trust if protocol and preparation.request.method == "ltdiff" else None,
        "device": preparation.device,
        **({"rank": f"{rank.number} of {rank.size}"} if rank else {}),
        "slices": len(volume.hu),
        "seconds_per_slice": round(seconds_per_slice, 4),
        "finished_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def _is_finished(files: SeriesFiles, source: str, settings: dict[str, Any], resume: bool) -> bool:
    """Raises OutputError where there is something that is neither the finished result nor what a killed run left of it."""
    existing = [path for path in (files.record, *files.results) if path.exists()]
    if not existing:
        return False
    if not resume:
        raise OutputError(f"{existing[0]} exists already and is left as it is; go on with --resume or choose another output folder.")
    record = Record.read(files.record)
    if record is None:
        raise OutputError(f"{existing[0]} exists already without a record of its making; move it away or choose another output folder.")
    if record.state == STARTED:
        _clear(files, record)
        return False
    if difference := record.difference(source, settings):
        raise OutputError(f"{files.volume} was made {difference} and is left as it is; choose another output folder.")
    missing = [name for name in record.outputs if not (files.record.parent / name).exists()]
    if missing:
        remedy = f"remove {files.record.name} and what belongs to it, then resume"
        raise OutputError(f"{', '.join(missing)} is missing from a finished result; {remedy}.")
    return True


@contextmanager
def _journal(files: SeriesFiles, started: Record) -> Iterator[Record]:
    """Announces the results before the first is written, so that a resumed run knows what is its own to clear away."""
    started.write(files.record)
    try:
        yield started
    except BaseException:
        _clear(files, started)
        raise


def _clear(files: SeriesFiles, record: Record) -> None:
    """Removes what a record announced, which may be in another format than now; then the record."""
    for name in record.outputs:
        remove(files.record.with_name(name))
    remove(files.record)


def _write_volume(files: SeriesFiles, result: CTVolume, preparation: Preparation, protocol: Protocol | None) -> None:
    kernel = result.facts.kernel
    derivation = preparation.derivation(protocol, kernel)
    if preparation.request.format == "dicom":
        write_dicom_series(result, files.volume, derivation, inheritance=preparation.inheritance, compression=preparation.request.compression)
    else:
        facts = replace(result.facts, kernel="\\".join(derivation.kernel_values(kernel)))
        write_volume_file(replace(result, facts=facts), files.volume)
