"""Protocols from scans of different patients, with what was learned over simulated pairs."""
import numpy as np
import pytest

from LTDiffStandardizeLib.model.bundle import load_bundle
from LTDiffStandardizeLib.model.noise_map import CoherenceNoiseMap
from LTDiffStandardizeLib.model.protocols import KernelFacts, load_protocol, save_protocol
from LTDiffStandardizeLib.model.spectra import RadialCurve
from LTDiffStandardizeLib.model.transfer import TransferCurve
from LTDiffStandardizeLib.model.unpaired import UnpairedModel, protocol_from_references, spectral_features
from LTDiffStandardizeLib.volumes import CTFacts, CTVolume

FREQUENCY = np.arange(0.06, 9.9, 0.06)


def spectrum(mtf50):
    """Of something like a chest: a steep slope times a kernel, and the noise of rounding."""
    return RadialCurve.of(FREQUENCY, 3e5 * FREQUENCY**-2.5 * np.exp(-np.log(2) * (FREQUENCY / mtf50) ** 2.2) ** 2 + 1 / 12)


SOFT, SHARP = spectrum(4.0), spectrum(8.0)


@pytest.fixture(scope="module")
def learned():
    return load_bundle().unpaired


def test_the_shipped_model_has_learned_of_unpaired_kernels(learned):
    assert len(learned.coherence) == len(spectral_features(FREQUENCY, SOFT, SHARP, 0.7))
    assert len(learned.noise) == 36


def test_the_gain_is_the_measured_one_and_the_coherence_lies_between_nothing_and_rounding(learned):
    transfer = learned.transfer(SOFT, SHARP, 0.7)
    f = np.array([2.0, 4.0, 6.0])
    assert np.allclose(transfer.power(f), np.sqrt(SHARP(f) / SOFT(f)), rtol=0.1)
    coherence = transfer.coherence(FREQUENCY)
    assert np.all((coherence > 0) & (coherence <= 1))
    low = FREQUENCY[FREQUENCY < 0.5]
    assert np.array_equal(transfer.coherence(low), TransferCurve.from_unpaired(SOFT, SHARP).coherence(low)), "below, rounding alone takes anything away"
    assert transfer.coherence(low).min() > 0.999
    assert np.allclose(transfer.ls(f), transfer.power(f) * transfer.coherence(f))


def test_a_kernel_onto_itself_changes_next_to_nothing(learned):
    transfer = learned.transfer(SHARP, SHARP, 0.7)
    f = FREQUENCY[FREQUENCY < 5]
    assert np.allclose(transfer.power(f), 1)
    assert transfer.coherence(f).min() > 0.9


def test_a_learned_protocol_survives_its_file(learned, tmp_path):
    protocol = learned.protocol(KernelFacts("a"), KernelFacts("b"), SOFT, SHARP, 0.7, "by test")
    save_protocol(protocol, tmp_path / "p.json")
    again = load_protocol(tmp_path / "p.json")
    assert again == protocol
    assert isinstance(again.noise_map, CoherenceNoiseMap) and again.noise_map.correction == learned.noise
    assert UnpairedModel.from_dict(learned.as_dict()) == learned


@pytest.mark.parametrize("sharpen", [True, False])
def test_references_of_any_patient_lead_in_both_directions(learned, sharpen):
    rng = np.random.default_rng(0)
    white = rng.normal(0, 80, (2, 4, 128, 128))
    smooth = lambda image: 0.5 * image + 0.125 * sum(np.roll(image, shift, axis) for shift in (-1, 1) for axis in (-1, -2))
    volume = lambda hu, kernel: CTVolume(np.rint(hu).astype(np.int16), (0.7, 0.7, 1.0), facts=CTFacts(kernel=kernel), name=kernel)
    soft, sharp = (lambda hu: volume(smooth(smooth(hu)), "soft")), (lambda hu: volume(hu, "sharp"))
    source, reference = (soft(white[0]), sharp(white[1])) if sharpen else (sharp(white[0]), soft(white[1]))
    protocol = protocol_from_references(source, [reference], learned)
    assert protocol.name == ("soft to sharp" if sharpen else "sharp to soft")
    assert (protocol.transfer.power(5.0) > 1.5) == sharpen and (protocol.transfer.power(5.0) < 0.7) == (not sharpen)
    plain = protocol_from_references(source, [reference], None)
    assert np.allclose(plain.transfer.power(FREQUENCY), protocol.transfer.power(FREQUENCY))
    assert plain.temperature < 1 == protocol.temperature
