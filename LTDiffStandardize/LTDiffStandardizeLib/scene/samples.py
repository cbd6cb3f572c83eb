"""The shipped pair of CT series as sample data: read from the extension's own folder, nothing is downloaded."""
from __future__ import annotations

from pathlib import Path

from .volumes import add_volume, set_attributes

FOLDER = Path(__file__).resolve().parents[2] / "Resources" / "SampleData" / "lungdx-a0002"
SOFT, SHARP = "B40f", "B70f"
NAMES = {SOFT: "Chest B40f (soft)", SHARP: "Chest B70f (sharp)"}


def load_pair() -> list:
    """Two nodes, the soft and the sharp series of one scan, side by side in the subject hierarchy."""
    from ..volumes.reading import read_volume

    nodes = []
    for kernel, name in NAMES.items():
        volume = read_volume(FOLDER / kernel)
        node = add_volume(volume, name, nodes[0] if nodes else None)
        set_attributes(node, {"source_files": [str(path) for path in volume.source.paths]})
        nodes.append(node)
    _show(nodes[0])
    return nodes


def _show(node) -> None:
    """In all slice views, with a lung window."""
    import slicer

    from .comparison import PRESETS, share_window

    share_window([node], *PRESETS["lung"])
    slicer.util.setSliceViewerLayers(background=node, fit=bool(getattr(slicer, "app", None) and slicer.app.layoutManager()))
