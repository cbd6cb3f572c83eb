"""One thread and the two module folders on the path. Every process of the benchmarks imports this before anything else."""
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# The numerical libraries read these once, when they are imported.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"):
    os.environ[variable] = "1"
sys.path[:0] = [str(ROOT / "LTDiffStandardize"), str(ROOT / "LTDiffTraining")]
