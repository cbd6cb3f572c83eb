"""Training on tiny simulated pairs: resume, bundle, real volumes."""
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("finufft", reason="the simulator needs finufft, which has no wheel for this processor")

import torch

from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.model.bundle import load_bundle
from LTDiffStandardizeLib.model.directions import ORIENTATIONS, directed, direction_energies, unit_amplitudes
from LTDiffStandardizeLib.model.network import LatentDiffusionModel
from LTDiffStandardizeLib.model.network_shape import NetworkShape
from LTDiffStandardizeLib.model.protocols import choose_protocol
from LTDiffStandardizeLib.volumes import CTFacts, CTVolume
from LTDiffTrainingLib.datasets import MAPS, prepare_group
from LTDiffTrainingLib.patches import PatchSampler, turned
from LTDiffTrainingLib.phases import PHASES
from LTDiffTrainingLib.settings import PhaseSettings, load_settings
from LTDiffTrainingLib.systems import all_systems
from LTDiffTrainingLib.simulation.pairs import Acquisition, PairedSeries, simulate_series
from LTDiffTrainingLib.loop.trainer import Trainer
from LTDiffTrainingLib.transfer_pairs import pair_from_volume

SCRIPT = Path(__file__).resolve().parents[2] / "LTDiffTraining" / "Scripts" / "train.py"
SMALL = NetworkShape((8, 8, 8), (8, 8, 8), (8, 8, 8))


