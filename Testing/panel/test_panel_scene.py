"""The panel in the life of a scene: what is drawn, painted, put together, saved and closed."""
import time

import numpy as np
from panel_parts import chest, make_widget


def segmentation_on(volume_node, name="Segmentation"):
    """With one segment of 4 x 4 x 2 voxels."""
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)
    paint(node, node.GetSegmentation().AddEmptySegment("nodule", "nodule"), volume_node, 4)
    return node


def paint(node, segment, volume_node, side):
    import slicer

    mask = np.zeros(slicer.util.arrayFromVolume(volume_node).shape, np.uint8)
    mask[2:4, 30:30 + side, 30:30 + side] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, segment, volume_node)


def test_a_segment_is_measured_when_it_is_painted_and_only_then(panel, wait_until, monkeypatch):
    source = chest("CT")
    panel.set("inputVolume", source)
    segmentation = segmentation_on(source)
    panel.set("segmentation", segmentation)
    wait_until(lambda: [facts.voxels for facts in panel.regions.facts] == [32], 5)
    measured, refresh = [], panel.regions.refresh
    monkeypatch.setattr(panel.regions, "refresh", lambda: (measured.append(1), refresh()))
    end = time.monotonic() + 1.5
    wait_until(lambda: time.monotonic() > end, 5)
    assert len(measured) <= 1
    paint(segmentation, "nodule", source, 6)
    wait_until(lambda: [facts.voxels for facts in panel.regions.facts] == [72], 5)
    segmentation.GetDisplayNode().SetSegmentVisibility("nodule", False)
    wait_until(lambda: not panel.regions.facts, 5)


def test_nothing_is_measured_while_another_module_is_shown(panel, wait_until, monkeypatch):
    from LTDiffStandardizeLib.scene.regions import add_roi

    panel.set("inputVolume", chest("CT"))
    wait_until(lambda: not panel._wait.isActive(), 5)
    panel.leave()
    add_roi((22, 30, 105), (5, 5, 6), "Nodule")
    wait_until(lambda: not panel._wait.isActive(), 5)
    assert not panel.regions.facts
    panel.enter()
    wait_until(lambda: len(panel.regions.facts) == 1, 5)


def test_what_is_gone_from_the_scene_is_let_go_of(panel, wait_until):
    import slicer

    source = chest("CT")
    panel.set("inputVolume", source)
    segmentation = segmentation_on(source)
    inside = segmentation.GetSegmentation()
    wait_until(lambda: any(subject is inside for subject, _event in panel._followed), 5)
    slicer.mrmlScene.RemoveNode(segmentation)
    wait_until(lambda: not any(subject in (inside, segmentation) for subject, _event in panel._followed), 5)
    slicer.mrmlScene.Clear(0)
    assert not panel._followed


def test_results_stay_with_their_patient_when_scenes_are_put_together(panel, tmp_path):
    """Slicer gives nodes new IDs where those of two scenes clash."""
    import slicer

    from LTDiffStandardizeLib.scene.results import SOURCE, results_of

    first = chest("patient A")
    result = chest("A standardized", 1)
    result.SetNodeReferenceID(SOURCE, first.GetID())
    result.SetAttribute("LTDiff.method", "ls")
    path = str(tmp_path / "a.mrml")
    assert slicer.mrmlScene.Commit(path)
    slicer.mrmlScene.Clear(0)
    other = chest("patient B")
    slicer.mrmlScene.SetURL(path)
    slicer.mrmlScene.Import()
    assert results_of(other) == []
    (found,) = results_of(slicer.mrmlScene.GetFirstNodeByName("patient A"))
    assert found.GetName() == "A standardized"


def test_the_application_learns_sample_and_layouts_when_it_has_started(scene, application):
    from types import SimpleNamespace

    import LTDiffStandardize
    import slicer
    from SampleData import SampleDataLogic

    from LTDiffStandardizeLib.scene.comparison import SIDE_BY_SIDE, WITH_CHARTS, layout_node

    SampleDataLogic.sources.clear()
    application.startup_functions.clear()
    LTDiffStandardize.LTDiffStandardize(SimpleNamespace())
    (introduce,) = application.startup_functions
    introduce()
    (source,) = SampleDataLogic.sources
    assert source["sampleName"] == "LTDiffChestPair" and len(source["uris"]) == len(source["fileNames"])
    soft, sharp = source["customDownloader"](None)
    assert (soft.GetName(), sharp.GetName()) == ("Chest B40f (soft)", "Chest B70f (sharp)")
    assert all(layout_node().IsLayoutDescription(base + number) for base in (SIDE_BY_SIDE, WITH_CHARTS) for number in (2, 3))
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 2


def test_closing_the_panel_leaves_no_observers_and_no_timer(scene):
    widget = make_widget()
    widget.panel.set("inputVolume", chest("CT"))
    widget.cleanup()
    chest("another")  # would call the panel back
    assert not widget.panel._wait.isActive() and widget.panel.parameters is None


def test_random_regions_of_one_volume_are_not_listed_for_another(panel, wait_until):
    from LTDiffStandardizeLib.cohort.run import DONE, Result
    from LTDiffStandardizeLib.comparison.labels import label_volume
    from LTDiffStandardizeLib.panel.work import Job
    from LTDiffStandardizeLib.radiomics.regions import Region
    from LTDiffStandardizeLib.radiomics.tables import write_region_facts
    from LTDiffStandardizeLib.scene.volumes import volume_of
    from LTDiffStandardizeLib.volumes import write_volume_file

    first, other = chest("first"), chest("other", 1)
    volume = volume_of(first)
    region = Region("[10,250] 001", "[10,250]", "random", (slice(1, 3), slice(30, 34), slice(30, 34)), np.ones((2, 4, 4), bool))
    job = Job("Draw random regions", panel.regions._done, first.GetID())
    panel.set("inputVolume", first)
    write_region_facts(job.folder / "out" / "regions.csv", [region], volume)
    write_volume_file(label_volume([region], volume), job.folder / "out" / "regions.nrrd")
    panel.regions._done(job, Result(DONE, "Written."))
    assert [facts.region for facts in panel.regions.facts] == ["[10,250] 001"]
    panel.set("inputVolume", other)
    wait_until(lambda: not panel.regions.facts, 5)
