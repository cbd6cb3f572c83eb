"""Contrast medium and metal of known volume, and what bone and tables are not taken for."""
import numpy as np
import pytest
from guard_parts import body, sharp, soft

from LTDiffStandardizeLib.guard.contents import enhanced, metal_ml
from LTDiffStandardizeLib.volumes import CTVolume, read_volume

Y, X = np.mgrid[:256, :256]


def with_disc(volume, centre, radius, hu):
    inside = np.hypot(Y - centre[0], X - centre[1]) < radius
    return volume.with_hu(np.where(inside, volume.hu - 50 + hu, volume.hu), "disc"), inside.sum() * len(volume.hu) * np.prod(volume.spacing) / 1000


@pytest.mark.parametrize("hu", [160, 250, 340])
@pytest.mark.parametrize("noise, amplitude", [(12, soft), (45, sharp)])
def test_a_vessel_with_contrast_medium_is_found_and_its_volume_not_exaggerated(hu, noise, amplitude):
    volume, truth = with_disc(body(noise=noise, amplitude=amplitude), (110, 100), 22, hu)
    found = enhanced(volume)
    assert 0.4 * truth < found.volume_ml <= 1.1 * truth
    assert found.hu == pytest.approx(hu, abs=8)


def test_marrow_unenhanced_blood_and_the_table_are_no_contrast_medium():
    volume, _ = with_disc(body(), (110, 100), 22, 70)  # the body has a spine
    hu = volume.hu.copy()
    hu[:, 243:, 60:200] = 200  # a table below it
    assert enhanced(volume.with_hu(hu, "on a table")).volume_ml == 0


def test_metal_is_measured_and_bone_and_padding_are_none():
    volume = body()
    hu = volume.hu.copy()
    hu[1:3, 100:110, 100:120] = 3071
    metal = CTVolume(hu, volume.spacing)
    assert metal_ml(volume) == 0
    assert metal_ml(metal) == pytest.approx(2 * 200 * 0.7 * 0.7 * 2 / 1000)
    padding = np.zeros(hu.shape, bool)
    padding[:, 100:110] = True
    assert metal_ml(CTVolume(hu, volume.spacing, padding=padding)) == 0


@pytest.mark.parametrize("shape, spacing", [((1, 4, 4), 0.7), ((2, 64, 64), 9.0)])
def test_contrast_medium_in_volumes_too_small_for_it_is_none(shape, spacing):
    assert enhanced(CTVolume(np.full(shape, 200, np.int16), (spacing, spacing, 1.0))) is None


@pytest.mark.parametrize("series, least, most", [
    ("volumes/cptac-c3n-00249", 20, 100), ("conformance/series_TotalSegmentator_J2K_noUIDs_kernelVM2", 1, 20),
    ("volumes/lidc-idri-0314", 0, 0), ("pairs/lungdx-a0002/B40f", 0, 0), ("pairs/lungdx-a0002/B70f", 0, 0),
    ("pairs/philips-head-phantom/YA", 0, 0), ("pairs/toshiba-chest-phantom/FC13_position1", 0, 0),
    ("pairs/toshiba-chest-phantom/FC51_position1", 0, 0),
])  # fmt: skip
def test_of_the_real_series_two_hold_contrast_medium_and_none_metal(shared_data, series, least, most):
    volume = read_volume(shared_data / series)
    assert least <= enhanced(volume).volume_ml <= most
    assert metal_ml(volume) == 0