@pytest.fixture(scope="module")
def group(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    acquisition = Acquisition(size=256, pixel=1.4)
    series = [PairedSeries(simulate_series(folder / f"s{i}", i, acquisition, np.array([12.0, 30.0]))) for i in range(2)]
    return prepare_group("tiny", series, folder / "cache", log=lambda line: None)


def trainer(group, folder, phases=None, **settings):
    torch.manual_seed(0)
    made = Trainer(LatentDiffusionModel(SMALL), PatchSampler([group], 64, 2, seed=3), folder, report=lambda line: None, **settings)
    folder.mkdir(exist_ok=True)
    return made


def phases(steps):
    return {name: PhaseSettings(steps, warm_up=2) for name in PHASES}


def test_maps_are_prepared_once_and_have_unit_noise(group):
    series = group.series[0]
    assert series.maps.shape == (2, len(MAPS), 256, 256)
    assert series.directions.shape == (2, ORIENTATIONS, 32, 32)
    target = np.asarray(series.maps[:, MAPS.index("target")], np.float32)
    assert 0.6 < target[:, 110:140, 120:150].std() < 1.5
    expected = np.asarray(series.maps[:, MAPS.index("expected")], np.float32)
    assert expected[:, 110:140, 120:150].std() < 0.7 * target[:, 110:140, 120:150].std()


def test_a_batch_is_the_same_whenever_it_is_asked_for(group):
    sampler, again = (PatchSampler([group], 64, 4, seed=3) for _ in range(2))
    sampler.draw(0)
    batch, same = sampler.draw(5), again.draw(5)
    assert all(torch.equal(getattr(batch, name), getattr(same, name)) for name in ("amplitudes", "protocol", "noise", "offsets"))
    assert torch.equal(batch.map("source"), same.map("source"))
    assert not torch.equal(batch.map("source"), sampler.draw(6).map("source"))
    assert not torch.equal(batch.map("source"), sampler.draw(5, stream=1).map("source"))


def test_the_shares_of_several_processes_are_the_batch_of_one(group):
    whole = PatchSampler([group], 64, 4, seed=3).draw(7)
    shares = [PatchSampler([group], 64, 4, seed=3, rank=rank, world=2).draw(7) for rank in range(2)]
    for name in ("amplitudes", "protocol", "noise", "offsets", "index"):
        assert torch.equal(torch.cat([getattr(share, name) for share in shares]), getattr(whole, name)), name
    with pytest.raises(ValueError, match="multiple"):
        PatchSampler([group], 64, 5, seed=3, world=2)


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_turned_patches_keep_the_physics_of_their_noise(turns, mirrored):
    """Noise directed by turned amplitudes has the spectrum of the turned noise."""
    amplitudes = unit_amplitudes(np.random.default_rng(0).normal(0, 0.5, (ORIENTATIONS, 1, 1)) * np.ones((1, 16, 16)))
    noise = np.stack([directed(np.random.default_rng(seed).standard_normal((128, 128), dtype=np.float32), amplitudes) for seed in range(8)])
    turned_noise, turned_amplitudes = turned(noise, amplitudes, turns, mirrored)
    energies = np.mean([direction_energies(image) for image in turned_noise], (0, 2, 3))
    wanted = np.mean([direction_energies(directed(np.random.default_rng(50 + seed).standard_normal((128, 128), dtype=np.float32), turned_amplitudes))
                      for seed in range(8)], (0, 2, 3))
    assert np.abs(np.log(energies / wanted)).max() < 0.1


@pytest.mark.parametrize("phase", list(PHASES))
def test_every_phase_can_learn_a_batch_by_heart(group, phase, tmp_path):
    model = trainer(group, tmp_path).model
    batch, (player,) = PatchSampler([group], 64, 2, seed=3).draw(0), PHASES[phase].players
    loss = lambda: player.loss(model, batch)["loss"]
    before = float(loss().detach())
    optimizer = torch.optim.Adam([p for name in player.modules for p in getattr(model, name).parameters()], lr=2e-3)
    for _ in range(60):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    assert float(loss().detach()) < 0.97 * before


def test_a_phase_changes_its_own_modules_alone(group, tmp_path):
    run = trainer(group, tmp_path)
    before = {name: value.clone() for name, value in run.model.state_dict().items()}
    run.run({"moments": PHASES["moments"]}, {"moments": PhaseSettings(3, warm_up=1)})
    changed = {name.split(".")[0] for name, value in run.model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"moment_head"}


def test_an_interrupted_training_ends_with_the_same_weights_as_an_unbroken_one(group, tmp_path):
    unbroken = trainer(group, tmp_path / "unbroken")
    unbroken.run(PHASES, phases(6))

    class Killed(Exception):
        pass

    broken = trainer(group, tmp_path / "broken", checkpoint_seconds=0.0)
    real_draw, count = broken.sampler.draw, [0]

    def dying_draw(*arguments):
        count[0] += 1
        if count[0] == 10:
            raise Killed
        return real_draw(*arguments)

    broken.sampler.draw = dying_draw
    with pytest.raises(Killed):
        broken.run(PHASES, phases(6))
    resumed = trainer(group, tmp_path / "broken")
    resumed.run(PHASES, phases(6))
    for name, value in unbroken.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name


def test_a_real_volume_becomes_a_pair_by_its_transfer_curve(tmp_path):
    rng = np.random.default_rng(0)
    volume = CTVolume(np.clip(rng.normal(0, 80, (2, 128, 128)), -1000, 1000).astype(np.int16), (0.7, 0.7, 2.0), facts=CTFacts(kernel="B70f"))
    softening, _ = choose_protocol("B70f to B40f", "B70f", load_bundle().protocol)
    pair = pair_from_volume(volume, softening, tmp_path / "pair")
    assert np.array_equal(pair.target, volume.hu)
    assert pair.source.std() < 0.5 * pair.target.std()
    group = prepare_group("real", [pair], tmp_path / "cache", log=lambda line: None)
    assert group.protocol.name == "B40f to B70f"
    assert np.isnan(np.asarray(group.series[0].maps[:, MAPS.index("expected")], np.float32)).all()
    with pytest.raises(InputError, match="sharpens"):
        pair_from_volume(volume, choose_protocol("B40f to B70f", None, load_bundle().protocol)[0], tmp_path / "other")
    losses = PHASES["moments"].players[0].loss(LatentDiffusionModel(SMALL), PatchSampler([group], 64, 2, 0).draw(0))
    assert torch.isfinite(losses["loss"])


def test_presets_are_readable_and_a_wrong_one_is_refused_with_the_right_names(tmp_path):
    for preset in ("cpu", "gpu", "paper", "smoke", "systems"):
        assert set(load_settings(preset).phases) == set(PHASES)
    (tmp_path / "wrong.toml").write_text('name = "x"\n')
    for wrong in ("nothing", str(tmp_path / "wrong.toml")):
        with pytest.raises(InputError, match="cpu, gpu, paper, smoke, systems"):
            load_settings(wrong)


def test_the_paper_s_settings_are_adam_at_1e_4_for_400_epochs():
    settings = load_settings("paper")
    for phase in settings.phases.values():
        assert phase.learning_rate == 1e-4 and phase.constant
        assert phase.steps == 400 * (settings.data.total // settings.training.batch)


def test_every_system_trains_on_as_many_patches():
    settings = load_settings("systems")
    steps = {name: sum(phase.steps for phase in system.settings(settings).values()) for name, system in all_systems().items()}
    assert max(steps.values()) - min(steps.values()) <= 1, steps
    assert set(steps) == {"unetplusplus", "ddpm", "diffusionct", "stan_ct", "literal", "ltdiff"}


def test_the_script_survives_a_kill_and_writes_a_bundle_with_its_card(tmp_path):
    command = [sys.executable, str(SCRIPT), "--config", "smoke", "--output", str(tmp_path), "--device", "cpu"]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    deadline = time.monotonic() + 120
    while not list((tmp_path / "data" / "series").glob("train-*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    first.wait()
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "data" / "series").glob("train-*/source.npy")}
    assert kept
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in kept.items())
    bundle = load_bundle(tmp_path / "bundle" / "smoke")
    card = (bundle.folder / "card.md").read_text()
    assert "train.py --config smoke" in card and "Research use only" in card
    assert bundle.network() is not None
    assert json.loads(bundle.configuration["training"])["name"] == "smoke"
    assert "moments" in (tmp_path / "log.csv").read_text()
