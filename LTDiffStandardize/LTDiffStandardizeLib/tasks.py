"""What a worker can be asked to do: standardize, compare, say where regions lie, export. compare.py and the panel ask for the very same."""
from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from .cohort.interruption import interruptible
from .cohort.progress import Count, Listener
from .cohort.provenance import VERSION
from .cohort.request import Request
from .cohort.run import BAD_REQUEST, CANCELLED, DONE, Result, failed, run_request, said
from .comparison import Comparison, compare, joined, with_combat, write_figures, write_tables
from .comparison.comparing import OF_THE_MASK, check_same_grid
from .comparison.files import RESULTS, warnings_of, write_values
from .comparison.cases import Case
from .comparison.changes import CHANGE_RESULTS, changes, write_changes
from .comparison.labels import label_volume
from .comparison.request import ComparisonRequest, ExportRequest, RegionsRequest
from .errors import Cancelled, InputError, LTDiffError
from .radiomics.features import FeatureTable
from .radiomics.profiles import Profile, like_it, profile_of
from .radiomics.regions import Region, told_apart
from .radiomics.regions.random_boxes import shortfall
from .radiomics.regions.roi import regions_of
from .radiomics.tables import write_region_facts
from .report import ReportChoices, write_report
from .report.plain import plain_texts
from .requests import object_of, request_of, shown
from .volumes.atomic import refuse_existing
from .volumes.derivation import Derivation
from .volumes.dicom_writer import write_dicom_series
from .volumes.image_files import write_volume_file
from .volumes.reading import read_volume, read_volume_of_files
from .volumes.volume import CTVolume

REPORT = "report.html"


def carry_out(text: str, listener: Listener) -> Result:
    """Carries out a request in JSON, whose field "task" says which of `TASKS` it is; never raises an LTDiffError."""
    try:
        data = object_of(text)
        task = data.pop("task", "standardize")
        if not (isinstance(task, str) and task in TASKS):
            raise InputError(f"The request asks for the unknown task {shown(task)}; known are {', '.join(TASKS)}.")
        kind, function = TASKS[task]
        request = request_of(data, kind)
    except InputError as error:
        return said(Result(BAD_REQUEST, str(error)), listener)
    return function(request, listener)


def compare_request(request: ComparisonRequest, listener: Listener) -> Result:
    """`run_comparison`, with what became of it as a result; never raises an LTDiffError."""
    return _result(lambda: run_comparison(request, listener), listener)


def regions_request(request: RegionsRequest, listener: Listener) -> Result:
    """`run_regions`, with what became of it as a result; never raises an LTDiffError."""
    return _result(lambda: run_regions(request), listener)


def export_request(request: ExportRequest, listener: Listener) -> Result:
    """`run_export`, with what became of it as a result; never raises an LTDiffError."""
    return _result(lambda: run_export(request), listener)


def run_comparison(request: ComparisonRequest, listener: Listener) -> list[Path]:
    """Compares, writes all files and returns their paths. Raises InputError or OutputError."""
    profile = profile_of(request.profile, request.settings)
    _refuse_unknown_features(request.charted, profile)
    patient = request.patient or Path(request.output).resolve().name
    if not request.has_reference:
        return _run_changes(request, profile, patient, listener)
    before, after = _before_and_after(request)
    _refuse_existing(request, (*RESULTS, REPORT))
    total = len(request.cases)
    comparison = joined(_compared(case, f"patient {number}/{total}, regions", profile, request, listener) for number, case in enumerate(request.cases, 1))
    for warning in warnings_of(comparison):
        listener.say(warning)
    if request.combat:
        comparison = with_combat(comparison, before)
    output, overwrite = Path(request.output), request.overwrite
    paths = write_tables(comparison, output, patient, overwrite) + write_figures(comparison, output, before, after, overwrite)
    if request.arrays:
        paths.append(write_values(output, comparison.features, comparison.regions, overwrite))
    choices = ReportChoices(after, before, charted=list(request.charted))
    return [*paths, write_report(output / REPORT, comparison, plain_texts(comparison, f"LTDiff {VERSION}"), choices, overwrite)]


def run_regions(request: RegionsRequest) -> list[Path]:
    """Writes regions.csv, and regions.nrrd with number k where the k-th region lies; returns the paths. Raises InputError or OutputError."""
    volume = read_volume(request.volume)
    regions, _ = _regions(request.rois, volume, "")
    output = Path(request.output)
    table = write_region_facts(output / "regions.csv", regions, volume, overwrite=True)
    return [table, write_volume_file(label_volume(regions, volume), output / "regions.nrrd", overwrite=True)]


def run_export(request: ExportRequest) -> list[Path]:
    """Writes the derived series and returns its folder. Raises InputError or OutputError."""
    source, volume = read_volume_of_files([Path(path) for path in request.source_files]), read_volume(request.volume)
    check_same_grid(volume.name, volume, source)
    return [write_dicom_series(source.with_hu(volume.hu, volume.name), request.output, Derivation(**request.derivation))]


