"""Noise measured in images of known noise, and in real ones."""
import numpy as np
import pytest
from guard_parts import band, body, coloured_noise, sharp, soft

from LTDiffStandardizeLib.guard.texture import measure_texture, shortest_half
from LTDiffStandardizeLib.volumes import CTVolume, read_volume

BAND = np.arange(1, 6, 0.01)


def mean_frequency(amplitude):
    """Of the NPS from 1 to 6 lp/cm, whose rings grow with their radius."""
    return np.average(BAND, weights=amplitude(BAND) ** 2 * BAND)


@pytest.mark.parametrize("amplitude", [soft, sharp])
@pytest.mark.parametrize("sd", [4, 12, 60])
def test_noise_of_known_sd_and_spectrum_is_measured(amplitude, sd):
    texture = measure_texture(body(noise=sd, amplitude=amplitude))
    assert texture.noise_hu == pytest.approx(sd, rel=0.1)
    assert texture.frequency == pytest.approx(mean_frequency(amplitude), abs=0.15)
    assert not texture.folded


@pytest.mark.parametrize("pixel", [0.35, 0.5, 0.8])
def test_the_mean_frequency_does_not_depend_on_the_pixel_size(pixel):
    texture = measure_texture(body(size=round(180 / pixel), pixel=pixel))
    assert texture.frequency == pytest.approx(mean_frequency(soft), abs=0.15)


def test_the_width_tells_a_narrow_spectrum_from_a_broad_one():
    flat = lambda amplitude: CTVolume((40 + coloured_noise((3, 128, 128), 0.7, amplitude, 10)).astype(np.float32), (0.7, 0.7, 1))
    narrow, broad = (measure_texture(flat(band(*edges))) for edges in ((3, 4), (1, 6)))
    assert narrow.frequency == pytest.approx(3.5, abs=0.15)
    assert broad.width == pytest.approx(np.sqrt(np.average((BAND - mean_frequency(band(1, 6))) ** 2, weights=BAND)), rel=0.1)
    assert narrow.width < 0.6 * broad.width


def test_rounding_to_whole_hu_does_not_make_faint_noise_look_finer():
    volume = body(noise=1.5)
    rounded = measure_texture(volume.with_hu(np.rint(volume.hu).astype(np.int16), "rounded"))
    assert rounded.frequency == pytest.approx(measure_texture(volume).frequency, abs=0.05)


def test_vessels_in_some_patches_do_not_change_what_is_measured():
    volume = body(slices=6)
    y, x = np.mgrid[:256, :256]
    vessels = (np.hypot(y % 43 - 20, x % 37 - 18) < 3) & (np.hypot(y - 128, x - 128) < 80) & (x > 128)
    crossed = volume.with_hu(volume.hu + 60 * vessels, "crossed")
    plain, found = measure_texture(volume), measure_texture(crossed)
    assert found.noise_hu == pytest.approx(plain.noise_hu, rel=0.1)
    assert found.frequency == pytest.approx(plain.frequency, abs=0.15)


def test_large_pixels_are_marked_and_those_above_a_millimetre_give_no_frequency():
    assert measure_texture(body(size=200, pixel=0.9)).folded
    coarse = measure_texture(body(size=200, pixel=1.2))
    assert coarse.frequency is None and coarse.noise_hu == pytest.approx(12, rel=0.1)


@pytest.mark.parametrize("hu", [np.full((1, 1, 1), 40), np.full((2, 8, 300), 40), np.full((3, 64, 64), -1000), np.full((3, 64, 64), 40)])
def test_what_cannot_be_measured_is_none(hu):
    assert measure_texture(CTVolume(hu.astype(np.int16), (0.7, 0.7, 1.0))) is None


def test_the_shortest_half_lies_around_the_mode():
    values = np.concatenate([np.linspace(9, 11, 60), np.linspace(12, 60, 40)])
    assert set(values[shortest_half(values)]) <= set(values[:60])


REAL = {  # series: SD of the noise in HU, its mean frequency in lp/cm
    "pairs/lungdx-a0002/B40f": (11.4, 3.51), "pairs/lungdx-a0002/B70f": (42.3, 4.48),
    "pairs/philips-head-phantom/UB": (4.3, 3.07), "pairs/philips-head-phantom/YA": (27.0, 4.40),
    "pairs/toshiba-chest-phantom/FC13_position1": (17.9, 3.68), "pairs/toshiba-chest-phantom/FC51_position1": (55.5, 4.56),
    "volumes/cptac-c3n-00249": (20.2, 3.47), "volumes/lidc-idri-0314": (24.3, 3.75),
}  # fmt: skip


@pytest.mark.parametrize("series", REAL)
def test_real_series_have_the_noise_that_protocols_name(shared_data, series):
    texture, (noise, frequency) = measure_texture(read_volume(shared_data / series)), REAL[series]
    assert texture.noise_hu == pytest.approx(noise, rel=0.05)
    assert texture.frequency == pytest.approx(frequency, abs=0.05)
