from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from small_cohort import SPACING, Heard, chest_hu, summary

from LTDiffStandardizeLib.cohort import Request, run_request
from LTDiffStandardizeLib.model.bundle import load_bundle
from LTDiffStandardizeLib.model.protocols import choose_protocol, power_of
from LTDiffStandardizeLib.model.standardizer import Settings, Standardizer
from LTDiffStandardizeLib.volumes import CTVolume, read_volume
from LTDiffStandardizeLib.volumes.orientation import axial

TURNS = [(order, flips) for order in permutations(range(3)) for flips in product((1, -1), repeat=3)]
PATIENT = CTVolume(np.arange(2 * 3 * 4, dtype=np.int16).reshape(2, 3, 4), (0.5, 0.7, 2.5), (1.0, 2.0, 3.0))


def stored(volume, order, flips):
    """The same voxels at the same places with axes (x, y, z) in another order and direction."""
    hu, direction, origin = volume.hu, volume.direction.copy(), np.array(volume.origin)
    for axis, flip in enumerate(flips):
        if flip < 0:
            origin += (hu.shape[2 - axis] - 1) * volume.spacing[axis] * direction[:, axis]
            direction[:, axis] *= -1
            hu = np.flip(hu, 2 - axis)
    hu = np.transpose(hu, [2 - order[axis] for axis in (2, 1, 0)])
    return replace(volume, hu=np.ascontiguousarray(hu), spacing=tuple(volume.spacing[axis] for axis in order), origin=tuple(origin),
                   direction=direction[:, list(order)])  # fmt: skip


@given(st.sampled_from(TURNS), st.floats(-0.3, 0.3))
@settings(deadline=None, max_examples=60)
def test_every_order_of_the_axes_becomes_the_same_axial_volume_and_back(turn, tilt):
    cosine, sine = np.cos(tilt), np.sin(tilt)
    patient = replace(PATIENT, direction=np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]]))
    other = stored(patient, *turn)
    turned, back = axial(other)
    assert np.array_equal(turned.hu, patient.hu) and turned.spacing == patient.spacing
    assert np.allclose(turned.origin, patient.origin) and np.allclose(turned.direction, patient.direction)
    assert np.array_equal(back(turned.hu), other.hu)


def test_a_volume_that_lies_right_is_not_touched():
    assert axial(PATIENT)[0] is PATIENT


@pytest.mark.parametrize("method", ["ls_noise", "power"])
@pytest.mark.parametrize("order, flips", [((0, 1, 2), (-1, 1, 1)), ((0, 1, 2), (-1, -1, -1)), ((0, 2, 1), (1, 1, 1)), ((2, 0, 1), (1, -1, -1))])
def test_the_order_of_the_axes_does_not_change_the_result(method, order, flips):
    protocol, _ = choose_protocol("B70f", "B40f", load_bundle().protocol)
    patient = CTVolume(chest_hu(), (SPACING, SPACING, 2.0), (-20.0, -30.0, 100.0))
    standardize = lambda volume: Standardizer(protocol, Settings(method)).standardize(volume)[0]
    expected, other = standardize(patient), stored(patient, order, flips)
    made = standardize(other)
    assert np.array_equal(made.hu, stored(expected, order, flips).hu) and made.direction.tolist() == other.direction.tolist()
    assert power_of([other]) == power_of([patient])


def test_a_file_stored_with_swapped_axes_keeps_its_grid_and_gets_the_same_values(tmp_path):
    """As NIfTI files are: by SimpleITK, from the front or the side."""
    patient = CTVolume(chest_hu(), (SPACING, SPACING, 2.0), (-20.0, -30.0, 100.0))
    folder = tmp_path / "in"
    folder.mkdir()
    for name, order in (("a", [0, 1, 2]), ("b", [0, 2, 1])):
        image = sitk.GetImageFromArray(patient.hu)
        image.SetSpacing(patient.spacing)
        image.SetOrigin(patient.origin)
        sitk.WriteImage(sitk.PermuteAxes(image, order), str(folder / f"{name}.nrrd"))
    request = Request((str(tmp_path / "in"),), str(tmp_path / "out"), method="ls_noise", target="B40f to B70f", format="nrrd")
    assert run_request(request, Heard()).exit_code == 0
    one, other = (read_volume(made["output"]) for made in sorted(summary(tmp_path / "out"), key=lambda made: made["input"]))
    assert np.array_equal(np.transpose(one.hu, (1, 0, 2)), other.hu)
    assert other.hu.shape == (64, 4, 64) and read_volume(tmp_path / "in" / "b.nrrd").direction.tolist() == other.direction.tolist()