def _run_changes(request: ComparisonRequest, profile: Profile, patient: str, listener: Listener) -> list[Path]:
    names = list(request.cases[0].volumes)
    if any(list(case.volumes) != names for case in request.cases):
        raise InputError("The patients do not have volumes of the same names, so their changes cannot be put together; name the same for all.")
    before, after = _before_and_after(request)
    _refuse_existing(request, CHANGE_RESULTS)
    found, tables, total = [], [], len(request.cases)
    for number, case in enumerate(request.cases, 1):
        volumes = {name: read_volume(case.volumes[name]) for name in (before, after)}
        regions, candidates = _regions_to_measure(case, request, volumes[before])
        tables += candidates
        progress = _progress(f"patient {number}/{total}, regions", len(regions), listener)
        found.append(changes(volumes[before], volumes[after], regions, profile, request.processes, progress))
    if shortfall(tables):
        listener.say(shortfall(tables))
    paths = write_changes(found, profile, request.output, patient, (before, after), request.overwrite)
    if request.arrays:
        features = {name: FeatureTable.joined([getattr(one, when) for one in found]) for name, when in ((before, "before"), (after, "after"))}
        paths.append(write_values(request.output, features, [region for one in found for region in one.regions], request.overwrite))
    return paths


def _compared(case: Case, what: str, profile: Profile, request: ComparisonRequest, listener: Listener) -> Comparison:
    reference = read_volume(case.reference)
    regions, candidates = _regions_to_measure(case, request, reference)
    volumes = {name: read_volume(path) for name, path in case.volumes.items()}
    return compare(reference, volumes, regions, request.processes, profile, _progress(what, len(regions), listener), candidates)


def _regions_to_measure(case: Case, request: ComparisonRequest, reference: CTVolume) -> tuple[list[Region], list[dict]]:
    """`_regions` of a patient. Raises InputError where all are random ones, none of which found room."""
    rois = case.rois or request.rois
    regions, candidates = _regions(rois, reference, case.patient)
    if candidates and not regions:
        ranges = ", ".join(dict.fromkeys(row["regions"] for row in candidates))
        raise InputError(f"The regions {' '.join(rois)} have no place in {reference.name}, as no box lies far enough within "
                         f"{ranges} HU; choose another range=, or make fill= or size= smaller.")  # fmt: skip
    return regions, candidates


def _regions(rois: tuple[str, ...], reference: CTVolume, patient: str) -> tuple[list[Region], list[dict]]:
    found = [regions_of(roi, reference, patient) for roi in rois]
    return told_apart(region for drawn, _ in found for region in drawn), [{"patient": patient, **row} for _, rows in found for row in rows]


def _before_and_after(request: ComparisonRequest) -> tuple[str, str]:
    names = list(request.cases[0].volumes)
    before, after = (chosen or names[index] for chosen, index in ((request.before, 0), (request.after, -1)))
    for name in (before, after):
        if name not in names:
            raise InputError(f"No volume is called {name}; before and after take one of {', '.join(names)}.")
    return before, after


def _refuse_unknown_features(wanted: Sequence[str], profile: Profile) -> None:
    """Before anything is measured; raises InputError."""
    names = [name for name in profile.names() if name[0] not in OF_THE_MASK]
    known = {text for name in names for text in (name[1], ".".join(name))}
    for one in wanted:
        if one not in known:
            close = like_it(one, [feature for _, feature in names])
            raise InputError(f"No feature that {profile.name} compares is called {one}{close}; "
                             f"--list-features {profile.name} prints the names.")  # fmt: skip


def _refuse_existing(request: ComparisonRequest, names: Sequence[str]) -> None:
    """Before anything is measured; raises OutputError."""
    for name in names:
        refuse_existing(Path(request.output, name), request.overwrite)


def _progress(what: str, total: int, listener: Listener) -> Callable[[int, int], None]:
    """What `measure` is given; that nothing of the total is done yet is told at once, as the first region may take long."""
    start = time.monotonic()

    def tell(done: int, total: int) -> None:
        listener.progress(Count(what, done, total, time.monotonic() - start))

    tell(0, total)
    return tell


def _result(work: Callable[[], list[Path]], listener: Listener) -> Result:
    try:
        with interruptible():
            result = Result(DONE, "Written: " + ", ".join(path.name for path in work()) + ".")
    except (KeyboardInterrupt, Cancelled):
        result = Result(CANCELLED, "Cancelled; nothing was measured.")
    except LTDiffError as error:
        result = failed(error)
    return said(result, listener)


TASKS = {
    "standardize": (Request, run_request),
    "compare": (ComparisonRequest, compare_request),
    "regions": (RegionsRequest, regions_request),
    "export": (ExportRequest, export_request),
}
