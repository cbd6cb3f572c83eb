"""What touches the scene of the Slicer application; imports slicer and vtk, never qt, and works without a window.

Within: application; volumes <- regions, results, comparison <- samples; charts.
"""
