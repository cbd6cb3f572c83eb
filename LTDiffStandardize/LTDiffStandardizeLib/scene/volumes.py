"""CT volumes as nodes of the scene: read from them, added beside their source, and what a node knows of its scanner."""
from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Mapping

import numpy as np
import slicer
import vtk

from ..errors import InputError
from ..volumes.padding import padding_mask
from ..volumes.volume import CTFacts, CTVolume, fits_int16

PREFIX = "LTDiff."  # of the attributes that we give to nodes
SCANNER = "ct."  # follows the prefix for what the scanner tells
RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0])
DICOM_TAGS = {"kernel": "0018,1210", "manufacturer": "0008,0070", "model": "0008,1090", "kvp": "0018,0060", "mas": "0018,1152",
              "slice_thickness_mm": "0018,0050", "fov_mm": "0018,1100"}  # fmt: skip


def volume_of(node) -> CTVolume:
    """The volume that a scalar volume node holds, int16 where its values are whole numbers that fit, else float32.

    Raises InputError where the node is empty, is not three-dimensional, lies in a transform, has skewed axes or values that are no numbers.
    """
    name = node.GetName()
    if node.GetImageData() is None or not node.GetImageData().GetNumberOfPoints() or not node.GetImageData().GetPointData().GetScalars():
        raise InputError(f"The volume {name} is empty; load it again.")
    if node.GetTransformNodeID():
        raise InputError(f"The volume {name} lies in a transform; harden the transform or take the volume out of it.")
    values = slicer.util.arrayFromVolume(node)
    if values.ndim != 3:
        raise InputError(f"The volume {name} has several components; choose a CT volume with one value a voxel.")
    if not np.isfinite(values).all():
        raise InputError(f"The volume {name} has voxels that are no numbers; replace them (air is -1000 HU).")
    hu = values.astype(np.int16 if fits_int16(values) or _is_whole(values) else np.float32)
    origin, direction = geometry_of(node)
    return CTVolume(hu, node.GetSpacing(), origin, direction, padding_mask(hu), facts_of(node), name=name)


def geometry_of(node) -> tuple[tuple[float, ...], np.ndarray]:
    """(origin, direction) in LPS as `CTVolume` has them. Raises InputError where the axes are not at right angles."""
    directions = np.eye(3)
    node.GetIJKToRASDirections(directions)
    directions = RAS_TO_LPS @ directions
    if not np.allclose(directions.T @ directions, np.eye(3), atol=1e-3):
        raise InputError(f"The volume {node.GetName()} has axes that are not at right angles, as under a tilted gantry; resample it first.")
    return tuple(RAS_TO_LPS @ node.GetOrigin()), directions


def facts_of(node) -> CTFacts:
    """What the node's attributes, or else the DICOM database, tell about the scanner."""
    known: dict[str, Any] = {}
    for fact in fields(CTFacts):
        value = node.GetAttribute(PREFIX + SCANNER + fact.name) or _from_database(node, DICOM_TAGS.get(fact.name))
        if value:
            known[fact.name] = value if fact.name in ("kernel", "manufacturer", "model") else _number(value)
    return CTFacts(**known)


def add_volume(volume: CTVolume, name: str, like=None):
    """A new node with the volume; beside the node `like` in the subject hierarchy, and shown as that is.

    The facts become attributes, so that they are saved with the scene.
    """
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", slicer.mrmlScene.GenerateUniqueName(name))
    set_voxels(node, volume)
    node.CreateDefaultDisplayNodes()
    if like is not None:
        put_beside(node, like)
        copy_display(like, node)
    set_facts(node, volume.facts)
    return node


def set_voxels(node, volume: CTVolume) -> None:
    slicer.util.updateVolumeFromArray(node, volume.hu)
    matrix = np.eye(4)
    matrix[:3, :3] = RAS_TO_LPS @ volume.direction * volume.spacing
    matrix[:3, 3] = RAS_TO_LPS @ volume.origin
    to_ras = vtk.vtkMatrix4x4()
    to_ras.DeepCopy(matrix.ravel())
    node.SetIJKToRASMatrix(to_ras)


def set_facts(node, facts: CTFacts) -> None:
    set_attributes(node, {SCANNER + name: value for name, value in asdict(facts).items()})


def set_attributes(node, values: Mapping[str, Any]) -> None:
    """Each under our prefix, texts as they are and anything else as JSON; None is left out."""
    for name, value in values.items():
        if value is not None:
            node.SetAttribute(PREFIX + name, value if isinstance(value, str) else json.dumps(value))


def attributes_of(node) -> dict[str, str]:
    """{name without our prefix: value}"""
    return {name[len(PREFIX):]: node.GetAttribute(name) for name in node.GetAttributeNames() if name.startswith(PREFIX)}


def put_beside(node, source) -> None:
    """Into the folder (the study) of the source in the subject hierarchy."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    hierarchy.SetItemParent(_item(hierarchy, node), hierarchy.GetItemParent(_item(hierarchy, source)))


def copy_display(source, node) -> None:
    """Window, level and colours of one volume for another: with different ones a comparison would mislead."""
    shown, showing = source.GetDisplayNode(), node.GetDisplayNode()
    if shown and showing:
        showing.SetAndObserveColorNodeID(shown.GetColorNodeID())
        showing.AutoWindowLevelOff()
        showing.SetWindowLevel(shown.GetWindow(), shown.GetLevel())


def dicom_files(node) -> list[Path]:
    """The files that the volume was loaded from, where they are still there; else none."""
    database, uids = getattr(slicer, "dicomDatabase", None), (node.GetAttribute("DICOM.instanceUIDs") or "").split()
    if uids and database is not None:
        files = [database.fileForInstance(uid) for uid in uids]
    else:
        files = json.loads(node.GetAttribute(PREFIX + "source_files") or "[]")
    paths = [Path(file) for file in files if file]
    return paths if all(path.is_file() for path in paths) else []


def shown_volume():
    """The volume in the background of the first slice view, if it is one of intensities; else the first such node, or None."""
    composites = slicer.mrmlScene.GetNodesByClass("vtkMRMLSliceCompositeNode")
    composites.UnRegister(None)
    for index in range(composites.GetNumberOfItems()):
        node = slicer.mrmlScene.GetNodeByID(composites.GetItemAsObject(index).GetBackgroundVolumeID() or "")
        if node is not None and node.GetClassName() == "vtkMRMLScalarVolumeNode":
            return node
    return slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")


def _item(hierarchy, node) -> int:
    """Slicer makes the item of a node by itself; a scene without the application does not."""
    return hierarchy.GetItemByDataNode(node) or hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)


def _from_database(node, tag: str | None) -> str | None:
    database, uids = getattr(slicer, "dicomDatabase", None), (node.GetAttribute("DICOM.instanceUIDs") or "").split()
    return database.instanceValue(uids[0], tag) if tag and uids and database is not None else None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _is_whole(values: np.ndarray) -> bool:
    """Slicer holds some DICOM series as floats, though all HU are whole."""
    limits = np.iinfo(np.int16)
    return bool(values.min() >= limits.min and values.max() <= limits.max and np.array_equal(values, np.rint(values)))
