"""A cohort shared by several processes: every series is done once, whichever rank does it, dies or comes late."""
import io
import os
import signal
import subprocess
import sys
from contextlib import ExitStack

import pytest
from small_cohort import SCRIPTS, VARIABLES, Heard, dicom_series, digests, record, standardize, stop_when, summary

from LTDiffStandardizeLib.cohort import Rank, Request, run_request, sharing
from LTDiffStandardizeLib.cohort.preparation import _working_device
from LTDiffStandardizeLib.cohort.progress import Console, Count, Meter
from LTDiffStandardizeLib.cohort.sharing import OneOfSeveral, share_of
from LTDiffStandardizeLib.errors import InputError, OutputError

ENVIRONMENT = {"RANK": "1", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2", "TORCHELASTIC_RUN_ID": "none",
               "MASTER_ADDR": "node1", "MASTER_PORT": "29500", "TORCHELASTIC_RESTART_COUNT": "0"}  # fmt: skip
needs_signals = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL that a process could send another")


def rank(number, run="run", size=2, restarted=False):
    return Rank(run, number, size, number, restarted)


def work(scans, output, as_rank, **changes):
    """The result of a rank in this process."""
    request = Request((str(scans),), str(output), **{"method": "none", **changes})
    return run_request(request, Heard(), as_rank)


def outcomes(output):
    return {os.path.basename(entry["input"]): entry["outcome"] for entry in summary(output)}


def finished(output):
    return [path.name.split("-")[0] for path in sorted(output.glob("*-provenance.json")) if '"finished"' in path.read_text()]


def assert_complete(output, alone):
    """As many series as one process made, with the same bytes, and nothing besides."""
    assert sorted(entry["outcome"] for entry in summary(output)) == sorted(entry["outcome"] for entry in summary(alone))
    results = [{name: digest for name, digest in digests(folder).items() if "/IM" in name and name[0] != "."} for folder in (output, alone)]
    assert results[0] == results[1] and len(results[0]) > 0
    assert [path.name for path in output.iterdir() if ".partial-" in path.name] == []
    assert {record(output, name)["state"] for name in finished(alone)} == {"finished"}


def start(scans, output, *before_the_script, **environment):
    command = [sys.executable, *before_the_script, SCRIPTS / "standardize.py", scans, "--output", output, "--method", "none"]
    return subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**VARIABLES, **environment})


