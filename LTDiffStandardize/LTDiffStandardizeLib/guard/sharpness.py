"""Whether the noise of a volume is as fine as that of the kernel from which a protocol starts, or of the one it leads to."""
from __future__ import annotations

from ..model.protocols import Protocol
from .texture import Texture

MARGIN = 0.35
"""lp/cm. Scans with one kernel differ by less: 0.04 on two scanners, 0.34 over simulated doses (1 to 5 times), thicknesses
(1 to 5 mm), pixels (0.5, 0.7 mm) and patients. Kernels of the real pairs lie 0.87 to 1.33 apart."""
LEAST_PATCHES = 30
"""The SD of a mean frequency that so few patches leave is 0.05 to 0.07 lp/cm on real scans."""


def is_comparable(texture: Texture | None) -> bool:
    """Pixels above 0.83 mm fold noise: of soft and sharp simulated kernels alike 3.7 to 4.1 lp/cm are seen."""
    return texture is not None and texture.frequency is not None and not texture.folded and texture.patches >= LEAST_PATCHES


def misfit(frequency: float, protocol: Protocol) -> str | None:
    """One sentence where the noise is finer or coarser than the source kernel's by more than the margin; lp/cm.

    Of a source kernel whose frequency is not known: where the noise is like the target kernel's.
    """
    source, target = protocol.source.noise_frequency, protocol.target.noise_frequency
    if source is None:
        if target is None or abs(frequency - target) > MARGIN:
            return None
        return (f"The input's noise is like that of the target {protocol.target.label} already ({_numbers(frequency, protocol)}), so do not "
                "trust the result; see whether the input's kernel is what its header says.")  # fmt: skip
    if abs(frequency - source) <= MARGIN:
        return None
    finer, sharper = ("finer", "sharper") if frequency > source else ("coarser", "softer")
    return (f"The input's noise is {finer} than the protocol {protocol.name} starts from ({_numbers(frequency, protocol)}), as of a "
            f"{sharper} kernel, so do not trust the result; choose another protocol, or give --reference scans.")  # fmt: skip


def is_like_the_target(frequency: float, protocol: Protocol) -> bool:
    """Whether the noise is nearer to the target kernel's than to the source kernel's by more than the margin."""
    source, target = protocol.source.noise_frequency, protocol.target.noise_frequency
    return None not in (source, target) and abs(frequency - source) - abs(frequency - target) > MARGIN


def already_standard(name: str, kernel: str | None, frequency: float, protocol: Protocol) -> str:
    """The refusal of a volume that is like the target."""
    return (f"{name} looks as if it was made with a kernel like {protocol.target.label} already ({_numbers(frequency, protocol)}), though "
            f"its kernel is given as {kernel or 'unknown'}; use it as it is, or name the protocol whole (\"{protocol.name}\") with --target.")  # fmt: skip


def _numbers(frequency: float, protocol: Protocol) -> str:
    kernels = ((facts.label, facts.noise_frequency) for facts in (protocol.source, protocol.target))
    known = [f"{label} {value:.1f}" for label, value in kernels if value is not None]
    return f"mean noise frequency {frequency:.1f} lp/cm; {', '.join(known)}"
