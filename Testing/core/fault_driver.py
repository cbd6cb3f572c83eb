"""Runs a small cohort once for every call that changes its output folder, with a fault at that call; then resumes it and compares.

    LD_PRELOAD=SHIM python fault_driver.py PLAN      prints a report as JSON

PLAN is a JSON object: work, an empty folder; shim, the compiled fault_injection.c; forms; every_mode, else the modes take turns over
the calls; fault, a name of `FAULTS` by which the product is spoilt to see that it is noticed. The process imports everything once and
forks a child only for those cases that kill it. See `report` for what comes back.
"""
import ctypes
import gc
import hashlib
import json
import os
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "LTDiffStandardize"), str(Path(__file__).resolve().parent)]

import numpy as np
import SimpleITK as sitk
from small_cohort import SPACING, Heard, chest_hu, dicom_series

from LTDiffStandardizeLib.cohort import Request, features, preparation, run, run_request
from LTDiffStandardizeLib.volumes import CTFacts, CTVolume, atomic, dicom_writer, image_files, write_volume_file

MODES = {"ENOSPC": 1, "EIO": 2, "full": 3, "read-only": 4, "killed": 5, "killed half-way": 6}
LETHAL = ("killed", "killed half-way")
STATUSES = (0, 1, 4)  # as documented: done, a series failed, the output folder cannot be written
VARIES = ("seconds_per_slice", "finished_at")
BOOKKEEPING = (".ltdiff-lock", "summary.json", "log.txt")
RECORD = "-provenance.json"
SLICES = 2


class Entry(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_char * 16), ("path", ctypes.c_char * 240), ("to", ctypes.c_char * 240), ("bytes", ctypes.c_long)]


class Shim:
    """The preloaded library; `watch` a folder, `arm` a call in a child, read the `log` of the last child."""

    def __init__(self, path):
        self._library = ctypes.CDLL(path)
        self._library.faults_log.restype = ctypes.POINTER(Entry)
        self._library.faults_count.restype = ctypes.c_long

    def watch(self, folder):
        self._library.faults_watch(os.fsencode(folder))

    def arm(self, number, mode):
        self._library.faults_arm(ctypes.c_long(number), mode)

    def log(self):
        """(kind, path, second path, bytes or flags) of every call."""
        entries = self._library.faults_log()
        return [(one.kind.decode(), os.fsdecode(one.path), os.fsdecode(one.to), one.bytes) for one in entries[:self._library.faults_count()]]


