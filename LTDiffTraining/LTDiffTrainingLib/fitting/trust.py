"""How far a pair of reconstructions bears out what the network adds to the filter: one number of the protocol.

A network that was trained on simulated scans finds in them what it learned to find, and in scans of another scanner
perhaps nothing of it. The pair that a protocol is fitted on tells which, before anything is standardized.
"""
from __future__ import annotations

from dataclasses import replace

import numpy as np

from LTDiffStandardizeLib.model.bundle import Bundle
from LTDiffStandardizeLib.model.frame import FrameFactory
from LTDiffStandardizeLib.model.protocols import Protocol, probe_indices
from LTDiffStandardizeLib.model.standardizer import PaddedSlices
from LTDiffStandardizeLib.volumes.volume import CTVolume

_BODY_HU = -900.0
OUTLIER = 8.0
"""Local noise SDs; edges that are further off tell of registration and motion."""


def with_fitted_trust(protocol: Protocol, source: CTVolume, target: CTVolume, bundle: Bundle, slices: int = 8) -> Protocol:
    """The protocol with the share, 0..1, by which the network's mean explains the target best (least squares over the body
    of at most `slices` slices). `source`, `target`: one scan with both kernels."""
    from LTDiffStandardizeLib.model.engine import DiffusionEngine, network_of

    engine = DiffusionEngine(network_of(bundle, "cpu"), "cpu", bundle.steps)
    before, after = PaddedSlices(source), PaddedSlices(target)
    frames = FrameFactory(replace(protocol, trust=1.0), (source.spacing[1], source.spacing[0]), before)
    box = (slice(0, before.shape[0]), slice(0, before.shape[1]))
    shared, own = 0.0, 1e-12
    for index in probe_indices(len(before), slices):
        frame = frames.frame(before[index])
        mean = engine.residuals([frame], np.zeros((1, *before.shape), np.float32), box, temperature=0.0)[0]
        truth = frame.to_residual(after[index])
        where = (frame.source > _BODY_HU) & (np.abs(truth) < OUTLIER)
        shared += float(np.sum((mean * truth)[where]))
        own += float(np.sum(mean[where] ** 2))
    trust = float(np.clip(shared / own, 0.0, 1.0))
    about = f"{protocol.about} The pair bears out {trust:.0%} of what the network adds to the filter."
    return replace(protocol, trust=trust, about=about)
