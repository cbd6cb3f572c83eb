"""The systems of the paper beside LTDiff++: how they learn, what they train, what their results may depend on."""
from functools import lru_cache

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import nn

from LTDiffStandardizeLib.errors import InputError, ModelError
from LTDiffStandardizeLib.model.bundle import WEIGHTS
from LTDiffStandardizeLib.model.network_shape import NetworkShape
from LTDiffStandardizeLib.volumes import CTVolume
from LTDiffTrainingLib.datasets import MAPS
from LTDiffTrainingLib.patches import Batch
from LTDiffTrainingLib.settings import PhaseSettings, load_settings
from LTDiffTrainingLib.systems import all_systems, system_of
from LTDiffTrainingLib.systems.chain import ConditionalDenoiser, sample, sampling_angles, white_noise
from LTDiffTrainingLib.systems.intensity import UNIT_HU, normalised
from LTDiffTrainingLib.systems.latent_scale import BATCHES, LatentScale
from LTDiffTrainingLib.systems.store import load_system, save_system
from LTDiffTrainingLib.loop.trainer import Trainer

SMALL = NetworkShape((8, 8, 8), (8, 8, 8), (8, 8, 8))
RIVALS = ("unetplusplus", "ddpm", "diffusionct", "stan_ct", "literal")
DRAWING = ("ddpm", "diffusionct", "literal")
"""Those whose result depends on the seed."""


def slices(count, sides, seed, sharp=False):
    """A body of water with air beside it, the noise of a soft or a sharp kernel; float32 HU."""
    rng = np.random.default_rng(seed)
    body = np.where(np.hypot(*(np.mgrid[:sides[0], :sides[1]] - np.array(sides)[:, None, None] / 2.5)) < min(sides) / 2.5, 40.0, -900.0)
    noise = rng.normal(0, 60, (count,) + sides)
    width = 0.4 if sharp else 0.8
    return gaussian_filter(body + noise, (0, width, width)).astype(np.float32)


@lru_cache
def batch(count=4, patch=64):
    """From sharp to soft, which little networks learn in few steps."""
    maps = np.zeros((count, len(MAPS), patch, patch), np.float32)
    maps[:, MAPS.index("source")] = slices(count, (patch, patch), 1, sharp=True)
    maps[:, MAPS.index("target_hu")] = slices(count, (patch, patch), 1)
    offsets = torch.rand(count, generator=torch.Generator().manual_seed(0))
    nothing = torch.zeros(count, 0)
    return Batch(torch.from_numpy(maps), nothing, nothing, nothing, offsets, torch.arange(count), count)


class OneBatch:
    def draw(self, number, stream=0):
        return batch()


def volume(count=2, sides=(72, 90), first_mm=0.0):
    hu = np.rint(slices(3, sides, 2)).astype(np.int16)[:count]
    padding = np.zeros(hu.shape, bool)
    padding[:, :8, :8] = True
    hu[padding] = -2048
    return CTVolume(hu, (0.7, 0.7, 2.0), (0.0, 0.0, first_mm), padding=padding)


def built(name, moved=True):
    """A small model; `moved`: off its start, at which most return their input or what is left of it."""
    torch.manual_seed(0)
    model = system_of(name).build(SMALL).to(memory_format=torch.channels_last)
    if moved:
        for parameter in model.parameters():
            parameter.data += 0.03 * torch.randn_like(parameter)
    # As if loaded: rounded to half precision, in evaluation mode.
    model.load_state_dict({key: value.half().float() for key, value in model.state_dict().items()})
    return model.eval()


def standardized(name, model, source, seed=5):
    return system_of(name).standardize(model, source, None, seed)


def descend(model, player, steps, rate=5e-3):
    model.requires_grad_(False)
    parameters = [p.requires_grad_(True) for module in player.modules for p in getattr(model, module).parameters()]
    optimizer, one = torch.optim.Adam(parameters, rate), batch()
    for _ in range(steps):
        optimizer.zero_grad()
        losses = player.loss(model, one)
        losses["loss"].backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
    return float(player.loss(model, one)["loss"].detach())


def test_the_systems_are_those_of_the_paper_and_ours_is_last():
    assert tuple(all_systems()) == (*RIVALS, "ltdiff")