class Bench:
    """The cohort of `make_inputs` and its output folder in one format."""

    def __init__(self, work, form, shim):
        self.work, self.form, self.shim, self.output = work, form, shim, work / "out"
        self.begun, self.violations = None, []
        self.series = make_inputs(work, with_dicom=form == "dicom")
        assert run_request(self.request(), Heard()).exit_code == 0
        self.clean = tree(self.output)

    def request(self, resume=False):
        inputs = (str(self.work / "scans"),)
        return Request(inputs, str(self.output), method="ls_noise", samples=2, format=self.form, rois=(str(self.work / "roi.nrrd"),), resume=resume)

    def counted(self):
        """The log of a run without faults."""
        self._prepare()
        status, _ = self._run(0, 0)
        assert status == 0
        return self.shim.log()

    def begin(self, log):
        """Lets later runs go on from one that was killed when a result stood there and the next was half-written."""
        number = next(number for number, (kind, path, *_) in enumerate(log, start=1) if kind == "write" and "uncertainty" in path)
        self._prepare()
        status, _ = self._child(number, MODES["killed half-way"])
        assert status == -signal.SIGKILL
        self.begun = shutil.copytree(self.output, self.work / "begun")

    def case(self, number, mode):
        """A fault at a call, and resuming afterwards."""
        self._prepare()
        status, text = (self._child if mode in LETHAL else self._run)(number, MODES[mode])
        wrong = list(self._wrong_end(status, text, mode)) + list(self._wrong_state())
        status, text = self._run(-1, 0, resume=True)
        if status:
            wrong.append(f"resuming ended with status {status}: {text}")
        wrong += self._wrong_tree()
        what = f"{self.form}{', gone on' if self.begun else ''}, call {number}, {mode}"
        self.violations += [f"{what}: {sentence}" for sentence in wrong]

    def _prepare(self):
        shutil.rmtree(self.output, ignore_errors=True)
        if self.begun:
            shutil.copytree(self.begun, self.output)

    def _run(self, number, mode, resume=False):
        """(exit status, what was told) of a run with a fault at call `number`, unless that is 0 or -1; a traceback has the status 99."""
        heard = Heard()
        self.shim.arm(number, mode)
        try:
            return run_request(self.request(resume or self.begun is not None), heard).exit_code, "\n".join(heard.said)
        except BaseException:
            return 99, traceback.format_exc()
        finally:
            self.shim.arm(-1, 0)

    def _child(self, number, mode):
        """`_run` in a forked child, which may be killed."""
        said = self.work / "said.txt"
        said.write_text("")
        pid = os.fork()
        if pid == 0:
            status, text = self._run(number, mode)
            said.write_text(text)
            os._exit(status)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said.read_text()

    def _wrong_end(self, status, text, mode):
        if mode in LETHAL:
            if status != -signal.SIGKILL:
                yield f"it was not killed but ended with status {status}"
        elif status not in STATUSES:
            yield f"status {status}: {text}"
        if "Traceback" in text or "could not be standardized (" in text:
            yield f"not told in a sentence: {text}"
        if status == 0:
            yield from self._wrong_tree()

    def _wrong_state(self):
        """What a fault left that is neither complete nor known to be incomplete."""
        if not self.output.is_dir():
            return
        announced = set()
        for path in self.output.glob(f"*{RECORD}"):
            try:
                record = json.loads(path.read_text())
            except ValueError:
                yield f"{path.name} is half a record"
                continue
            announced |= {path.name, *record["outputs"]}
            if record["state"] == "finished":
                wanted = {name: digest for name, digest in self.clean.items() if name.split("/")[0] in record["outputs"]}
                found = {name: digest for name, digest in tree(self.output).items() if name.split("/")[0] in record["outputs"]}
                if found != wanted:
                    yield f"{path.name} says finished, but its files differ from those of a clean run"
        for path in self.output.iterdir():
            if path.name[0] != "." and path.name not in announced and path.name not in BOOKKEEPING:
                yield f"{path.name} belongs to no record"
        summary = self.output / "summary.json"
        if summary.exists():
            try:
                json.loads(summary.read_text())
            except ValueError:
                yield "summary.json is half a file"

    def _wrong_tree(self):
        found = tree(self.output)
        for name in sorted(found.keys() | self.clean.keys()):
            if found.get(name) != self.clean.get(name):
                what = "is missing" if name not in found else "is left over" if name not in self.clean else "differs from the clean run's"
                yield f"{name} {what}"
        with suppress(OSError, ValueError):
            if [entry["outcome"] for entry in json.loads((self.output / "summary.json").read_text())] == ["standardized"] * self.series:
                return
        yield "summary.json does not tell of every series as standardized"


