"""Puts the two module folders on the path, as Slicer does."""
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "LTDiffStandardize"), str(ROOT / "LTDiffTraining")]


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real CT data beside the repository, which not every machine has."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real CT data (../shared/data) are not on this machine")
    return folder
