"""The panel as a whole: its sections, its parameters, and what all of them need."""
from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import qt
import slicer
import vtk
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin

from .. import diagnostics
from ..child import remedy_for
from ..errors import LTDiffError
from ..scene.comparison import layout_node
from ..scene.regions import events_of_regions
from ..scene.results import results_of
from . import packages
from .diagnosing import WorkSection
from .features import FeatureSection
from .parameters import Parameters
from .regions import RegionSection
from .standardizing import StandardizeSection
from .viewing import ViewSection
from .work import Job, Work

UI_FILES = ("Standardize", "Progress", "View", "Regions", "Features", "Diagnostics")
MILLISECONDS_AFTER_A_CHANGE = 300  # a box has come to rest by then, and all nodes of a file are there


class Panel(VTKObservationMixin):
    """Builds the widgets into a layout and lives as long as they do."""

    def __init__(self, layout, resource_path: Callable[[str], str], parameter_node: Callable[[], Any]) -> None:
        """parameter_node: gives the module's node in the current scene."""
        VTKObservationMixin.__init__(self)
        self._parameter_node, self._gui_tags, self._devices = parameter_node, [], [("auto", _("Automatic"))]
        self.widgets = [slicer.util.loadUI(resource_path(f"UI/{name}.ui")) for name in UI_FILES]
        for widget in self.widgets:
            layout.addWidget(widget)
            widget.setMRMLScene(slicer.mrmlScene)
        layout.addStretch(1)
        uis = [slicer.util.childWidgetVariables(widget) for widget in self.widgets]
        self._wait = qt.QTimer()
        self._wait.setSingleShot(True)
        self._wait.setInterval(MILLISECONDS_AFTER_A_CHANGE)
        self._wait.timeout.connect(self._measure)
        self.parameters = None
        self._followed, self._is_measuring, self._is_shown = [], False, False
        standardize, progress, view, regions, features, diagnosing = uis
        self.messages = WorkSection(self, progress, diagnosing)
        self.work = Work(self.update, self.messages.progress, self.messages.say)
        self.standardize, self.view = StandardizeSection(self, standardize), ViewSection(self, view)
        self.regions, self.features = RegionSection(self, regions), FeatureSection(self, features)
        self._uis = uis
        self._observe_scene()
        self.attach()

    def attach(self) -> None:
        """To the parameter node of the scene, a new one after a scene was closed or loaded."""
        self.parameters = Parameters(self._parameter_node())
        self._gui_tags = [self.parameters.connectParametersToGui(bound_widgets(ui)) for ui in self._uis]
        self.addObserver(self.parameters.parameterNode, vtk.vtkCommand.ModifiedEvent, self._parameters_changed)
        self.standardize.choose_default()
        self._follow_regions()
        self._parameters_changed()

    def detach(self) -> None:
        self._leave_regions()
        if self.parameters is not None:
            self.removeObserver(self.parameters.parameterNode, vtk.vtkCommand.ModifiedEvent, self._parameters_changed)
            for tag in self._gui_tags:
                self.parameters.disconnectGui(tag)
        self.parameters, self._gui_tags = None, []

    def enter(self) -> None:
        """The panel is shown: look what there is."""
        self._is_shown = True
        if len(self._devices) == 1:
            self._devices += [("cpu", _("Processor")), *(
                (f"cuda:{number}", _("GPU {number}: {name}").format(number=number, name=name)) for number, name in enumerate(diagnostics.gpus()))]
        if self.parameters is not None:
            self.standardize.choose_default()
            self._parameters_changed()

    def leave(self) -> None:
        """Another module is shown: nothing needs to be kept up to date."""
        self._is_shown = False

    def close(self) -> None:
        """The widgets are going away."""
        self._wait.stop()
        self.detach()
        self.removeObservers()
        self.work.stop()
        self.features.forget()

    def update(self) -> None:
        """Shows in all sections what the parameters say and what can be done."""
        if self.parameters is not None:
            for section in (self.standardize, self.view, self.regions, self.features, self.messages):
                section.update()

    def set(self, name: str, value: Any) -> None:
        setattr(self.parameters, name, value)

    def devices(self) -> Sequence[tuple[str, str]]:
        """(value, text); also the one that a loaded scene names, though it may not be here."""
        known = list(self._devices)
        wanted = self.parameters.device
        return known if wanted in [value for value, _text in known] else [*known, (wanted, wanted)]

    def result(self):
        """The newest standardized volume of the source, or None."""
        source = self.parameters.inputVolume if self.parameters is not None else None
        results = results_of(source) if source is not None else []
        return results[-1] if results else None

    def show_result(self, source, result) -> None:
        if source is not None and source is self.parameters.inputVolume:
            self.view.show()
        self.update()

    def tell(self, sentence: str) -> None:
        """One sentence for the user, kept until the next."""
        self.messages.tell(sentence)

    def explained(self, sentence: str) -> str:
        """A sentence of the worker, with the names of the panel for its options, and a remedy where memory ran out."""
        ours = re.sub("--(target|reference|method|device|samples|steps|seed)", lambda found: f"\"{found[1].capitalize()}\"", sentence)
        return f"{ours} {remedy_for(sentence)}".strip()

    def set_button(self, button, text: str, why_not: str, tip: str = "") -> None:
        """Enabled unless there is a reason against it, which the tool tip tells."""
        button.setText(text)
        button.setEnabled(not why_not)
        button.setToolTip(why_not or tip)

    def has_packages(self, method: str = "none", features: bool = False, profile: str = "", only_reading: bool = False) -> bool:
        """Whether all that is needed is installed, by now; if not, the user has been told."""
        is_ready, sentence = packages.ready(method, features, profile, only_reading)
        if not is_ready:
            self.tell(sentence)
        return is_ready

    def submit(self, job: Job, request_of: Callable[[Job], Any]) -> None:
        """Writes the job's files and puts it into the queue; where that fails, the user is told."""
        request = self.attempt(_("The worker could not be given its task"), lambda: request_of(job).to_json())
        if request is None:
            job.files.cleanup()
            return
        job.request = request
        self.tell("" if self.work.current is None else _("{title} waits for its turn.").format(title=job.title))
        self.work.add(job)

    def attempt(self, what: str, function: Callable[[], Any]) -> Any:
        """The value of the function, with a wait cursor; None where it failed, and the user has been told."""
        try:
            with waiting():
                return function()
        except LTDiffError as error:
            self.tell(str(error))
        except Exception as error:
            logging.exception("LTDiff: %s", what)
            self.tell(f"{what} ({type(error).__name__}: {error}).")
        return None

    def _observe_scene(self) -> None:
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self._scene_closes)
        self.addObserver(scene, scene.EndCloseEvent, self._scene_is_new)
        self.addObserver(scene, scene.EndImportEvent, self._scene_is_new)
        self.addObserver(scene, scene.NodeAddedEvent, self._nodes_changed)
        self.addObserver(scene, scene.NodeRemovedEvent, self._nodes_changed)
        if layout_node() is not None:
            self.addObserver(layout_node(), vtk.vtkCommand.ModifiedEvent, self._layout_changed)

    def _scene_closes(self, caller=None, event=None) -> None:
        was_busy = self.work.current is not None
        self.work.stop()
        self.detach()
        self.regions.forget()
        self.features.forget()
        self.tell(_("The scene was closed, so the work on it was ended.") if was_busy else "")

    def _scene_is_new(self, caller=None, event=None) -> None:
        self.detach()
        self.attach()

    def _nodes_changed(self, caller=None, event=None) -> None:
        """Many nodes may come at once, and measuring itself adds some for a moment."""
        if self.parameters is not None and not self._is_measuring:
            self._wait.start()

    def _layout_changed(self, caller=None, event=None) -> None:
        self.update()

    def _parameters_changed(self, caller=None, event=None) -> None:
        self.update()
        self._wait.start()

    def _follow_regions(self) -> None:
        """Measures regions anew when one of their nodes changes; what is gone from the scene is let go of."""
        self._leave_regions()
        for subject, event in events_of_regions():
            self.addObserver(subject, event, self._region_changed)
            self._followed.append((subject, event))

    def _leave_regions(self) -> None:
        for subject, event in self._followed:
            self.removeObserver(subject, event, self._region_changed)
        self._followed = []

    def _region_changed(self, caller=None, event=None) -> None:
        if not self._is_measuring:
            self._wait.start()

    def _measure(self) -> None:
        if self.parameters is None:
            return
        self._follow_regions()
        if not self._is_shown:
            return
        self._is_measuring = True
        try:
            self.regions.refresh()
            self.update()
        finally:
            self._is_measuring = False


def bound_widgets(ui) -> dict[str, Any]:
    """{parameter: the widget whose SlicerParameterName it is}. Slicer's connectGui does the same, but gives nothing to disconnect by."""
    named = {widget.property("SlicerParameterName"): widget for widget in vars(ui).values()}
    return {name: widget for name, widget in named.items() if name}


@contextmanager
def waiting() -> Iterator[None]:
    qt.QApplication.setOverrideCursor(qt.Qt.WaitCursor)
    try:
        yield
    finally:
        qt.QApplication.restoreOverrideCursor()
