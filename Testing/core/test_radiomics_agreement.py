import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from LTDiffStandardizeLib.radiomics.agreement import agreement_table, lin_ccc, paired_difference, sd_ratio
from LTDiffStandardizeLib.radiomics.agreement.bootstrap import bootstrap_weights, ccc_draws, class_means
from LTDiffStandardizeLib.radiomics.features import FeatureTable
from LTDiffStandardizeLib.radiomics.regions import Region

values = arrays(float, st.integers(2, 30), elements=st.floats(-1e4, 1e4).map(lambda v: round(v, 3)))
pairs = values.flatmap(lambda x: st.tuples(st.just(x), arrays(float, x.shape, elements=st.floats(-1e4, 1e4))))


def regions(count, group=lambda index: "", hu_range="[10,250]"):
    box = (slice(0, 1), slice(0, 1), slice(0, 1))
    return [Region(f"r{i}", hu_range, "random", box, np.ones((1, 1, 1), bool), group(i)) for i in range(count)]


def as_features(matrix, feature_class="GLCM"):
    matrix = np.asarray(matrix, dtype=float)
    return FeatureTable(tuple((feature_class, f"f{column}") for column in range(matrix.shape[1])), matrix)


def noisy_pair(seed, count, features=6, noise=0.5):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(count, features))
    return truth, truth + noise * rng.normal(size=truth.shape)


def test_the_ccc_of_a_small_example_is_the_value_computed_by_hand():
    # Means 2.5 and 3; variances 1.25 and 1.5; covariance 1.25: 2.5 / (1.25 + 1.5 + 0.25).
    assert lin_ccc([1, 2, 3, 4], [2, 2, 3, 5]) == pytest.approx(2.5 / 3.0, abs=1e-15)


def test_a_shift_by_one_standard_deviation_gives_two_thirds():
    x = np.array([-1.0, 1.0])
    assert lin_ccc(x, x + 1.0) == pytest.approx(2.0 / 3.0, abs=1e-15)


def test_the_ccc_of_constants_is_one_where_equal_and_undefined_where_not():
    assert lin_ccc([5.0, 5.0, 5.0], [5.0, 5.0, 5.0]) == 1.0
    assert math.isnan(lin_ccc([5.0, 5.0, 5.0], [6.0, 6.0, 6.0]))
    assert lin_ccc([5.0, 5.0, 5.0], [4.0, 5.0, 6.0]) == 0.0


def test_the_ccc_is_undefined_for_one_region_and_for_missing_values():
    assert math.isnan(lin_ccc([1.0], [1.0]))
    assert math.isnan(lin_ccc([1.0, np.nan, 2.0], [1.0, 2.0, 3.0]))


def test_features_are_columns_and_do_not_mix():
    truth, other = noisy_pair(0, 20)
    together = lin_ccc(truth, other)
    assert together.shape == (6,)
    np.testing.assert_allclose(together, [lin_ccc(truth[:, i], other[:, i]) for i in range(6)], rtol=1e-12)


@given(pairs)
def test_the_ccc_is_symmetric(pair):
    np.testing.assert_allclose(lin_ccc(*pair), lin_ccc(*pair[::-1]), rtol=1e-9, atol=1e-12)


@given(pairs)
def test_the_ccc_is_never_further_from_zero_than_the_correlation(pair):
    x, y = pair
    assume(x.std() > 1e-3 and y.std() > 1e-3)
    assert abs(lin_ccc(x, y)) <= abs(np.corrcoef(x, y)[0, 1]) + 1e-9


@given(values, st.floats(0.1, 100.0))
def test_a_shift_lowers_the_ccc_of_equal_values(x, shift):
    assume(x.std() > 1e-3)
    assert lin_ccc(x, x + shift) < lin_ccc(x, x) == pytest.approx(1.0)
    assert lin_ccc(x, x + 2 * shift) < lin_ccc(x, x + shift)


@given(pairs, st.floats(-10.0, 10.0), st.floats(-100.0, 100.0))
def test_the_ccc_does_not_change_when_both_are_scaled_and_shifted_alike(pair, scale, shift):
    x, y = pair
    assume(abs(scale) > 0.01 and x.std() > 1.0)
    np.testing.assert_allclose(lin_ccc(scale * x + shift, scale * y + shift), lin_ccc(x, y), rtol=1e-6, atol=1e-8)


