"""The test that runs inside Slicer: the sample, standardized, a box, features and their agreement, through the panel and a real worker."""
from __future__ import annotations

import time

import numpy as np
import slicer

from ..scene import comparison
from ..scene.regions import add_roi, region_of_roi
from ..scene.volumes import PREFIX, RAS_TO_LPS, attributes_of, volume_of
from . import packages

SECONDS = 600
BOX_MM = (30.0, 25.0, 40.0)


def run(test, panel=None) -> None:
    """test: a ScriptedLoadableModuleTest; panel: None for that of the module."""
    is_ready, sentence = packages.ready(features=True)
    if not is_ready:
        test.skipTest(sentence)
    slicer.mrmlScene.Clear(0)
    panel = panel or slicer.modules.ltdiffstandardize.widgetRepresentation().self().panel
    _sample(test, panel)
    for method in ("ls_noise", "ltdiff") if packages.torch_is_there() else ("ls_noise",):
        _standardize(test, panel, method)
    _region(test, panel)
    _features(test, panel)
    test.delayDisplay("LTDiff: all passed")


def _sample(test, panel) -> None:
    test.delayDisplay("LTDiff: loading the sample")
    panel.standardize.load_sample()
    source = panel.parameters.inputVolume
    test.assertIsNotNone(source, f"the sample was not loaded: {panel.messages.lines}")
    volume = volume_of(source)
    test.assertEqual(volume.hu.shape, (9, 512, 512), "the soft series has 9 slices of 512 x 512")
    test.assertEqual(volume.facts.kernel, "B40f", "the kernel comes with the sample")
    test.assertEqual(panel.standardize.why_not(), "", "with the sample loaded there is no reason against standardizing")


def _standardize(test, panel, method: str) -> None:
    test.delayDisplay(f"LTDiff: standardizing with {method}")
    panel.set("method", method)
    panel.standardize.press()
    _wait(test, panel, f"standardizing with {method}")
    result, source = panel.result(), panel.parameters.inputVolume
    test.assertIsNotNone(result, f"{method} made no volume: {panel.messages.lines}")
    test.assertEqual(attributes_of(result)["method"], method, "the newest result is of the method that was asked for")
    before, after = volume_of(source), volume_of(result)
    test.assertTrue(np.allclose(before.corners(), after.corners(), atol=0.01), "the result lies where its source lies")
    test.assertEqual(result.GetDisplayNode().GetWindow(), source.GetDisplayNode().GetWindow(), "both are shown with one window")
    change = after.hu.astype(float) - before.hu
    test.assertLess(abs(change.mean()), 2.0, "the mean HU is kept")
    test.assertGreater(after.hu.std(), before.hu.std(), "a sharper kernel has more noise and sharper edges")


def _region(test, panel) -> None:
    source = volume_of(panel.parameters.inputVolume)
    centre = RAS_TO_LPS @ source.corners().mean(axis=0)
    roi = add_roi(centre, BOX_MM, "Self test")
    panel.regions.refresh()
    voxels = region_of_roi(roi, source).number_of_voxels
    expected = np.prod(np.array(BOX_MM) / source.spacing)
    test.assertAlmostEqual(voxels / expected, 1.0, delta=0.15, msg="the box holds as many voxels as its size says")
    test.assertEqual([facts.region for facts in panel.regions.facts], ["Self test"], "the table lists the box")
    panel.regions.go_to(0)


def _features(test, panel) -> None:
    test.delayDisplay("LTDiff: computing features")
    panel.set("randomRegions", 5)
    panel.set("profile", "ibsi")
    panel.features.press()
    _wait(test, panel, "computing features")
    findings = panel.features.findings
    test.assertIsNotNone(findings, f"there are no findings: {panel.messages.lines}")
    test.assertTrue(findings.has_reference, "the sharp series is the reference")
    rows = [row for row in findings.classes if row["ccc_mean"] is not None]
    test.assertTrue(rows and all(-1 <= row["ccc_mean"] <= 1 for row in rows), "every CCC lies between -1 and 1")
    test.assertTrue(comparison.has_charts(), "the charts are shown")
    chart = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLPlotChartNode")
    test.assertGreater(chart.GetNumberOfPlotSeriesNodes(), 0, "the chart has series")
    comparison.restore_layout()
    test.assertIsNone(comparison.layout_node().GetAttribute(PREFIX + "former_layout"), "the user's layout is back")


def _wait(test, panel, what: str) -> None:
    """Until the queue is empty, while the application works."""
    end = time.monotonic() + SECONDS
    while panel.work.current is not None:
        test.assertLess(time.monotonic(), end, f"{what} took more than {SECONDS} s: {panel.messages.lines[-5:]}")
        slicer.app.processEvents()
        time.sleep(0.02)
