"""The tables: what they are filled with, and that they are filled once."""
import csv
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("finufft", reason="the simulator needs finufft, which has no wheel for this processor")
pytest.importorskip("radiomics", reason="the tables need PyRadiomics, which is not installed here")

from LTDiffStandardizeLib.model.bundle import load_bundle
from LTDiffTrainingLib.evaluation.ablation import ablations
from LTDiffTrainingLib.evaluation.any_target import any_target_methods, varied_cases
from LTDiffTrainingLib.evaluation.cases import as_volume, simulated_case
from LTDiffTrainingLib.evaluation.measuring import FILTERS, by_standardizer, filters, measure
from LTDiffTrainingLib.evaluation.published import CLASSES, published_rows
from LTDiffTrainingLib.evaluation.real_pairs import real_pairs
from LTDiffTrainingLib.evaluation.tables import table_of, write_all, write_charts
from LTDiffTrainingLib.fitting.trust import with_fitted_trust
from LTDiffTrainingLib.simulation.pairs import Acquisition, PairedSeries, simulate_series

SCRIPT = Path(__file__).resolve().parents[2] / "LTDiffTraining" / "Scripts" / "evaluate.py"


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Two phantoms of one acquisition, 256 pixels."""
    folder, acquisition = tmp_path_factory.mktemp("pairs"), Acquisition(size=256, pixel=1.4)
    return [PairedSeries(simulate_series(folder / f"p{i}", i, acquisition, 10.0 + np.arange(4), clean=False)) for i in range(2)]


@pytest.fixture(scope="module")
def made(pairs):
    cases = [simulated_case(one, load_bundle().protocol) for one in pairs]
    return measure(cases, filters(), 12, report=lambda line: None)


def test_the_paper_s_figures_are_quoted_as_published():
    rows = {(r["table"], r["method"], r["feature_class"]): (r["ccc_mean"], r["ccc_sd"]) for r in published_rows()}
    assert len(rows) == 7 * len(CLASSES)
    assert rows["I published", "LTDiff++ (published)", "GLCM"] == (0.86, 0.11)
    assert rows["II published", "DiffusionCT (published)", "IH"] == (0.41, 0.06)


def test_a_table_has_the_rows_of_agreement_and_what_sets_ours_against_the_best_filter(made):
    table = table_of("II test", "about", made, ours="power", combat=True)
    assert {"table", "method", "regions", "feature_class", "ccc_mean", "ccc_low", "n_regions"} <= set(table.rows[0])
    assert {row["method"] for row in table.rows} == {*FILTERS, "none + ComBat"}
    for row in table.differences:
        best = max(r["ccc_mean"] for r in table.rows if (r["regions"], r["feature_class"]) == (row["regions"], row["feature_class"]) and r["method"] in FILTERS)
        assert row["filter"] == best
        assert row["difference"] <= 1e-9  # power is one of the filters


def test_tables_are_written_as_json_csv_markdown_and_charts(made, tmp_path):
    table = table_of("II test", "about", made, ours="ls_noise")
    write_all(tmp_path, [table], published_rows())
    write_charts(tmp_path, [table])
    rows = json.loads((tmp_path / "tables.json").read_text())
    assert len(rows) == len(table.rows) + len(published_rows())
    assert {row["table"] for row in rows} == {"II test", "I published", "II published"}
    with open(tmp_path / "tables.csv", newline="") as stream:
        assert len(list(csv.DictReader(stream))) == len(rows)
    text = (tmp_path / "tables.md").read_text()
    assert "| ls_noise |" in text and "quoted, not compared" in text
    assert list((tmp_path / "figures").glob("*.svg"))


def test_the_shipped_pair_is_a_case_fitted_on_one_half_and_measured_on_the_other():
    (pair,) = real_pairs(None, load_bundle())
    (case,) = pair.cases
    assert not pair.phantom
    assert case.source.facts.kernel == "B40f" and case.target.facts.kernel == "B70f"
    assert len(case.source.hu) == 4
    assert case.tumours and all(region.slices[0].stop <= 4 for region in case.tumours)


def test_the_real_phantoms_are_cases_fitted_on_other_slices(shared_data):
    found = {pair.name: pair for pair in real_pairs(shared_data / "pairs", load_bundle())}
    kernels = {name: (pair.cases[0].source.facts.kernel, pair.cases[0].target.facts.kernel) for name, pair in found.items()}
    assert kernels == {"lungdx-a0002": ("B40f", "B70f"), "philips-head-phantom": ("UB", "YA"), "toshiba-chest-phantom": ("FC13", "FC51")}
    assert [pair.phantom for pair in found.values()] == [False, True, True]


def test_a_folder_without_a_pair_is_told_and_left_out(tmp_path):
    (tmp_path / "nothing").mkdir()
    told = []
    assert real_pairs(tmp_path, load_bundle(), told.append) == []
    assert "nothing" in told[0] and "two" in told[0]


@pytest.fixture(scope="module")
def volume(pairs):
    return as_volume(pairs[0])[0]


def test_a_pair_tells_how_far_the_network_may_be_trusted(pairs):
    """Wholly where the target is what the network expects, not at all where it is the opposite, and no more than that."""
    source, bundle = as_volume(pairs[0])[0], load_bundle()
    made = by_standardizer("ltdiff", bundle)
    expected, filtered = (made(source, replace(bundle.protocol, temperature=0.0, trust=share)) for share in (1.0, 0.0))
    opposite = filtered.with_hu(2 * filtered.hu.astype(int) - expected.hu, "opposite")
    trust = lambda target: with_fitted_trust(bundle.protocol, source, target, bundle, slices=2).trust
    whole = trust(expected)
    assert whole > 0.75, "all but what standardized images leave to the filter, below 0.5 lp/cm"
    assert trust(filtered) < 0.1 and trust(opposite) == 0.0
    half = filtered.with_hu((filtered.hu.astype(int) + expected.hu) // 2, "half")
    assert trust(half) == pytest.approx(whole / 2, abs=0.1)


def test_every_ablation_changes_the_image_and_the_whole_model_is_among_them(volume):
    bundle = load_bundle()
    made = {name: method(volume, bundle.protocol).hu.astype(int) for name, method in ablations(bundle, 0).items()}
    whole = made.pop("LTDiff++")
    assert {"without diffusion", "without moment head", "UNet++ pruned to depth 1", "without directions", "1 step"} <= set(made)
    for name, hu in made.items():
        assert np.any(hu != whole), name
        assert np.abs((hu - whole)[:, 100:156, 100:156].mean()) < 10, name


@pytest.mark.parametrize("sharpen", [True, False])
def test_any_target_is_reached_in_both_directions_without_a_pair(pairs, sharpen):
    (case,) = varied_cases([tuple(pairs)], load_bundle(), sharpen, fit_slices=4)
    methods = any_target_methods({case.name: pairs[1]}, load_bundle(), 0, sharpen)
    error = {name: float((method(case.source, case.protocol).hu.astype(float) - case.target.hu).std()) for name, method in methods.items()
             if name in ("ls_noise, reference", "power, reference", "none")}
    assert error["power, reference"] < error["none"]
    assert case.source.hu.std() != case.target.hu.std()


def test_the_script_fills_a_table_once(tmp_path):
    command = [sys.executable, str(SCRIPT), "--output", str(tmp_path), "--only", "patients", "--per-range", "4", "--pairs",
               str(Path(__file__).resolve().parents[2] / "LTDiffStandardize" / "Resources" / "SampleData"), "--system", str(_small_system(tmp_path))]
    first = subprocess.run(command, capture_output=True, text=True)
    assert first.returncode == 0, first.stderr
    rows = json.loads((tmp_path / "tables.json").read_text())
    assert {"ltdiff", "UNet++, seed 5", *FILTERS} <= {row["method"] for row in rows if row["table"] == "I patients"}
    again = subprocess.run(command, capture_output=True, text=True)
    assert "filled before" in again.stdout
    assert json.loads((tmp_path / "tables.json").read_text()) == rows


def _small_system(folder):
    from LTDiffStandardizeLib.model.network_shape import NetworkShape
    from LTDiffTrainingLib.systems import system_of
    from LTDiffTrainingLib.systems.store import save_system

    system, shape = system_of("unetplusplus"), NetworkShape((8, 8, 8), (8, 8, 8), (8, 8, 8))
    return save_system(folder / "system", system, system.build(shape), shape, {"seed": 5})
