"""Slicer module that standardizes CT volumes between reconstruction kernels. The work is done in LTDiffStandardizeLib."""
from pathlib import Path

from LTDiffStandardizeLib.scene.application import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
    _,
    describe,
)


class LTDiffStandardize(ScriptedLoadableModule):
    """What Slicer shows of the module in its menus."""

    def __init__(self, parent):
        super().__init__(parent)
        describe(
            parent,
            title=_("LTDiff Standardize"),
            help_text=_(
                "Standardizes CT volumes between reconstruction kernels, so that radiomic features of scans made with "
                "different kernels can be compared."
            ),
        )


class LTDiffStandardizeWidget(ScriptedLoadableModuleWidget):
    """Says how to standardize volumes from a command line."""

    def setup(self):
        import qt

        super().setup()
        text = _("Volumes and DICOM folders are standardized from a command line:")
        label = qt.QLabel(text + "\n\n" + LTDiffStandardizeLogic().commandLine())
        label.wordWrap = True
        label.textInteractionFlags = qt.Qt.TextSelectableByMouse
        self.layout.addWidget(label)
        self.layout.addStretch(1)


class LTDiffStandardizeLogic(ScriptedLoadableModuleLogic):
    """What the module does without its panel."""

    def commandLine(self):
        """The command that standardizes a DICOM folder or a volume file, as one types it in a terminal."""
        return f'PythonSlicer "{self.script()}" INPUT --output FOLDER'

    def script(self):
        """The headless entry point of the module, a Path."""
        return Path(__file__).resolve().parent / "Scripts" / "standardize.py"


class LTDiffStandardizeTest(ScriptedLoadableModuleTest):
    """Checks, inside Slicer, that everything the module reads was installed with it."""

    def runTest(self):
        self.test_the_shipped_protocols_are_readable()
        self.test_the_headless_script_is_shipped()

    def test_the_shipped_protocols_are_readable(self):
        from LTDiffStandardizeLib.model.protocols import library

        self.assertTrue(library())

    def test_the_headless_script_is_shipped(self):
        self.assertTrue(LTDiffStandardizeLogic().script().is_file())
