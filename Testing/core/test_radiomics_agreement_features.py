"""Every feature by itself, the paper's own figure, and ComBat."""
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from LTDiffStandardizeLib.radiomics.agreement import (FEATURE_AGREEMENT_KEYS, agreement_table, bland_altman, feature_agreement, icc_3_1,
                                                      lin_ccc, paired_difference, paper_protocol, relative_error, trustworthy)  # fmt: skip
from LTDiffStandardizeLib.radiomics.agreement.classes import few_regions_warning
from LTDiffStandardizeLib.radiomics.features import FeatureTable
from LTDiffStandardizeLib.radiomics.regions import Region

numbers = st.floats(-1e4, 1e4).map(lambda value: round(value, 3))


def regions(count, hu_range="lung", group=lambda index: ""):
    box = (slice(0, 1), slice(0, 1), slice(0, 1))
    return [Region(f"r{index}", hu_range, "random", box, np.ones((1, 1, 1), bool), group(index)) for index in range(count)]


def table(values, classes=None):
    values = np.asarray(values, float)
    classes = classes or ["GLCM"] * values.shape[1]
    return FeatureTable(tuple((name, f"f{column}") for column, name in enumerate(classes)), values)


def noisy(seed, count=40, features=5, noise=0.5):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(count, features))
    return truth, truth + noise * rng.normal(size=truth.shape)


def test_the_icc_is_that_of_two_tables_worked_by_hand():
    # Two of the four judges in table 2 of Shrout and Fleiss. Regions: 2 x 11.5 / 5 = 4.6; left over: 22/3 / 5 / 2 = 11/15.
    assert icc_3_1([9, 6, 8, 7, 10, 6], [5, 3, 6, 2, 6, 4]) == pytest.approx((4.6 - 11 / 15) / (4.6 + 11 / 15), abs=1e-14)
    # Regions: 2 x 5.25 / 3 = 3.5; left over: 1 / 3 / 2.
    assert icc_3_1([1, 2, 3, 4], [2, 2, 3, 5]) == pytest.approx(20 / 22, abs=1e-14)


def test_a_shift_leaves_the_icc_at_one_and_gives_the_ccc_of_the_closed_form():
    x = np.random.default_rng(0).normal(size=50)
    assert icc_3_1(x, x + 3) == pytest.approx(1.0, abs=1e-12)
    assert lin_ccc(x, x + 3) == pytest.approx(2 * x.var() / (2 * x.var() + 9), abs=1e-12)
    assert lin_ccc(x, x) == icc_3_1(x, x) == pytest.approx(1.0)


@given(arrays(float, st.integers(2, 20), elements=numbers), st.integers(0, 1000))
def test_the_icc_is_never_below_the_ccc_where_both_are_positive(x, seed):
    y = x + np.random.default_rng(seed).normal(size=len(x))
    assume(np.ptp(x) > 1e-3 and lin_ccc(x, y) > 0)
    # The CCC has population moments and counts the offset; the ICC does neither.
    assert icc_3_1(x, y) >= lin_ccc(x, y) - 1e-9


def test_constants_one_region_and_missing_values_have_the_stated_icc():
    assert icc_3_1([5.0, 5.0], [7.0, 7.0]) == 1.0
    assert math.isnan(icc_3_1([1.0], [1.0])) and math.isnan(icc_3_1([1.0, np.nan], [1.0, 2.0]))


def test_limits_of_agreement_are_those_of_a_hand_example():
    # Differences -1, 0, 1, 4: mean 1, variance (4 + 1 + 0 + 9) / 3.
    limits = bland_altman([1.0, 2.0, 3.0, 6.0], [2.0, 2.0, 2.0, 2.0])
    half = 1.96 * math.sqrt(14 / 3)
    assert limits == pytest.approx((1.0, 1.0 - half, 1.0 + half))
    one = bland_altman([3.0], [1.0])
    assert one.bias == 2.0 and math.isnan(one.low) and math.isnan(one.high)


def test_the_relative_error_has_no_value_where_the_standard_is_zero():
    np.testing.assert_array_equal(relative_error([1.0, 3.0, -4.0], [2.0, 0.0, -2.0]), [0.5, np.nan, 1.0])


def test_each_feature_has_the_figures_of_its_own_column():
    truth, method = noisy(1)
    rows = feature_agreement({"a": table(method)}, table(truth), regions(40))
    assert [row["feature"] for row in rows] == ["f0", "f1", "f2", "f3", "f4"] and tuple(rows[0]) == FEATURE_AGREEMENT_KEYS
    for column, row in enumerate(rows):
        x, y = method[:, column], truth[:, column]
        assert (row["ccc"], row["icc"]) == pytest.approx((lin_ccc(x, y), icc_3_1(x, y)))
        assert (row["bias"], row["loa_low"], row["loa_high"]) == pytest.approx(bland_altman(x, y))
        assert row["relative_error"] == pytest.approx(np.median(np.abs(x - y) / np.abs(y)))
        assert row["ccc_low"] < row["ccc"] < row["ccc_high"] and row["n_defined"] == row["n_regions"] == 40


