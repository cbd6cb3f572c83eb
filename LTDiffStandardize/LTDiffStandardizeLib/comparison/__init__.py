"""Volumes side by side: their features in one list of regions, and how well they agree with a reference.

Within: comparing <- files <- changes; cases <- request; labels. Imports `radiomics` and `volumes`; nothing here knows how a volume was
made, and `report` shows the result.
"""
from .comparing import STANDARD, Comparison, compare, hu_shifts, joined, sd_ratios, slice_by_slice, with_combat
from .files import AGREEMENT_KEYS, write_agreement, write_figures, write_tables

__all__ = ["AGREEMENT_KEYS", "STANDARD", "Comparison", "compare", "hu_shifts", "joined", "sd_ratios", "slice_by_slice", "with_combat",
           "write_agreement", "write_figures", "write_tables"]  # fmt: skip
