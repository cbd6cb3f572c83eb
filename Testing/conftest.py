"""Puts the two module folders on the path, as Slicer does."""
import signal
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "LTDiffStandardize"), str(ROOT / "LTDiffTraining")]

# In the background of a shell interrupts are ignored, by children too; the tests send some.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real CT data beside the repository, which not every machine has."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real CT data (../shared/data) are not on this machine")
    return folder
