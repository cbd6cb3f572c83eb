"""What the worker made, as volumes of the scene, with what is known of their making."""
import json

import numpy as np
import pytest
from scene_parts import add_transform, centred, slicer
from small_cohort import nrrd_volume, standardize

from LTDiffStandardizeLib.cohort.provenance import VERSION
from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.scene.results import (
    DIFFERENCE_WINDOW,
    UNCERTAINTY_WINDOW,
    add_difference,
    add_result,
    companion,
    derivation_of,
    results_of,
)
from LTDiffStandardizeLib.scene.volumes import add_volume, attributes_of, facts_of, set_attributes, volume_of
from LTDiffStandardizeLib.volumes.derivation import Derivation
from LTDiffStandardizeLib.volumes.image_files import read_volume_file

SEED = 7


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """{number of samples: (file of the source, folder of the result)}, as the worker writes them."""
    folder, made = tmp_path_factory.mktemp("cohort"), {}
    for samples in (1, 3):
        source = nrrd_volume(folder / f"chest{samples}.nrrd", slices=3)
        standardize(source, folder / str(samples), format="nrrd", seed=SEED, samples=samples)
        made[samples] = source, folder / str(samples)
    return made


@pytest.fixture
def source(scene, made):
    node = add_volume(read_volume_file(made[1][0], "chest"), "chest")
    node.GetDisplayNode().AutoWindowLevelOff()
    node.GetDisplayNode().SetWindowLevel(1400, -500)
    return node


def parent_item(node):
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    return hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node))


def written(folder):
    (path,) = (path for path in folder.glob("*.nrrd") if "uncertainty" not in path.name)
    return read_volume_file(path, "written")


def test_a_result_has_the_voxels_of_its_file_and_lies_on_its_source(source, made):
    (node,) = add_result(made[1][1], source)
    volume, expected = volume_of(node), written(made[1][1])
    assert np.array_equal(volume.hu, expected.hu) and not np.array_equal(volume.hu, volume_of(source).hu)
    np.testing.assert_allclose(volume.corners(), volume_of(source).corners(), atol=1e-9)
    assert node.GetName() == "chest B40f to B70f" and parent_item(node) == parent_item(source)
    assert (node.GetDisplayNode().GetWindow(), node.GetDisplayNode().GetLevel()) == (1400, -500)
    assert facts_of(node).kernel == expected.facts.kernel != facts_of(source).kernel


def test_a_result_tells_how_it_was_made(source, made):
    (node,) = add_result(made[1][1], source)
    known, record = attributes_of(node), json.loads(next(made[1][1].glob("*-provenance.json")).read_text())
    assert (known["method"], known["seed"], known["samples"], known["software_version"]) == ("ls_noise", str(SEED), "1", VERSION)
    assert (known["protocol"], known["target"]) == ("B40f to B70f", "B70f")
    assert known["protocol_sha256"] == record["settings"]["protocol_sha256"]
    assert known["finished_at"] == record["facts"]["finished_at"]
    assert not {"weights_sha256", "model", "steps", "warnings"} & set(known)


def test_the_derivation_of_a_result_is_that_of_its_record(source, made):
    (node,) = add_result(made[1][1], source)
    derivation = Derivation(**derivation_of(node))
    assert derivation == Derivation("ls_noise", "B70f", VERSION, seed=SEED, samples=1)
    assert f"method ls_noise, seed {SEED}" in derivation.sentence("B40f")


def test_model_and_weights_are_in_the_derivation_of_a_result_that_has_them(source, made, tmp_path):
    settings = {"method": "ltdiff", "model": "ltdiff-chest", "weights_sha256": "0a" * 32, "seed": 2**32 - 1, "steps": 9}
    settings["samples"] = 4
    (node,) = add_result(with_record(made[1][1], tmp_path, settings=settings, facts={"target": "Bl64-like"}), source)
    expected = Derivation("ltdiff", "Bl64-like", VERSION, "ltdiff-chest", "0a" * 32, 2**32 - 1, 9, 4)
    assert Derivation(**derivation_of(node)) == expected


def test_a_method_that_changes_nothing_has_no_target(source, made, tmp_path):
    unset = {"method": "none", "protocol": None, "seed": None, "samples": None}
    (node,) = add_result(with_record(made[1][1], tmp_path, settings=unset, facts={"target": None, "protocol": None}), source)
    assert Derivation(**derivation_of(node)) == Derivation("none", "kernel unchanged", VERSION) and node.GetName() == "chest none"


def test_warnings_are_kept(source, made, tmp_path):
    (node,) = add_result(with_record(made[1][1], tmp_path, warnings=["Too noisy.", "Zu verrauscht, ü."]), source)
    assert json.loads(attributes_of(node)["warnings"]) == ["Too noisy.", "Zu verrauscht, ü."]


