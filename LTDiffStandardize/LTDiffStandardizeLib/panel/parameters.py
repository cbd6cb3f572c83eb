"""What the panel is set to, as a parameter node: saved with the scene."""
from typing import Annotated

from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper

from ..model.standardizer import METHODS
from ..radiomics.profiles import PROFILES

AUTOMATIC, REFERENCE = "", "reference"  # targets that are no protocol


@parameterNodeWrapper
class Parameters:
    """target: AUTOMATIC, REFERENCE or the name of a protocol. steps: 0 for the model's own. randomRegions: for each HU range."""

    inputVolume: vtkMRMLScalarVolumeNode
    referenceVolume: vtkMRMLScalarVolumeNode
    outputVolume: vtkMRMLScalarVolumeNode
    segmentation: vtkMRMLSegmentationNode
    target: str = AUTOMATIC
    method: str = METHODS[0]
    device: str = "auto"
    profile: str = next(iter(PROFILES))
    steps: Annotated[int, WithinRange(0, 1000)] = 0
    samples: Annotated[int, WithinRange(1, 64)] = 1
    seed: Annotated[int, WithinRange(0, 2147483647)] = 0
    makeDifference: bool = False
    randomRegions: Annotated[int, WithinRange(0, 500)] = 0
