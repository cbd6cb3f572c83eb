"""The shipped pair as sample data of Slicer."""
import sys
from types import ModuleType

import pytest
from scene_parts import slicer

from LTDiffStandardizeLib.scene import samples
from LTDiffStandardizeLib.scene.comparison import PRESETS, composite_of
from LTDiffStandardizeLib.scene.volumes import dicom_files, facts_of, volume_of


@pytest.fixture
def sample_data(monkeypatch):
    """The sources that were registered at a stand-in for Slicer's module."""
    sources, module = [], ModuleType("SampleData")
    register = staticmethod(lambda **source: sources.append(source))
    module.SampleDataLogic = type("SampleDataLogic", (), {"registerCustomSampleDataSource": register})
    monkeypatch.setitem(sys.modules, "SampleData", module)
    return sources


def test_the_pair_is_two_series_of_one_scan_with_their_kernels(scene):
    soft, sharp = samples.load_pair()
    assert [node.GetName() for node in (soft, sharp)] == list(samples.NAMES.values())
    volumes = [volume_of(node) for node in (soft, sharp)]
    assert [volume.facts.kernel for volume in volumes] == [samples.SOFT, samples.SHARP]
    assert [volume.hu.shape for volume in volumes] == [(9, 512, 512)] * 2 and (volumes[0].corners() == volumes[1].corners()).all()
    assert volumes[1].hu.std() > volumes[0].hu.std()
    for node, kernel in zip((soft, sharp), samples.NAMES):
        files = dicom_files(node)
        assert len(files) == 9 and {file.parent.name for file in files} == {kernel} and facts_of(node).kvp == 120


def test_the_pair_lies_side_by_side_and_is_shown_in_a_lung_window(scene):
    nodes = samples.load_pair()
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    items = [hierarchy.GetItemByDataNode(node) for node in nodes]
    assert all(items) and len({hierarchy.GetItemParent(item) for item in items}) == 1
    assert [(node.GetDisplayNode().GetWindow(), node.GetDisplayNode().GetLevel()) for node in nodes] == [PRESETS["lung"]] * 2
    views = slicer.util.getNodesByClass("vtkMRMLSliceNode")
    assert {composite_of(view).GetBackgroundVolumeID() for view in views} == {nodes[0].GetID()}


def test_the_pair_is_offered_in_the_sample_data_module(scene, sample_data, monkeypatch):
    samples.register()
    (source,) = sample_data
    assert (source["category"], source["sampleName"]) == ("LTDiff", "LTDiffChestPair")
    with open(source["thumbnailFileName"], "rb") as file:
        assert file.read(4) == b"\x89PNG"
    monkeypatch.setattr(samples, "load_pair", lambda: ["soft", "sharp"])
    assert source["customDownloader"](None) == ["soft", "sharp"]


def test_without_the_sample_data_module_nothing_is_registered(scene, monkeypatch):
    monkeypatch.setitem(sys.modules, "SampleData", None)
    assert samples.register() is None
