"""Slicer module that standardizes CT volumes between reconstruction kernels. The work is done in LTDiffStandardizeLib."""
from pathlib import Path

from LTDiffStandardizeLib.scene.application import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
    _,
    describe,
    when_started,
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
        when_started(introduce)


class LTDiffStandardizeWidget(ScriptedLoadableModuleWidget):
    """The panel; see LTDiffStandardizeLib/panel."""

    def setup(self):
        from LTDiffStandardizeLib.panel.panel import Panel

        super().setup()
        self.logic = LTDiffStandardizeLogic()
        self.panel = Panel(self.layout, self.resourcePath, self.logic.getParameterNode)

    def enter(self):
        self.panel.enter()

    def exit(self):
        self.panel.leave()

    def cleanup(self):
        self.panel.close()


class LTDiffStandardizeLogic(ScriptedLoadableModuleLogic):
    """What the module does without its panel."""

    def commandLine(self):
        """The command that standardizes a DICOM folder or a volume file, as one types it in a terminal."""
        return f'PythonSlicer "{self.script()}" INPUT --output FOLDER'

    def script(self):
        """The headless entry point of the module, a Path."""
        return Path(__file__).resolve().parent / "Scripts" / "standardize.py"


class LTDiffStandardizeTest(ScriptedLoadableModuleTest):
    """Runs inside Slicer: that everything was installed, and the whole way from the sample to its features."""

    def runTest(self):
        self.test_the_shipped_protocols_are_readable()
        self.test_the_headless_script_is_shipped()
        self.test_the_sample_goes_all_the_way()

    def test_the_shipped_protocols_are_readable(self):
        from LTDiffStandardizeLib.model.protocols import library

        self.assertTrue(library())

    def test_the_headless_script_is_shipped(self):
        self.assertTrue(LTDiffStandardizeLogic().script().is_file())

    def test_the_sample_goes_all_the_way(self):
        from LTDiffStandardizeLib.panel import self_test

        self_test.run(self)


def introduce():
    """Tells the application our sample data, of which nothing is downloaded, and our layouts."""
    from LTDiffStandardizeLib.scene.comparison import register_layouts
    from LTDiffStandardizeLib.scene.samples import register

    register()
    register_layouts()
