"""Which way noise runs, from the rays of the image."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from LTDiffStandardizeLib.model.directions import (MU_WATER, ORIENTATIONS, apparent_directionality, directed, direction_amplitudes, direction_energies,
                                                   log_ray_noise, unit_amplitudes, wedges)


def white(seed=0, side=256):
    return np.random.default_rng(seed).standard_normal((side, side), dtype=np.float32)


def slab(side=256, rows=slice(112, 144)):
    """A slab of water in air, long along the rows."""
    hu = np.full((side, side), -1000.0, np.float32)
    hu[rows, 16:-16] = 0
    return hu


def test_the_windows_of_orientation_sum_to_one():
    assert np.allclose(wedges((64, 96)).sum(0), 1, atol=1e-5)


def test_equal_amplitudes_leave_noise_as_it_is():
    assert np.allclose(directed(white(), np.ones((ORIENTATIONS, 32, 32), np.float32)), white(), atol=1e-4)


@settings(deadline=None, max_examples=10)
@given(st.lists(st.floats(-1, 1), min_size=ORIENTATIONS, max_size=ORIENTATIONS))
def test_directed_noise_has_unit_variance_whatever_the_amplitudes(logs):
    amplitudes = unit_amplitudes(np.array(logs)[:, None, None] * np.ones((1, 32, 32)))
    assert np.mean([directed(white(seed), amplitudes).var() for seed in range(4)]) == pytest.approx(1, abs=0.05)


def test_a_ray_s_log_noise_is_its_attenuation():
    rays = log_ray_noise(slab(), (0.7, 0.7))
    along, across = 224 * 0.7 * MU_WATER, 32 * 0.7 * MU_WATER
    middle = rays[:, 16, 16]
    assert middle[ORIENTATIONS // 2] == pytest.approx(along, rel=0.1)
    assert middle[0] == pytest.approx(across, rel=0.15)


def test_noise_is_strongest_across_the_longest_rays():
    """Rays along the rows are long, so frequencies across the rows carry most noise."""
    amplitudes = direction_amplitudes(slab(), (0.7, 0.7), 1.0)[:, 16, 16]
    assert amplitudes.argmax() == ORIENTATIONS // 2
    energies = np.mean([direction_energies(directed(white(seed), direction_amplitudes(slab(), (0.7, 0.7), 1.0)))[:, 16, 16] for seed in range(6)], 0)
    assert energies.argmax() == ORIENTATIONS // 2 and energies.argmin() in (0, 1, ORIENTATIONS - 1)


def test_no_directionality_means_no_direction():
    assert np.all(direction_amplitudes(slab(), (0.7, 0.7), 0.0) == 1)


def test_a_turned_image_has_turned_directions():
    plain, turned = (log_ray_noise(image, (0.7, 0.7)) for image in (slab(), np.rot90(slab())))
    assert np.allclose(np.roll(np.rot90(plain, 1, (1, 2)), ORIENTATIONS // 2, 0), turned, atol=0.15)


def test_the_exponent_of_made_noise_is_found_again_by_comparison():
    source = slab() + 500 * (np.hypot(*np.mgrid[-128:128, -128:128]) < 60)
    rays = log_ray_noise(source, (0.7, 0.7)).reshape(ORIENTATIONS, -1)

    def apparent(exponent):
        amplitudes = direction_amplitudes(source, (0.7, 0.7), exponent)
        energies = np.concatenate([direction_energies(directed(white(seed), amplitudes)).reshape(ORIENTATIONS, -1) for seed in range(3)], 1)
        return apparent_directionality(energies, np.tile(rays, 3))
    assert 0.7 * apparent(0.4) / apparent(0.7) == pytest.approx(0.4, abs=0.08)
