"""Full runs with the real worker, and what becomes of them when something goes wrong in the middle."""
import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from panel_parts import chest, picture, pressed, replace_worker, unfold

from LTDiffStandardizeLib.volumes import read_volume


def standardized(panel, wait_until, name="CT", method="ls_noise", **settings):
    """The source and its result, after a run."""
    source = chest(name)
    panel.set("inputVolume", source)
    for key, value in {"method": method, **settings}.items():
        panel.set(key, value)
    pressed(panel.standardize.ui.standardizeButton)
    wait_until(lambda: panel.work.current is None)
    assert panel.result() is not None, panel.messages.lines
    return source, panel.result()


def processes_of(folder):
    """Processes whose command line names the folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder) in (entry / "cmdline").read_bytes().decode("utf-8", "replace"):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def test_a_run_makes_a_volume_beside_its_source_with_its_whole_provenance(panel, wait_until):
    import slicer

    from LTDiffStandardizeLib.scene.comparison import is_side_by_side
    from LTDiffStandardizeLib.scene.volumes import attributes_of, volume_of

    source, result = standardized(panel, wait_until, seed=5, makeDifference=True)
    before, after = volume_of(source), volume_of(result)
    assert after.hu.shape == before.hu.shape and np.allclose(before.corners(), after.corners())
    assert after.hu.std() > before.hu.std()
    told = attributes_of(result)
    assert (told["method"], told["seed"], told["protocol"], told["target"]) == ("ls_noise", "5", "B40f to B70f", "B70f")
    assert told["software_version"] and told["protocol_sha256"] and result.GetNodeReference("LTDiff.source") is source
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    parents = [hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) for node in (source, result)]
    assert parents[0] == parents[1]
    assert is_side_by_side() and panel.view.ui.viewButton.text == "Back to my layout"
    difference = next(node for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") if node.GetAttribute("LTDiff.kind") == "difference")
    assert np.array_equal(slicer.util.arrayFromVolume(difference), after.hu.astype(np.float32) - before.hu)
    assert "is done" in panel.messages.lines[-1]
    picture(panel, "done")


def test_the_panel_and_the_script_make_the_same_voxels(panel, wait_until, tmp_path):
    import subprocess

    from LTDiffStandardizeLib.scene.volumes import volume_of
    from LTDiffStandardizeLib.volumes import write_volume_file

    source, result = standardized(panel, wait_until, seed=3)
    write_volume_file(volume_of(source), tmp_path / "scan.nrrd")
    script = Path(__file__).resolve().parents[2] / "LTDiffStandardize" / "Scripts" / "standardize.py"
    subprocess.run([sys.executable, script, tmp_path / "scan.nrrd", "--output", tmp_path / "out", "--method", "ls_noise", "--seed", "3", "--format",
                    "nrrd"], check=True, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"})  # fmt: skip
    (made,) = (path for path in (tmp_path / "out").glob("*.nrrd"))
    assert np.array_equal(read_volume(made).hu, volume_of(result).hu)


def test_the_model_draws_samples_and_their_spread_becomes_a_volume(panel, wait_until):
    pytest.importorskip("torch")
    from LTDiffStandardizeLib.scene.results import companion
    from LTDiffStandardizeLib.scene.volumes import attributes_of

    _, result = standardized(panel, wait_until, method="ltdiff", samples=2, steps=1, device="cpu")
    assert len(attributes_of(result)["weights_sha256"]) == 64 and attributes_of(result)["steps"] == "1"
    assert companion(result, "uncertainty") is not None
    assert "uncertainty" in [value for value, _ in panel.view.third._entries]


def test_progress_shows_slices_rate_and_time_left_and_cancel_ends_it(panel, wait_until):
    panel.set("inputVolume", chest("long", slices=400))
    panel.set("method", "ls_noise")
    button, bar = panel.standardize.ui.standardizeButton, panel.messages._progress.progressBar
    pressed(button)
    assert button.text == "Cancel"
    folder = panel.work.current.folder
    wait_until(lambda: "slices/s" in bar.format)
    assert 0 < bar.value < 1000 and "left" in bar.format
    unfold(panel, "logFold")
    picture(panel, "working")
    start = time.monotonic()
    pressed(button)
    assert "Being cancelled" in button.toolTip
    wait_until(lambda: panel.work.current is None, 5)
    assert time.monotonic() - start < 2.5
    assert button.text == "Standardize" and panel.result() is None and not folder.exists()
    assert "ancelled" in panel.messages.lines[-1]
    assert os.name == "nt" or not processes_of(folder)


@pytest.mark.skipif(os.name == "nt", reason="looks for processes under /proc")
def test_a_worker_that_does_not_listen_is_killed_with_what_it_started(panel, wait_until, monkeypatch, tmp_path):
    marker = tmp_path / "grandchild"
    replace_worker(monkeypatch, tmp_path, f"""
