"""Standardizing volumes: what must not change, and what a result may depend on."""
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from LTDiffStandardizeLib.model.bundle import load_bundle, write_bundle
from LTDiffStandardizeLib.model.frame import FrameFactory
from LTDiffStandardizeLib.model.noise import slice_noise
from LTDiffStandardizeLib.model.standardizer import METHODS, Settings, Standardizer
from LTDiffStandardizeLib.volumes import CTVolume


@pytest.fixture(scope="module")
def bundle():
    return load_bundle()


def body_volume(slices=3, shape=(160, 176), seed=0):
    """A water ellipse with lungs of air and noise that is smooth as soft kernels' is, int16 HU."""
    from scipy.ndimage import gaussian_filter

    rows, columns = np.mgrid[:shape[0], :shape[1]]
    y, x = rows / shape[0] - 0.5, columns / shape[1] - 0.5
    hu = np.where((x / 0.42) ** 2 + (y / 0.38) ** 2 < 1, 40.0, -1000.0)
    hu[((np.abs(x) - 0.2) / 0.1) ** 2 + (y / 0.2) ** 2 < 1] = -860
    noise = np.random.default_rng(seed).normal(0, 60, (slices,) + shape)
    hu = gaussian_filter(np.broadcast_to(hu, noise.shape) + noise, (0, 1.1, 1.1))
    return CTVolume(np.clip(np.rint(hu), -1024, 3071).astype(np.int16), spacing=(0.7, 0.7, 2.0))


def run(volume, bundle, method="ltdiff", **changes):
    settings = Settings(**{"method": method, "seed": 4, "device": "cpu", **changes})
    return Standardizer(bundle.protocol, settings, bundle).standardize(volume)


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_an_untrained_network_is_the_filter_with_noise(tmp_path, bundle, temperature):
    from LTDiffStandardizeLib.model.network import LatentDiffusionModel
    from LTDiffStandardizeLib.model.network_shape import NetworkShape

    protocol = replace(bundle.protocol, temperature=temperature, fine_noise_map=None, directionality=0.0)
    folder = write_bundle(tmp_path / "zero", LatentDiffusionModel(NetworkShape((8, 8, 8), (8, 8, 8), (8, 8, 8))), protocol, {"steps": 3}, "")
    volume, zero = body_volume(), load_bundle(folder)
    difference = run(volume, zero)[0].hu.astype(int) - run(volume, zero, "ls_noise")[0].hu
    assert np.abs(difference).max() <= 1
    assert np.mean(difference != 0) < 0.001


def test_the_temperature_scales_the_noise_that_is_drawn(bundle):
    volume, settings = body_volume(2), Settings("ls_noise")
    plain = Standardizer(bundle.protocol, Settings("ls")).standardize(volume)[0].hu.astype(float)
    whole, half = (Standardizer(replace(bundle.protocol, temperature=t), settings).standardize(volume)[0].hu - plain for t in (1.0, 0.5))
    centre = np.s_[:, 60:100, 60:100]
    assert half[centre].std() == pytest.approx(0.5 * whole[centre].std(), rel=0.1)


@pytest.mark.parametrize("method", ["ltdiff", "ls_noise"])
def test_the_result_does_not_depend_on_the_batch_size(bundle, method):
    volume = body_volume(5)
    one = run(volume, bundle, method, batch=1)[0].hu
    for batch in (2, 5):
        assert np.array_equal(run(volume, bundle, method, batch=batch)[0].hu, one)


def test_the_same_seed_gives_the_same_volume_and_another_seed_another(bundle):
    volume = body_volume(2)
    first, again, other = (run(volume, bundle, seed=s)[0].hu for s in (1, 1, 2))
    assert np.array_equal(first, again)
    assert np.mean(first != other) > 0.5


def test_the_order_of_the_slices_does_not_change_them(bundle):
    volume = body_volume(4)
    flipped = CTVolume(volume.hu[::-1].copy(), volume.spacing, origin=(0, 0, 3 * volume.spacing[2]), direction=np.diag([1, 1, -1]))
    assert np.array_equal(run(volume, bundle)[0].hu, run(flipped, bundle)[0].hu[::-1])


@pytest.mark.parametrize("method", [m for m in METHODS if m != "none"])
def test_homogeneous_regions_keep_their_hu(bundle, method):
    volume = body_volume()
    result = run(volume, bundle, method)[0].hu
    centre = np.s_[:, 60:100, 78:98]
    assert abs(float(result[centre].mean()) - float(volume.hu[centre].mean())) < 2.0


