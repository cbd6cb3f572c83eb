"""Slice views of the scene as pictures, drawn by slicer-core's own displayable managers without Qt and without a display."""
import functools
import subprocess
import sys

import numpy as np

MANAGERS = (
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLCrosshairDisplayableManager",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
)
DRAWING = """
import vtkmodules.vtkRenderingOpenGL2
from vtkmodules.vtkRenderingCore import vtkRenderWindow
window = vtkRenderWindow()
window.SetOffScreenRendering(1)
window.Render()
assert window.SupportsOpenGL()
"""


@functools.cache
def why_not():
    """One sentence where no picture can be drawn here, else ""; asked in a child process, which VTK may crash."""
    child = subprocess.run([sys.executable, "-c", DRAWING], capture_output=True, timeout=120)
    return "" if child.returncode == 0 else "No OpenGL window can be made here, neither with a display nor with EGL or OSMesa."


def render(views, size, fit=True):
    """(h, w, 3) uint8, rows from the top: the slice views side by side, left to right.

    views: slice nodes of `slicer.mrmlScene` that have slice logics. size: (w, h) of each view, pixels.
    fit: the whole slice of the background; else the views show what they showed.
    """
    drawn = [_View(view, size, fit) for view in views]  # all before the first is drawn, since linked views change each other
    return np.concatenate([view.picture() for view in drawn], axis=1)


def write_png(picture, path):
    """Writes what `render` gave, and returns the path."""
    from PIL import Image

    Image.fromarray(picture).save(path)
    return path


class _View:
    """A window with what Slicer's slice view consists of: the blended slice, and above it what the managers draw."""

    def __init__(self, node, size, fit):
        import slicer
        import vtk

        application_logic = slicer.modules.markups.logic().GetMRMLApplicationLogic()
        logic = application_logic.GetSliceLogic(node)
        logic.ResizeSliceNode(*size)
        if fit:
            logic.FitSliceToBackground(*size)
            logic.SnapSliceOffsetToIJK()
        self.window, self.size = vtk.vtkRenderWindow(), size
        self.window.SetOffScreenRendering(1)
        self.window.SetMultiSamples(0)
        self.window.SetSize(*size)
        self.window.SetNumberOfLayers(2)
        self.interactor = vtk.vtkRenderWindowInteractor()
        self.interactor.SetRenderWindow(self.window)
        slices, overlay = vtk.vtkRenderer(), vtk.vtkRenderer()
        overlay.SetLayer(1)
        for renderer in (slices, overlay):
            renderer.GetActiveCamera().ParallelProjectionOn()
            self.window.AddRenderer(renderer)
        slices.AddViewProp(self._slice(logic))
        self.managers = self._managers(node, overlay, application_logic)

    def picture(self):
        import vtk
        from vtk.util.numpy_support import vtk_to_numpy

        self.window.Render()
        grabber = vtk.vtkWindowToImageFilter()
        grabber.SetInput(self.window)
        grabber.ReadFrontBufferOff()
        grabber.Update()
        width, height = self.size
        rows = vtk_to_numpy(grabber.GetOutput().GetPointData().GetScalars()).reshape(height, width, -1)
        return rows[::-1, :, :3].copy()

    def _slice(self, logic):
        """The one thing that Qt does in Slicer: the image of the slice logic onto the window."""
        import vtk

        mapper = vtk.vtkImageMapper()
        mapper.SetColorWindow(255)
        mapper.SetColorLevel(127.5)
        mapper.SetInputConnection(logic.GetImageDataConnection())
        actor = vtk.vtkActor2D()
        actor.SetMapper(mapper)
        return actor

    def _managers(self, node, overlay, application_logic):
        import slicer

        factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
        factory.SetMRMLApplicationLogic(application_logic)
        for name in MANAGERS:
            if not factory.IsDisplayableManagerRegistered(name):
                factory.RegisterDisplayableManager(name)
        group = slicer.vtkMRMLDisplayableManagerGroup()
        group.Initialize(factory, overlay)
        group.SetMRMLDisplayableNode(node)
        return group
