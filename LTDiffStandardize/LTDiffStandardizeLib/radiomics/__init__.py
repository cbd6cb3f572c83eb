"""Radiomic features and how well they agree between volumes.

    regions    where to measure: boxes, spheres, label maps, files, random draws
    matrices   grey levels, co-occurrence, runs, differences, statistics: our own engine
    profiles   which features, under which names: IBEX, IBSI, PyRadiomics
    agreement  CCC, ICC, Bland-Altman, the paper's own figure, ComBat
    reporting  regions and features as DICOM objects: SEG, SR

`matrices` <- `profiles`; `regions`, `profiles` <- `measuring` (many regions of several volumes); `features` (values in a table) <-
`agreement`, `tables`, `reporting`. The package may import `volumes` and `errors`; it knows nothing of models, cohorts, reports or the application.
"""
