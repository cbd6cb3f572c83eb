"""Regions that a user has drawn: ROI boxes and segments, as masks on the voxels of a volume and as files for the worker."""
from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import slicer

from ..comparison.labels import label_volume
from ..errors import InputError
from ..radiomics.regions import Region, told_apart
from ..radiomics.regions.markups import box_markup
from ..radiomics.regions.shapes import region_from_box, without_padding
from ..volumes.image_files import read_volume_file, write_volume_file
from ..volumes.volume import CTVolume
from .volumes import PREFIX, RAS_TO_LPS, set_voxels

DEFAULT_SIZE_MM = 30.0
REGION_OF = PREFIX + "region"  # marks the ROI nodes that were placed for us


def roi_nodes() -> list:
    """The boxes of the scene that are shown."""
    nodes = slicer.util.getNodesByClass("vtkMRMLMarkupsROINode")
    return [node for node in nodes if node.GetDisplayVisibility() and node.GetNumberOfDefinedControlPoints()]


def add_roi(centre_ras, size_mm, name: str = "Tumour"):
    """A new box along the axes of the patient."""
    node = _new_roi(name)
    node.SetCenter(*map(float, centre_ras))
    node.SetSize(*map(float, size_mm))
    return node


def _new_roi(name: str):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", slicer.mrmlScene.GenerateUniqueName(name))
    node.CreateDefaultDisplayNodes()
    node.SetAttribute(REGION_OF, "box")
    node.GetDisplayNode().SetFillVisibility(False)  # an outline: the fill would change how the grey values below it look
    return node


def start_placing(volume_node) -> None:
    """Lets the user draw a new box with the mouse; where there is no window, it lies in the middle of the volume."""
    if hasattr(slicer, "app") and slicer.util.mainWindow() is not None:
        slicer.modules.markups.logic().SetActiveListID(_new_roi("Tumour"))  # without a size: one that has it would end with the first click
        slicer.modules.markups.logic().StartPlaceMode(False)
        return
    bounds = [0.0] * 6
    volume_node.GetRASBounds(bounds)
    low, high = np.array(bounds[::2]), np.array(bounds[1::2])
    add_roi((low + high) / 2, np.minimum(high - low, DEFAULT_SIZE_MM))


def add_random_labels(path: Path):
    """The label map that the worker drew, as a segmentation with one segment: thin outlines in all slice views."""
    for old in [node for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode") if node.GetAttribute(REGION_OF) == "random"]:
        slicer.mrmlScene.RemoveNode(old)
    volume = read_volume_file(path, "random regions")
    labels = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "random regions")
    set_voxels(labels, replace(volume, hu=(volume.hu > 0).astype(np.int16)))
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Random regions")
    node.SetAttribute(REGION_OF, "random")
    node.CreateDefaultDisplayNodes()
    slicer.modules.segmentations.logic().ImportLabelmapToSegmentationNode(labels, node)
    slicer.mrmlScene.RemoveNode(labels)
    node.GetDisplayNode().SetVisibility2DFill(False)
    return node


def events_of_regions() -> list[tuple]:
    """(subject, event): what tells that a box or a segment of the scene has changed. Painting is told by the segmentation, not by its node."""
    found = []
    for node in slicer.util.getNodesByClass("vtkMRMLMarkupsROINode"):
        found += [(node, node.PointModifiedEvent), (node, node.DisplayModifiedEvent)]
    for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
        inside = node.GetSegmentation()
        found += [(inside, event) for event in (inside.SourceRepresentationModified, inside.RepresentationModified, inside.SegmentAdded,
                                                inside.SegmentRemoved, inside.SegmentModified)]  # fmt: skip
        found += [(node, node.DisplayModifiedEvent), (node, slicer.vtkMRMLTransformableNode.TransformModifiedEvent)]
    return found