@pytest.mark.parametrize("method", METHODS)
def test_padding_comes_back_untouched_and_does_not_leak(bundle, method):
    volume = body_volume()
    padded = CTVolume(volume.hu.copy(), volume.spacing, padding=np.zeros(volume.hu.shape, bool))
    padded.padding[:, :, :8] = True
    padded.hu[padded.padding] = -2048
    air = CTVolume(np.where(padded.padding, -1000, padded.hu).astype(np.int16), volume.spacing)
    result, with_air = run(padded, bundle, method)[0].hu, run(air, bundle, method)[0].hu
    assert (result[padded.padding] == -2048).all()
    assert np.array_equal(result[~padded.padding], with_air[~padded.padding])


def test_no_method_returns_the_input_bit_by_bit_but_none(bundle):
    volume = body_volume()
    assert np.array_equal(run(volume, bundle, "none")[0].hu, volume.hu)
    assert all(not np.array_equal(run(volume, bundle, m)[0].hu, volume.hu) for m in METHODS if m != "none")


def test_several_samples_give_an_uncertainty_and_keep_the_first_sample(bundle):
    volume = body_volume(2)
    result, uncertainty = run(volume, bundle, samples=3)
    alone, nothing = run(volume, bundle)
    assert nothing is None
    assert np.array_equal(result.hu, alone.hu)
    assert 0.2 < float(np.median(uncertainty.hu)) < 300
    volume.padding = np.zeros(volume.hu.shape, bool)
    volume.padding[:, :9] = True
    assert not run(volume, bundle, samples=2)[1].hu[:, :9].any()


@pytest.mark.parametrize("shape", [(16, 16), (33, 65), (130, 97)])
def test_slices_of_any_size_are_standardized(bundle, shape):
    volume = body_volume(1, shape)
    for method in ("ls", "ls_noise", "ltdiff"):
        assert run(volume, bundle, method)[0].hu.shape == volume.hu.shape


def test_progress_counts_every_slice_and_may_cancel(bundle):
    seen = []

    def progress(done, total):
        seen.append((done, total))
        if done == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        Standardizer(bundle.protocol, Settings("ls", device="cpu")).standardize(body_volume(4), progress)
    assert seen == [(1, 4), (2, 4)]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), rows=st.integers(2, 6), columns=st.integers(2, 6))
def test_a_frame_brings_every_image_back_exactly(seed, rows, columns):
    rng = np.random.default_rng(seed)
    source = rng.normal(0, 100, (16 * rows, 16 * columns)).astype(np.float32)
    frame = FrameFactory(load_bundle().protocol, (0.7, 0.7), source[None]).frame(source)
    image = rng.normal(0, 200, source.shape).astype(np.float32)
    assert np.allclose(frame.from_residual(frame.to_residual(image)), image, atol=0.05)


def test_a_network_that_is_not_trusted_leaves_the_filter(bundle):
    volume, quiet = body_volume(1), replace(bundle.protocol, temperature=0.0, trust=0.0)
    made = {method: Standardizer(quiet, Settings(method, device="cpu"), bundle).standardize(volume)[0].hu.astype(int) for method in ("ltdiff", "ls")}
    assert np.abs(made["ltdiff"] - made["ls"]).max() <= 1
    trusting = Standardizer(replace(quiet, trust=1.0), Settings(device="cpu"), bundle).standardize(volume)[0]
    assert np.abs(trusting.hu - made["ls"]).max() > 1


def test_whatever_a_network_returns_the_mean_of_a_large_region_is_the_filters(bundle):
    source = body_volume(1, (256, 256)).hu[0].astype(np.float32)
    frame = FrameFactory(bundle.protocol, (0.7, 0.7), source[None]).frame(source)
    offset = np.ones_like(source)
    gap = lambda image: abs(float((image - frame.filtered)[64:192, 64:192].mean()))
    assert gap(frame.standardized(offset)) < 0.1 < 1 < gap(frame.from_residual(offset))
    noise = frame.directed(np.random.default_rng(0).standard_normal(source.shape, dtype=np.float32))
    drawn, kept = (image - frame.filtered for image in (frame.from_residual(noise), frame.standardized(noise)))
    assert kept.std() == pytest.approx(drawn.std(), rel=0.01), "the noise itself lies above"


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), position=st.floats(-2000, 2000))
def test_noise_is_standard_normal_and_keyed_by_seed_and_position(seed, position):
    noise = slice_noise((64, 64), seed, position)
    assert abs(float(noise.std()) - 1) < 0.08
    assert np.array_equal(noise, slice_noise((64, 64), seed, position))
    assert not np.array_equal(noise, slice_noise((64, 64), seed, position + 1.0))
    assert not np.array_equal(noise, slice_noise((64, 64), seed, position, sample=1))
