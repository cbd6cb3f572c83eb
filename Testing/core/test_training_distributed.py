"""Training by several processes, as torch.distributed.run starts them: the same result as of one, whatever is killed meanwhile."""
import csv
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from small_cohort import Heard

pytest.importorskip("finufft", reason="the simulator needs finufft, which has no wheel for this processor")

import training_driver  # noqa: E402
from training_driver import ROWS_EVERY, STANDING_STILL, STEPS, VALIDATED_EVERY  # noqa: E402

from LTDiffStandardizeLib.errors import InputError, OutputError  # noqa: E402
from LTDiffTrainingLib.loop import processes  # noqa: E402
from LTDiffTrainingLib.loop.logs import drop_rows_after, phase_minutes  # noqa: E402
from LTDiffTrainingLib.phases import PHASES  # noqa: E402
from LTDiffTrainingLib.loop.progress import Progress, from_line  # noqa: E402
from LTDiffTrainingLib.loop.starting import Training  # noqa: E402

DRIVER, ROOT = Path(training_driver.__file__), Path(__file__).resolve().parents[2]
MOMENTS, DIFFUSION = 1, 2
LINEAR = ("loss", "mse", "nll", "velocity", "decoded", "error", "critic")  # in the items of a batch; a root mean square is not
needs_signals = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL that a process could send another")


def losses(folder):
    """{(phase, step, name): value}, each told once."""
    with (folder / "log.csv").open(newline="") as stream:
        rows = [((row["phase"], int(row["step"]), row["name"]), float(row["value"])) for row in csv.DictReader(stream)]
    assert len(dict(rows)) == len(rows)
    return dict(rows)


def weights(folder):
    """Of every phase, flat."""
    states = [torch.load(path, weights_only=True)["model"] for path in sorted(folder.glob("phase-*.pt"))]
    return [torch.cat([value.flatten() for value in state.values()]) for state in states]


def ranks(heard):
    """Process ids of those that have started."""
    return [int(line.split()[-1]) for line in heard.said if line.startswith("rank")]


def is_there(process):
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True


def until(condition, seconds=600):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    training_driver.pairs(folder)
    return folder


@pytest.fixture(scope="module")
def two(pairs, tmp_path_factory):
    """What became of two processes. One is killed in the middle, then the launcher with all, then all are started again."""
    found = SimpleNamespace(folder=tmp_path_factory.mktemp("two"), first=Heard(), again=Heard(), pairs=pairs)
    begin = lambda heard, *arguments: Training(found.folder, ["--pairs", str(pairs), *map(str, arguments)], heard, processes=2, script=DRIVER)
    if os.name != "nt":
        with pytest.MonkeyPatch.context() as changes:
            changes.setenv("PET_MAX_RESTARTS", "1")  # how torch.distributed.run takes --max-restarts from the environment
            training = begin(found.first, "--kill", MOMENTS, 2, "--stand-still", DIFFUSION, 2)
        assert until(lambda: not training.poll() or STANDING_STILL in found.first.said) and training.poll(), found.first.said
        with pytest.raises(OutputError) as found.refusal, pytest.MonkeyPatch.context() as changes:
            changes.setattr("LTDiffTrainingLib.loop.trainer.SECONDS_TO_WAIT", 0)
            training_driver.train(found.folder / "broken", pairs)
        training.cancel()
        assert until(lambda: not training.poll())
        found.cancelled = training.result()
        found.all_ended = until(lambda: not any(map(is_there, ranks(found.first))))
    found.result = begin(found.again).wait()
    assert found.result.exit_code == 0, found.again.said
    return found


def test_two_processes_learn_the_same_as_one(two, tmp_path):
    training_driver.train(tmp_path / "unbroken", two.pairs)
    training_driver.play(tmp_path / "game", two.pairs)
    for name in ("unbroken", "game"):
        of_one, of_two = losses(tmp_path / name), losses(two.folder / name)
        assert of_one.keys() == of_two.keys() and {step for _, step, _ in of_one} == {ROWS_EVERY, STEPS}
        for key, value in of_two.items():
            assert value == pytest.approx(of_one[key], rel=1e-4 if key[2] in LINEAR else 0.02), key
        for theirs, ours in zip(weights(two.folder / name), weights(tmp_path / name)):
            # All they learned is a hundredth of the weights; Adam makes steps out of gradients that are rounding alone.
            assert (theirs - ours).norm() < 2e-4 * ours.norm()
    assert len(weights(tmp_path / "unbroken")) == len(PHASES) == len({phase for phase, _, _ in losses(tmp_path / "unbroken")})
    assert losses(tmp_path / "unbroken")["diffusion", STEPS, "decoded"] > 0


@needs_signals
def test_a_killed_process_is_started_again_with_the_others_and_they_go_on_from_the_checkpoint(two):
    assert len(ranks(two.first)) == 4 and len(set(ranks(two.first))) == 4
    resumed = [line for line in two.first.said if "finished before" in line or "resumed" in line]
    assert re.fullmatch(r"autoencoder: finished before, loaded\. moments: resumed at step [12]\.", " ".join(resumed))


