"""The tests of the panels, with a stand-in for the application where PySide6 and slicer-core are installed."""
import os
import sys

import pytest
import stand_in

# Read without the application these have other base classes, so they are read anew with it.
READ_WITHOUT_APPLICATION = ("LTDiffStandardize", "LTDiffTraining", "LTDiffStandardizeLib.scene.application")


@pytest.fixture(scope="package")
def application():
    """The stand-in, for the tests of this folder alone; gives `slicer.app`."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    for package, needed in (("PySide6.QtWidgets", "PySide6"), ("slicer", "slicer-core")):
        pytest.importorskip(package, reason=f"{needed} is missing or cannot be loaded", exc_type=ImportError)
    with pytest.MonkeyPatch.context() as changes:
        for name in READ_WITHOUT_APPLICATION:
            changes.delitem(sys.modules, name, raising=False)
        stand_in.install()
        import slicer

        yield slicer.app
        stand_in.uninstall()
        for name in READ_WITHOUT_APPLICATION:
            sys.modules.pop(name, None)


@pytest.fixture
def scene(application):
    """A new empty scene; nothing was displayed, asked or selected yet, and the main window is there."""
    import slicer

    for notes in (slicer.util.displayed, slicer.util.answers, slicer.util.selected_modules):
        notes.clear()
    application.main_window = True
    stand_in.remove_packaging()
    return stand_in.new_scene()


@pytest.fixture
def wait_until(application):
    """The function wait_until(condition, seconds=60), in which Qt works."""
    return stand_in.wait_until


@pytest.fixture
def panel(scene):
    """The panel of LTDiffStandardize in an empty scene."""
    from panel_parts import make_widget

    widget = make_widget()
    yield widget.panel
    widget.cleanup()
