"""Boxes from the ROI markups of 3D Slicer (.mrk.json)."""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ...errors import InputError
from ...volumes.volume import CTVolume
from .region import Region
from .shapes import region_from_box

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0])


def regions_from_markups(path: str | Path, volume: CTVolume, hu_range: str = "tumour", group: str = "") -> list[Region]:
    """One region for every ROI in the file, a box turned as it was drawn; its voxels are those of `region_from_box`.

    They are named like the file, and numbered where there are several.
    A file without an orientation or a coordinate system holds a box along the axes of the patient, in LPS.
    Raises InputError where the file holds no box, one that is turned inside out, or one without a voxel of the volume.
    """
    path = Path(path)
    try:
        markups = json.loads(path.read_text(encoding="utf-8"))["markups"]
        boxes = [_box(markup) for markup in markups if markup.get("type") == "ROI"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"The markups {path.name} cannot be read ({type(error).__name__}: {error}); save the ROI again from 3D Slicer.") from error
    if not boxes:
        raise InputError(f"{path.name} holds no ROI, only other markups; save the box itself from 3D Slicer.")
    stem = path.name.split(".")[0]
    names = [stem] if len(boxes) == 1 else [f"{stem} {number}" for number in range(1, len(boxes) + 1)]
    return [region_from_box(volume, centre, size, axes, name, hu_range, group) for name, (centre, size, axes) in zip(names, boxes)]


def box_markup(centre: np.ndarray, size: np.ndarray, axes: np.ndarray) -> dict:
    """The ROI of such a file for a box; LPS mm, axes as columns."""
    return {"type": "ROI", "coordinateSystem": "LPS", "roiType": "Box", "center": [*map(float, centre)], "size": [*map(float, size)],
            "orientation": [*map(float, np.ravel(axes))], "insideOut": False}  # fmt: skip


def _box(markup: dict) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(centre, size, axes as columns), LPS mm."""
    turn = RAS_TO_LPS if markup.get("coordinateSystem", "LPS") in ("RAS", "0", 0) else np.eye(3)
    axes = np.reshape(np.array(markup.get("orientation") or np.eye(3), float), (3, 3))
    centre, size = (np.reshape(np.array(markup[key], float), 3) for key in ("center", "size"))
    if not (np.isfinite([centre, size]).all() and np.allclose(axes.T @ axes, np.eye(3), atol=1e-3)):
        raise ValueError("a box whose numbers are not finite or whose axes are not at right angles")
    if markup.get("insideOut"):
        raise ValueError("a box that means what lies outside it")
    return turn @ centre, size, turn @ axes
