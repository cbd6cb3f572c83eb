"""The engine under the features: counts against slow loops, features against their definitions."""
import inspect
import math

import numpy as np
import pytest
from feature_parts import pairs_by_loop, runs_by_loop
from hypothesis import given, settings
from hypothesis import strategies as st

from LTDiffStandardizeLib.radiomics.matrices import cooccurrence, differences, histograms, runs, statistics
from LTDiffStandardizeLib.radiomics.matrices.cooccurrence import Cooccurrence, count_pairs
from LTDiffStandardizeLib.radiomics.matrices.differences import intensity_differences, level_differences
from LTDiffStandardizeLib.radiomics.matrices.levels import (FARTHEST_LEVEL, MOST_LEVELS, countable, limited_levels, nearest_bins,
                                                            wide_levels)  # fmt: skip
from LTDiffStandardizeLib.radiomics.matrices.local import local_entropy, local_range, local_sd
from LTDiffStandardizeLib.radiomics.matrices.orientation import orientations
from LTDiffStandardizeLib.radiomics.matrices.runs import Runs, count_runs
from LTDiffStandardizeLib.radiomics.matrices.statistics import Sample

steps = st.tuples(*[st.integers(-7, 7)] * 3).filter(any)
unit_steps = st.tuples(*[st.integers(-1, 1)] * 3).filter(any)


@st.composite
def small_regions(draw):
    """(values, mask) of at most 5 x 6 x 7 voxels and few levels; the mask may be empty or hold one voxel."""
    shape = draw(st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 7)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = rng.integers(0, draw(st.integers(1, 6)), shape)
    return values.astype(np.int16), rng.random(shape) < draw(st.sampled_from([0.0, 0.2, 0.7, 1.0]))


def levels_of(region):
    return wide_levels(*region, 1.0, 0.0)


@settings(max_examples=60, deadline=None)
@given(small_regions(), st.lists(steps, min_size=1, max_size=3))
def test_pairs_are_those_that_a_loop_over_the_voxels_counts(region, vectors):
    levels = levels_of(region)
    counts = count_pairs(levels, np.array(vectors))
    for found, vector in zip(counts, vectors):
        assert np.array_equal(found, pairs_by_loop(levels.array, vector, levels.count))


@settings(max_examples=60, deadline=None)
@given(small_regions(), st.lists(unit_steps, min_size=1, max_size=3))
def test_runs_are_those_that_a_loop_over_the_voxels_counts(region, vectors):
    levels = levels_of(region)
    counts = count_runs(levels, vectors)
    for found, vector in zip(counts, vectors):
        assert np.array_equal(found, runs_by_loop(levels.array, vector, levels.count, max(levels.array.shape)))


def test_levels_between_limits_are_rounded_and_clipped_as_in_ibex():
    values = np.array([[[-50, 0, 10, 11, 1050, 2100, 9999]]])
    levels = limited_levels(values, np.ones(values.shape, bool), 0, 2100, 100)
    step = 2100 / 99
    expected = [1, 1, math.floor(10 / step + 1.5), math.floor(11 / step + 1.5), 51, 100, 100]
    assert (levels.array[0, 0] + levels.below).tolist() == expected and expected[2:4] == [1, 2]
    assert levels.scale == 100 and levels.count == 100


def test_levels_of_one_width_start_at_the_origin_or_at_the_smallest_value():
    values = np.array([[[-30, -5, 0, 24, 25, 80]]])
    inside = np.array([[[True, True, True, True, True, False]]])
    assert (wide_levels(values, inside, 25, -50.0).array + wide_levels(values, inside, 25, -50.0).below)[inside].tolist() == [1, 2, 3, 3, 4]
    assert wide_levels(values, inside, 25, None).array[0, 0].tolist() == [1, 2, 2, 3, 3, 0]
    assert wide_levels(values, inside, 25, 0.0).array[inside].tolist() == [1, 1, 1, 1, 2]  # below the origin: level 1