def box_of(node) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(centre, size, axes as columns) of an ROI in LPS mm, as `region_from_box` takes them, whatever transform it lies in.

    Raises InputError where the ROI is no box, means what lies outside it, or is sheared by its transform.
    """
    name = node.GetName()
    if node.GetROIType() != node.ROITypeBox and node.GetROIType() != node.ROITypeBoundingBox:
        raise InputError(f"The ROI {name} is no box; draw a box.")
    if node.GetInsideOut():
        raise InputError(f"The ROI {name} means what lies outside it; switch off \"inside out\".")
    to_world = slicer.util.arrayFromVTKMatrix(node.GetObjectToWorldMatrix())
    lengths = np.linalg.norm(to_world[:3, :3], axis=0)
    axes = RAS_TO_LPS @ (to_world[:3, :3] / np.where(lengths > 0, lengths, 1))
    if not np.allclose(axes.T @ axes, np.eye(3), atol=1e-3):
        raise InputError(f"The ROI {name} is sheared by its transform; take it out of the transform or draw it again.")
    return RAS_TO_LPS @ to_world[:3, 3], np.array(node.GetSize()) * lengths, axes


def region_of_roi(node, volume: CTVolume) -> Region:
    """Raises InputError, see `box_of`, or where the box holds no voxel of the volume."""
    centre, size, axes = box_of(node)
    return region_from_box(volume, centre, size, axes, node.GetName())


def regions_of_segmentation(node, volume_node) -> list[Region]:
    """One region for every visible segment with a voxel, on the voxels of the volume node."""
    display, segmentation = node.GetDisplayNode(), node.GetSegmentation()
    regions = []
    for segment_id in segmentation.GetSegmentIDs():
        if display is not None and not display.GetSegmentVisibility(segment_id):
            continue
        mask = _mask_of(node, segment_id, volume_node)
        where = np.nonzero(mask) if mask is not None else [np.empty(0)]
        if where[0].size:
            box = tuple(slice(int(axis.min()), int(axis.max()) + 1) for axis in where)
            regions.append(Region(segmentation.GetSegment(segment_id).GetName(), "tumour", "segment", box, mask[box] > 0))
    return regions


def drawn_regions(volume: CTVolume, volume_node, segmentation=None) -> tuple[list[Region], list[str]]:
    """All boxes and segments on the volume, without what lies outside the field of view, and a sentence for each that cannot be used."""
    drawn, problems = _drawn(volume, volume_node, segmentation)
    return [region for region, _node in drawn], problems


def write_drawn(volume: CTVolume, volume_node, segmentation, folder: Path) -> list[str]:
    """Writes the same regions to files in the folder, in the same order, as the worker's `rois`; names survive as far as files can have them."""
    paths: list[Path] = []
    for region, node in _drawn(volume, volume_node, segmentation)[0]:
        name = file_name(region.name, paths)
        if node is not None:
            paths.append(folder / f"{name}.mrk.json")
            paths[-1].write_text(json.dumps({"markups": [box_markup(*box_of(node))]}), encoding="utf-8")
        else:
            paths.append(write_volume_file(label_volume([region], volume), folder / f"{name}.nrrd"))
    return [str(path) for path in paths]


def _mask_of(node, segment_id: str, volume_node) -> np.ndarray | None:
    """On the voxels of the volume. Of an empty segment in a transform Slicer makes no image, and trips over it."""
    try:
        return slicer.util.arrayFromSegmentBinaryLabelmap(node, segment_id, volume_node)
    except AttributeError:
        return None


def _drawn(volume: CTVolume, volume_node, segmentation) -> tuple[list[tuple[Region, object]], list[str]]:
    """Regions, each with its ROI node or None for a segment; and the sentences of `drawn_regions`."""
    pairs, problems = [], []
    for node in roi_nodes():
        try:
            pairs.append((region_of_roi(node, volume), node))
        except InputError as error:
            problems.append(str(error))
    if segmentation is not None:
        pairs += [(region, None) for region in regions_of_segmentation(segmentation, volume_node)]
    usable = []
    for region, node in pairs:
        inside = without_padding([region], volume.padding)
        usable += [(cut, node) for cut in inside]
        if not inside:
            problems.append(f"The region {region.name} lies outside the field of view, where nothing was measured; move it inside.")
    return list(zip(told_apart(region for region, _node in usable), (node for _region, node in usable))), problems


def go_to(centre_lps) -> None:
    """Shows the slices through a point in all slice views."""
    x, y, z = RAS_TO_LPS @ np.asarray(centre_lps, float)
    for node in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
        node.JumpSliceByCentering(x, y, z)


def file_name(name: str, taken: Sequence[Path]) -> str:
    """What is left of a name that every file system takes; dots would be taken for an ending."""
    safe = re.sub(r'[\\/:*?"<>|.\x00-\x1f]', "_", name).strip()[:60] or "region"
    stems = {path.name.split(".")[0].lower() for path in taken}
    return next(tried for number in range(len(taken) + 1) if (tried := f"{safe}-{number}" if number else safe).lower() not in stems)
