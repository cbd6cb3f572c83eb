"""What the report of any comparison says, for volumes of which nothing is known but their files."""
from __future__ import annotations

from ..comparison import STANDARD, Comparison
from ..radiomics.regions.random_boxes import shortfall
from ..volumes.volume import CTVolume
from .page import ReportTexts

_LIMITS = (
    "Agreement with one reference on one list of regions: the interval tells of these regions or patients alone.",
    "Regions of one patient are not independent, since neighbours share anatomy and noise; with one patient the intervals are too narrow.",
    "A CCC depends on how much the regions differ: the same error looks worse among alike regions than among unlike ones.",
    "How much agreement noise alone allows is not known without a repeated scan.",
)


def plain_texts(comparison: Comparison, software: str) -> ReportTexts:
    """Texts from the numbers and the scanner facts alone; no file name and nothing that identifies a patient is in them. software: name and version."""
    names = list(comparison.volumes)
    patients = len(comparison.patients())
    ranges = ", ".join(f"{hu_range} {len(comparison.regions_of(hu_range))}" for hu_range in comparison.ranges())
    facts = [
        ("Standard", _facts_of(comparison.reference)),
        ("Volumes", ", ".join(names)),
        ("Patients", f"{patients}" + (", the units of the bootstrap; the pictures show the first" if patients > 1 else "")),
        ("Regions", f"{ranges}; the same for all volumes, listed in regions.csv. {shortfall(comparison.candidates)}".strip()),
        ("Features", comparison.profile.about()),
        ("Software", software),
    ]
    methods = [(name, _facts_of(volume)) for name, volume in comparison.volumes.items()]
    methods += [(name, "The features adjusted towards the standard's by ComBat (Johnson 2007), fitted on these regions; no image.")
                for name in comparison.methods if name not in comparison.volumes]  # fmt: skip
    return ReportTexts("Agreement of CT volumes with a standard", {name: name for name in comparison.methods}, {STANDARD: "standard"}, {},
                       methods, facts, _LIMITS, ())  # fmt: skip


def _facts_of(volume: CTVolume) -> str:
    facts = volume.facts
    known = [facts.manufacturer, facts.model, facts.kernel and f"kernel {facts.kernel}", facts.kvp and f"{facts.kvp:g} kVp"]
    slices, rows, columns = volume.hu.shape
    return "; ".join([*filter(None, known), f"{slices} slices of {rows} x {columns} pixels of {volume.spacing[0]:.3f} mm, {volume.spacing[2]:g} mm apart"])
