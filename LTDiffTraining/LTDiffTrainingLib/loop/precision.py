"""Mixed precision: which number format a device computes convolutions in without losing time."""
from __future__ import annotations

import torch

PRECISIONS = {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}


def chosen_precision(wanted: str, device: str) -> str:
    """A key of PRECISIONS; "auto": bfloat16 where the hardware multiplies it, else float16 on graphics cards, float32 on processors."""
    if wanted != "auto":
        return wanted
    if device.startswith("cuda"):
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float16"
    tiles = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    # Without tiles a processor converts to and fro, four times slower than float32.
    return "bfloat16" if tiles() else "float32"