import signal, subprocess, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", {str(marker)!r}])
print("at work", flush=True)
time.sleep(60)""")
    panel.set("inputVolume", chest("CT"))
    panel.set("method", "ls")
    pressed(panel.standardize.ui.standardizeButton)
    wait_until(lambda: "at work" in panel.messages.lines)
    assert processes_of(marker)
    start = time.monotonic()
    pressed(panel.standardize.ui.standardizeButton)
    wait_until(lambda: panel.work.current is None, 5)
    assert time.monotonic() - start < 2.5
    wait_until(lambda: not processes_of(marker), 2)
    assert "Cancelled" in panel.messages.lines[-1]


@pytest.mark.parametrize("code, words", [
    ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", ("memory runs out", "crop the volume")),
    ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", ("crashed", "cpu")),
    ("print('Traceback: no such thing', flush=True); sys.exit(7)", ("status 7",)),
    ("import json; print('x' * 100000, flush=True); open(result, 'w').write('{')", ("status 0",)),
])  # fmt: skip
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_worker_that_dies_becomes_a_sentence_with_a_remedy(panel, wait_until, monkeypatch, tmp_path, code, words):
    replace_worker(monkeypatch, tmp_path, code)
    panel.set("inputVolume", chest("CT"))
    panel.set("method", "ls")
    pressed(panel.standardize.ui.standardizeButton)
    wait_until(lambda: panel.work.current is None)
    assert all(word in panel.messages.lines[-1] for word in words), panel.messages.lines[-1]
    assert panel.result() is None and panel.standardize.ui.standardizeButton.isEnabled()
    if "crop" in words[-1]:
        picture(panel, "failed")


def test_a_full_graphics_card_is_explained(panel, wait_until, monkeypatch, tmp_path):
    sentence = "CT could not be standardized (OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB)."
    result = {"exit_code": 1, "sentence": "1 failed", "outcomes": [{"input": "CT", "outcome": "failed", "sentence": sentence}]}
    replace_worker(monkeypatch, tmp_path, f"open(result, 'w').write({json.dumps(result)!r}); sys.exit(1)")
    panel.set("inputVolume", chest("CT"))
    panel.set("method", "ls")
    pressed(panel.standardize.ui.standardizeButton)
    wait_until(lambda: panel.work.current is None)
    assert "graphics card has too little free memory" in panel.messages.lines[-1] and "device cpu" in panel.messages.lines[-1]


def test_an_interpreter_that_is_not_there_is_told(panel, monkeypatch):
    from LTDiffStandardizeLib.panel import work

    monkeypatch.setattr(work, "interpreter", lambda: "/nowhere/python")
    panel.set("inputVolume", chest("CT"))
    panel.set("method", "ls")
    pressed(panel.standardize.ui.standardizeButton)
    assert "cannot be started" in panel.messages.lines[-1] and panel.work.current is None


def test_a_scene_that_is_closed_in_the_middle_ends_the_work_and_harms_nothing(panel, wait_until):
    import slicer

    panel.set("inputVolume", chest("long", slices=400))
    panel.set("method", "ls_noise")
    pressed(panel.standardize.ui.standardizeButton)
    wait_until(lambda: panel.messages._progress.progressBar.value > 0)
    folder = panel.work.current.folder
    slicer.mrmlScene.Clear(0)
    assert panel.work.current is None and not folder.exists()
    assert "scene was closed" in panel.messages.lines[-1]
    assert panel.parameters.inputVolume is None and not panel.standardize.ui.standardizeButton.isEnabled()
    standardized(panel, wait_until, "next")


def test_a_source_that_is_deleted_in_the_middle_leaves_its_result(panel, wait_until):
    import slicer

    source = chest("CT", slices=60)
    panel.set("inputVolume", source)
    panel.set("method", "ls_noise")
    pressed(panel.standardize.ui.standardizeButton)
    wait_until(lambda: panel.messages._progress.progressBar.value > 0)
    slicer.mrmlScene.RemoveNode(source)
    wait_until(lambda: panel.work.current is None)
    (result,) = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    assert result.GetAttribute("LTDiff.method") == "ls_noise"
    assert "no longer in the scene" in panel.messages.lines[-1]


def test_an_output_that_is_chosen_is_filled_and_one_that_is_deleted_is_made_anew(panel, wait_until):
    import slicer

    target = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Mine")
    _, result = standardized(panel, wait_until, outputVolume=target)
    assert result is target and slicer.util.arrayFromVolume(target).shape == (6, 64, 64)


def test_two_volumes_can_be_put_into_the_queue(panel, wait_until):
    from LTDiffStandardizeLib.scene.results import results_of

    first, second = chest("first", slices=40), chest("second", 1)
    panel.set("method", "ls_noise")
    for node in (first, second):
        panel.set("inputVolume", node)
        pressed(panel.standardize.ui.standardizeButton)
        assert panel.standardize.ui.standardizeButton.text == "Cancel"
    assert len(panel.work.waiting) == 1 and "waits for its turn" in panel.messages.lines[-1]
    wait_until(lambda: panel.work.current is None)
    assert len(results_of(first)) == len(results_of(second)) == 1


def test_a_waiting_job_is_cancelled_without_a_trace(panel, wait_until):
    first, second = chest("first", slices=60), chest("second", 1)
    panel.set("method", "ls_noise")
    for node in (first, second):
        panel.set("inputVolume", node)
        pressed(panel.standardize.ui.standardizeButton)
    pressed(panel.standardize.ui.standardizeButton)
    assert not panel.work.waiting and "cancelled before it began" in panel.messages.lines[-1]
    wait_until(lambda: panel.work.current is None)


def test_a_series_that_is_refused_says_why(panel, wait_until):
    panel.set("inputVolume", chest("sharp", kernel="B70f"))
    panel.set("method", "ls")
    pressed(panel.standardize.ui.standardizeButton)
    wait_until(lambda: panel.work.current is None)
    assert "B70f" in panel.messages.lines[-1] and panel.result() is None
    assert '"Target"' in panel.messages.lines[-1] and "--" not in panel.messages.lines[-1]


def test_a_target_is_measured_on_the_reference(panel, wait_until):
    sharp = chest("sharp", 1, "Br59")
    _, result = standardized(panel, wait_until, referenceVolume=sharp, target="reference", method="power")
    assert result.GetAttribute("LTDiff.protocol") == "B40f to Br59" or "Br59" in (result.GetAttribute("LTDiff.target") or "")