def with_record(folder, copy, warnings=(), settings=(), facts=()):
    """A copy of a result whose record says something else."""
    for path in folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    path = next(copy.glob("*-provenance.json"))
    record = json.loads(path.read_text())
    record["settings"].update(settings), record["facts"].update(facts), record["warnings"].extend(warnings)
    path.write_text(json.dumps(record))
    return copy


def test_the_difference_is_result_minus_source_in_every_voxel(source, made):
    node, difference = add_result(made[1][1], source, difference=True)
    expected = written(made[1][1]).hu.astype(np.float64) - read_volume_file(made[1][0], "").hu
    assert np.array_equal(volume_of(difference).hu, expected) and expected.any()
    np.testing.assert_array_equal(volume_of(difference).corners(), volume_of(source).corners())
    assert companion(node, "difference") is difference and companion(node, "uncertainty") is None
    assert difference.GetName() == "chest B40f to B70f difference" and parent_item(difference) == parent_item(source)
    display = difference.GetDisplayNode()
    assert (display.GetWindow(), display.GetLevel(), display.GetAutoWindowLevel()) == (*DIFFERENCE_WINDOW, 0)


def test_a_difference_may_be_larger_than_16_bits_and_have_fractions(scene):
    source, result = add_volume(centred(), "source"), add_volume(centred(), "result")
    slicer.util.updateVolumeFromArray(source, np.full((2, 3, 4), -32768, np.int16))
    for highest in (np.full((2, 3, 4), 32767, np.int16), np.full((2, 3, 4), 32767.5, np.float32)):
        slicer.util.updateVolumeFromArray(result, highest)
        assert (slicer.util.arrayFromVolume(add_difference(source, result)) == highest.astype(float) + 32768).all()


def test_several_samples_bring_an_uncertainty_in_its_own_window(source, made):
    node, spread = add_result(made[3][1], source)
    values = slicer.util.arrayFromVolume(spread)
    assert companion(node, "uncertainty") is spread and values.min() >= 0 and values.max() > 0
    assert (spread.GetDisplayNode().GetWindow(), spread.GetDisplayNode().GetLevel()) == UNCERTAINTY_WINDOW
    assert attributes_of(node)["samples"] == "3" and spread.GetNodeReference("LTDiff.of") is node


def test_a_result_whose_source_is_gone_is_named_after_its_file_and_has_no_difference(scene, made):
    nodes = add_result(made[1][1], None, difference=True)
    assert [node.GetName() for node in nodes] == ["chest1 B40f to B70f"] and "source" not in attributes_of(nodes[0])
    assert Derivation(**derivation_of(nodes[0])).seed == SEED
    assert np.array_equal(volume_of(nodes[0]).hu, written(made[1][1]).hu)


def test_a_chosen_output_is_filled_and_nothing_of_what_it_held_before_is_told(source, made):
    output = add_volume(centred(seed=5), "mine")
    set_attributes(output, {"weights_sha256": "0a" * 32, "model": "other", "steps": 50, "kind": "difference", "ct.fov_mm": 331.0})
    nodes = add_result(made[1][1], source, output)
    assert nodes == [output] and output.GetName() == "mine" and np.array_equal(volume_of(output).hu, written(made[1][1]).hu)
    assert Derivation(**derivation_of(output)) == Derivation("ls_noise", "B70f", VERSION, seed=SEED, samples=1)
    assert facts_of(output).fov_mm is None and results_of(source) == [output]
    assert parent_item(output) == parent_item(source) and output.GetDisplayNode().GetWindow() == 1400


def test_an_empty_output_node_is_filled_too(scene, source, made):
    output = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    assert add_result(made[1][1], source, output) == [output] and output.GetDisplayNode().GetLevel() == -500


def test_results_are_listed_oldest_first_without_differences_and_those_of_others(source, made):
    other = add_volume(centred(), "other")
    first, difference, second = *add_result(made[1][1], source, difference=True), *add_result(made[1][1], source)
    add_result(made[1][1], other), add_result(made[1][1], None)
    assert results_of(source) == [first, second] and len(results_of(other)) == 1
    newer = add_difference(source, first)
    assert companion(first, "difference") is newer and companion(second, "difference") is None and difference is not newer


def test_a_source_that_was_moved_meanwhile_is_refused_for_a_difference_only(source, made):
    source.SetAndObserveTransformNodeID(add_transform(np.eye(4)).GetID())
    assert len(add_result(made[1][1], source)) == 1
    with pytest.raises(InputError, match="transform"):
        add_result(made[1][1], source, difference=True)