def test_the_table_summarises_the_features_of_a_class():
    truth = np.arange(12.0).reshape(4, 3)
    method = truth + [0.0, 1.0, 1000.0]
    row, = agreement_table({"shifted": as_features(method)}, as_features(truth), regions(4))
    ccc = lin_ccc(method, truth)
    assert row["method"] == "shifted" and row["regions"] == "[10,250]" and row["feature_class"] == "GLCM"
    assert row["ccc_mean"] == pytest.approx(ccc.mean()) and row["ccc_sd"] == pytest.approx(ccc.std())
    assert row["share_085"] == row["share_090"] == pytest.approx(2 / 3)
    assert (row["n_features"], row["n_left_out"], row["n_regions"]) == (3, 0, 4)


def test_every_range_has_its_own_row():
    truth, method = noisy_pair(1, 30)
    where = regions(10, hu_range="lung") + regions(20, hu_range="tumour")
    rows = agreement_table({"a": as_features(method)}, as_features(truth), where)
    assert [(row["regions"], row["n_regions"]) for row in rows] == [("lung", 10), ("tumour", 20)]
    assert rows[0]["ccc_mean"] == pytest.approx(lin_ccc(truth[:10], method[:10]).mean())


def test_a_feature_undefined_in_one_region_is_left_out_and_counted():
    truth, method = noisy_pair(2, 20)
    broken = method.copy()
    broken[3, 0] = np.nan
    row, = agreement_table({"a": as_features(broken)}, as_features(truth), regions(20))
    whole, = agreement_table({"a": as_features(method[:, 1:])}, as_features(truth[:, 1:]), regions(20))
    assert (row["n_features"], row["n_left_out"]) == (5, 1)
    assert row["ccc_mean"] == whole["ccc_mean"] and row["ccc_low"] == whole["ccc_low"]


def test_a_class_without_any_defined_feature_has_no_figures():
    nothing = as_features(np.full((5, 2), np.nan))
    row, = agreement_table({"a": nothing}, nothing, regions(5))
    assert math.isnan(row["ccc_mean"]) and math.isnan(row["ccc_low"]) and row["n_left_out"] == 2


def test_the_reference_agrees_with_itself_without_doubt():
    truth, _ = noisy_pair(3, 12)
    truth[:, 0] = 7.0
    row, = agreement_table({"same": as_features(truth)}, as_features(truth), regions(12))
    assert (row["ccc_mean"], row["ccc_sd"], row["share_090"]) == (1.0, 0.0, 1.0)
    assert row["ccc_low"] == pytest.approx(1.0) and row["ccc_high"] == pytest.approx(1.0)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000))
def test_the_interval_holds_the_estimate(seed):
    truth, method = noisy_pair(seed, 60)
    row, = agreement_table({"a": as_features(method)}, as_features(truth), regions(60))
    assert row["ccc_low"] < row["ccc_mean"] < row["ccc_high"] <= 1.0


def test_the_interval_shrinks_with_the_number_of_regions():
    def width(count):
        truth, method = noisy_pair(4, count)
        row, = agreement_table({"a": as_features(method)}, as_features(truth), regions(count))
        return row["ccc_high"] - row["ccc_low"]

    assert width(25) > 1.5 * width(100) > 2.25 * width(400)


def test_the_interval_is_the_same_in_every_run_and_changes_with_the_seed():
    truth, method = map(as_features, noisy_pair(5, 30))
    first, again = (agreement_table({"a": method}, truth, regions(30), seed=1) for _ in range(2))
    assert first == again
    assert first[0]["ccc_low"] != agreement_table({"a": method}, truth, regions(30), seed=2)[0]["ccc_low"]


def test_the_draws_match_a_plain_loop_over_resampled_regions():
    truth, method = noisy_pair(6, 25)
    scale = 10.0 ** np.arange(-3, 9, 2)
    truth, method = scale * truth + 100 * scale, scale * method + 100 * scale
    row, = agreement_table({"a": as_features(method)}, as_features(truth), regions(25), draws=300, seed=9)
    counts = np.random.default_rng(9).multinomial(25, np.full(25, 1 / 25), size=300)
    draws = [np.repeat(np.arange(25), count) for count in counts]
    expected = np.percentile([lin_ccc(truth[draw], method[draw]).mean() for draw in draws], (5, 95))
    np.testing.assert_allclose((row["ccc_low"], row["ccc_high"]), expected, rtol=1e-9)


def draws_by_loop(weights, x, y):
    draws = [np.repeat(np.arange(len(x)), weight.astype(int)) for weight in weights]
    return np.array([lin_ccc(x[draw], y[draw]) if len(set(draw)) > 1 else np.full(x.shape[1], np.nan) for draw in draws])


