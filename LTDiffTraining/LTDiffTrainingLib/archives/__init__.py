"""Pairs from DICOM archives: series of one acquisition that were reconstructed with two kernels or slice thicknesses.

Within, arrows one way: facts <- index <- scanning, matching; partners <- pair_folder; checking, pair_folder <- examining;
pair_folder, patients <- manifest; all of them <- finding. See Scripts/find_pairs.py.
"""
from .manifest import paired_series

__all__ = ["paired_series"]
