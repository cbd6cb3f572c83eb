"""What the worker made, as volumes of the scene: the standardized one beside its source, its uncertainty and the difference."""
from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import slicer

from ..volumes.image_files import read_volume_file
from .volumes import PREFIX, add_volume, attributes_of, copy_display, put_beside, set_attributes, set_facts, set_voxels, volume_of

SOURCE, OF = PREFIX + "source", PREFIX + "of"  # roles of node references: IDs change when scenes are put together, references follow
DIFFERENCE_WINDOW, UNCERTAINTY_WINDOW = (400.0, 0.0), (100.0, 50.0)  # window, level, HU


def add_result(folder: Path, source, output=None, difference: bool = False) -> list:
    """The nodes for the one result in the folder of a finished request: the volume, its uncertainty and the difference where there are.

    source: the node that it was made from, None where that is gone. output: a node to fill instead of a new one.
    """
    record = json.loads(next(folder.glob("*-provenance.json")).read_text(encoding="utf-8"))
    names = record["outputs"]
    volume_name = next(name for name in names if name.endswith(".nrrd") and not name.endswith("-uncertainty.nrrd"))
    volume = read_volume_file(folder / volume_name, volume_name)
    name = result_name(source, record)
    if output is None:
        output = add_volume(volume, name, source)
    else:
        _forget(output)
        set_voxels(output, volume)
        output.CreateDefaultDisplayNodes()
        if source is not None:
            put_beside(output, source)
            copy_display(source, output)
    set_attributes(output, provenance(record))
    output.SetNodeReferenceID(SOURCE, source.GetID() if source is not None else None)
    set_facts(output, volume.facts)
    made = [output]
    for uncertainty in (one for one in names if one.endswith("-uncertainty.nrrd")):
        spread = add_volume(read_volume_file(folder / uncertainty, uncertainty), f"{output.GetName()} uncertainty", output)
        made.append(_of_another_kind(spread, output, "uncertainty", UNCERTAINTY_WINDOW, "vtkMRMLColorTableNodeFilePlasma.txt"))
    if difference and source is not None:
        made.append(add_difference(source, output))
    return made


def add_difference(source, result):
    """result - source in HU, as a volume beside them."""
    before, after = volume_of(source), volume_of(result)
    hu = after.hu.astype(np.float32) - before.hu
    node = add_volume(replace(after, hu=hu, padding=None), f"{result.GetName()} difference", result)
    return _of_another_kind(node, result, "difference", DIFFERENCE_WINDOW, "vtkMRMLColorTableNodeFileDivergingBlueRed.txt")


def result_name(source, record: dict) -> str:
    """Such as "Chest B40f to B70f"."""
    base = source.GetName() if source is not None else Path(record["input"]).name.split(".")[0]
    return f"{base} {record['facts'].get('protocol') or record['settings']['method']}"


def provenance(record: dict) -> dict:
    """What a result node is told of its making: every setting, the facts and the warnings."""
    return {**record["settings"], **{key: record["facts"].get(key) for key in ("target", "about_the_protocol", "device", "finished_at")},
            "warnings": record["warnings"] or None}  # fmt: skip


def derivation_of(result) -> dict:
    """The fields of its `Derivation`, from the attributes of a result."""
    known = attributes_of(result)
    numbers = {name: json.loads(known[name]) for name in ("seed", "steps", "samples") if name in known}
    return {"method": known["method"], "target": known.get("target", "kernel unchanged"), "software_version": known["software_version"],
            "model_name": known.get("model"), "weights_sha256": known.get("weights_sha256"), **numbers}  # fmt: skip


def results_of(source) -> list:
    """The standardized volumes in the scene that were made from a node, oldest first."""
    volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    return [node for node in volumes if node.GetNodeReference(SOURCE) is source and not node.GetAttribute(PREFIX + "kind")]


def companion(result, kind: str):
    """The newest "difference" or "uncertainty" of a result, or None."""
    volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    found = [node for node in volumes if node.GetAttribute(PREFIX + "kind") == kind and node.GetNodeReference(OF) is result]
    return found[-1] if found else None


def _forget(output) -> None:
    """What is known of a node's earlier contents, and that others were made of those."""
    for attribute in attributes_of(output):
        output.RemoveAttribute(PREFIX + attribute)
    for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"):
        if node.GetNodeReference(OF) is output:
            node.SetNodeReferenceID(OF, None)


def _of_another_kind(node, of, kind: str, window: tuple[float, float], colours: str):
    """Marks and shows a volume whose values are no HU of a patient."""
    set_attributes(node, {"kind": kind})
    node.SetNodeReferenceID(OF, of.GetID())
    display = node.GetDisplayNode()
    display.AutoWindowLevelOff()
    display.SetWindowLevel(*window)
    if slicer.mrmlScene.GetNodeByID(colours) is not None:
        display.SetAndObserveColorNodeID(colours)
    return node
