"""Progress, messages, the log, and the report for who helps."""
from __future__ import annotations

import tempfile

import slicer

from .. import diagnostics
from ..cohort.progress import Told

MOST_LINES = 200


class WorkSection:
    """progress, ui: the widgets of Progress.ui and of Diagnostics.ui by name."""

    def __init__(self, panel, progress, ui) -> None:
        self.panel, self._progress, self.ui = panel, progress, ui
        self.lines: list[str] = []
        ui.diagnoseButton.clicked.connect(lambda *_: self.gather())
        ui.copyButton.clicked.connect(lambda *_: self.copy())

    def update(self) -> None:
        is_busy = self.panel.work.current is not None
        self._progress.progressBar.setVisible(is_busy)
        if not is_busy:
            self._progress.progressBar.setValue(0)
            self._progress.progressBar.setFormat("")

    def progress(self, told: Told) -> None:
        self._progress.progressBar.setValue(round(1000 * told.share))
        self._progress.progressBar.setFormat(told.sentence())

    def say(self, line: str) -> None:
        self.lines = [*self.lines[-MOST_LINES:], line]
        self.ui.logText.appendPlainText(line)

    def tell(self, sentence: str) -> None:
        self._progress.messageLabel.setText(sentence)
        if sentence:
            self.say(sentence)

    def gather(self) -> str:
        application = f"{slicer.app.applicationName} {slicer.app.applicationVersion} (revision {slicer.app.revision})"
        text = diagnostics.report(application, {"Log": "\n" + without_names("\n".join(self.lines))})
        self.ui.diagnosticsText.setPlainText(text)
        return text

    def copy(self) -> None:
        slicer.app.clipboard().setText(self.gather())


def without_names(text: str) -> str:
    """The text with the IDs of nodes in the place of their names, which may be those of patients, and without the temporary folder."""
    names = {node.GetName(): node.GetID() for node in slicer.util.getNodesByClass("vtkMRMLDisplayableNode") if node.GetName()}
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, names[name])
    return text.replace(tempfile.gettempdir(), "TEMPORARY")