def test_an_unknown_system_is_refused_with_those_there_are():
    with pytest.raises(InputError, match="unetplusplus, ddpm"):
        system_of("gan")


@pytest.mark.parametrize("name", RIVALS)
def test_every_system_learns_a_batch_by_heart(name):
    model = built(name)
    for phase in system_of(name).phases.values():
        for player in phase.players:
            before = descend(model, player, 0)
            assert descend(model, player, 40) < 0.95 * before


@pytest.mark.parametrize("name", ["unetplusplus", "literal"])
def test_a_patch_that_unetplusplus_cannot_halve_is_refused(name):
    phase = next(iter(system_of(name).phases.values()))
    with pytest.raises(InputError, match="multiple of 32"):
        phase.players[0].loss(built(name), batch(1, 48))


@pytest.mark.parametrize("name", RIVALS)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_every_phase_trains_its_modules_and_nothing_else(name, precision, tmp_path):
    model, system = built(name), system_of(name)
    trainer = Trainer(model, OneBatch(), tmp_path, precision=precision, report=lambda line: None)
    weights = lambda: {key: value.detach().clone() for key, value in model.named_parameters()}
    for phase in system.phases:
        before = weights()
        trainer.run({phase: system.phases[phase]}, {phase: PhaseSettings(2, warm_up=1)})
        changed = {key.split(".")[0] for key, value in weights().items() if not torch.equal(value, before[key])}
        assert changed == {module for player in system.phases[phase].players for module in player.modules}


@pytest.mark.parametrize("name", RIVALS)
def test_every_trained_parameter_gets_a_gradient_from_a_loss_in_single_precision(name):
    model = built(name)
    for phase in system_of(name).phases.values():
        for player in phase.players:
            model.requires_grad_(False)
            parts = [getattr(model, module).requires_grad_(True) for module in player.modules]
            with torch.autocast("cpu", torch.bfloat16):
                loss = player.loss(model, batch())["loss"]
            loss.backward()
            assert loss.dtype == torch.float32
            assert all(p.grad is not None and p.grad.isfinite().all() for part in parts for p in part.parameters())


@pytest.mark.parametrize("name", RIVALS)
def test_a_result_has_the_grid_and_the_padding_of_its_source(name):
    source = volume()
    made = standardized(name, built(name), source)
    assert made.hu.dtype == np.int16 and made.hu.shape == source.hu.shape
    assert (made.spacing, made.origin) == (source.spacing, source.origin)
    assert (made.hu[source.padding] == -2048).all()
    inside = made.hu[~source.padding]
    assert -1024 <= inside.min() and inside.max() <= 3071
    assert (inside != source.hu[~source.padding]).mean() > 0.5


@pytest.mark.parametrize("name", RIVALS)
def test_a_result_is_repeated_by_its_seed(name):
    model, source = built(name), volume(1)
    first, again, other = (standardized(name, model, source, seed).hu for seed in (5, 5, 6))
    assert np.array_equal(first, again)
    assert np.array_equal(first, other) == (name not in DRAWING)


@pytest.mark.parametrize("name", RIVALS)
def test_the_result_of_a_slice_does_not_depend_on_the_other_slices(name):
    model, whole = built(name), volume(3)
    alone = CTVolume(whole.hu[1:2], whole.spacing, (0.0, 0.0, 2.0), padding=whole.padding[1:2])
    assert np.array_equal(standardized(name, model, alone).hu[0], standardized(name, model, whole).hu[1])


@pytest.mark.parametrize("name", RIVALS)
def test_a_system_gives_the_same_after_it_was_saved_and_loaded(name, tmp_path):
    model, source = built(name), volume(1)
    kept = load_system(save_system(tmp_path / name, system_of(name), model, SMALL, {"steps": 3}))
    assert kept.system.name == name and kept.facts["steps"] == 3
    assert np.array_equal(standardized(name, kept.model, source).hu, standardized(name, model, source).hu)


def test_a_system_whose_weights_were_changed_is_refused(tmp_path):
    folder = save_system(tmp_path / "ddpm", system_of("ddpm"), built("ddpm"), SMALL, {})
    weights = bytearray((folder / WEIGHTS).read_bytes())
    weights[-1] ^= 1
    (folder / WEIGHTS).write_bytes(weights)
    with pytest.raises(ModelError, match="changed or damaged"):
        load_system(folder)


