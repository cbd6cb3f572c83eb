"""Hidden Slicer module that carries the training of LTDiff: its Scripts and LTDiffTrainingLib have no panel."""
import sys
from importlib.util import find_spec
from pathlib import Path

# An installed extension has both modules in one folder; in a checkout the sister module lies beside this one.
if find_spec("LTDiffStandardizeLib") is None:
    sys.path.append(str(Path(__file__).resolve().parents[1] / "LTDiffStandardize"))

from LTDiffStandardizeLib.scene.application import (  # noqa: E402
    ScriptedLoadableModule,
    ScriptedLoadableModuleTest,
    _,
    describe,
)


class LTDiffTraining(ScriptedLoadableModule):
    """What Slicer knows of the module; it appears in no menu."""

    def __init__(self, parent):
        super().__init__(parent)
        describe(
            parent,
            title=_("LTDiff Training"),
            help_text=_("Trains LTDiff models for a pair of reconstruction kernels, from the command line or by start_training."),
        )
        parent.dependencies = ["LTDiffStandardize"]
        parent.hidden = True
        parent.widgetRepresentationCreationEnabled = False


def script(name):
    """A script of the training, such as "train.py", to be started with PythonSlicer: the Path of the file."""
    return Path(__file__).resolve().parent / "Scripts" / name


_timers = set()  # of the trainings at work; nobody else holds them


def start_training(output, arguments=(), listener=None, processes=1, done=None):
    """Starts train.py in processes of its own and returns at once, with the `Training`; the application stays alive and its timer follows.

    output: the folder; started again with the same one, a training goes on from its last checkpoint. arguments: the others of train.py,
    such as ["--config", "gpu"]. listener: told its `progress(Progress)`, with a sentence and a share, and `say(line)`; else lines are
    printed. processes: how many train together, one on each graphics card. done: called with the `Result` at its end. Cancel it by
    `cancel()` of what this returns. Raises OutputError where the folder cannot be written.
    """
    import qt
    from LTDiffStandardizeLib.cohort.progress import Console
    from LTDiffStandardizeLib.panel.work import MILLISECONDS, interpreter
    from LTDiffTrainingLib.loop.starting import Training

    training = Training(Path(output), [str(one) for one in arguments], listener or Console(), processes, interpreter())
    timer = qt.QTimer()
    timer.setInterval(MILLISECONDS)

    def look():
        if training.poll():
            return
        timer.stop()
        _timers.discard(timer)
        result = training.result()
        (listener or Console()).say(result.sentence)
        if done:
            done(result)

    timer.timeout.connect(look)
    _timers.add(timer)
    timer.start()
    return training


class LTDiffTrainingTest(ScriptedLoadableModuleTest):
    """Checks, inside Slicer, that what the module needs was installed with it."""

    def runTest(self):
        self.test_the_training_library_and_scripts_are_shipped()

    def test_the_training_library_and_scripts_are_shipped(self):
        import LTDiffTrainingLib

        folder = Path(__file__).resolve().parent
        self.assertEqual(Path(LTDiffTrainingLib.__file__).resolve().parents[1], folder)
        for name in ("simulate.py", "train.py", "evaluate.py"):
            self.assertTrue(script(name).is_file(), name)
