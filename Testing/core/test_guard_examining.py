"""What the guard says of whole volumes, and what of it a cohort's record keeps."""
import json
from dataclasses import replace

import numpy as np
import pytest
from guard_parts import body, coloured_noise, sharp
from small_cohort import standardize, summary

from LTDiffStandardizeLib.guard import examine
from LTDiffStandardizeLib.model.bundle import load_bundle
from LTDiffStandardizeLib.model.protocols import library
from LTDiffStandardizeLib.volumes import CTFacts, CTVolume, read_volume, write_volume_file

PROTOCOLS = {protocol.name: protocol for protocol in [*library(), load_bundle().protocol]}
SHARPENING = PROTOCOLS["B40f to B70f"]


def test_a_body_of_the_source_kernel_is_measured_and_passes():
    found = examine(body(kernel="B40f"), SHARPENING, trained_noise=load_bundle().trained_noise)
    assert found.refusal is None and found.warnings == ()
    assert found.facts["noise_hu"] == pytest.approx(12, rel=0.1)
    assert found.facts["noise_mean_frequency_lp_cm"] == pytest.approx(SHARPENING.source.noise_frequency, abs=0.35)
    assert 0 < found.facts["soft_tissue_share"] < 1 and 0 < found.facts["air_share"] < 1
    assert found.facts["contrast_ml"] == found.facts["metal_ml"] == 0


@pytest.mark.parametrize("kernel", ["B40f", None])
def test_what_is_like_the_target_is_refused_unless_the_user_named_the_protocol(kernel):
    volume = body(noise=40, amplitude=sharp, kernel=kernel)
    refusal = examine(volume, SHARPENING).refusal
    assert "like B70f already" in refusal and (kernel or "unknown") in refusal and "--target" in refusal
    insisted = examine(volume, SHARPENING, named=True)
    assert insisted.refusal is None and "finer than the protocol B40f to B70f starts from" in insisted.warnings[0]


def test_a_source_whose_frequency_is_not_known_is_only_warned_of():
    found = examine(body(noise=40, amplitude=sharp, kernel="B30f"), PROTOCOLS["B30f to B70f"])
    assert found.refusal is None and "like that of the target B70f already" in found.warnings[0]


def test_a_softer_kernel_than_the_source_is_warned_of():
    found = examine(body(amplitude=lambda f: np.exp(-((f / 2.5) ** 2))), SHARPENING)
    assert found.refusal is None and "coarser" in found.warnings[0]


def test_large_pixels_are_not_compared():
    volume = body(size=200, pixel=0.9, noise=40, amplitude=sharp, kernel="B40f")
    assert examine(volume, SHARPENING) == examine(volume, None)


@pytest.mark.parametrize("noise, warned", [(0.8, True), (12, False), (150, True)])
def test_noise_that_the_network_never_saw_is_warned_of(noise, warned):
    found = examine(body(noise=noise), None, trained_noise=(1.2, 111.0))
    assert any("the network was trained with 1.2 to 111 HU" in warning for warning in found.warnings) == warned


def test_contrast_medium_and_metal_are_said_with_their_volumes():
    volume = body(slices=8)
    hu = volume.hu.copy()
    hu[:, 80:130, 80:130] += 150
    hu[:, 60:70, 140:150] = 3071
    contrast, metal = examine(volume.with_hu(hu, "filled")).warnings
    assert "contrast medium (at least" in contrast
    assert f"({8 * 100 * 0.98 / 1000:.2g} mL above 2,900 HU)" in metal


def test_loss_is_warned_of():
    found = examine(replace(body(), facts=CTFacts(lossy_compression="JPEG Baseline, 8.9 to 1")))
    assert any("compressed with loss (JPEG Baseline, 8.9 to 1)" in sentence for sentence in found.warnings)