@needs_signals
def test_all_processes_end_when_their_launcher_is_killed(two):
    assert two.all_ended
    assert two.cancelled.exit_code == 130 and "go on from its last checkpoint" in two.cancelled.sentence


@needs_signals
def test_another_training_in_the_same_folder_is_refused_meanwhile(two):
    assert "Another run is writing to" in str(two.refusal.value)


def test_a_training_that_was_killed_twice_has_the_weights_and_the_tables_of_an_unbroken_one(two):
    if os.name != "nt":
        assert [line for line in two.again.said if re.fullmatch(r"diffusion: resumed at step [12]\.", line)]
    for broken, unbroken in zip(weights(two.folder / "broken"), weights(two.folder / "unbroken")):
        assert torch.equal(broken, unbroken)
    assert losses(two.folder / "broken") == losses(two.folder / "unbroken")
    validated = [(two.folder / name / "validation.csv").read_text() for name in ("broken", "unbroken")]
    assert validated[0] == validated[1] and validated[0].count("\n") == 1 + len(PHASES) * STEPS // VALIDATED_EVERY
    left = [path.name for path in (two.folder / "broken").iterdir()]
    assert not [name for name in left if ".partial-" in name or name.startswith("resume")]


def test_a_starter_hears_how_far_the_training_is(two):
    told = [(progress.phase, progress.step) for progress in two.first.steps + two.again.steps]
    assert told == [(phase, step) for phase in PHASES for step in (ROWS_EVERY, STEPS)]
    last = two.again.steps[-1]
    assert last.share == 1 and last.steps_per_second > 0 and last.losses.keys() == {"loss", "velocity", "decoded"}
    log = (two.folder / "log.txt").read_text()
    assert log.index("rank") < log.index(last.sentence())
    assert two.result.sentence == f"The training in {two.folder} is done."


def test_a_training_that_cannot_begin_says_why(tmp_path):
    heard = Heard()
    training = Training(tmp_path / "out", ["--nonsense"], heard)
    result = training.wait()
    assert result.exit_code == 2 and "ended with status 2" in result.sentence and str(tmp_path / "out" / "log.txt") in result.sentence
    assert "unrecognized arguments: --nonsense" in heard.said[-1]
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="choose another output folder"):
        Training(tmp_path / "file" / "out", [], heard)


def test_the_slicer_module_starts_a_training_and_its_timer_follows_it(tmp_path):
    pytest.importorskip("PySide6.QtCore", reason="PySide6 is missing or cannot be loaded", exc_type=ImportError)
    code = f"""
import sys
from PySide6 import QtCore
sys.modules["qt"] = QtCore
application = QtCore.QCoreApplication([])
import LTDiffTraining
LTDiffTraining.start_training({str(tmp_path)!r}, ["--nonsense"], done=lambda result: application.exit(10 + result.exit_code))
print("meanwhile")
sys.exit(application.exec())
"""
    path = os.pathsep.join(str(ROOT / module) for module in ("LTDiffTraining", "LTDiffStandardize"))
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path})
    assert made.returncode == 12, made.stderr
    meanwhile, *_, complaint, sentence = made.stdout.splitlines()
    assert meanwhile == "meanwhile" and "--nonsense" in complaint and "status 2" in sentence


def test_a_line_of_progress_is_understood_and_others_are_not():
    progress = Progress("moments", 50, 4000, {"loss": 0.8, "rmse_pruned": float("inf")}, 12.0, 3.4)
    assert progress.sentence() == "moments 50/4000  loss 0.8000  rmse_pruned inf  12 steps/s  3.4 min left"
    assert from_line(progress.sentence()) == progress
    for line in ("", "moments: resumed at step 2.", "train-0001: 3/40, 2 slices", progress.sentence() + "."):
        assert from_line(line) is None


def test_rows_after_the_checkpoint_and_rows_cut_short_are_dropped(tmp_path):
    table = tmp_path / "log.csv"
    drop_rows_after(table, "moments", 50)
    assert not table.exists()
    kept = "phase,step,seconds,name,value\nautoencoder,100,9.0,loss,1\nmoments,50,1.0,loss,2\n"
    table.write_text(kept + "moments,100,2.0,loss,3\nmoments,100,2")
    drop_rows_after(table, "moments", 50)
    assert table.read_text() == kept
    assert phase_minutes(table) == {"autoencoder": 9 / 60, "moments": 1 / 60}
    table.write_text("phase,st")
    drop_rows_after(table, "moments", 50)
    assert not table.exists()


def test_processes_without_a_card_of_their_own_are_refused(monkeypatch):
    for name, value in {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    for device, told in (("cuda", "no graphics card left"), ("cuda:0", "choose cuda, which gives each its own")):
        with pytest.raises(InputError, match=told), processes.started(device):
            pass
