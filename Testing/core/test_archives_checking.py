"""The check of two slices: what it measures is what was done to them."""
import numpy as np
import pytest
from archive_parts import PIXEL, SHARP, SOFT, scan_hu
from hypothesis import given, settings, strategies as st

from LTDiffTrainingLib.archives.checking import LEAST_COHERENCE, check_slice

SPACING = (PIXEL, PIXEL)


def slices(seed, blurs=(SOFT, SHARP)):
    return [scan_hu(seed, 1, blur)[0].astype(np.float32) for blur in blurs]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 50), st.floats(-4, 4), st.floats(-4, 4))
def test_the_shift_is_measured_to_a_tenth_of_a_pixel(seed, rows, columns):
    from scipy.ndimage import shift

    soft, sharp = slices(seed)
    moved = check_slice(soft, shift(sharp, (rows, columns), mode="nearest"), SPACING)
    assert moved.shift == pytest.approx(max(abs(rows), abs(columns)), abs=0.15)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 50), st.floats(-40, 40))
def test_the_difference_in_tissue_is_measured_whatever_the_kernel(seed, offset):
    soft, sharp = slices(seed)
    assert check_slice(soft, sharp + np.float32(offset), SPACING).difference == pytest.approx(offset, abs=2)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 50), st.floats(0.3, 1.6), st.floats(0.3, 1.6))
def test_two_kernels_of_one_scan_agree_and_two_scans_do_not(seed, one_blur, other_blur):
    first, second = slices(seed, (one_blur, other_blur))
    same, other = check_slice(first, second, SPACING), check_slice(first, slices(seed + 51)[1], SPACING)
    assert same.agrees(LEAST_COHERENCE) and not other.agrees(LEAST_COHERENCE)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 50))
def test_the_check_is_the_same_from_either_side(seed):
    soft, sharp = slices(seed)
    there, back = check_slice(soft, sharp, SPACING), check_slice(sharp, soft, SPACING)
    assert there.powers == pytest.approx(back.powers[::-1], rel=1e-3) and there.coherence == pytest.approx(back.coherence, abs=1e-3)
    assert there.shift == pytest.approx(back.shift, abs=0.01) and there.difference == pytest.approx(-back.difference, abs=0.01)
    assert there.powers[0] < there.powers[1]


@pytest.mark.parametrize("value", [-1000.0, 40.0])
def test_constant_slices_are_measured_without_a_complaint(value):
    constant = np.full((96, 96), value, np.float32)
    check = check_slice(constant, constant, SPACING)
    assert np.isfinite([check.shift, check.coherence, *check.powers]).all() and check.difference == (None if value == -1000 else 0)
