"""Radiomic features and how well they agree between volumes.

`regions` and `annotations` say where to measure, `pyradiomics_profile` (with `intensity_histogram` and
`gradient_orientation`) measures, `agreement` compares, `tables` writes. The package may import `volumes` and
`errors`; it knows nothing of models, cohorts, reports or the application.
"""