def start_group(scans, output, *options):
    """torch.distributed.run with two ranks."""
    return start(scans, output, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", *options)


def freeze_a_rank(group, output):
    """The process id of a rank that stands still in the middle of a series, when two are finished."""
    frozen = []

    def it_stands_still():
        for path in output.glob(".*_B40f.partial-*") if len(finished(output)) >= 2 else ():
            pid = int(path.name.split("-")[-1])
            os.kill(pid, signal.SIGSTOP)
            if path.exists():
                frozen.append(pid)
                return True
            os.kill(pid, signal.SIGCONT)
        return False

    stop_when(group, it_stands_still, 0)
    return frozen[0]


@pytest.fixture
def scans(tmp_path):
    """A folder of six series and a localizer."""
    for number in range(1, 7):
        dicom_series(tmp_path / "scans" / f"p{number}", number, slices=12)
    dicom_series(tmp_path / "scans" / "p7", 7, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    standardize(tmp_path / "scans", tmp_path / "alone", method="none")
    return tmp_path / "scans"


@pytest.fixture
def two(tmp_path):
    for number in (1, 2):
        dicom_series(tmp_path / "scans" / f"p{number}", number, slices=2)
    return tmp_path / "scans"


def test_two_ranks_do_every_series_once(scans, tmp_path):
    group = start_group(scans, tmp_path / "out")
    text, errors = group.communicate(timeout=60)
    assert group.returncode == 0, errors
    assert_complete(tmp_path / "out", tmp_path / "alone")
    done = [line for line in text.splitlines() if "/7] " in line]
    assert len(done) == 7 and {line.split(": ")[0] for line in done} <= {"rank 0", "rank 1"}
    for line in done:
        who, name = line.split(": ")[0], line.split("] ")[1].split(": ")[0]
        if "standardized" in line:
            assert record(tmp_path / "out", name)["facts"]["rank"] == f"{who.split()[1]} of 2"
    assert "7 series: 6 standardized, 1 refused, 0 failed" in text


@needs_signals
def test_when_a_rank_is_killed_the_other_does_the_rest_and_resuming_completes_the_cohort(scans, tmp_path):
    output = tmp_path / "out"
    first, second = (start(scans, output, **{**ENVIRONMENT, "WORLD_SIZE": "2", "RANK": str(number)}) for number in range(2))
    killed = freeze_a_rank(first, output)
    os.kill(killed, signal.SIGKILL)
    survivor, dead = (first, second) if killed == second.pid else (second, first)
    text, errors = survivor.communicate(timeout=60)
    assert survivor.returncode == 0 and "other ranks are at work on the rest of the 7 series" in text, errors
    dead.communicate()
    before = {name: digest for name, digest in digests(output).items() if name.split("/")[0] in finished(output)}
    assert len(finished(output)) == 5 and len([entry for entry in summary(output) if entry["outcome"] == "standardized"]) == 5
    assert standardize(scans, output, method="none", resume=True).exit_code == 0
    assert {name: digest for name, digest in digests(output).items() if name in before} == before
    assert_complete(output, tmp_path / "alone")


@needs_signals
def test_ranks_that_are_restarted_go_on_and_meanwhile_no_other_run_enters(scans, tmp_path):
    output = tmp_path / "out"
    group = start_group(scans, output, "--max-restarts=1")
    rank_at_work = freeze_a_rank(group, output)
    refused = standardize(scans, output, method="none")
    os.kill(rank_at_work, signal.SIGKILL)
    errors = group.communicate(timeout=60)[1]
    assert group.returncode == 0, errors
    assert refused.exit_code == 4 and f"Another run is writing to {output}" in refused.sentence
    assert_complete(output, tmp_path / "alone")


CLAIMING = """
import sys
sys.path[:] = {path!r}
from pathlib import Path
from LTDiffStandardizeLib.cohort.ranks import Rank
from LTDiffStandardizeLib.cohort.sharing import OneOfSeveral
share = OneOfSeveral(Path({folder!r}), Rank("run", int(sys.argv[1]), 4, 0))
with share.present():
    print("present", flush=True)
    sys.stdin.readline()
    print(*[number for number in range(400) if share.claim(str(number))])
"""


def test_processes_that_claim_at_the_same_time_never_get_the_same_series(tmp_path):
    code = CLAIMING.format(path=sys.path, folder=str(tmp_path / "out"))
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": VARIABLES}
    with ExitStack() as stack:
        children = [stack.enter_context(subprocess.Popen([sys.executable, "-c", code, str(number)], **options)) for number in range(3)]
        assert [child.stdout.readline() for child in children] == ["present\n"] * 3
        for child in children:
            child.stdin.write("go\n")
            child.stdin.flush()
        claimed = [list(map(int, child.stdout.read().split())) for child in children]
    assert sorted(sum(claimed, [])) == list(range(400))


def test_a_rank_passes_over_what_others_claimed_and_fails_only_when_all_is_done(two, tmp_path):
    output, other = tmp_path / "out", OneOfSeveral(tmp_path / "out", rank(1))
    (output / "p2_s2_B40f").mkdir(parents=True)  # in the way of a result, so that the series fails
    with other.present():
        assert other.claim("p1_s1_B40f")
        result = work(two, output, rank(0))
        assert result.exit_code == 0 and [one.outcome for one in result.outcomes] == ["failed"]
        assert result.sentence == "0 standardized, 0 refused, 1 failed here; other ranks are at work on the rest of the 2 series."
        other.report("p1_s1_B40f", {"input": str(two / "p1"), "outcome": "refused", "sentence": "", "output": None})
        result = work(two, output, rank(2, size=3))
    assert result.exit_code == 1 and result.sentence.startswith("2 series: 0 standardized, 1 refused, 1 failed")
    assert outcomes(output) == {"p1": "refused", "p2": "failed"}


def test_a_rank_that_comes_when_all_is_done_does_nothing_again(two, tmp_path):
    assert work(two, tmp_path / "out", rank(0)).exit_code == 0
    before = summary(tmp_path / "out")
    result = work(two, tmp_path / "out", rank(1))
    assert result.exit_code == 0 and result.sentence.startswith("2 series: 2 standardized")
    assert summary(tmp_path / "out") == before
    assert {record(tmp_path / "out", name)["facts"]["rank"] for name in ("p1_s1_B40f", "p2_s2_B40f")} == {"0 of 2"}


def test_a_run_of_the_same_name_begins_anew(two, tmp_path):
    dead = OneOfSeveral(tmp_path / "out", rank(0))
    with dead.present():
        assert dead.claim("p1_s1_B40f") and dead.claim("p2_s2_B40f")
        dead.report("p2_s2_B40f", {"input": "p2", "outcome": "failed", "sentence": "", "output": None})
    assert work(two, tmp_path / "out", rank(0)).exit_code == 0
    assert outcomes(tmp_path / "out") == {"p1": "standardized", "p2": "standardized"}


def test_beside_others_a_rank_drops_only_what_its_dead_predecessor_claimed(tmp_path):
    first, second = OneOfSeveral(tmp_path, rank(0)), OneOfSeveral(tmp_path, rank(1))
    with second.present():
        with first.present():
            assert first.claim("a") and second.claim("b") and not first.claim("b")
        again = OneOfSeveral(tmp_path, rank(0))
        with again.present():
            assert again.claim("a") and not again.claim("b")
            assert not second.claim("a")


def test_a_restarted_rank_resumes(two, tmp_path):
    assert work(two / "p1", tmp_path / "out", rank(0)).exit_code == 0
    assert work(two, tmp_path / "out", rank(0)).exit_code == 1  # a result exists
    result = work(two, tmp_path / "out", rank(0, restarted=True))
    assert result.exit_code == 0 and "finished before" in result.outcomes[0].sentence


@pytest.mark.parametrize("stranger", [None, rank(1, run="another"), rank(0)], ids=["one process", "another run", "the same rank"])
def test_ranks_keep_others_out(two, tmp_path, stranger):
    with share_of(tmp_path / "out", rank(0)):
        result = work(two, tmp_path / "out", stranger)
    assert result.exit_code == 4 and "Another run is writing to" in result.sentence
    assert work(two, tmp_path / "out", stranger).exit_code == 0


def test_one_process_keeps_ranks_out(tmp_path, monkeypatch):
    monkeypatch.setattr(sharing, "SECONDS_TO_WAIT", 0.05)
    with share_of(tmp_path, None), pytest.raises(OutputError, match="Another run is writing to"), share_of(tmp_path, rank(0)):
        pass


def test_leftovers_are_removed_by_the_first_rank_of_a_run_alone(tmp_path):
    leftover = tmp_path / ".p1.partial-4711"
    leftover.mkdir()
    with share_of(tmp_path, rank(0)):
        assert not leftover.exists()
        leftover.mkdir()
        with share_of(tmp_path, rank(1)):
            assert leftover.exists()
    with share_of(tmp_path, None):
        assert [path.name for path in tmp_path.iterdir()] == [".ltdiff-lock"]


def test_the_environment_of_torch_distributed_run_describes_a_rank(monkeypatch):
    found = Rank.of(ENVIRONMENT)
    assert (found.number, found.size, found.local, found.restarted) == (1, 4, 1, False)
    assert Rank.of({**ENVIRONMENT, "RANK": "0", "LOCAL_RANK": "0", "TORCHELASTIC_RESTART_COUNT": "2"}) == Rank(found.run, 0, 4, 0, True)
    assert Rank.of({**ENVIRONMENT, "MASTER_PORT": "29501"}).run != found.run
    assert Rank.of({name: value for name, value in ENVIRONMENT.items() if name != "LOCAL_RANK"}) is None
    monkeypatch.setattr("platform.node", lambda: "another machine")
    assert Rank.of(ENVIRONMENT).run == found.run


def test_equal_runs_on_two_machines_are_told_apart(monkeypatch):
    runs = set()
    for machine in ("one", "two"):
        monkeypatch.setattr("platform.node", lambda: machine)
        runs.add(Rank.of({**ENVIRONMENT, "LOCAL_WORLD_SIZE": "4", "MASTER_ADDR": "127.0.0.1"}).run)
    assert len(runs) == 2


@pytest.mark.parametrize("change", [{"RANK": "4"}, {"RANK": "-1"}, {"WORLD_SIZE": "many"}, {"TORCHELASTIC_RESTART_COUNT": ""}])
def test_an_environment_that_describes_no_rank_is_told(change):
    with pytest.raises(InputError, match="describe no rank"):
        Rank.of({**ENVIRONMENT, **change})


def test_only_the_script_asks_the_environment(two, tmp_path, monkeypatch):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    assert standardize(two, tmp_path / "out", method="none").exit_code == 0
    assert list((tmp_path / "out").glob(".ltdiff-run-*")) == []
    assert "rank" not in record(tmp_path / "out", "p1_s1_B40f")["facts"]


def test_ranks_of_a_machine_take_its_gpus_in_turn(monkeypatch):
    torch = pytest.importorskip("torch")

    class AnyModel:
        def network(self):
            pass

    monkeypatch.setattr("LTDiffStandardizeLib.model.engine.choose_device", lambda wanted: "cuda" if wanted == "auto" else wanted)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    devices = [_working_device(AnyModel(), "auto", one) for one in (None, rank(0, size=3), rank(1, size=3), rank(2, size=3))]
    assert devices == ["cuda", "cuda:0", "cuda:1", "cuda:0"]
    assert _working_device(AnyModel(), "cpu", rank(1)) == "cpu"


def test_the_time_left_counts_on_the_other_ranks():
    clock = iter([0.0, 10.0])
    meter = Meter([10, 40], lambda: next(clock), ranks=2)
    meter.begin(1, "first")
    assert meter.progress(5, 10).cohort_seconds_left == 50.0  # 5 slices of its own and half of 40, at 2 s each


def test_lines_of_several_ranks_are_told_apart_and_none_is_rewritten():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    output, status = io.StringIO(), Terminal()
    console = Console(output, status, prefix="rank 1: ")
    console.progress(Count("regions", 3, 9, 1.5))
    console.say("done")
    assert status.getvalue() == "rank 1: regions 3/9, 2 a second, 0:03 left\n" and output.getvalue() == "rank 1: done\n"