def tree(folder):
    """{relative path: digest} of all files but the bookkeeping; of records without what varies from run to run."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in BOOKKEEPING:
            data = path.read_bytes()
            if path.name.endswith(RECORD):
                with suppress(ValueError):
                    record = json.loads(data)
                    data = json.dumps({**record, "facts": {key: value for key, value in record["facts"].items() if key not in VARIES}}).encode()
            found[path.relative_to(folder).as_posix()] = hashlib.sha256(data).hexdigest()
    return found


def disorders(log):
    """What a power loss could tear apart: renames of what was not flushed before, or whose folder was not flushed after them."""
    unflushed, moved = {}, {}
    for number, (kind, path, to, value) in enumerate(log, start=1):
        parent = os.path.dirname(path) or "."
        if kind in ("write", "pwrite", "writev", "copy", "ftruncate") or (kind == "open" and value & os.O_CREAT):
            unflushed[path] = number
        if kind == "mkdir" or (kind == "open" and value & os.O_CREAT):
            unflushed[parent] = number
        if kind == "fsync":
            unflushed.pop(path, None)
            moved.pop(path, None)
        if kind == "rename":
            for name in unflushed:
                if name == path or name.startswith(path + "/"):
                    yield f"call {number} renames {path}, of which {name} was changed by call {unflushed[name]} and not flushed"
            for name in moved:
                yield f"call {number} renames {path} before the folder of {moved[name]} was flushed"
            unflushed = {name: at for name, at in unflushed.items() if name != path and not name.startswith(path + "/")}
            moved[os.path.dirname(to) or "."] = to
    for name in moved.values():
        yield f"{name} was renamed and its folder never flushed"


def unseen(log, folder):
    """Names of files of which the log saw other bytes than they have: a way of writing that is not watched."""
    written, names = Counter(), {}
    for kind, path, to, value in log:
        if kind in ("write", "pwrite", "writev", "copy"):
            written[path] += value
        elif kind == "rename":
            for name in [name for name in written if name == path or name.startswith(path + "/")]:
                written[to + name[len(path):]] = written.pop(name)
        elif kind == "open" and value & os.O_TRUNC:
            written.pop(path, None)
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and written[str(path.relative_to(folder))] != path.stat().st_size]


@contextmanager
def straight_to_the_file(path, overwrite=False, verify=None):
    with atomic._os_errors_told(path):
        yield Path(path)


@contextmanager
def straight_to_the_folder(path, overwrite=False, verify=None):
    with atomic._os_errors_told(path):
        Path(path).mkdir()
        yield Path(path)


def write_nothing_aside():
    atomic.file_aside = image_files.file_aside = straight_to_the_file
    dicom_writer.folder_aside = straight_to_the_folder


def flush_nothing():
    atomic.flush_to_disk = lambda path: None


def read_nothing_back():
    atomic._read_back = lambda path, partial, verify: None


FAULTS = {"no writing aside": write_nothing_aside, "no flushing": flush_nothing, "no reading back": read_nothing_back}


def make_inputs(work, with_dicom):
    """A NRRD volume, with a DICOM series if asked for, and a region on both; returns how many series."""
    place = {"spacing": (SPACING, SPACING, 2.5), "origin": (-10, -20, 100)}
    work.joinpath("scans").mkdir(parents=True)
    write_volume_file(CTVolume(chest_hu(SLICES, 2), **place, facts=CTFacts(kernel="B40f"), name="b"), work / "scans" / "b.nrrd")
    if with_dicom:
        dicom_series(work / "scans" / "a", 1, slices=SLICES)
    marked = np.zeros((SLICES, 64, 64), np.int16)
    marked[:, 24:34, 24:34] = 1
    write_volume_file(CTVolume(marked, **place), work / "roi.nrrd")
    return 2 if with_dicom else 1


def once(function, key_of):
    """What changes no file need not be done anew in every case: the result for a key is kept."""
    known = {}

    def remembering(*arguments):
        key = key_of(*arguments)
        if key not in known:
            known[key] = function(*arguments)
        return known[key]

    return remembering


def remember_what_changes_no_file():
    features.measure = once(features.measure, lambda profile, volumes, *_: b"".join(hu.tobytes() for hu in volumes.values()))
    run.find_cohort = once(run.find_cohort, lambda inputs, *_: tuple(inputs))
    preparation.load_bundle = once(preparation.load_bundle, str)


def report(plan):
    """points: {kind of call: how many, of a clean run of each format}; cases; violations and disorders: sentences; unseen: names; seconds."""
    start, work, shim = time.monotonic(), Path(plan["work"]), Shim(plan["shim"])
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    if plan.get("fault"):
        FAULTS[plan["fault"]]()
    remember_what_changes_no_file()
    points, cases, violations, wrong_order, not_seen = Counter(), 0, [], [], []

    def inject(bench, log):
        points.update(kind for kind, *_ in log)
        wrong_order.extend(f"{bench.form}: {sentence}" for sentence in disorders(log))
        for number in range(1, len(log) + 1):
            yield from ((number, mode) for mode in (MODES if plan.get("every_mode") else [list(MODES)[number % len(MODES)]]))

    for form in plan["forms"]:
        bench = Bench(work / form, form, shim)
        shim.watch(bench.output)
        log = bench.counted()
        not_seen += unseen(log, bench.output)
        gc.freeze()
        for case in inject(bench, log):
            bench.case(*case)
            cases += 1
        if form == "dicom":
            bench.begin(log)
            log = bench.counted()
            last = max(number for number, (kind, *_) in enumerate(log, start=1) if kind == "rmdir")
            for case in inject(bench, log[:last + 8]):  # clearing away and the next record; what follows is as before
                bench.case(*case)
                cases += 1
        violations += bench.violations
    return {"points": points, "cases": cases, "violations": violations, "disorders": wrong_order, "unseen": not_seen,
            "seconds": time.monotonic() - start}  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(report(json.loads(sys.argv[1]))))
