"""Standardizing one series of a cohort: decide, compute, write, record."""
from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError, OutputError
from ..guard import Examination, examine
from ..model.protocols import Protocol
from ..volumes.atomic import flush_to_disk
from ..volumes.dicom_writer import write_dicom_series
from ..volumes.image_files import write_volume_file
from ..volumes.reading import read_volume
from ..volumes.volume import CTVolume
from .features import regions_on, write_dicom_regions, write_feature_changes
from .folder import remove
from .inputs import CohortSeries
from .manifest import manifest_of
from .preparation import Preparation
from .provenance import FINISHED, STARTED, Record, fingerprint, protocol_digest, refuse_changed

MOST_NAMED = 3
RECORD = "-provenance.json"  # after the name of the series
BODY_HU, LEAST_SPREAD = -500, 0.1  # HU
ENDINGS = {"dicom": "", "nrrd": ".nrrd", "nifti": ".nii.gz"}


@dataclass(frozen=True)
class SeriesFiles:
    """Where the results of one series go. What a series has no use for is not written."""

    volume: Path
    uncertainty: Path
    features: Path
    segmentation: Path
    report: Path
    record: Path

    @staticmethod
    def of(folder: Path, name: str, form: str) -> SeriesFiles:
        ending = ENDINGS[form]
        return SeriesFiles(
            folder / f"{name}{ending}",
            folder / f"{name}-uncertainty{ending or ENDINGS['nrrd']}",
            folder / f"{name}-features.csv",
            folder / f"{name}-regions.dcm",
            folder / f"{name}-measurements.dcm",
            folder / f"{name}{RECORD}",
        )

    @property
    def results(self) -> tuple[Path, ...]:
        return self.volume, self.uncertainty, self.features, self.segmentation, self.report


def standardize_series(series: CohortSeries, preparation: Preparation, files: SeriesFiles, progress: Callable[[int, int], None]) -> str:
    """Writes the results of one series, its record last, and returns a sentence about it.

    With `resume`, a series that is finished with the same settings is left as it is. Whatever goes wrong, nothing of the series
    stays behind. Raises InputError for an unsuitable input or one that changes meanwhile, OutputError where results exist that
    are not to be replaced or cannot be written.
    """
    entry = series.entry
    protocol, warning = preparation.protocol_by_name(entry.kernel)
    settings, source = preparation.settings(protocol), fingerprint([entry])
    if _is_finished(files, source, settings, preparation.request.resume):
        return "It was finished before and is left as it is."
    refuse_changed(entry, series.state)
    volume = read_volume(entry)
    found = _examined(volume, protocol, preparation)
    if preparation.references:
        protocol = preparation.measured_protocol(volume)
    regions, misfits = regions_on(volume, preparation.marked)
    warnings = [*preparation.warnings, *filter(None, [warning]), *found.warnings, *misfits]
    begin = time.monotonic()
    with _journal(files, Record(STARTED, str(entry.path), source, settings, [path.name for path in files.results], warnings)) as started:
        standardizer = preparation.standardizer(protocol)
        result, spread = standardizer.standardize(volume, progress)
        warnings = [*warnings, *standardizer.warnings]
        _refuse_removed(files.record)
        _write_volume(files, result, preparation, protocol)
        if spread is not None:
            write_volume_file(spread, files.uncertainty)
            warnings = [*warnings, *filter(None, [_spread_warning(spread, volume, preparation.request.method, protocol)])]
        if regions:
            measured = write_feature_changes(files.features, volume, result, regions)
            if preparation.request.dicom_regions:
                write_dicom_regions(files.volume, files.segmentation, files.report, regions, measured)
        seconds = (time.monotonic() - begin) / len(volume.hu)
        outputs = [path.name for path in files.results if path.exists()]
        facts = {**_facts(volume, protocol, preparation, standardizer.device, seconds), "input": found.facts}
        made = manifest_of(files.record.parent, outputs)
        refuse_changed(entry, series.state)
        replace(started, state=FINISHED, outputs=outputs, warnings=warnings, facts=facts, files=made).write(files.record)
    how = f"{preparation.request.method} from {protocol.name}" if protocol else "a copy"
    return " ".join([f"{len(volume.hu)} slices, {how}, {seconds:.2g} s a slice.", *warnings])


