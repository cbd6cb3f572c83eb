"""Findings as the worker writes them: small volumes with and without a reference, five boxes in two parts of the body."""
from small_cohort import Heard, nrrd_volume

from LTDiffStandardizeLib.comparison.cases import Case
from LTDiffStandardizeLib.comparison.findings import Findings
from LTDiffStandardizeLib.comparison.request import ComparisonRequest
from LTDiffStandardizeLib.tasks import run_comparison

ROIS = ("box:5,-5,103,8,9,3", "box:8,2,103,8,9,3", "box:-6,2,103,9,9,5", "sphere:0,-10,103,4", "sphere:-10,-10,103,5")
VOLUMES = ("source", "ls noise", "to B70f")


def findings_with_reference(folder, rois=ROIS):
    paths = {name: str(nrrd_volume(folder / f"{number}.nrrd", seed=number)) for number, name in enumerate(VOLUMES)}
    reference = str(nrrd_volume(folder / "reference.nrrd", seed=9))
    return _compared(reference, paths, folder / "out", rois)


def findings_without_reference(folder, rois=ROIS):
    paths = {name: str(nrrd_volume(folder / f"{number}.nrrd", seed=number)) for number, name in enumerate(VOLUMES[:2])}
    return _compared("", paths, folder / "out", rois)


def _compared(reference, paths, output, rois):
    case = Case("", reference, paths, ())
    run_comparison(ComparisonRequest((case,), str(output), "ibsi", rois=rois, patient="scene", arrays=True), Heard())
    return Findings(output)
