"""Testing/benchmarks: that they run, what they write, and what happens where a package is missing. Nothing here judges a time."""
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture
def measuring(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import measuring

    return measuring


def start(*arguments, **variables):
    command = [sys.executable, str(BENCHMARKS / "run_benchmarks.py"), "--quick", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env={**os.environ, **variables})


def test_a_quick_benchmark_prints_its_rows_and_writes_them_as_json(tmp_path):
    result = start("--only", "dicom", "--json", tmp_path / "rows.json")
    assert result.returncode == 0, result.stderr
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert len(rows) == 2
    for row in rows:
        assert list(row) == ["name", "value", "unit", "peer", "ratio"]
        assert row["name"] in result.stdout
        assert row["unit"] == "CPU-s"
        assert math.isfinite(row["value"]) and row["value"] >= 0
        assert (row["peer"] is None) == (row["ratio"] is None)
    assert any(row["ratio"] for row in rows)


def test_a_missing_package_leaves_its_rows_out_with_a_sentence(tmp_path):
    (tmp_path / "finufft.py").write_text("raise ImportError('not here')")
    result = start("--only", "simulation", "--json", tmp_path / "rows.json", PYTHONPATH=str(tmp_path))
    assert result.returncode == 0, result.stderr
    assert json.loads((tmp_path / "rows.json").read_text()) == []
    assert "Left out: simulation. It needs the package finufft, which cannot be imported (ImportError: not here)." in result.stdout


def test_functions_are_called_once_uncounted_and_then_in_turns(measuring):
    calls = []
    seconds = measuring.interleaved({name: lambda name=name: calls.append(name) for name in "ab"}, 3)
    assert "".join(calls) == "ab" + "ab" + "ba" + "ab"
    assert {name: len(values) for name, values in seconds.items()} == {"a": 3, "b": 3}


def test_a_ratio_is_the_median_of_the_rounds_ratios_not_the_ratio_of_the_medians(measuring):
    row = measuring.compared("ours / peer", [1.0, 3.0, 8.0], [2.0, 2.0, 8.0])
    assert (row.value, row.peer, row.ratio) == (3.0, 2.0, 1.0)
    assert row.ratio_spread == (0.5, 1.5)
