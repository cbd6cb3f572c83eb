"""Training of LTDiff: simulated pairs, phases, evaluation.

Layers, arrows one way: simulation <- fitting <- datasets <- phases <- evaluation.
Everything here may import LTDiffStandardizeLib.volumes, .model and .radiomics; nothing here imports slicer, vtk or qt.
"""
