"""Radial filters, transfer curves, the noise map and protocols."""
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.ndimage import gaussian_filter

from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.model import protocols as protocols_module
from LTDiffStandardizeLib.model.bundle import load_bundle
from LTDiffStandardizeLib.model.frame import FrameFactory
from LTDiffStandardizeLib.model.noise_map import CoherenceNoiseMap, cell_mean, from_cells
from LTDiffStandardizeLib.model.protocols import (KernelFacts, Protocol, choose_protocol, library, load_protocol,
                                                  save_protocol, sharp_source_warning)
from LTDiffStandardizeLib.model.unpaired import protocol_from_references
from LTDiffStandardizeLib.model.spectra import RadialCurve, apply_curve, colour, radial_power
from LTDiffStandardizeLib.model.transfer import TransferCurve
from LTDiffStandardizeLib.model.standardizer import Settings, Standardizer
from LTDiffStandardizeLib.volumes import CTFacts, CTVolume, read_volume, write_volume_file
from LTDiffTrainingLib.fitting.protocols import fit_protocol, fit_protocol_to_volumes

SPACING = (0.7, 0.7)
SAMPLE = Path(__file__).resolve().parents[2] / "LTDiffStandardize" / "Resources" / "SampleData" / "lungdx-a0002"
RISING = RadialCurve((0.0, 1.0, 5.0, 10.0), (1.0, 1.0, 3.0, 5.0))
FALLING = RadialCurve((0.0, 2.0, 6.0, 8.0), (1.0, 0.9, 0.2, 0.0))
FREQUENCIES = np.arange(1.6, 6.6, 0.5)


def fields(count, size=128, seed=0, sd=100.0):
    return [np.random.default_rng((seed, i)).normal(0, sd, (size, size)).astype(np.float32) for i in range(count)]


def filtered_pairs(curve, count=6):
    return [(x, apply_curve(x, curve, SPACING)) for x in fields(count)]


def test_least_squares_and_power_find_a_known_filter_again():
    transfer = TransferCurve.measure(filtered_pairs(RISING), SPACING)
    for gain in (transfer.ls, transfer.power):
        assert np.allclose(gain(FREQUENCIES), RISING(FREQUENCIES), rtol=0.03)
    assert (transfer.coherence(FREQUENCIES) > 0.995).all()


def test_noise_in_the_target_lowers_the_coherence_and_the_least_squares_gain_but_not_the_power_gain():
    noisy = [(x, y + n) for (x, y), n in zip(filtered_pairs(RISING), fields(6, seed=9, sd=200))]
    transfer = TransferCurve.measure(noisy, SPACING)
    expected = RISING(FREQUENCIES) / np.sqrt(RISING(FREQUENCIES) ** 2 + 4)
    assert np.allclose(transfer.coherence(FREQUENCIES), expected, atol=0.06)
    assert np.allclose(transfer.ls(FREQUENCIES), RISING(FREQUENCIES), rtol=0.12)
    assert np.allclose(transfer.power(FREQUENCIES), np.sqrt(RISING(FREQUENCIES) ** 2 + 4), rtol=0.1)


def test_the_reverse_of_a_transfer_undoes_its_power_gain():
    transfer = TransferCurve.measure(filtered_pairs(RISING), SPACING)
    assert np.allclose(transfer.power(FREQUENCIES) * transfer.reversed().power(FREQUENCIES), 1, rtol=1e-2)


def test_white_noise_has_a_flat_power_spectrum_of_its_variance():
    power = radial_power(fields(8, sd=20), SPACING)
    assert np.allclose(power(FREQUENCIES), 400, rtol=0.15)


