import numpy as np
import pytest

from LTDiffStandardizeLib.volumes.padding import padding_mask

SIDE = 96
AXIS = np.arange(SIDE) - (SIDE - 1) / 2
RADIUS = np.hypot(AXIS[:, None], AXIS)


def slices(count=3, air_noise=20.0, floor=-1024):
    """Noisy air around a noisy body, clipped at the floor of air as scanners do."""
    random = np.random.default_rng(1)
    image = np.where(RADIUS < 30, 40.0, -1000.0) + random.normal(0, air_noise, (count, SIDE, SIDE))
    return np.maximum(np.rint(image), floor).astype(np.int16)


@pytest.mark.parametrize("value", [-3024, -2048, -2000, -1500, -8192])
def test_a_constant_outside_below_air_is_padding(value):
    hu = slices()
    hu[:, RADIUS > SIDE / 2] = value
    mask = padding_mask(hu)
    assert np.array_equal(mask[0], RADIUS > SIDE / 2) and mask.strides[0] == 0 and not mask.flags.writeable


def test_lossy_compression_may_blur_the_padding_value():
    hu = slices()
    hu[:, RADIUS > SIDE / 2] = -3024
    hu[hu == -3024] += np.random.default_rng(2).integers(-3, 4, np.count_nonzero(hu == -3024)).astype(np.int16)
    assert np.array_equal(padding_mask(hu)[1], RADIUS > SIDE / 2)


@pytest.mark.parametrize("floor", [-1024, -1000])
@pytest.mark.parametrize("noise", [5.0, 60.0])
def test_noise_clipped_at_the_floor_of_air_is_no_padding(floor, noise):
    assert padding_mask(slices(air_noise=noise, floor=floor)) is None


def test_dark_streaks_in_the_body_are_no_padding():
    hu = slices(floor=-3000)
    hu[:, 45:50, 40:56] = -2000
    assert padding_mask(hu, [(-2000, -2000)] * 3) is None


@pytest.mark.parametrize("floor", [-1024, -1000])
def test_corners_beyond_a_scan_circle_wider_than_the_slice_are_padding_at_the_floor_of_air(floor):
    hu = slices(floor=floor)
    beyond = np.hypot(AXIS[:, None] + 5, AXIS) > 56
    hu[:, beyond] = floor
    mask = padding_mask(hu)[0]
    assert np.count_nonzero(mask & ~beyond) < 0.02 * np.count_nonzero(beyond)  # air beside it may happen to be clipped
    assert np.count_nonzero(mask) > 0.9 * np.count_nonzero(beyond)


def test_constant_air_inside_the_inscribed_circle_is_no_padding():
    hu = np.where(RADIUS < 30, 40, -1000).astype(np.int16)[None]  # a phantom without noise
    assert not padding_mask(hu)[0][RADIUS <= SIDE / 2].any()


def test_a_value_that_tissue_can_have_is_no_padding_even_when_declared():
    hu = slices()
    hu[:, 0, :] = 0
    assert padding_mask(hu, [(0, 0)] * 3) is None


def test_a_declared_range_is_padding_where_it_reaches_the_border():
    hu = slices(floor=-5000)
    hu[:, RADIUS > SIDE / 2] = -2000
    hu[:, RADIUS > SIDE / 2 + 5] = -2500
    assert np.array_equal(padding_mask(hu, [(-2500, -2000)] * 3)[0], RADIUS > SIDE / 2)


def test_slices_may_be_padded_differently():
    hu = slices()
    hu[:, RADIUS > SIDE / 2] = -2048
    hu[1, :20] = -2048
    mask = padding_mask(hu)
    assert np.array_equal(mask, hu == -2048) and mask.strides[0] > 0


def test_float_volumes_are_judged_alike():
    hu = slices().astype(np.float32)
    hu[:, RADIUS > SIDE / 2] = -3024.5
    assert np.array_equal(padding_mask(hu)[0], RADIUS > SIDE / 2)