def test_levels_are_countable_where_they_are_not_too_many_and_not_too_far():
    assert countable(-1000, 25 * MOST_LEVELS - 1000, 25.0) and not countable(-1000, 25 * MOST_LEVELS - 999, 25.0)
    assert countable(-10240, 30710, 25.0)  # the extended scale of CT
    assert not countable(26.0 * FARTHEST_LEVEL, 26.0 * FARTHEST_LEVEL, 25.0) and not countable(-3e38, -3e38, 25.0)
    assert countable(-3e38, 3e38, math.inf)


def definitions(p, number):
    """The co-occurrence features as double sums over p(i, j), levels from 1."""
    i, j = np.mgrid[1 : len(p) + 1, 1 : len(p) + 1].astype(float)
    p_x, p_y = p.sum(axis=1), p.sum(axis=0)
    m_x, m_y = (i * p).sum(), (j * p).sum()
    s_x, s_y = math.sqrt(((i - m_x) ** 2 * p).sum()), math.sqrt(((j - m_y) ** 2 * p).sum())
    k_sum = {k: p[i + j == k].sum() for k in range(2, 2 * len(p) + 1)}
    k_diff = {k: p[abs(i - j) == k].sum() for k in range(len(p))}

    def entropy(values):
        return -sum(value * math.log2(value) for value in np.ravel(list(values)) if value > 0)

    h, h_x, h_y = entropy(p), entropy(p_x), entropy(p_y)
    outer = np.outer(p_x, p_y)
    with np.errstate(divide="ignore", invalid="ignore"):
        hxy1 = -np.nansum(np.where(p > 0, p * np.log2(outer), 0))
        hxy2 = -np.nansum(np.where(outer > 0, outer * np.log2(outer), 0))
    sum_entropy, diff_mean = entropy(k_sum.values()), sum(k * value for k, value in k_diff.items())
    return {
        "autocorrelation": (i * j * p).sum(),
        "cluster_prominence": ((i + j - m_x - m_y) ** 4 * p).sum(),
        "cluster_shade": ((i + j - m_x - m_y) ** 3 * p).sum(),
        "cluster_tendency": ((i + j - m_x - m_y) ** 2 * p).sum(),
        "contrast": ((i - j) ** 2 * p).sum(),
        "correlation": ((i - m_x) * (j - m_y) * p).sum() / (s_x * s_y),
        "difference_average": diff_mean,
        "difference_entropy": entropy(k_diff.values()),
        "difference_variance": sum((k - diff_mean) ** 2 * value for k, value in k_diff.items()),
        "energy": (p**2).sum(),
        "entropy": h,
        "information_correlation_1": (h - hxy1) / max(h_x, h_y),
        "information_correlation_2": math.sqrt(1 - math.exp(-2 * (hxy2 - h))),
        "inverse_difference": (p / (1 + abs(i - j))).sum(),
        "inverse_difference_moment": (p / (1 + (i - j) ** 2)).sum(),
        "inverse_difference_moment_normalised": (p / (1 + (i - j) ** 2 / number**2)).sum(),
        "inverse_difference_normalised": (p / (1 + abs(i - j) / number)).sum(),
        "inverse_variance": (p[i != j] / (i - j)[i != j] ** 2).sum(),
        "joint_average": m_x,
        "joint_variance": s_x**2,
        "maximum_probability": p.max(),
        "sum_average": sum(k * value for k, value in k_sum.items()),
        "sum_entropy": sum_entropy,
        "sum_variance_about_entropy": sum((k - sum_entropy) ** 2 * value for k, value in k_sum.items()),
    }


def feature_functions(module, argument):
    """{name: function} of the module's features, which are those that take a matrix or sample alone."""
    found = {name: function for name, function in vars(module).items() if inspect.isfunction(function) and function.__module__ == module.__name__}
    return {name: function for name, function in found.items()
            if list(inspect.signature(function).parameters) == [argument] and not name.startswith("_")}  # fmt: skip


