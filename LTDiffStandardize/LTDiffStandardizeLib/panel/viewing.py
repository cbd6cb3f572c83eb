"""The section that shows volumes side by side."""
from __future__ import annotations

import qt
from slicer.i18n import tr as _

from ..scene import comparison
from ..scene.results import companion, results_of
from .choices import Choice

THIRD = (("", "Nothing"), ("reference", "Reference"), ("difference", "Difference"), ("uncertainty", "Uncertainty"))


class ViewSection:
    """ui: the widgets of View.ui by name."""

    def __init__(self, panel, ui) -> None:
        self.panel, self.ui = panel, ui
        self.third = Choice(ui.thirdCombo, lambda value: self.show() if comparison.is_side_by_side() else None)
        ui.viewButton.clicked.connect(lambda *_: self.press())
        for button, preset in ((ui.lungButton, "lung"), (ui.softTissueButton, "soft tissue"), (ui.boneButton, "bone")):
            button.clicked.connect(lambda *_, preset=preset: self.set_window(preset))

    def update(self) -> None:
        self.third.fill([(kind, _(text)) for kind, text in THIRD if not kind or self._third(kind) is not None])
        if comparison.is_side_by_side():
            self.panel.set_button(self.ui.viewButton, _("Back to my layout"), "", _("The layout from before."))
        else:
            self.panel.set_button(self.ui.viewButton, _("Show side by side"), self.why_not(), _("Linked views with one window and level."))
        for button in (self.ui.lungButton, self.ui.softTissueButton, self.ui.boneButton):
            button.setEnabled(self.panel.parameters.inputVolume is not None)

    def why_not(self) -> str:
        source = self.panel.parameters.inputVolume
        if source is None:
            return _("Choose a CT volume first.")
        if self.panel.result() is None and self.panel.parameters.referenceVolume is None:
            return _("There is nothing to compare with yet; standardize the volume or choose a reference.")
        return ""

    def press(self) -> None:
        if comparison.is_side_by_side():
            comparison.restore_layout()
        else:
            self.show()
        self.panel.update()

    def show(self, with_charts: bool = False) -> None:
        """Source, result and what is chosen for the third view; without a result the reference in its place."""
        if not self.why_not():
            with_charts = with_charts or comparison.has_charts()
            views = comparison.show_side_by_side(self.nodes(), with_charts)
            qt.QTimer.singleShot(0, lambda: comparison.fit(views))  # by then the new views have their size

    def nodes(self) -> list:
        parameters, result = self.panel.parameters, self.panel.result()
        third = self._third(self.third.value or "")
        shown = [parameters.inputVolume, result if result is not None else parameters.referenceVolume]
        return shown + ([third] if third is not None and third not in shown else [])

    def set_window(self, preset: str) -> None:
        parameters = self.panel.parameters
        volumes = [parameters.inputVolume, parameters.referenceVolume, *results_of(parameters.inputVolume)]
        comparison.share_window([node for node in volumes if node is not None], *comparison.PRESETS[preset])

    def _third(self, kind: str):
        result = self.panel.result()
        if kind == "reference":
            return self.panel.parameters.referenceVolume
        return companion(result, kind) if kind and result is not None else None
