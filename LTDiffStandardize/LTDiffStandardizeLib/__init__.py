"""LTDiff: standardization of CT volumes between reconstruction kernels.

Arrows point one way: volumes <- model, radiomics <- cohort, comparison <- report <- tasks <- worker, and comparison <- scene <-
panel, which starts the worker as a `child`. Only `scene` and `panel` import slicer, vtk or qt. Heavy packages (torch, pydicom,
radiomics, SimpleITK, scipy) are imported inside functions, so that reading a Slicer module file never loads them.
"""