def test_every_cooccurrence_feature_is_its_double_sum():
    rng = np.random.default_rng(0)
    values = np.cumsum(rng.integers(-2, 3, (6, 14, 15)), axis=2) + 30
    levels = limited_levels(values, rng.random(values.shape) < 0.8, 0, 63, 64)
    counts = count_pairs(levels, [(0, 0, 1), (1, -1, 4)])
    functions = feature_functions(cooccurrence, "c")
    found = Cooccurrence(counts, levels).features(functions.values())
    for matrix in (0, 1):
        p = np.zeros((64, 64))
        inside = slice(levels.below, levels.below + levels.count)
        p[inside, inside] = counts[matrix] / counts[matrix].sum()
        expected = definitions(p, 64)
        assert expected.keys() == functions.keys()
        for name, value in zip(functions, found[:, matrix]):
            assert value == pytest.approx(expected[name], rel=1e-10), name


def test_a_matrix_and_its_transpose_have_the_same_features():
    rng = np.random.default_rng(1)
    levels = wide_levels(rng.integers(0, 9, (4, 9, 9)), np.ones((4, 9, 9), bool), 1.0, 0.0)
    counts = count_pairs(levels, [(0, -1, 2)])
    functions = [function for name, function in feature_functions(cooccurrence, "c").items() if not name.startswith("joint")]
    both = (Cooccurrence(matrix, levels).features(functions) for matrix in (counts, counts.swapaxes(1, 2)))
    np.testing.assert_allclose(*both, rtol=1e-11)


def test_where_one_of_the_two_voxels_has_one_level_they_share_nothing_and_no_rounding_is_divided():
    counts = np.zeros((400, 40, 40), int)
    for matrix, row in zip(counts, np.random.default_rng(2).integers(0, 30, (400, 40))):
        matrix[37] = row
    levels = wide_levels(np.arange(40)[None, None], np.ones((1, 1, 40), bool), 1.0, 0.0)
    functions = [cooccurrence.correlation, cooccurrence.information_correlation_1, cooccurrence.information_correlation_2]
    for stack in (counts, counts.swapaxes(1, 2)):
        correlation, *information = Cooccurrence(stack, levels).features(functions)
        assert np.isnan(correlation).all() and not np.any(information)


def one_level(shape=(3, 4, 5), value=7):
    return wide_levels(np.full(shape, value), np.ones(shape, bool), 1.0, 0.0)


def test_a_region_of_one_level_has_the_stated_cooccurrence_features():
    functions = feature_functions(cooccurrence, "c")
    found = Cooccurrence(count_pairs(one_level(), [(0, 0, 1)]), one_level()).features(functions.values())[:, 0]
    values, g = dict(zip(functions, found)), 8.0
    stated = {"autocorrelation": g * g, "correlation": math.nan, "energy": 1, "information_correlation_1": math.nan, "inverse_difference": 1,
              "inverse_difference_moment": 1, "inverse_difference_moment_normalised": 1, "inverse_difference_normalised": 1,
              "joint_average": g, "maximum_probability": 1, "sum_average": 2 * g, "sum_variance_about_entropy": 4 * g * g}  # fmt: skip
    for name, value in values.items():
        assert value == pytest.approx(stated.get(name, 0), nan_ok=True), name


def test_a_region_of_one_level_has_the_stated_run_features():
    functions = feature_functions(runs, "r")
    found = Runs(count_runs(one_level(), [(0, 0, 1)]), one_level()).features(functions.values())[:, 0]
    g, length, total = 8.0, 5.0, 12.0
    stated = {"short_run_emphasis": length**-2, "long_run_emphasis": length**2, "low_level_emphasis": g**-2, "high_level_emphasis": g**2,
              "short_run_low_level_emphasis": (g * length) ** -2, "short_run_high_level_emphasis": (g / length) ** 2,
              "long_run_low_level_emphasis": (length / g) ** 2, "long_run_high_level_emphasis": (g * length) ** 2,
              "level_non_uniformity": total, "level_non_uniformity_normalised": 1, "level_non_uniformity_per_voxel": 1 / length,
              "length_non_uniformity": total, "length_non_uniformity_normalised": 1, "length_non_uniformity_per_voxel": 1 / length,
              "run_percentage": 1 / length, "level_variance": 0, "length_variance": 0, "run_entropy": 0}  # fmt: skip
    assert dict(zip(functions, found)) == pytest.approx(stated)


def test_a_region_of_one_level_has_the_stated_difference_features():
    functions = feature_functions(differences, "d")
    found = level_differences(one_level()).features(functions.values())
    stated = {"coarseness": 1e6, "coarseness_per_voxel": 1 / differences.EPSILON}
    assert dict(zip(functions, found)) == {name: stated.get(name, 0.0) for name in functions}


