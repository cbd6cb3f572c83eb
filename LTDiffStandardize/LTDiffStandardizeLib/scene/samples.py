"""The shipped pair of CT series as sample data: read from the extension's own folder, nothing is downloaded."""
from __future__ import annotations

from pathlib import Path

from .comparison import PRESETS, share_window, show_everywhere
from .volumes import add_volume, set_attributes

FOLDER = Path(__file__).resolve().parents[2] / "Resources" / "SampleData" / "lungdx-a0002"
THUMBNAIL = Path(__file__).resolve().parents[2] / "Resources" / "Icons" / "LTDiffChestPair.png"
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
    share_window(nodes, *PRESETS["lung"])
    show_everywhere(nodes[0])
    return nodes


def register() -> None:
    """Adds the pair to the Sample Data module, where the application has that."""
    try:
        from SampleData import SampleDataLogic
    except ImportError:
        return
    SampleDataLogic.registerCustomSampleDataSource(
        category="LTDiff", sampleName="LTDiffChestPair", uris=[], fileNames=[], thumbnailFileName=str(THUMBNAIL), customDownloader=lambda _source: load_pair(),
    )  # fmt: skip