def _examined(volume: CTVolume, protocol: Protocol | None, preparation: Preparation) -> Examination:
    """Raises InputError where the volume is no CT in HU, or is standard already."""
    named = protocol is not None and protocol.is_named(preparation.request.target)
    found = examine(volume, protocol, named, preparation.model.trained_noise if preparation.model else None)
    if found.refusal:
        raise InputError(found.refusal)
    return found


def _spread_warning(spread: CTVolume, volume: CTVolume, method: str, protocol: Protocol) -> str | None:
    """One sentence where the samples hardly differ: of a filter that lacks too little, the frame draws no noise."""
    body = volume.hu > BODY_HU if volume.padding is None else (volume.hu > BODY_HU) & ~volume.padding
    if not body.any() or np.median(spread.hu[body]) >= LEAST_SPREAD:
        return None
    return (f"The samples differ by less than {LEAST_SPREAD:g} HU in most of the body, as {method} draws no noise for the "
            f"protocol {protocol.name}, so their spread is no measure of uncertainty; do not use it as one.")  # fmt: skip


def _facts(volume: CTVolume, protocol: Protocol | None, preparation: Preparation, device: str, seconds_per_slice: float) -> dict[str, Any]:
    rank = preparation.rank
    return {
        "kernel": volume.facts.kernel,
        "protocol": protocol.name if protocol else None,
        "protocol_sha256": protocol_digest(protocol) if protocol else None,
        "target": protocol.target.label if protocol else None,
        "about_the_protocol": protocol.about if protocol else None,
        "trust_in_the_network": protocol.trust if protocol and preparation.request.method == "ltdiff" else None,
        "device": device,
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
    if damages := record.damages(files.record.parent):
        more = f" and {len(damages) - MOST_NAMED} more" if len(damages) > MOST_NAMED else ""
        remedy = f"remove {files.record.name} and what belongs to it, then resume"
        raise OutputError(f"Of a finished result {', '.join(damages[:MOST_NAMED])}{more}; {remedy}.")
    return True


@contextmanager
def _journal(files: SeriesFiles, started: Record) -> Iterator[Record]:
    """Announces the results before the first is written, so that a resumed run knows what is its own to clear away."""
    try:
        started.write(files.record)
        yield started
    except BaseException:
        if not _is_complete(files.record):
            _clear(files, started)
        raise


def _is_complete(path: Path) -> bool:
    """Whether the record says so, which it may where the disk failed right after it was put in place."""
    try:
        record = Record.read(path)
    except OutputError:
        return False
    return record is not None and record.state == FINISHED


def _clear(files: SeriesFiles, record: Record) -> None:
    """Removes what a record announced, which may be in another format than now; then, when that is on the disk, the record."""
    for name in record.outputs:
        remove(files.record.with_name(name))
    with suppress(OSError):
        flush_to_disk(files.record.parent)
    remove(files.record)


def _refuse_removed(record: Path) -> None:
    if not record.exists():
        raise OutputError(f"{record} was removed while its series was computed, so nothing of it was kept; start again with --resume.")


def _write_volume(files: SeriesFiles, result: CTVolume, preparation: Preparation, protocol: Protocol | None) -> None:
    kernel = result.facts.kernel
    derivation = preparation.derivation(protocol, kernel)
    if preparation.request.format == "dicom":
        write_dicom_series(result, files.volume, derivation, inheritance=preparation.inheritance, compression=preparation.request.compression)
    else:
        facts = replace(result.facts, kernel="\\".join(derivation.kernel_values(kernel)))
        write_volume_file(replace(result, facts=facts), files.volume)