def test_a_feature_undefined_in_a_region_has_no_figures_and_says_in_how_many_it_is_defined():
    truth, method = noisy(2)
    method[3, 1] = np.nan
    row = feature_agreement({"a": table(method)}, table(truth), regions(40))[1]
    assert row["n_defined"] == 39 and all(math.isnan(row[key]) for key in ("ccc", "ccc_low", "icc", "bias", "relative_error"))


def test_the_interval_of_a_feature_draws_whole_patients():
    rng = np.random.default_rng(3)
    patients = np.repeat(np.arange(8), 10)
    truth = rng.normal(size=(80, 20))
    method = truth + 1.5 * rng.normal(size=(8, 20))[patients]  # an error that all regions of a patient share
    widths = []
    for group in (lambda index: "", lambda index: str(patients[index])):
        rows = feature_agreement({"a": table(method)}, table(truth), regions(80, group=group))
        widths.append(np.mean([row["ccc_high"] - row["ccc_low"] for row in rows]))
    assert widths[1] > 1.2 * widths[0]


def test_features_are_sorted_by_what_standardization_did_to_them():
    rows = [{"method": method, "regions": "lung", "feature_class": "ID", "feature": name, "ccc": ccc}
            for name, *both in (("a", 0.5, 0.9), ("b", 0.85, 0.86), ("c", 0.9, 0.84), ("d", 0.2, 0.3), ("e", 0.2, math.nan),
                                ("f", math.nan, 0.9))
            for method, ccc in zip(("old", "new"), both)]  # fmt: skip
    lists = trustworthy(rows, "old", "new")["lung"]
    assert lists == ([("ID", "a")], [("ID", "b")], [("ID", "c")], [("ID", "d")], [("ID", "e"), ("ID", "f")])


@pytest.mark.parametrize("count, patients, known", [(2, 1, False), (3, 1, True), (40, 2, False), (40, 3, True)])
def test_fewer_than_three_regions_or_patients_give_a_ccc_without_an_interval(count, patients, known):
    truth, method = noisy(7, count=count)
    where = regions(count, group=lambda index: str(index % patients))
    (of_class,), one_by_one = (make({"a": table(method)}, table(truth), where) for make in (agreement_table, feature_agreement))
    pair = paired_difference(table(method), table(truth), table(truth), where)[0]
    assert math.isfinite(of_class["ccc_mean"]) and math.isfinite(one_by_one[0]["ccc"]) and math.isfinite(pair["difference"])
    limits = (of_class["ccc_low"], of_class["ccc_high"], one_by_one[0]["ccc_low"], pair["low"], pair["high"])
    assert {math.isfinite(limit) for limit in limits} == {known}


def test_ranges_of_fewer_than_ten_regions_are_named_in_one_sentence():
    assert few_regions_warning(regions(10)) == ""
    assert "Fewer than 10 regions lie in " in few_regions_warning(regions(9)) and "(9)" in few_regions_warning(regions(9))


def test_the_papers_figure_is_taken_across_the_features_of_a_class_in_each_region():
    truth, method = noisy(4, count=6)
    (row,) = paper_protocol({"a": table(method)}, table(truth), regions(6))
    each = [lin_ccc(method[index], truth[index]) for index in range(6)]
    assert (row["ccc_raw_mean"], row["ccc_raw_sd"]) == pytest.approx((np.mean(each), np.std(each)))
    z_truth, z_method = ((values - truth.mean(axis=0)) / truth.std(axis=0) for values in (truth, method))
    assert row["ccc_z_mean"] == pytest.approx(np.mean([lin_ccc(z_method[index], z_truth[index]) for index in range(6)]))


def test_on_raw_values_one_large_feature_decides_and_z_scored_it_does_not():
    rng = np.random.default_rng(5)
    truth, method = rng.normal(size=(30, 6)), rng.normal(size=(30, 6))  # no relation at all
    truth[:, 0] = method[:, 0] = 1e6 + rng.normal(size=30)
    (row,) = paper_protocol({"a": table(method)}, table(truth), regions(30))
    assert row["ccc_raw_mean"] > 0.999 and row["ccc_z_mean"] < 0.6


def test_a_class_of_one_feature_has_no_figure_within_it():
    truth, method = noisy(6, features=1)
    (row,) = paper_protocol({"a": table(method)}, table(truth), regions(40))
    assert math.isnan(row["ccc_raw_mean"]) and math.isnan(row["ccc_z_sd"])
