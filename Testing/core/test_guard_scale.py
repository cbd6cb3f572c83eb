"""Volumes that are no CT in HU are told from odd ones that are."""
import numpy as np
import pytest
from guard_parts import body
from small_cohort import chest_hu
from small_series import small_hu, write_series

from LTDiffStandardizeLib.guard.scale import sampled, why_not_hu
from LTDiffStandardizeLib.volumes import CTVolume, read_volume

SEEDED = np.random.default_rng(0)


def refusal(hu, **changes):
    dtype = np.int16 if np.issubdtype(np.asarray(hu).dtype, np.integer) else np.float32
    volume = CTVolume(np.asarray(hu).astype(dtype), (0.7, 0.7, 2.0), **changes)
    return why_not_hu(volume, sampled(volume))


def test_bodies_crops_phantoms_and_thin_stacks_are_ct():
    chest = body().hu
    assert refusal(chest) is None
    assert refusal(chest[:1]) is None
    assert refusal(chest[:, 100:140, 100:140]) is None  # soft tissue alone
    assert refusal(chest_hu()) is None
    assert refusal(chest_hu(1)) is None
    assert refusal(chest_hu()[:, 20:44, 28:36]) is None
    assert refusal(small_hu()) is None
    assert refusal(SEEDED.normal(0, 4, (2, 64, 64))) is None  # water
    assert refusal(SEEDED.normal(220, 15, (2, 64, 64))) is None  # enhanced blood
    assert refusal(SEEDED.normal(-870, 30, (2, 64, 64))) is None  # lung
    assert refusal(np.full((2, 64, 64), -1000)) is None


@pytest.mark.parametrize("floor", [-1024, -1000, -1500, -2000, -3024, -8192])
def test_floors_and_padding_of_all_makers_are_ct(floor):
    from LTDiffStandardizeLib.volumes.padding import padding_mask

    hu = np.maximum(np.rint(body().hu), -1024).astype(np.int16)
    y, x = np.mgrid[:256, :256] - 127.5
    hu[:, np.hypot(x, y) > 128] = floor
    assert refusal(hu) is None
    assert refusal(hu, padding=padding_mask(hu)) is None


def magnetic_resonance():
    """Rician background at 0, tissues up to 1000."""
    ct = body().hu
    real = np.select([ct < -500, ct < 0], [0.0, 800.0], 350.0) + 100 * np.sin(np.arange(256) / 9) * (ct > -500)
    return np.hypot(real + SEEDED.normal(0, 12, ct.shape), SEEDED.normal(0, 12, ct.shape))


@pytest.mark.parametrize("values, words", [
    (magnetic_resonance, "background at"),
    (lambda: np.abs(SEEDED.gamma(0.5, 1.2, (4, 64, 64))), "closer together than the noise of any CT"),  # SUV
    (lambda: SEEDED.random((4, 64, 64)), "closer together than the noise of any CT"),  # probabilities
    (lambda: SEEDED.normal(0, 1, (4, 64, 64)), "closer together than the noise of any CT"),  # z-scores
    (lambda: SEEDED.normal(9000, 2000, (4, 64, 64)), "none of them soft tissue"),
    (lambda: SEEDED.integers(0, 5, (2, 16, 16)), "label map"),
])  # fmt: skip
def test_other_images_are_refused_with_what_was_measured(values, words):
    sentence = refusal(values())
    assert words in sentence
    if "label map" not in words:
        assert any(character.isdigit() for character in sentence) and "give a CT in HU" in sentence


@pytest.mark.parametrize("intercept, words", [(0, "background at"), (24, "background at"), (-2024, "below -1,200 HU")])
def test_a_series_with_the_wrong_intercept_is_refused_with_its_air(tmp_path, intercept, words):
    hu = np.maximum(np.rint(body().hu), -1000).astype(np.int16)
    write_series(tmp_path, (hu + 1000 + intercept).astype(np.int16), RescaleIntercept=0, PixelRepresentation=1, BitsStored=16, HighBit=15)
    volume = read_volume(tmp_path)
    sentence = why_not_hu(volume, sampled(volume))
    assert words in sentence and "RescaleIntercept" in sentence


def test_real_stored_values_taken_for_hu_are_refused(shared_data):
    for series in ("pairs/lungdx-a0002/B40f", "volumes/cptac-c3n-00249", "volumes/lidc-idri-0314", "pairs/philips-head-phantom/UB"):
        volume = read_volume(shared_data / series)
        assert why_not_hu(volume, sampled(volume)) is None
        stored = volume.with_hu(volume.hu - volume.hu.min(), "stored")
        assert why_not_hu(stored, sampled(stored)), series