@pytest.mark.parametrize("count", [2, 3, 6, 25])
def test_every_draw_has_the_ccc_of_its_own_values_whatever_the_others_are(count):
    y, x = noisy_pair(12, count, features=10)
    x[0, 0] = 1e10
    y[0, 1] = 1e10
    x[0, 2] = y[0, 2] = 1e10
    x[:-1, 3] = y[:-1, 3] = 1e10
    x[:, 4] = y[:, 4] = 0.1
    x[:, 5], y[:, 5] = 0.1, 0.3
    x[:-1, 6] = y[:-1, 6] = 0.06
    x[0, 7], y[0, 7] = -1e10, 1e10
    x[:, 8] += 1e6
    y[:, 9] = 0.1
    weights = bootstrap_weights([""] * count, draws=200)
    np.testing.assert_allclose(ccc_draws(weights, x, y), draws_by_loop(weights, x, y), rtol=1e-9, atol=1e-12)


def test_one_outlying_region_does_not_end_the_interval_at_one():
    truth, method = noisy_pair(13, 30, noise=50.0)
    method[4] = 1e10
    row, = agreement_table({"a": as_features(method)}, as_features(truth), regions(30))
    assert abs(row["ccc_mean"]) < 1e-6 and row["ccc_high"] < 0.1


def test_draws_that_repeat_one_region_tell_no_agreement():
    truth = np.array([[1.0, 2.0], [2.0, 1.0]])
    method = np.array([[1.0, 9.0], [4.0, 0.0]])  # one feature of one region is equal
    one, both = class_means(np.array([[2.0, 0.0], [1.0, 1.0]]), method, truth)
    assert math.isnan(one) and both == pytest.approx(lin_ccc(method, truth).mean())


def test_regions_of_one_patient_are_drawn_together():
    rng = np.random.default_rng(7)
    patients = np.repeat(np.arange(8), 10)
    truth = rng.normal(size=(80, 4))
    method = truth + 1.5 * rng.normal(size=(8, 1))[patients]  # an error that all regions of a patient share
    loose, = agreement_table({"a": as_features(method)}, as_features(truth), regions(80))
    clustered, = agreement_table({"a": as_features(method)}, as_features(truth),
                                 regions(80, group=lambda index: f"patient {patients[index]}"))
    assert clustered["ccc_mean"] == loose["ccc_mean"]
    assert clustered["ccc_high"] - clustered["ccc_low"] > 1.5 * (loose["ccc_high"] - loose["ccc_low"])


def test_the_difference_of_a_better_and_a_worse_method_is_clear():
    truth, worse = noisy_pair(8, 100, noise=0.5)
    better = truth + 0.8 * (worse - truth)
    row, = paired_difference(*map(as_features, (better, worse, truth)), regions(100))
    tables = agreement_table({"better": as_features(better), "worse": as_features(worse)}, as_features(truth),
                             regions(100))
    assert row["difference"] == pytest.approx(tables[0]["ccc_mean"] - tables[1]["ccc_mean"])
    assert 0 < row["low"] < row["difference"] < row["high"]
    assert row["high"] - row["low"] < tables[1]["ccc_high"] - tables[1]["ccc_low"]


def test_a_method_does_not_differ_from_itself():
    truth, method = map(as_features, noisy_pair(9, 20))
    row, = paired_difference(method, method, truth, regions(20))
    assert row["difference"] == row["low"] == row["high"] == 0.0


def test_lists_of_different_length_are_refused():
    truth, method = noisy_pair(10, 5)
    with pytest.raises(ValueError, match="5 and 4 regions"):
        agreement_table({"a": as_features(method)}, as_features(truth[:4]), regions(5))


def test_tables_of_different_features_are_refused():
    truth, method = noisy_pair(10, 5)
    with pytest.raises(ValueError, match="different features"):
        agreement_table({"a": as_features(method)}, as_features(truth, "ID"), regions(5))


def test_the_sd_ratio_is_that_of_the_noise_in_the_masks():
    rng = np.random.default_rng(11)
    reference = rng.normal(0.0, 50.0, (4, 40, 40))
    where = [Region(str(i), "all", "random", (slice(0, 4), slice(10 * i, 10 * i + 10), slice(0, 40)),
                    np.ones((4, 10, 40), bool)) for i in range(4)]
    ratio = sd_ratio(0.5 * reference, reference, where)
    assert ratio.median == pytest.approx(0.5) and ratio.log_sd == pytest.approx(0.0, abs=1e-12) and ratio.n_regions == 4
    uneven = reference * np.repeat([0.5, 1.0, 1.0, 2.0], 10)[None, :, None]
    assert sd_ratio(uneven, reference, where).median == pytest.approx(1.0)
    assert sd_ratio(uneven, reference, where).log_sd == pytest.approx(np.log(2) / np.sqrt(2))


def test_a_region_without_spread_has_no_sd_ratio():
    flat = np.zeros((1, 1, 1))
    assert sd_ratio(flat, flat, regions(3)).n_regions == 0
