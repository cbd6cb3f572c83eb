"""What the networks are told of a protocol: its radial spectra at fixed frequencies, so that one set of weights serves any target."""
from __future__ import annotations

import numpy as np

from .protocols import Protocol
from .spectra import RadialCurve

FREQUENCIES = tuple(np.linspace(0.75, 9.0, 12).round(4))
"""lp/cm; beyond the Nyquist frequency of the pixels curves keep their last value."""
PROTOCOL_FEATURES = 3 * len(FREQUENCIES) + 1


def protocol_features(protocol: Protocol, amplitude: RadialCurve, pixel: float) -> np.ndarray:
    """(PROTOCOL_FEATURES,) float32, each of about unit range: log power gain from source to target, coherence, log amplitude
    of the noise spectrum (`amplitude`, whose shape counts), pixel size (`pixel`, mm)."""
    seen = np.minimum(FREQUENCIES, 5 / pixel)
    gain = np.log(np.clip(protocol.transfer.power(seen), 0.02, 50.0))
    coherence = np.clip(protocol.transfer.coherence(seen), 0.0, 1.0)
    noise = np.log(np.clip(amplitude(seen), 1e-6, None))
    return np.concatenate([gain / 2, 2 * coherence - 1, noise - noise.mean(), [(pixel - 0.7) / 0.15]]).astype(np.float32)
