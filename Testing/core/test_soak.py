"""Many series in one process leave memory and open files as they were."""
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not tell memory and open files in /proc")
def test_thirty_series_in_a_row_leave_memory_and_open_files_as_they_were(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
    import soak

    found = soak.soaked("ls_noise", 30)
    before, after = soak.memory_before_and_after(found)
    assert len(found["memory"]) == 30 and found["refused"] == 3
    assert after <= before * (1 + soak.LIMIT / 100)
    assert len(set(found["files"][soak.WARM_UP:])) == 1
