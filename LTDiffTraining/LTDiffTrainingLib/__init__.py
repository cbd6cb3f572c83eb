"""Training of LTDiff: pairs, systems, the training loop, evaluation.

Layers, arrows one way: simulation, archives <- fitting <- datasets <- patches <- phases <- systems, loop
<- evaluation <- validation, card <- pipeline. `risk` is a study of its own.
Everything here may import LTDiffStandardizeLib up to .cohort and .report; nothing here imports slicer, vtk or qt.
"""
