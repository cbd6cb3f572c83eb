"""Volumes side by side: linked slice views with one window and level, and the way back to the user's own layout."""
from __future__ import annotations

from collections.abc import Sequence

import slicer

from .volumes import PREFIX

PRESETS = {"lung": (1500.0, -600.0), "soft tissue": (400.0, 40.0), "bone": (1800.0, 400.0)}  # window, level, HU
SLICE_TAGS = ("LTDiffSource", "LTDiffStandardized", "LTDiffThird")
PLOT_TAG, TABLE_TAG = "LTDiffPlot", "LTDiffTable"
COLOURS = ("#2D7FB8", "#D9822B", "#7B5EA7")  # told apart by colour-blind eyes too
SIDE_BY_SIDE, WITH_CHARTS = 7410, 7420  # + number of slice views; ours, far from Slicer's own and those of other extensions
LABELS = ("source", "standardized", "third")
FORMER = PREFIX + "former_layout"


def show_side_by_side(nodes: Sequence, with_charts: bool = False) -> list:
    """Shows two or three volumes in linked views, left to right, with the window and level of the first; returns the slice nodes.

    with_charts: with a plot and a table view below. The user's layout is remembered, see `restore_layout`.
    """
    layout, number = layout_node(), len(nodes)
    if layout is None:
        return []
    register_layouts()
    if not is_ours(layout.GetViewArrangement()):
        layout.SetAttribute(FORMER, str(layout.GetViewArrangement()))
    layout.SetViewArrangement((WITH_CHARTS if with_charts else SIDE_BY_SIDE) + number)
    views = [view for tag in SLICE_TAGS[:number] if (view := slice_node(tag))]
    for view, node in zip(views, nodes):
        composite = composite_of(view)
        composite.SetBackgroundVolumeID(node.GetID())
        composite.SetForegroundVolumeID(None)
        composite.SetLinkedControl(1)
        composite.SetHotLinkedControl(1)
        view.SetOrientationToAxial()
    share_window(nodes)
    _link_crosshair()
    fit(views)
    return views


def register_layouts() -> None:
    """Tells the application our layouts, so that a scene that was saved in one of them opens in it."""
    layout = layout_node()
    for base, with_charts in ((SIDE_BY_SIDE, False), (WITH_CHARTS, True)):
        for number in range(1, len(SLICE_TAGS) + 1) if layout is not None else ():
            if not layout.IsLayoutDescription(base + number):
                layout.AddLayoutDescription(base + number, layout_xml(number, with_charts))


def show_everywhere(node) -> None:
    """In the background of all slice views."""
    views = slicer.util.getNodesByClass("vtkMRMLSliceNode")
    for view in views:
        composite_of(view).SetBackgroundVolumeID(node.GetID())
    fit(views)


def restore_layout() -> None:
    """Back to the layout before `show_side_by_side`; nothing where another one was chosen meanwhile."""
    layout = layout_node()
    if layout is None:
        return
    former = layout.GetAttribute(FORMER) or layout.SlicerLayoutFourUpView  # which one is forgotten when a scene is closed
    if is_ours(layout.GetViewArrangement()):
        layout.SetViewArrangement(int(former))
    layout.RemoveAttribute(FORMER)


def is_side_by_side() -> bool:
    return is_ours(_arrangement())


def has_charts() -> bool:
    return WITH_CHARTS < _arrangement() <= WITH_CHARTS + len(SLICE_TAGS)


def is_ours(arrangement: int) -> bool:
    return any(base < arrangement <= base + len(SLICE_TAGS) for base in (SIDE_BY_SIDE, WITH_CHARTS))


def share_window(nodes: Sequence, window: float | None = None, level: float | None = None) -> None:
    """One window and level (HU) for all volumes: those given, or those of the first.

    A difference or an uncertainty keeps its own: its values are of another kind.
    """
    shown = [node.GetDisplayNode() for node in nodes if node.GetDisplayNode() and not node.GetAttribute(PREFIX + "kind")]
    for display in shown:
        display.AutoWindowLevelOff()
        display.SetWindowLevel(*((window, level) if window else (shown[0].GetWindow(), shown[0].GetLevel())))


def layout_node():
    """The scene's only layout node, which the main window makes; None where there is no window."""
    return slicer.mrmlScene.GetSingletonNode("vtkMRMLLayoutNode", "vtkMRMLLayoutNode")


def slice_node(tag: str):
    return slicer.mrmlScene.GetSingletonNode(tag, "vtkMRMLSliceNode")


def composite_of(view):
    """The node that says what a slice view shows; made where the application has not done so yet."""
    composite = slicer.mrmlScene.GetSingletonNode(view.GetLayoutName(), "vtkMRMLSliceCompositeNode")
    if composite is None:
        composite = slicer.vtkMRMLSliceCompositeNode()
        composite.SetLayoutName(view.GetLayoutName())
        composite.SetSingletonTag(view.GetLayoutName())
        composite = slicer.mrmlScene.AddNode(composite)
    return composite


def layout_xml(number: int, with_charts: bool) -> str:
    """A row of axial views, above a plot and a table where these are wanted (Slicer's layout description)."""
    slices = "".join(
        f'<item><view class="vtkMRMLSliceNode" singletontag="{tag}"><property name="orientation" action="default">Axial</property>'
        f'<property name="viewlabel" action="default">{label[0].upper()}</property><property name="viewcolor" action="default">{colour}</property>'
        '<property name="viewgroup" action="default">74</property></view></item>'
        for tag, label, colour in list(zip(SLICE_TAGS, LABELS, COLOURS))[:number])  # fmt: skip
    row = f'<layout type="horizontal" split="true">{slices}</layout>'
    if not with_charts:
        return row
    charts = (f'<item><view class="vtkMRMLPlotViewNode" singletontag="{PLOT_TAG}"><property name="viewlabel" action="default">P</property></view></item>'
              f'<item><view class="vtkMRMLTableViewNode" singletontag="{TABLE_TAG}"><property name="viewlabel" action="default">T</property></view></item>')
    return (f'<layout type="vertical" split="true"><item>{row}</item>'
            f'<item><layout type="horizontal" split="true">{charts}</layout></item></layout>')  # fmt: skip


def _link_crosshair() -> None:
    node = slicer.mrmlScene.GetSingletonNode("default", "vtkMRMLCrosshairNode")
    if node is not None:
        node.SetCrosshairMode(node.ShowSmallBasic)
        node.SetCrosshairBehavior(node.OffsetJumpSlice)


def _arrangement() -> int:
    layout = layout_node()
    return layout.GetViewArrangement() if layout is not None else 0


def fit(views: Sequence) -> None:
    """Whole slices to the views, as large as these are by now; without a window there is none to fit."""
    manager = slicer.app.layoutManager() if hasattr(slicer, "app") else None
    for view in views if manager is not None else ():
        widget = manager.sliceWidget(view.GetLayoutName())
        if widget is not None:
            widget.sliceLogic().FitSliceToAll()
