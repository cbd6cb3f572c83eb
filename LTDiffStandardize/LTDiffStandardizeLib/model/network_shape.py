"""How wide the networks are; apart from the networks, so that it is readable without torch."""
from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class NetworkShape:
    """Widths per level of the UNet++ codec, of the moment head and of the denoiser."""

    codec: tuple[int, ...] = (24, 32, 48)
    moments: tuple[int, ...] = (48, 72, 96)
    denoiser: tuple[int, ...] = (48, 72, 96)

    def as_dict(self) -> dict:
        return {name: list(widths) for name, widths in asdict(self).items()}

    @staticmethod
    def from_dict(data: dict) -> "NetworkShape":
        return NetworkShape(**{name: tuple(widths) for name, widths in data.items()})