def test_a_filter_is_given_in_lp_per_cm_whatever_the_pixel_size():
    x = np.arange(128) * 0.35
    wave = np.broadcast_to(np.sin(2 * np.pi * x / 2.5), (128, 128)).astype(np.float32)  # 4 lp/cm
    middle = np.s_[40:90, 40:90]
    for step in (1, 2):
        filtered = apply_curve(wave[::step, ::step], RISING, (0.35 * step, 0.35 * step))
        inner = filtered[tuple(slice(s.start // step, s.stop // step) for s in middle)]
        assert np.abs(inner).max() == pytest.approx(float(RISING(4.0)), rel=0.1)


@settings(max_examples=20, deadline=None)
@given(rows=st.integers(8, 40), columns=st.integers(8, 40), seed=st.integers(0, 1000))
def test_colouring_and_whitening_are_inverse_and_keep_the_variance(rows, columns, seed):
    image = np.random.default_rng(seed).normal(size=(2 * rows, 2 * columns)).astype(np.float32)
    coloured = colour(image, RISING, SPACING)
    assert np.allclose(colour(coloured, RISING, SPACING, inverse=True), image, atol=1e-4)


@settings(max_examples=20, deadline=None)
@given(rows=st.integers(2, 12), columns=st.integers(2, 12))
def test_cells_come_back_as_pixels_with_their_means(rows, columns):
    cells = np.add.outer(np.arange(rows), np.arange(columns)).astype(float)
    pixels = from_cells(cells)
    assert pixels.shape == (4 * rows, 4 * columns)
    assert np.allclose(cell_mean(pixels)[1:-1, 1:-1], cells[1:-1, 1:-1], atol=1e-4)


def chest_pairs(count=6, size=192, seed=0):
    """Soft and sharp images of one body, noise twice as strong on its right half; the soft one lacks what is aliased."""
    rng = np.random.default_rng(seed)
    level = np.where(np.arange(size) < size // 2, 40.0, 80.0)[None]
    made = []
    for _ in range(count):
        white, aliased = (rng.normal(size=(size, size)) * level for _ in range(2))
        sharp = apply_curve(white + 0.5 * aliased, RadialCurve((0.0, 7.0), (0.4, 1.6)), SPACING)
        soft = np.rint(apply_curve(white, FALLING, SPACING))
        made.append((soft.astype(np.float32), sharp.astype(np.float32)))
    return made


def test_the_fitted_noise_map_follows_the_local_noise():
    pairs = chest_pairs()
    protocol = fit_protocol(KernelFacts("soft"), KernelFacts("sharp"), lambda i: pairs[i], range(5), SPACING, "test")
    source, target = pairs[5]
    frame = FrameFactory(protocol, SPACING, source[None]).frame(source)
    residual = frame.to_residual(target)
    for half in (np.s_[16:-16, 16:80], np.s_[16:-16, 112:-16]):
        assert residual[half].std() == pytest.approx(1, abs=0.12)
    ratio = frame.sd[16:-16, 112:-16].mean() / frame.sd[16:-16, 16:80].mean()
    assert ratio == pytest.approx(2, rel=0.15)


def test_the_residual_of_the_target_is_nearly_white():
    pairs = chest_pairs()
    protocol = fit_protocol(KernelFacts("soft"), KernelFacts("sharp"), lambda i: pairs[i], range(5), SPACING, "test")
    frame = FrameFactory(protocol, SPACING, pairs[5][0][None]).frame(pairs[5][0])
    power = radial_power([frame.to_residual(pairs[5][1])], SPACING)(np.arange(3.0, 8.0, 0.5))
    assert power.max() / power.min() < 1.8


def test_a_protocol_is_fitted_to_two_reconstructions_of_one_scan_by_the_script(tmp_path):
    source, target = (CTVolume(np.stack(part).round().astype(np.int16), (*SPACING, 2.0), name=name)
                      for part, name in zip(zip(*chest_pairs(4, size=136)), ("soft", "sharp")))
    for volume in (source, target):
        write_volume_file(volume, tmp_path / f"{volume.name}.nrrd")
    script = Path(__file__).resolve().parents[2] / "LTDiffTraining" / "Scripts" / "fit_protocol.py"
    command = [sys.executable, str(script), str(tmp_path / "soft.nrrd"), str(tmp_path / "sharp.nrrd"), "--output", str(tmp_path / "mine.json")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    protocol, _ = choose_protocol(str(tmp_path / "mine.json"), None, load_bundle().protocol)
    result = Standardizer(protocol, Settings("ls_noise")).standardize(source)[0]
    assert result.hu.std() == pytest.approx(target.hu.std(), rel=0.1)
    assert source.hu.std() < 0.7 * target.hu.std()


def test_a_protocol_is_not_fitted_to_volumes_of_different_grids():
    volume = lambda z: CTVolume(np.zeros((2, 32, 32), np.int16), (*SPACING, z), name=f"distance {z}")
    with pytest.raises(InputError, match="do not lie on one grid"):
        fit_protocol_to_volumes(volume(1.0), volume(2.0))


def test_the_coherence_noise_map_adds_what_a_filter_lost():
    pairs = chest_pairs()
    transfer = TransferCurve.measure(pairs[:5], SPACING)
    protocol = Protocol.from_transfer(KernelFacts("soft"), KernelFacts("sharp"), transfer, "test")
    assert isinstance(protocol.noise_map, CoherenceNoiseMap)
    source, target = pairs[5]
    frame = FrameFactory(protocol, SPACING, source[None]).frame(source)
    again = frame.from_residual(np.random.default_rng(3).standard_normal(source.shape, dtype=np.float32))
    assert frame.filtered.std() < 0.95 * target.std()
    assert again.std() == pytest.approx(target.std(), rel=0.12)


def test_no_uncertain_noise_is_drawn_where_little_is_missing():
    pairs = chest_pairs()
    sources = np.stack([source for source, _ in pairs])
    lossy = Protocol.from_transfer(KernelFacts("soft"), KernelFacts("sharp"), TransferCurve.measure(pairs, SPACING), "test")
    lossless = Protocol.from_transfer(KernelFacts("soft"), KernelFacts("sharp"), TransferCurve.measure(
        [(source, apply_curve(source, RISING, SPACING)) for source, _ in pairs], SPACING), "test")
    assert FrameFactory(lossy, SPACING, sources).temperature == lossy.temperature > 0
    assert FrameFactory(lossless, SPACING, sources).temperature == 0
    noisy, plain = (Standardizer(lossless, Settings(method)).standardize(CTVolume(sources.astype(np.int16), (*SPACING, 1.0)))[0].hu for method in ("ls_noise", "ls"))
    assert np.abs(noisy.astype(int) - plain).max() <= 1


def test_a_protocol_survives_its_file(tmp_path):
    for protocol in library()[:2] + [load_bundle().protocol]:
        save_protocol(protocol, tmp_path / "p.json")
        assert load_protocol(tmp_path / "p.json") == protocol


def test_every_shipped_protocol_keeps_the_mean_and_says_where_it_is_from():
    assert len(library()) >= 14
    for protocol in library():
        assert protocol.transfer.ls(0.0) == pytest.approx(1, abs=0.01)
        assert protocol.transfer.power(0.0) == pytest.approx(1, abs=0.01)
        assert protocol.about


def test_a_damaged_protocol_file_is_refused_in_one_sentence(tmp_path):
    (tmp_path / "bad.json").write_text(json.dumps({"source": {}}))
    with pytest.raises(InputError, match="bad.json is no protocol file"):
        load_protocol(tmp_path / "bad.json")


@pytest.mark.parametrize("target, kernel, name, warned", [
    ("B70f", "B40f", "B40f to B70f", False),
    ("b70F", "b30f", "B30f to B70f", False),
    (None, "FC13", "FC13 to FC51", False),
    ("B70f", "B40f\\3", "B40f to B70f", False),
    (None, "B30f", "B30f to B70f", False),
    ("B40f to B70f", "D", "B40f to B70f", True),
    (None, "D", None, True),
    (None, None, None, True),
])
def test_the_protocol_follows_from_target_and_kernel(target, kernel, name, warned):
    default = load_bundle().protocol
    protocol, warning = choose_protocol(target, kernel, default)
    assert protocol.name == (name or default.name)
    assert bool(warning) == warned
    if warned:
        assert (kernel or "unknown") in warning


@pytest.mark.parametrize("target, kernel", [(None, "B70f"), (None, "FC51"), ("B70f", "B70f")])
def test_a_sharp_input_is_neither_softened_unasked_nor_standardized_to_itself(target, kernel):
    with pytest.raises(InputError, match=kernel):
        choose_protocol(target, kernel, load_bundle().protocol)


def test_an_input_far_sharper_than_the_protocol_starts_from_is_warned_of():
    protocol = load_bundle().protocol
    soft, sharp = (read_volume(SAMPLE / kernel) for kernel in ("B40f", "B70f"))
    assert sharp_source_warning(protocol, soft) is None
    assert "too sharp for this protocol" in sharp_source_warning(protocol, sharp)


@pytest.mark.parametrize("pixel", [0.5, 0.7, 0.98])
def test_the_shipped_noise_map_holds_for_small_and_large_pixels(pixel):
    pytest.importorskip("finufft", reason="the simulator needs finufft, which has no wheel for this processor")
    from LTDiffTrainingLib.simulation.pairs import Acquisition, simulate_slice
    from LTDiffTrainingLib.simulation.phantom import ChestPhantom

    made = simulate_slice(ChestPhantom(77), Acquisition(pixel=pixel), 20.0, seed=0, clean=False)
    frame = FrameFactory(load_bundle().protocol, (pixel, pixel), made.source[None]).frame(made.source)
    smooth = gaussian_filter(made.source.astype(float), 2)
    flat = (smooth > 20) & (smooth < 90) & (np.hypot(*np.gradient(smooth)) < 4)
    assert np.sqrt(np.mean(frame.sd[flat] ** 2)) == pytest.approx((made.target - frame.filtered)[flat].std(), rel=0.15)


@pytest.mark.parametrize("target, kernel, words", [("XY99", "B40f", "No protocol leads to XY99"), ("B70f", "D", "The input's kernel is D")])
def test_an_unreachable_target_is_refused_and_what_there_is_named(target, kernel, words):
    with pytest.raises(InputError, match=words) as caught:
        choose_protocol(target, kernel, load_bundle().protocol)
    assert "B70f" in str(caught.value) and "--reference" in str(caught.value)


def test_a_protocol_file_can_be_named(tmp_path):
    save_protocol(library()[0], tmp_path / "mine.json")
    assert choose_protocol(str(tmp_path / "mine.json"), None, load_bundle().protocol)[0] == library()[0]


def test_the_derived_b40f_curve_is_close_to_the_one_measured_on_the_pair_it_was_kept_from(shared_data):
    from LTDiffTrainingLib.fitting.library import HELD_OUT, measured_transfers

    measured = next(t for title, t in measured_transfers(shared_data / "kernels" / "transfer_measured.csv").items() if title.startswith(HELD_OUT))
    shipped, _ = choose_protocol("B70f", "B40f", load_bundle().protocol)
    f = np.arange(0.0, 6.1, 0.5)
    assert np.allclose(shipped.transfer.power(f), measured.power(f), rtol=0.15)
    assert np.allclose(shipped.transfer.coherence(f), measured.coherence(f), atol=0.02)


def test_the_shipped_library_is_what_the_measured_curves_give(shared_data, tmp_path):
    from LTDiffTrainingLib.fitting.library import write_library

    for path in write_library(shared_data / "kernels" / "transfer_measured.csv", tmp_path):
        assert path.read_text() == (protocols_module.LIBRARY / path.name).read_text()


def test_reference_scans_of_other_objects_give_the_transfer():
    soft = [np.rint(apply_curve(x, FALLING, SPACING)) for x in fields(8, 256, seed=1)]
    sharp = [np.rint(x) for x in fields(8, 256, seed=2)]
    volume = lambda slices, kernel: CTVolume(np.stack(slices).astype(np.int16), (*SPACING, 1.0), facts=CTFacts(kernel=kernel), name=kernel)
    protocol = protocol_from_references(volume(soft, "soft"), [volume(sharp, "sharp")], None)
    assert protocol.name == "soft to sharp"
    f = np.arange(1.0, 6.0, 0.5)
    assert np.allclose(protocol.transfer.power(f), 1 / FALLING(f), rtol=0.15)
    assert protocol.transfer.coherence(2.0) > 0.99 > protocol.transfer.coherence(9.0)
