"""The demo from its start to its files, on three slices of the shipped pair."""
import importlib.util
import json
import shutil
from pathlib import Path

import pytest

from LTDiffStandardizeLib.volumes import read_volume

DEMO = Path(__file__).resolve().parents[1] / "demo.py"


@pytest.fixture(scope="module")
def demo():
    spec = importlib.util.spec_from_file_location("demo", DEMO)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def small_sample(demo, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample") / "small"
    shutil.copytree(demo.SAMPLE / "tumour", folder / "tumour")
    for kernel in ("B40f", "B70f"):
        (folder / kernel).mkdir()
        for number in (16, 17, 18):
            shutil.copyfile(demo.SAMPLE / kernel / f"1-{number}.dcm", folder / kernel / f"1-{number}.dcm")
    return folder


def test_the_demo_writes_report_tables_and_a_derived_series(demo, small_sample, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo, "SAMPLE", small_sample)
    monkeypatch.setattr(demo, "REGIONS_PER_RANGE", 3)
    monkeypatch.setattr("sys.argv", ["demo.py", "--output", str(tmp_path / "demo-output")])
    demo.main()

    output = tmp_path / "demo-output"
    assert {path.name for path in output.iterdir()} == {"report.html", "features.csv", "regions.csv", "agreement.json", "agreement-ibex.json",
                                                        "feature_agreement.csv", "summary.json", "standardized"}  # fmt: skip
    agreement = json.loads((output / "agreement.json").read_text(encoding="utf-8"))
    assert [method for method in demo.METHODS if method not in {row["method"] for row in agreement}] == []
    assert {row["regions"] for row in agreement} == {"[-800,-300]", "[-100,250]", "[10,250]", "[300,800]", "tumour"}
    assert {row["n_regions"] for row in agreement} == {3}
    ibex = json.loads((output / "agreement-ibex.json").read_text(encoding="utf-8"))
    assert {row["feature_class"] for row in ibex} == {"GOH", "GLCM", "GLRLM", "ID", "IH", "NID"}
    assert {row["n_features"] + row["n_left_out"] for row in ibex if row["feature_class"] == "GLCM"} == {1254}

    source, standardized = read_volume(small_sample / "B40f"), read_volume(output / "standardized")
    assert standardized.hu.shape == source.hu.shape and standardized.origin == source.origin
    assert standardized.facts.kernel.startswith("LTDiff B70f")
    assert (standardized.hu != source.hu).mean() > 0.5

    report = (output / "report.html").read_text(encoding="utf-8")
    for needed in ("SIEMENS", "B40f to B70f", "Creative Commons Attribution", "NNC2-0461", "One patient", demo.load_bundle().sha256):
        assert needed in report
    printed = capsys.readouterr().out
    assert "tumour" in printed and str(output / "report.html") in printed
