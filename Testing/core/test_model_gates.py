"""The gates that the method must pass, on a network without training and on the shipped weights."""
import numpy as np
import pytest
import torch

from LTDiffStandardizeLib.model.bundle import load_bundle
from LTDiffStandardizeLib.model.codec import LATENT_CHANNELS, BlockTransform, Decoder, Encoder
from LTDiffStandardizeLib.model.conditioning import PROTOCOL_FEATURES
from LTDiffStandardizeLib.model.diffusion import (MarkovChain, clean_of, noised, noised_source, sample_ancestral,
                                                  sample_angle_euler, start_angles, velocity_of)
from LTDiffStandardizeLib.model.directions import ORIENTATIONS, directed, unit_amplitudes
from LTDiffStandardizeLib.model.network import LatentDiffusionModel
from LTDiffStandardizeLib.model.network_shape import NetworkShape

SMALL = NetworkShape((8, 8, 8), (8, 8, 8), (8, 8, 8))


def white(count=2, size=128, seed=0):
    return torch.randn((count, 1, size, size), generator=torch.Generator().manual_seed(seed))


def latents(seed, count=2, size=32):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn((count, c, size >> i, size >> i), generator=generator) for i, c in enumerate(LATENT_CHANNELS)]


def conditions_of(model, size=128):
    amplitudes, protocol = torch.ones(1, ORIENTATIONS, size // 8, size // 8), torch.zeros(1, PROTOCOL_FEATURES)
    return model.condition(300 * white(1, size, 1), white(1, size, 2), 3 + 0.1 * white(1, size, 3), amplitudes, protocol)


def deviation(parts):
    return float(torch.cat([p.flatten() for p in parts]).std())


@pytest.mark.parametrize("sampler", ["euler", "ancestral"])
@pytest.mark.parametrize("steps", [1, 2, 3, 4, 8, 25])
def test_a_zero_network_returns_noise_of_unit_deviation_for_any_number_of_steps(sampler, steps):
    model = LatentDiffusionModel(SMALL).eval()
    noise = model.encoder.transform(white(1, 512))
    condition = conditions_of(model, 512)
    fresh = lambda step: model.encoder.transform(white(1, 512, 100 + step))
    with torch.inference_mode():
        image = model.decode(model.sample(condition, noise, steps, sampler, fresh_noise=fresh))
    assert abs(float(image.std()) - 1) < 0.01
    assert abs(float(image.mean())) < 0.01


def test_the_known_spread_of_every_latent_is_the_deviation_of_directed_noise():
    model = LatentDiffusionModel(SMALL).eval()
    amplitudes = unit_amplitudes(np.random.default_rng(1).normal(0, 0.6, (ORIENTATIONS, 1, 1)) * np.ones((1, 64, 64)))
    noise = np.stack([directed(np.random.default_rng(seed).standard_normal((512, 512), dtype=np.float32), amplitudes) for seed in range(6)])
    drawn = model.encoder.transform(torch.from_numpy(noise)[:, None])
    known = model.spread(torch.from_numpy(amplitudes)[None])
    for z, log_sd in zip(drawn, known):
        measured = z.square().mean((0, 2, 3)).sqrt().log()
        assert torch.allclose(measured, log_sd.mean((0, 2, 3)), atol=0.06)


def test_nothing_is_drawn_and_the_denoiser_not_asked_at_temperature_zero():
    model = LatentDiffusionModel(SMALL).eval()
    model.denoiser = None
    made = model.sample(conditions_of(model), model.encoder.transform(white(1)), 4, temperature=0.0)
    assert all(float(part.abs().max()) == 0 for part in made)


def test_the_block_transform_is_orthonormal_and_exactly_invertible():
    transform, image = BlockTransform(), white(2, 64)
    parts = transform(image)
    assert [p.shape[1:] for p in parts] == [(15, 16, 16), (3, 8, 8), (4, 4, 4)]
    assert sum(p.numel() for p in parts) == image.numel()
    assert sum(float(p.square().sum()) for p in parts) == pytest.approx(float(image.square().sum()), rel=1e-5)
    assert torch.allclose(transform.inverse(parts), image, atol=1e-5)


def test_encoder_and_decoder_start_as_the_lossless_transform():
    encoder, decoder, image = Encoder((8, 8, 8)), Decoder((8, 8, 8)), white()
    assert torch.allclose(decoder(encoder(image)), image, atol=1e-5)


def test_a_pruned_decoder_needs_no_deeper_latents():
    decoder, z = Decoder((8, 8, 8)), latents(0)
    torch.nn.init.normal_(decoder.heads[0].weight)
    changed = z[:2] + [z[2] + 100]
    assert torch.equal(decoder(z, depth=1), decoder(changed, depth=1))
    assert not torch.equal(decoder(z), decoder(changed))


def test_every_node_of_the_nested_decoder_takes_all_earlier_nodes_of_its_row():
    decoder = Decoder((8, 12, 16))
    widths = {name: node.first.in_channels for name, node in decoder.nodes.items()}
    assert widths == {"0_1": 8 + 12, "1_1": 12 + 16, "0_2": 2 * 8 + 12}


def test_the_chain_run_step_by_step_is_the_closed_form():
    chain = MarkovChain(50)
    assert torch.allclose(torch.cumprod(1 - chain.betas, 0), chain.alpha_bar[1:])
    assert ((chain.betas > 0) & (chain.betas < 1)).all()
    z, generator = torch.full((200_000,), 3.0), torch.Generator().manual_seed(0)
    for t in range(20):
        z = chain.step(z, t, torch.randn(z.shape, generator=generator))
    assert float(z.mean()) == pytest.approx(3 * float(chain.alpha_bar[20]) ** 0.5, abs=0.02)
    assert float(z.var()) == pytest.approx(1 - float(chain.alpha_bar[20]), rel=0.02)


def test_the_clean_latents_come_back_from_their_velocity():
    clean, noise, angle = latents(1), latents(2), torch.tensor([0.3, 1.4])
    back = clean_of(noised(clean, noise, angle), velocity_of(clean, noise, angle), angle)
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(back, clean))