def test_a_constant_sample_has_the_stated_statistics():
    functions = feature_functions(statistics, "x")
    found = dict(zip(functions, Sample(np.full(7, -3, np.int16)).features(functions.values())))
    stated = {**dict.fromkeys(("mean", "median", "minimum", "percentile_10", "percentile_90", "maximum"), -3.0), "skewness": math.nan,
              "kurtosis": math.nan, "excess_kurtosis": math.nan, "energy": 63.0, "energy_per_value": 9.0, "root_mean_square": 3.0}  # fmt: skip
    assert found == pytest.approx({name: stated.get(name, 0.0) for name in functions}, nan_ok=True)


def test_nothing_has_no_features_and_raises_nothing():
    levels = wide_levels(np.zeros((2, 3, 4)), np.zeros((2, 3, 4), bool), 25.0, None)
    assert np.isnan(Cooccurrence(count_pairs(levels, [(0, 0, 1)]), levels).features(feature_functions(cooccurrence, "c").values())).all()
    assert np.isnan(Runs(count_runs(levels, [(0, 0, 1)]), levels).features(feature_functions(runs, "r").values())).all()
    assert np.isnan(level_differences(levels).features(feature_functions(differences, "d").values())).all()
    assert np.isnan(Sample(np.empty(0)).features(feature_functions(statistics, "x").values())).all()
    assert math.isnan(histograms.entropy(np.zeros(3))) and math.isnan(histograms.uniformity(np.zeros(3))) and math.isnan(histograms.mode(np.zeros(3)))


@pytest.mark.parametrize("module, argument", [(cooccurrence, "c"), (runs, "r"), (differences, "d"), (statistics, "x"), (histograms, "counts")])
def test_every_feature_says_its_unit_its_source_and_what_a_constant_region_has(module, argument):
    functions = feature_functions(module, argument)
    assert len(functions) >= 4
    for name, function in functions.items():
        said = function.__doc__
        assert "Unit:" in said and ("Constant:" in said or "One bin:" in said) and ("IBSI" in said or "IBEX" in said), name


def test_differences_are_those_of_a_loop_over_whole_neighbourhoods():
    rng = np.random.default_rng(3)
    values, mask = rng.integers(0, 40, (5, 9, 10)), rng.random((5, 9, 10)) < 0.97
    found = intensity_differences(values, mask, (3, 3, 5), 0.0, 50.0, 50)
    expected = {}
    for z, y, x in np.argwhere(mask):
        box = (slice(z - 1, z + 2), slice(y - 1, y + 2), slice(x - 2, x + 3))
        if min(z - 1, y - 1, x - 2) >= 0 and mask[box].shape == (3, 3, 5) and mask[box].all():
            around = (values[box].sum() - values[z, y, x]) / 44
            expected.setdefault(values[z, y, x], []).append(abs(values[z, y, x] - around))
    assert found.i.tolist() == sorted(expected) and len(expected) > 5
    assert found.n.tolist() == [len(expected[level]) for level in sorted(expected)]
    np.testing.assert_allclose(found.s, [sum(expected[level]) for level in sorted(expected)])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 50), st.floats(0, 100)), min_size=1, max_size=12, unique_by=lambda row: row[0]))
def test_double_sums_over_levels_are_those_of_a_double_loop(rows):
    i, n, s = np.array(sorted(rows), float).T
    d = differences.Differences(i, n, s)
    p, rest = n / n.sum(), [(a, b) for a in range(len(i)) for b in range(len(i))]
    assert d.square_distance == pytest.approx(sum(p[a] * p[b] * (i[a] - i[b]) ** 2 for a, b in rest), abs=1e-9)
    assert d.weighted_distance == pytest.approx(sum(abs(i[a] * p[a] - i[b] * p[b]) for a, b in rest), abs=1e-9)
    assert d.strength_numerator == pytest.approx(sum((p[a] + p[b]) * (i[a] - i[b]) ** 2 for a, b in rest), abs=1e-8)
    complexity = sum(abs(i[a] - i[b]) / (n[a] + n[b]) * (p[a] * s[a] + p[b] * s[b]) for a, b in rest)
    assert differences.complexity(d) == pytest.approx(complexity, abs=1e-9)


