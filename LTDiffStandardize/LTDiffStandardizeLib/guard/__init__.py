"""What a volume is, measured from its voxels before it is standardized: whether it is CT in HU, its noise, contrast medium, metal.

Within: scale, texture, contents <- sharpness <- examining. Imports `volumes`, `model` and `errors`; scipy when first used.
"""
from .examining import Examination, examine

__all__ = ["Examination", "examine"]