@pytest.mark.parametrize("steps", [4, 50])
def test_both_samplers_find_the_target_when_the_velocity_points_at_it(steps):
    """The exact velocity of a single target: the ancestral sampler ends on it, the rotation comes near."""
    target, start = latents(3), latents(4)

    def velocity(z, angle):
        c, s = angle.cos()[:, None, None, None], angle.sin()[:, None, None, None]
        return [(c * a - t) / s for a, t in zip(z, target)]

    fresh = lambda step: [torch.zeros_like(t) for t in target]
    angles = start_angles(steps)
    ancestral = sample_ancestral(velocity, start, angles, fresh)
    rotated = sample_angle_euler(velocity, start, angles)
    assert deviation([a - b for a, b in zip(ancestral, target)]) < 1e-3
    assert deviation([a - b for a, b in zip(rotated, target)]) < (0.7 if steps == 4 else 0.1)


def test_the_reverse_process_starts_from_the_noised_source():
    source, noise = latents(5), latents(6)
    half = noised_source(source, noise, strength=0.5)
    assert torch.allclose(half[0], (source[0] + noise[0]) / 2**0.5, atol=1e-5)
    assert torch.allclose(noised_source(source, noise)[0], noise[0], atol=1e-6)


@pytest.fixture(scope="module")
def shipped():
    return load_bundle().network()


def test_the_shipped_decoder_returns_the_target_from_the_target_s_latents(shipped):
    """Oracle swap: whatever diffusion puts in place of Z_B decides the image, down to 0.02 of the noise SD."""
    image = white(2, 128, 7)
    assert float((shipped.decode(shipped.encoder(image)) - image).square().mean().sqrt()) < 0.02


@pytest.mark.parametrize("wrong", ["zero", "noise", "another image"])
def test_the_latent_matters_to_the_shipped_decoder(shipped, wrong):
    image = white(2, 128, 8)
    z = shipped.encoder(image)
    instead = {"zero": [torch.zeros_like(p) for p in z], "noise": latents(9), "another image": [p.flip(0) for p in z]}[wrong]
    error = lambda parts: float((shipped.decode(parts) - image).square().mean().sqrt())
    assert error(instead) > 30 * error(z)


def test_the_shipped_denoiser_was_trained(shipped):
    condition, z = conditions_of(shipped), latents(10, count=1)
    velocity = shipped.velocity(z, torch.tensor([0.7]), condition)
    assert deviation(velocity) > 1e-3
    assert np.isfinite(deviation(shipped.moments(condition).mean))
