"""Methods side by side: the same regions for all, what is measured in them, and what is written."""
import csv
import json
import sys

import numpy as np
import pytest
from report_parts import box_regions, noisy_volume, small_comparison

from LTDiffStandardizeLib.comparison import STANDARD, compare, hu_shifts, joined, sd_ratios, slice_by_slice, with_combat, write_tables
from LTDiffStandardizeLib.errors import InputError, OutputError
from LTDiffStandardizeLib.radiomics.profiles.pyradiomics import CLASSES, available
from LTDiffStandardizeLib.radiomics.profiles import IbexProfile
from LTDiffStandardizeLib.radiomics.regions import draw_regions, region_from_sphere

usable, why_not = available()
needs_pyradiomics = pytest.mark.skipif(not usable, reason=why_not)


@pytest.fixture(scope="module")
def comparison():
    return small_comparison()


def test_slices_of_a_region_hold_all_its_voxels_and_no_other():
    sphere = region_from_sphere((4, 20, 22), 9.0, (0.7, 0.7, 3.0), (9, 40, 44))
    whole, parts = np.zeros((9, 40, 44), int), np.zeros((9, 40, 44), int)
    whole[sphere.slices] += sphere.mask
    regions = slice_by_slice(sphere)
    for region in regions:
        assert region.mask.shape == region.crop(parts).shape and region.mask.shape[0] == 1 and region.mask.any(axis=1).all()
        parts[region.slices] += region.mask
    assert len(regions) == 7 and len({region.name for region in regions}) == 7
    assert np.array_equal(parts, whole)


def test_the_same_seed_draws_the_same_regions():
    volume = noisy_volume(shape=(4, 200, 200))
    (first, table), (again, _) = draw_regions(volume, 3, seed=5), draw_regions(volume, 3, seed=5)
    assert first and sum(row["drawn"] for row in table) == len(first) and [region.slices for region in first] == [region.slices for region in again]


def test_a_volume_on_another_grid_is_refused_by_name():
    reference, moved = noisy_volume(), noisy_volume()
    moved.origin = (0.0, 0.0, 3.0)
    with pytest.raises(InputError, match="method power"):
        compare(reference, {"power": moved}, box_regions())
    with pytest.raises(InputError, match="method ls"):
        compare(reference, {"ls": noisy_volume(shape=(3, 64, 60))}, box_regions())


def test_a_comparison_without_regions_is_refused():
    with pytest.raises(InputError, match="No region"):
        compare(noisy_volume(), {"none": noisy_volume()}, [])


def test_texture_is_looked_for_within_thick_slices(comparison):
    assert comparison.within_slices
    thin = noisy_volume()
    thin.spacing = (0.7, 0.7, 1.0)
    assert not compare(thin, {"none": thin}, box_regions()[:2]).within_slices


@needs_pyradiomics
def test_all_classes_are_measured_in_every_volume(comparison):
    assert list(comparison.features) == [STANDARD, "none", "power", "ltdiff"] and comparison.missing == ""
    assert {(row["method"], row["feature_class"]) for row in comparison.agreement} == {
        (method, name) for method in comparison.volumes for name in CLASSES}  # fmt: skip


@needs_pyradiomics
def test_worker_processes_measure_the_same(comparison):
    again = small_comparison(processes=2).features
    assert list(again) == list(comparison.features)
    for method, features in comparison.features.items():
        assert again[method].names == features.names
        np.testing.assert_array_equal(again[method].values, features.values)


def test_without_pyradiomics_our_own_features_are_measured_and_the_sentence_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "radiomics", None)  # what an import of a missing package comes down to
    found = small_comparison()
    assert "PyRadiomics cannot be used" in found.missing and found.profile == IbexProfile()
    assert {row["feature_class"] for row in found.agreement} == set(CLASSES)


def test_sd_ratios_tell_the_strength_of_the_noise():
    reference = noisy_volume(sd=40.0)
    half = reference.with_hu((reference.hu // 2).astype(np.int16), "half")
    ratios = sd_ratios(compare(reference, {"half": half}, box_regions()))
    assert ratios["[-100,250]", "half"] == pytest.approx(0.5, abs=0.01)


def test_hu_shifts_tell_an_offset_in_random_regions():
    reference = noisy_volume()
    raised = reference.with_hu(reference.hu + np.int16(7), "raised")
    regions = box_regions() + box_regions(kind="annotation", label="tumour")
    assert hu_shifts(compare(reference, {"raised": raised}, regions)) == {("[-100,250]", "raised"): 7.0}


def test_the_tables_are_tidy_and_the_json_is_strict(comparison, tmp_path):
    paths = write_tables(comparison, tmp_path, "pair")
    assert [path.name for path in paths] == ["features.csv", "regions.csv", "agreement.json"]
    with open(paths[0], encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    one_region = len(comparison.features[STANDARD].names)
    assert len(rows) == len(comparison.regions) * len(comparison.features) * one_region
    assert {row["method"] for row in rows} == set(comparison.features) and {row["series"] for row in rows} == {"pair"}

    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    agreement = json.loads(paths[2].read_text(encoding="utf-8"), parse_constant=refuse)
    needed = {"method", "regions", "feature_class", "ccc_mean", "ccc_sd", "n_features", "n_regions"}
    assert len(agreement) == len(comparison.agreement) and all(needed <= set(row) for row in agreement)


def test_undefined_numbers_are_null_in_the_json(tmp_path):
    reference = noisy_volume()
    lone = compare(reference, {"none": reference}, box_regions()[:1])
    agreement = json.loads(write_tables(lone, tmp_path, "pair")[2].read_text(encoding="utf-8"))
    assert {row["ccc_mean"] for row in agreement} == {None}


def test_tables_replace_others_only_when_told(comparison, tmp_path):
    write_tables(comparison, tmp_path, "pair")
    with pytest.raises(OutputError, match="exists already"):
        write_tables(comparison, tmp_path, "pair")
    write_tables(comparison, tmp_path, "pair", overwrite=True)
