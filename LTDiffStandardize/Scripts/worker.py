"""Carries out one request in a process of its own: PythonSlicer worker.py REQUEST RESULT. See LTDiffStandardizeLib/worker.py."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from LTDiffStandardizeLib.script import run_script
from LTDiffStandardizeLib.worker import main

if __name__ == "__main__":
    run_script(lambda: main(sys.argv[1:]))
