"""ComBat: against values of a published implementation, and what it must do to batches."""
import numpy as np
import pytest

from LTDiffStandardizeLib.radiomics.agreement import combat, combat_table
from LTDiffStandardizeLib.radiomics.features import FeatureTable

EXPECTED = [[-1.0665, 4.7321, 15.9075],
            [0.3973, 10.4448, 17.2167],
            [-0.7683, 5.9847, 19.5534],
            [1.8527, 8.4411, 12.3055],
            [-0.785, 10.4393, 22.3944],
            [-1.9019, 6.7808, 13.5263],
            [-0.3099, 5.9022, 16.4467],
            [1.3983, 6.8257, 17.2509]]  # fmt: skip


def batches(sizes=(30, 20, 25), features=12, seed=0):
    """(values, labels) of batches that differ in the mean and the SD of every feature."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    shift, scale = rng.normal(0, 1.0, (len(sizes), features)), rng.uniform(0.6, 1.8, (len(sizes), features))
    return 10 * np.arange(features) + 2 * (shift[labels] + scale[labels] * rng.normal(size=(len(labels), features))), labels


def test_a_small_table_comes_out_as_the_published_implementation_has_it():
    # Made by neuroCombat 0.2.12 (Fortin et al. 2018), the authors' implementation in Python; its iteration ends at 1e-4.
    table = np.random.default_rng(5).normal(size=(8, 3)).round(6) * [1, 2, 3] + [0, 5, 9]
    table[4:] = table[4:] * [2, 1.5, 3] + [1, 2, 3]
    np.testing.assert_allclose(combat(table.round(3), [0] * 4 + [1] * 4), EXPECTED, atol=2e-3)


def test_batches_are_brought_to_one_mean_and_spread():
    values, labels = batches()
    adjusted = combat(values, labels)
    for moment, left in ((np.mean, 0.35), (np.std, 0.5)):
        before = np.ptp([moment(values[labels == batch], axis=0) for batch in range(3)], axis=0)
        after = np.ptp([moment(adjusted[labels == batch], axis=0) for batch in range(3)], axis=0)
        assert after.mean() < left * before.mean()
    np.testing.assert_allclose(adjusted.mean(axis=0), values.mean(axis=0), atol=0.3)


def test_a_small_batch_keeps_more_of_its_own_mean_than_a_large_one():
    left = []
    for size in (4, 200):
        rng = np.random.default_rng(1)
        # Features of one batch are off by unlike amounts around a common one: the prior knows that, a small batch does not.
        off = 1.0 + 0.3 * rng.normal(size=40)
        values = np.concatenate([rng.normal(size=(200, 40)), off + rng.normal(size=(size, 40))])
        labels = np.repeat([0, 1], [200, size])
        adjusted = combat(values, labels, reference_batch=0)
        left.append(np.abs(adjusted[labels == 1].mean(axis=0) - values[labels == 0].mean(axis=0)).mean())
    assert left[0] > 3 * left[1]


def test_the_reference_batch_stays_to_the_last_digit():
    values, labels = batches()
    adjusted = combat(values, labels, reference_batch=1)
    np.testing.assert_array_equal(adjusted[labels == 1], values[labels == 1])
    gap = np.abs(adjusted[labels == 0].mean(axis=0) - values[labels == 1].mean(axis=0))
    assert gap.mean() < 0.3 * np.abs(values[labels == 0].mean(axis=0) - values[labels == 1].mean(axis=0)).mean()


def test_what_a_covariate_explains_is_kept():
    rng = np.random.default_rng(2)
    stage = np.concatenate([rng.normal(0, 1, 60), rng.normal(1.5, 1, 60)])
    labels = np.repeat([0, 1], 60)
    values = 3 * stage[:, None] + 2.0 * labels[:, None] + rng.normal(size=(120, 10))
    kept, lost = combat(values, labels, covariates=stage[:, None]), combat(values, labels)
    slope = [np.polyfit(stage, result.mean(axis=1), 1)[0] for result in (kept, lost)]
    assert slope[0] == pytest.approx(3.0, abs=0.15) and slope[1] < 2.7


def test_equal_batches_stay_as_they_are():
    rng = np.random.default_rng(3)
    half = rng.normal(size=(40, 8))
    values = np.concatenate([half, half])
    np.testing.assert_allclose(combat(values, [0] * 40 + [1] * 40), values, atol=0.15)


def test_features_that_do_not_vary_or_are_undefined_come_back_as_they_are():
    values, labels = batches()
    values[:, 0], values[3, 1] = 7.0, np.nan
    adjusted = combat(values, labels)
    np.testing.assert_array_equal(adjusted[:, :2], values[:, :2])
    assert np.isfinite(adjusted[:, 2:]).all()


def test_a_table_is_brought_to_its_reference():
    rng = np.random.default_rng(4)
    truth = rng.normal(size=(50, 6)) * [1, 2, 3, 4, 5, 6]
    names = tuple(("GLCM", f"f{index}") for index in range(6))
    adjusted = combat_table(FeatureTable(names, 0.5 * truth + 9), FeatureTable(names, truth))
    assert adjusted.names == names
    np.testing.assert_allclose(adjusted.values.mean(axis=0), truth.mean(axis=0), atol=0.05 * truth.std(axis=0).max())
    assert np.abs(adjusted.values - truth).mean() < 0.1 * np.abs(0.5 * truth + 9 - truth).mean()


def test_one_value_without_measure_leaves_the_other_features_as_they_are_without_it():
    values, labels = batches(features=40)
    expected = combat(values, labels, reference_batch=1)[:, 1:]
    values[3, 0] = 1e10
    adjusted = combat(values, labels, reference_batch=1)[:, 1:]
    spread = [result[labels == 0].std(axis=0) for result in (adjusted, expected)]
    np.testing.assert_allclose(*spread, rtol=0.1)
    np.testing.assert_allclose(adjusted, expected, atol=0.2)


def test_a_feature_without_measure_is_adjusted_by_its_own_estimates():
    values, labels = batches(features=40)
    values[labels == 0, 0] *= 1e6
    adjusted = combat(values, labels, reference_batch=1)[:, 0]
    assert adjusted[labels == 0].mean() == pytest.approx(values[labels == 1, 0].mean(), rel=1e-9)
    assert adjusted[labels == 0].std(ddof=1) == pytest.approx(values[labels == 1, 0].std(), rel=1e-9)
