"""Pairs from real volumes: the soft partner of a sharp volume, made by its measured transfer curve.

Only towards softer kernels: that attenuates, so it is well posed. Such a pair is the linear image of its target by
construction; it adapts a model to real anatomy and is no evidence of anything.
"""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.model.frame import SIDE_MULTIPLE
from LTDiffStandardizeLib.model.protocols import KernelFacts, Protocol
from LTDiffStandardizeLib.model.spectra import apply_curve
from LTDiffStandardizeLib.model.standardizer import AIR_HU
from LTDiffStandardizeLib.volumes.atomic import folder_aside
from LTDiffStandardizeLib.volumes.volume import CTVolume

from .simulation.pairs import PairedSeries, refuse_other
from .simulation.scanner import as_stored


def pair_from_volume(volume: CTVolume, softening: Protocol, folder: Path) -> PairedSeries:
    """Write `volume` as target and its image under `softening` (from its kernel to the softer one) as source.

    Raises InputError where the protocol sharpens, or the folder holds another pair.
    """
    folder = Path(folder)
    if softening.transfer.power(5.0) >= 1:
        raise InputError(f"The protocol {softening.name} sharpens; name one from {volume.name}'s kernel to a softer one.")
    if folder.exists():
        refuse_other(folder, _description(volume, softening))
    else:
        spacing = (volume.spacing[1], volume.spacing[0])
        air = volume.padding if volume.padding is not None else np.zeros(volume.hu.shape, bool)
        with folder_aside(folder) as aside:
            target = framed(volume.hu, air)
            np.save(aside / "target.npy", as_stored(target))
            soften = lambda image: as_stored(apply_curve(image, softening.transfer.power, spacing))
            np.save(aside / "source.npy", np.stack([soften(image) for image in target]))
            (aside / "series.json").write_text(json.dumps(_description(volume, softening), indent=1))
    return PairedSeries(folder)


def _description(volume: CTVolume, softening: Protocol) -> dict:
    return {"volume": volume.name, "heights": volume.slice_positions().tolist(), "nodules": [],
            "acquisition": {"pixel": volume.spacing[0], "distance": volume.spacing[2],
                            "source": kernel_entry(softening.target), "target": kernel_entry(softening.source)}}


def framed(hu: np.ndarray, air: np.ndarray) -> np.ndarray:
    """(..., rows, columns) HU as a model sees them: air where `air` is set, sides continued to multiples of SIDE_MULTIPLE."""
    sides = [(0, 0)] * (hu.ndim - 2) + [(0, -n % SIDE_MULTIPLE) for n in hu.shape[-2:]]
    return np.pad(np.where(air, AIR_HU, hu), sides, mode="edge")


def kernel_entry(facts: KernelFacts) -> dict:
    """A kernel as series.json describes it; a real one has no stop band that is known."""
    return {"name": facts.label, "mtf50": facts.mtf50, "mtf10": facts.mtf10, "stop_start": None, "stop_end": None}
