"""What touches the Slicer application and its scene; imports slicer and vtk, never qt."""
