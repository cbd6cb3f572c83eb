import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from LTDiffStandardizeLib.volumes import CTVolume, DicomSource

LIBRARY = Path(__file__).resolve().parents[2] / "LTDiffStandardize"


def rotation(angles):
    matrix = np.eye(3)
    for axis, angle in enumerate(angles):
        turn = np.eye(3)
        one, two = (axis + 1) % 3, (axis + 2) % 3
        turn[[one, two], [one, two]] = np.cos(angle)
        turn[one, two], turn[two, one] = -np.sin(angle), np.sin(angle)
        matrix = matrix @ turn
    return matrix


def volume_at(direction, origin=(-10.0, 20.0, -567.8), slices=4):
    return CTVolume(np.zeros((slices, 3, 2), np.int16), (0.6, 0.7, 2.5), origin, direction)


@given(st.tuples(*[st.floats(-3, 3)] * 3))
def test_slice_positions_are_a_slice_distance_apart_in_any_orientation(angles):
    steps = np.diff(volume_at(rotation(angles)).slice_positions())
    assert np.allclose(np.abs(steps), 2.5) and (np.all(steps > 0) or np.all(steps < 0))


@given(st.tuples(*[st.floats(-3, 3)] * 3), st.booleans(), st.booleans(), st.booleans())
def test_a_slice_keeps_its_position_when_the_array_is_flipped(angles, flip_x, flip_y, flip_z):
    original = volume_at(rotation(angles))
    flips = np.array([flip_x, flip_y, flip_z])
    last = np.array(original.hu.shape[::-1]) - 1
    origin = original.origin + original.direction @ (flips * last * np.array(original.spacing))
    flipped = volume_at(original.direction * np.where(flips, -1, 1), origin)
    order = slice(None, None, -1) if flip_z else slice(None)
    normal = original.direction[:, 2]
    if np.sort(np.abs(normal))[-1] - np.sort(np.abs(normal))[-2] > 1e-6:  # else the largest component is a matter of rounding
        assert np.allclose(flipped.slice_positions()[order], original.slice_positions())


def test_positions_of_axial_slices_are_their_z():
    assert volume_at(np.eye(3)).slice_positions().tolist() == pytest.approx([-567.8, -565.3, -562.8, -560.3])


def test_with_hu_keeps_everything_but_values_and_name():
    volume = volume_at(np.eye(3))
    other = volume.with_hu(np.full((4, 3, 2), 1.5), "standardized")
    assert other.hu.dtype == np.float32 and other.name == "standardized" and other.origin == volume.origin
    assert volume.hu.dtype == np.int16 and volume.with_hu(volume.hu + np.int16(1), "b").hu.dtype == np.int16
    with pytest.raises(ValueError, match="shape"):
        volume.with_hu(np.zeros((3, 3, 2)), "cropped")


@pytest.mark.parametrize(
    "wrong",
    [
        {"hu": np.zeros((2, 2), np.int16)},
        {"hu": np.zeros((2, 2, 2), np.float64)},
        {"padding": np.zeros((2, 2, 3), bool)},
        {"source": DicomSource((Path("a"),), ("1",))},
    ],
)
def test_arrays_that_do_not_fit_together_make_no_volume(wrong):
    with pytest.raises(ValueError):
        CTVolume(**{"hu": np.zeros((2, 2, 2), np.int16), **wrong})


def test_importing_volumes_loads_no_heavy_package():
    code = (
        "import sys, LTDiffStandardizeLib.volumes\n"
        "print([name for name in ('pydicom', 'SimpleITK', 'scipy', 'torch') if name in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", code], cwd=LIBRARY, capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"