@pytest.mark.parametrize("volume, words", [
    (replace(body(), facts=CTFacts(kernel="LTDiff B70f\\from B40f")), "a result of LTDiff already"),
    (CTVolume((body().hu > 0).astype(np.int16)), "label map"),
    (CTVolume(np.full((2, 8, 8), -2000, np.int16), padding=np.ones((2, 8, 8), bool)), "nothing but padding"),
])  # fmt: skip
def test_what_is_no_scan_is_refused_in_one_sentence(volume, words):
    refusal = examine(volume).refusal
    assert words in refusal and refusal.endswith(".")


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 6, 5), (2, 3, 200), (1, 64, 64), (4, 17, 16)])
@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_volumes_of_any_size_are_examined_without_an_error(shape, dtype):
    hu = np.random.default_rng(1).normal(-300, 500, shape).astype(dtype)
    for spacing in (0.1, 0.7, 3.0):
        assert examine(CTVolume(hu, (spacing, spacing, spacing)), SHARPENING).facts is not None


def cohort_file(folder, amplitude, noise, kernel="B40f"):
    hu = 50 + coloured_noise((4, 128, 128), 0.7, amplitude, noise)
    hu[:, :16] = -1000
    return write_volume_file(CTVolume(np.rint(hu).astype(np.int16), (0.7, 0.7, 2.0), facts=CTFacts(kernel=kernel)), folder / "scan.nrrd")


def only_record(output):
    (path,) = output.glob("*-provenance.json")
    return json.loads(path.read_text())


def test_the_record_of_a_result_tells_what_its_input_is(tmp_path):
    scan = cohort_file(tmp_path, lambda f: np.sqrt(f) * np.exp(-((f / 4.2) ** 2)), 12)
    standardize(scan, tmp_path / "out", format="nrrd")
    facts = only_record(tmp_path / "out")["facts"]["input"]
    assert facts["noise_hu"] == pytest.approx(12, rel=0.1) and facts["metal_ml"] == 0
    assert {"noise_mean_frequency_lp_cm", "contrast_ml"} <= facts.keys() and 0 < facts["air_share"] < 1


def test_a_cohort_refuses_what_is_standard_already_and_obeys_who_insists(tmp_path):
    scan = cohort_file(tmp_path, sharp, 40)
    standardize(scan, tmp_path / "out", format="nrrd")
    assert "like B70f already" in str(summary(tmp_path / "out"))
    assert not list((tmp_path / "out").glob("*_scan*"))
    standardize(scan, tmp_path / "insisted", format="nrrd", target="b40f to b70f")
    assert "finer than the protocol" in only_record(tmp_path / "insisted")["warnings"][0]


PAIRS = [("pairs/lungdx-a0002/B40f", "B40f to B70f"), ("pairs/lungdx-a0002/B70f", "B70f to B40f"),
         ("pairs/philips-head-phantom/UB", "UB to YA"), ("pairs/philips-head-phantom/YA", "YA to UB"),
         ("pairs/toshiba-chest-phantom/FC13_position1", "FC13 to FC51"), ("pairs/toshiba-chest-phantom/FC51_position1", "FC51 to FC13"),
         ("pairs/toshiba-chest-phantom/FC13_position2", "FC13 to FC51"), ("pairs/toshiba-chest-phantom/FC51_position2", "FC51 to FC13")]  # fmt: skip


@pytest.mark.parametrize("series, name", PAIRS)
def test_a_real_series_fits_its_own_protocol_and_is_caught_in_the_reverse_one(shared_data, series, name):
    volume, trained = read_volume(shared_data / series), load_bundle().trained_noise
    fitting = examine(volume, PROTOCOLS[name], trained_noise=trained)
    assert fitting.refusal is None and fitting.warnings == ()
    reverse = PROTOCOLS[" to ".join(reversed(name.split(" to ")))]
    assert f"like {reverse.target.label} already" in examine(volume, reverse).refusal
    assert examine(volume, reverse, named=True).warnings


def test_an_unknown_soft_kernel_passes_with_the_models_own_protocol(shared_data):
    found = examine(read_volume(shared_data / "volumes" / "lidc-idri-0314"), load_bundle().protocol)
    assert found.refusal is None and found.warnings == ()


@pytest.mark.parametrize("volume", ["lidc-idri-0314", "cptac-c3n-00249"])
def test_real_chests_and_abdomens_are_ct(shared_data, volume):
    found = examine(read_volume(shared_data / "volumes" / volume))
    assert found.refusal is None and 2 < found.facts["noise_hu"] < 80
