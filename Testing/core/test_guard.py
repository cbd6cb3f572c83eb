"""What is measured of an input before it is standardized, on volumes whose truth is known and on real scans."""
from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from small_cohort import SPACING, chest_hu, record, standardize

from LTDiffStandardizeLib.guard import examine
from LTDiffStandardizeLib.guard.texture import measure_texture
from LTDiffStandardizeLib.model.bundle import load_bundle
from LTDiffStandardizeLib.model.protocols import choose_protocol
from LTDiffStandardizeLib.volumes import CTFacts, CTVolume, read_volume

PAIRS = [  # soft, sharp, and their kernels
    ("lungdx-a0002/B40f", "lungdx-a0002/B70f", "B40f", "B70f"),
    ("philips-head-phantom/UB", "philips-head-phantom/YA", "UB", "YA"),
    ("toshiba-chest-phantom/FC13_position1", "toshiba-chest-phantom/FC51_position1", "FC13", "FC51"),
]


def protocol(source, target):
    return choose_protocol(f"{source} to {target}", source, load_bundle().protocol)[0]


def water(sd, blur, pixel=0.7, slices=6, seed=0):
    """A disc of water in air with noise of a known SD, smooth over `blur` pixels."""
    y, x = np.mgrid[:256, :256] - 128
    noise = gaussian_filter(np.random.default_rng(seed).normal(0, 1, (slices, 256, 256)), (0, blur, blur))
    hu = np.where(x**2 + y**2 < 110**2, 40.0, -1000.0) + noise * (sd / noise.std())
    return CTVolume(np.rint(hu).astype(np.int16), (pixel, pixel, 2.0))


@pytest.mark.parametrize("sd", [8, 25, 60])
def test_the_noise_of_water_is_measured_to_an_eighth(sd):
    assert measure_texture(water(sd, 0.8)).noise_hu == pytest.approx(sd, rel=0.125)


def test_finer_noise_has_a_higher_mean_frequency_whatever_its_strength():
    fine, smooth = (measure_texture(water(20, blur)).frequency for blur in (0.6, 1.5))
    assert fine > smooth + 0.5
    assert measure_texture(water(60, 1.5)).frequency == pytest.approx(smooth, abs=0.1)


@pytest.mark.parametrize(
    "change, cause",
    [
        (lambda hu: np.clip(hu + 1024, 0, None), "not HU"),  # stored values that were taken for HU
        (lambda hu: np.clip(hu + 1000, 0, None) / 3, "not HU"),
        (lambda hu: np.random.default_rng(0).normal(0.5, 0.1, hu.shape), "not HU"),
        (lambda hu: (hu > 0) * 1, "label map"),
    ],
)
def test_what_is_not_in_hu_is_refused_with_what_was_measured(change, cause):
    hu = change(water(20, 0.8).hu.astype(np.float32))
    hu = hu.astype(np.int16) if cause == "label map" else hu.astype(np.float32)
    found = examine(CTVolume(hu, (0.7, 0.7, 2.0), name="it"))
    assert found.refusal and cause in found.refusal and found.refusal.startswith("it ") and found.refusal.endswith(".")


@pytest.mark.parametrize("hu", [chest_hu(), chest_hu(1), chest_hu()[:, 20:44, 28:36], np.full((2, 16, 16), -1000, np.int16)], ids=["chest", "slice", "cut", "air"])
def test_small_cut_and_empty_scans_are_no_reason_to_refuse_or_fail(hu):
    found = examine(CTVolume(hu, (SPACING, SPACING, 2.0)))
    assert found.refusal is None or "not HU" in found.refusal
    assert found.refusal is None or (hu == hu.flat[0]).all()


def test_a_result_is_not_standardized_again():
    made = replace(water(20, 0.8), facts=CTFacts(kernel="LTDiff B70f\\from B40f"))
    assert "is a result of LTDiff already" in examine(made).refusal


def test_metal_and_contrast_are_told_with_their_volume():
    volume = water(10, 1.0)
    volume.hu[:, 60:66, 120:126] = 3071
    volume.hu[:, 140:160, 140:160] += 260
    found = examine(volume)
    assert found.facts["metal_ml"] == pytest.approx(6 * 36 * 0.98e-3, rel=0.05)
    assert any("metal" in sentence for sentence in found.warnings) and any("contrast medium" in sentence for sentence in found.warnings)
    clean = examine(water(10, 1.0))
    assert clean.facts["metal_ml"] == 0 and not clean.warnings


def test_loss_is_warned_of():
    lossy = replace(water(20, 0.8), facts=CTFacts(lossy_compression="JPEG Baseline, 8.9 to 1"))
    assert any("compressed with loss (JPEG Baseline, 8.9 to 1)" in sentence for sentence in examine(lossy).warnings)


def test_what_was_measured_stands_in_the_record_of_the_result(tmp_path):
    from small_cohort import dicom_series

    assert standardize(dicom_series(tmp_path / "in", 1), tmp_path / "out").exit_code == 0
    facts = record(tmp_path / "out", "in_s1_B40f")["facts"]["input"]
    assert {"noise_hu", "noise_mean_frequency_lp_cm", "contrast_ml", "metal_ml", "air_share"} <= facts.keys() and 0 < facts["air_share"] < 1


@pytest.mark.parametrize("soft, sharp, source, target", PAIRS, ids=lambda value: None)
def test_a_real_scan_fits_its_own_protocol_and_the_sharp_one_is_known_for_the_target(shared_data, soft, sharp, source, target):
    fitting, standard = (examine(read_volume(shared_data / "pairs" / part), protocol(source, target)) for part in (soft, sharp))
    assert fitting.refusal is None and not any("finer" in sentence or "coarser" in sentence for sentence in fitting.warnings)
    assert f"like {target} already" in standard.refusal and "lp/cm" in standard.refusal
    named = examine(read_volume(shared_data / "pairs" / sharp), protocol(source, target), named=True)
    assert named.refusal is None and any("finer" in sentence for sentence in named.warnings)


@pytest.mark.parametrize("volume", ["lidc-idri-0314", "cptac-c3n-00249"])
def test_real_chests_and_abdomens_are_ct(shared_data, volume):
    found = examine(read_volume(shared_data / "volumes" / volume))
    assert found.refusal is None and 2 < found.facts["noise_hu"] < 80