def test_two_levels_of_equal_products_have_no_busyness():
    # i p(i) is the same for both: the denominator is 0, for which IBSI sets 0, and not what rounding leaves of it.
    tables = [differences.Differences(np.array([1.0, level]), np.array([7.0 * level, 7.0]), np.ones(2)) for level in range(2, 30)]
    assert [differences.busyness(table) for table in tables] == [0.0] * 28


def test_percentiles_are_matlabs():
    # prctile(1:4, [0 12.5 25 50 75 100]): the k-th of n lies at 100 (k - 1/2) / n.
    assert Sample(np.array([3, 1, 4, 2])).percentiles([0, 12.5, 25, 50, 75, 100]).tolist() == [1, 1, 1.5, 2.5, 3.5, 4]


def test_a_value_halfway_between_two_centres_counts_with_the_lower_and_beyond_the_ends_with_the_last():
    assert nearest_bins(np.array([-5.0, 0.5, 0.51, 2.5, 99.0]), 0.0, 1.0, 4).tolist() == [0, 0, 1, 2, 3]


def test_percentile_areas_lie_between_the_centres_of_the_bins():
    areas = histograms.percentile_areas(np.array([0, 2, 0, 2]), np.array([10.0, 20.0, 30.0, 40.0]), [25, 50, 75])
    assert areas.tolist() == [15.0, 20.0, 30.0]  # 0 % at the first bin, 50 % at the second, 100 % at the last
    assert math.isnan(histograms.percentile_areas(np.array([3, 1]), np.array([0.0, 1.0]), [50])[0])


@pytest.mark.parametrize("degrees", [0.0, 30.0, 90.0, 135.0, 179.0])
def test_an_edge_has_its_orientation_whichever_side_is_bright(degrees):
    y, x = np.mgrid[:8, :9]
    slope = (np.cos(np.radians(degrees)) * x + np.sin(np.radians(degrees)) * y)[None]
    for values in (slope, -slope):
        distance = np.abs(orientations(values, np.ones(values.shape, bool)) - degrees)
        assert np.minimum(distance, 180 - distance) == pytest.approx(0, abs=1e-6)


def test_local_maps_are_those_of_squares_with_mirrored_borders():
    rng = np.random.default_rng(4)
    values, mask = rng.integers(0, 30, (2, 6, 7)), rng.random((2, 6, 7)) < 0.5
    padded = np.pad(values, ((0, 0), (1, 1), (1, 1)), mode="symmetric")
    squares = [padded[z, y : y + 3, x : x + 3].ravel() for z, y, x in np.argwhere(mask)]
    np.testing.assert_allclose(local_range(values, mask, 3), [np.ptp(square) for square in squares])
    np.testing.assert_allclose(local_sd(values, mask, 3), [square.std(ddof=1) for square in squares])
    shares = [np.unique(square // 2, return_counts=True)[1] / 9 for square in squares]
    entropies = local_entropy(values // 2 * 2, mask, 3, 0.0, 2.0, 20)
    np.testing.assert_allclose(entropies, [-(share * np.log2(share)).sum() for share in shares], atol=1e-12)


def test_the_gradient_of_extreme_integers_does_not_overflow():
    y, x = np.mgrid[:3, :5]
    values = (30000 * np.sign(x - 2)).astype(np.int16)[None]
    assert orientations(values, np.ones(values.shape, bool)).tolist() == [0.0] * 9


def test_complexity_of_many_levels_is_that_of_the_table_of_all_pairs():
    rng = np.random.default_rng(7)
    i, n, s = np.sort(rng.choice(3000, 900, replace=False)).astype(float), rng.integers(1, 6, 900).astype(float), rng.uniform(0, 50, 900)
    p = n / n.sum()
    table = np.abs(np.subtract.outer(i, i)) / np.add.outer(n, n) * np.add.outer(p * s, p * s)
    assert differences.complexity(differences.Differences(i, n, s)) == pytest.approx(table.sum(), rel=1e-12)
