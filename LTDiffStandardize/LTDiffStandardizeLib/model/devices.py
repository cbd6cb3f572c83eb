"""How a graphics card fails: for want of memory, which it may have again later, or for good."""
from __future__ import annotations

import re

import torch

NO_MEMORY = r"CUDA error: out of memory|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_(ALLOC_FAILED|INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED)"
LOST = r"CUDA error|CUBLAS_STATUS|CUDNN_STATUS|cuDNN error|device.?lost"

# CUDA stays broken for the rest of a process after such an error, so a device that was lost is not asked again.
lost_devices: set[str] = set()


def lacks_memory(error: Exception) -> bool:
    return isinstance(error, torch.cuda.OutOfMemoryError) or re.search(NO_MEMORY, str(error), re.IGNORECASE) is not None


def is_lost(error: Exception) -> bool:
    """Not where there never was such a device."""
    text = str(error)
    return not lacks_memory(error) and re.search(LOST, text, re.IGNORECASE) is not None and "invalid device ordinal" not in text