class Perfect(nn.Module):
    """The velocity that leads to `target`."""

    spread = 0.0

    def __init__(self, target):
        super().__init__()
        self.target = target

    def forward(self, z, angle, source):
        return (angle.cos() * z - self.target) / angle.sin()


@pytest.mark.parametrize("spread", [0.05, 0.3, 1.0])
def test_an_untrained_denoiser_gives_the_source_with_noise_of_its_spread(spread):
    generator = torch.Generator().manual_seed(0)
    white = lambda step, shape: torch.randn(1, *shape, generator=generator)
    source = white(0, (2, 64, 64))
    with torch.no_grad():
        made = sample(ConditionalDenoiser(2, (8,), spread), source, white(0, (2, 64, 64)), sampling_angles(), white)
    assert (made - source).std() / spread == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("name", ["ddpm", "diffusionct"])
def test_a_system_with_the_perfect_velocity_gives_what_its_space_can_hold_of_the_target(name):
    model, one = built(name), batch(1)
    source, target = normalised(one.map("source")), normalised(one.map("target_hu"))
    if name == "ddpm":
        goal, wanted = nn.functional.pixel_unshuffle(target, 4), target
    else:
        model.scale.learn(model.encode(target).detach())
        goal, wanted = model.scale(model.encode(target)), model.decode(model.encode(target))
    model.denoiser = Perfect(goal)
    with torch.no_grad():
        made = model(source, lambda step, shape: torch.randn(1, *shape))
    assert torch.allclose(made, wanted, atol=1e-3)


def test_ltdiff_as_printed_ignores_its_bottleneck():
    # The documented defect: without its bottleneck, or with the target's own, the image is where it was.
    model, one = built("literal", moved=False), batch()
    descend(model, system_of("literal").phases["autoencoder"].players[0], 70)
    source, target = normalised(one.map("source")), normalised(one.map("target_hu"))
    with torch.no_grad():
        skips, goal = model.encoder(source), model.encoder(target)[-1]
        model.scale.learn(goal)
        decode = lambda bottleneck: UNIT_HU * model.decode(skips, bottleneck)[-1]
        as_is, zeroed, oracle = decode(model.scale(skips[-1])), decode(torch.zeros_like(goal)), decode(model.scale(goal))
    rms = lambda difference: float(difference.square().mean().sqrt())
    assert rms(oracle - as_is) < 0.05 * rms(as_is - UNIT_HU * target)
    assert rms(zeroed - as_is) < 0.15 * float(as_is.std())


def test_the_noise_of_an_item_does_not_depend_on_the_process_that_holds_it():
    whole, like = batch(), torch.zeros(4, 2, 8, 8)
    nothing = torch.zeros(2, 0)
    share = Batch(whole.maps[2:], nothing, nothing, nothing, whole.offsets[2:], torch.arange(2, 4), 4)
    assert torch.equal(white_noise(whole, like)[2:], white_noise(share, like[2:]))
    assert white_noise(whole, torch.zeros(4, 16, 32, 32)).std() == pytest.approx(1, abs=0.02)


def test_latents_are_scaled_by_the_first_batches_alone():
    scale, generator = LatentScale(2), torch.Generator().manual_seed(0)
    spread = torch.tensor([5.0, 0.1])[:, None, None]
    draw = lambda: 3 + spread * torch.randn(4, 2, 8, 8, generator=generator)
    for _ in range(BATCHES):
        scale.learn(draw())
    scale.learn(1000 * draw())
    latents = draw()
    made = scale(latents)
    assert made.mean((0, 2, 3)).abs().max() < 0.3
    assert made.std((0, 2, 3)).tolist() == pytest.approx([1, 1], abs=0.15)
    assert torch.allclose(scale.inverse(made), latents, atol=1e-4)


def test_all_systems_see_as_many_batches_and_the_gan_has_its_own_betas():
    wanted = load_settings("smoke")
    budget = sum(phase.steps for phase in wanted.phases.values())
    for name in RIVALS:
        settings = system_of(name).settings(wanted)
        assert list(settings) == list(system_of(name).phases)
        assert sum(phase.steps for phase in settings.values()) == budget
    assert system_of("stan_ct").settings(wanted)["adversarial"].betas == (0.5, 0.99)
