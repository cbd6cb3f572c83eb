"""The simulator against what it was asked for and against an independent reconstruction."""
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("finufft", reason="the simulator needs finufft, which has no wheel for this processor")

from LTDiffStandardizeLib.errors import InputError
from LTDiffTrainingLib.simulation.kernels import SHARP, SOFT, Kernel
from LTDiffTrainingLib.simulation.pairs import Acquisition, PairedSeries, simulate_series, simulate_slice
from LTDiffTrainingLib.simulation.phantom import ChestPhantom
from LTDiffTrainingLib.simulation.plan import held_out_plan, training_plan
from LTDiffTrainingLib.simulation.scanner import MU_WATER, Scanner, as_stored

SCANNER = Scanner()
NO_STOP = Kernel("soft without stop band", SOFT.mtf50, SOFT.mtf10)


def disc_sinogram(radius, hu, scanner=SCANNER, centre=(0.0, 0.0), blurred=True):
    """The exact sinogram of a disc in air-free background, by the analytic transform of its projection."""
    from scipy.special import j1

    f = np.fft.rfftfreq(scanner.samples, scanner.sample_distance)
    with np.errstate(invalid="ignore", divide="ignore"):
        spectrum = np.where(f > 0, radius * j1(2 * np.pi * radius * f) / f, np.pi * radius**2)
    angle = np.pi * np.arange(scanner.views)[:, None] / scanner.views
    shift = np.exp(-2j * np.pi * f * (centre[0] * np.cos(angle) + centre[1] * np.sin(angle)))
    sign = 1 - 2 * (np.arange(f.size) % 2)
    spectrum = spectrum * shift * sign / scanner.sample_distance * (scanner.system_mtf(f) if blurred else 1)
    return (MU_WATER * hu / 1000 * np.fft.irfft(spectrum, scanner.samples, axis=1)).astype(np.float32)


def edge_mtf(image, pixel, radius, reach=8.0, step=0.05):
    """MTF from the edge spread over all directions around a centred disc: frequencies in lp/cm and modulation."""
    axis = (np.arange(len(image)) - len(image) // 2) * pixel
    distance = np.hypot(axis[:, None], axis[None]).ravel() - radius
    near = np.abs(distance) < reach
    edges = np.arange(-reach, reach + step, step)
    count, total = (np.histogram(distance[near], edges, weights=w)[0] for w in (None, image.ravel()[near]))
    centres = 0.5 * (edges[1:] + edges[:-1])
    spread = np.interp(centres, centres[count > 0], total[count > 0] / count[count > 0])
    line = np.diff(spread) * np.hanning(len(spread) - 1)
    modulation = np.abs(np.fft.rfft(line, 8192))
    return np.fft.rfftfreq(8192, step / 10), modulation / modulation[0]


def crossing(frequency, modulation, level):
    return frequency[np.argmax(modulation < level)]


@pytest.mark.parametrize("kernel", [NO_STOP, SHARP], ids=lambda k: k.name)
def test_the_measured_mtf_is_the_one_asked_for(kernel):
    radius = 60.0
    image = SCANNER.reconstruct(disc_sinogram(radius, 300), kernel, pixel=0.3)
    frequency, modulation = edge_mtf(image, 0.3, radius)
    assert crossing(frequency, modulation, 0.5) == pytest.approx(kernel.mtf50, rel=0.05)
    assert crossing(frequency, modulation, 0.1) == pytest.approx(kernel.mtf10, rel=0.05)


def test_the_stop_band_passes_nothing_beyond_its_end():
    image = SCANNER.reconstruct(disc_sinogram(60.0, 300), SOFT, pixel=0.3)
    frequency, modulation = edge_mtf(image, 0.3, 60.0)
    assert modulation[(frequency > SOFT.stop_end + 0.3) & (frequency < 12)].max() < 0.01
    assert crossing(frequency, modulation, 0.5) == pytest.approx(SOFT.mtf50, rel=0.05)


def test_projections_of_a_drawn_disc_are_its_chords():
    size = SCANNER.samples
    axis = (np.arange(size) - size // 2) * SCANNER.sample_distance
    inside = np.clip(0.5 - (np.hypot(axis[:, None], axis[None]) - 120) / SCANNER.sample_distance, 0, 1)
    sinogram = SCANNER.project((1000 * (inside - 1)).astype(np.float32))
    chord = 2 * MU_WATER * np.sqrt(np.maximum(120**2 - axis**2, 0))
    middle = np.abs(axis) < 100
    assert np.abs(sinogram[::100, middle] - chord[middle]).max() < 0.002 * chord.max()


def test_water_is_zero_hu_and_air_minus_a_thousand():
    image = SCANNER.reconstruct(disc_sinogram(150.0, 1000), SHARP, pixel=0.7)
    assert image[226:286, 226:286].mean() == pytest.approx(0, abs=0.5)
    assert image[:30, 226:286].mean() == pytest.approx(-1000, abs=1)


def back_project(sinogram, kernel, scanner, points):
    """Filtered back-projection in space with eightfold upsampled views and linear interpolation: nothing shared with
    the non-uniform FFT but the ramp's definition, written here once more."""
    n, ds, factor = scanner.samples, scanner.sample_distance, 8
    padded = 4 * n
    taps = np.zeros(padded)
    index = np.arange(-padded // 2, padded // 2)
    odd = index % 2 != 0
    taps[odd] = -1 / (np.pi * index[odd] * ds) ** 2
    taps[padded // 2] = 1 / (4 * ds**2)
    ramp = np.fft.fft(np.fft.ifftshift(taps)).real * ds
    f = np.abs(np.fft.fftfreq(padded, ds))
    filtered = np.fft.fft(sinogram, padded, axis=1) * ramp * kernel.mtf(10 * f) / np.maximum(scanner.system_mtf(f), 0.05)
    fine = np.zeros((len(sinogram), padded * factor), complex)
    half = padded // 2
    fine[:, :half], fine[:, -half:] = filtered[:, :half], filtered[:, -half:]
    fine = np.fft.ifft(fine, axis=1).real * factor
    result = np.zeros(len(points))
    for view, row in enumerate(fine):
        angle = np.pi * view / scanner.views
        s = points @ (np.cos(angle), np.sin(angle))
        result += np.interp((s / ds + n // 2) * factor, np.arange(fine.shape[1]), row)
    return 1000 * (result * np.pi / scanner.views / MU_WATER - 1)


@pytest.mark.parametrize("kernel", [SOFT, SHARP], ids=lambda k: k.name)
def test_an_independent_back_projection_agrees_to_half_a_hu(kernel):
    scanner = Scanner(views=400)
    sinogram = disc_sinogram(90, 1000, scanner) + disc_sinogram(12, 300, scanner, (30, 20)) - disc_sinogram(8, 800, scanner, (-40, 10))
    sinogram = scanner.add_noise(sinogram, 1e5, np.random.default_rng(0))
    image = scanner.reconstruct(sinogram, kernel, pixel=0.7, size=512)
    picked = np.random.default_rng(1).integers(156, 356, (400, 2))
    points = (picked[:, ::-1] - 256) * 0.7
    difference = image[picked[:, 0], picked[:, 1]] - back_project(sinogram, kernel, scanner, points)
    assert np.sqrt(np.mean(difference**2)) < 0.5
    assert abs(difference.mean()) < 0.1


@pytest.fixture(scope="module")
def noisy_water():
    sinogram = disc_sinogram(150.0, 1000)
    noisy = SCANNER.add_noise(sinogram, 6e5, np.random.default_rng(5))
    return {k.name: SCANNER.reconstruct(noisy, k, 0.7) - SCANNER.reconstruct(sinogram, k, 0.7) for k in (SOFT, SHARP)}


def expected_noise(kernel, radius_mm=150.0, photons=6e5):
    """SD in the centre of a water disc: variance of one ray through it, times the power of the reconstruction filter."""
    ray = 2 * radius_mm * MU_WATER
    counts = photons * np.exp(-ray)
    variance = (counts + SCANNER.electronic_noise**2) / counts**2
    f = np.linspace(0, 0.5 / SCANNER.sample_distance, 4000)
    filter_power = np.trapezoid((f * kernel.mtf(10 * f) / SCANNER.system_mtf(f)) ** 2, f) * 2 * SCANNER.sample_distance
    return 1000 / MU_WATER * np.sqrt(variance * filter_power * np.pi**2 / SCANNER.views)


@pytest.mark.parametrize("kernel", [SOFT, SHARP], ids=lambda k: k.name)
def test_the_noise_has_the_deviation_that_physics_predicts(noisy_water, kernel):
    centre = noisy_water[kernel.name][226:286, 226:286]
    assert centre.std() == pytest.approx(expected_noise(kernel), rel=0.06)


def test_the_noise_power_spectrum_is_the_kernel_s(noisy_water):
    """NPS(f) of a soft kernel without aliasing is f T(f)^2 / msys(f)^2 in shape."""
    from LTDiffStandardizeLib.model.spectra import radial_power

    power = radial_power([noisy_water[SOFT.name][192:320, 192:320]], (0.7, 0.7))
    f = np.arange(1.0, 7.0, 0.5)
    shape = f * SOFT.mtf(f) ** 2 / SCANNER.system_mtf(f / 10) ** 2
    measured = np.array([power(np.linspace(v - 0.25, v + 0.25, 9)).mean() for v in f])
    assert np.abs(measured / measured.sum() - shape / shape.sum()).max() < 0.03


def test_two_kernels_of_one_scan_share_their_noise():
    made = simulate_slice(ChestPhantom(11), Acquisition(), z=20.0, seed=0)
    soft, sharp = made.source - made.source_clean, made.target - made.target_clean
    heart = np.s_[220:300, 240:290]
    assert np.corrcoef(soft[heart].ravel(), sharp[heart].ravel())[0, 1] > 0.4
    assert 3.0 < sharp[heart].std() / soft[heart].std() < 6.0


def test_a_series_is_the_same_for_the_same_seeds_and_written_once(tmp_path):
    acquisition, heights = Acquisition(size=128, pixel=2.0), np.array([10.0, 12.0])
    first = simulate_series(tmp_path / "a", 3, acquisition, heights, noise_seed=1)
    second = simulate_series(tmp_path / "b", 3, acquisition, heights, noise_seed=1)
    other = simulate_series(tmp_path / "c", 3, acquisition, heights, noise_seed=2, clean=False)
    a, b, c = (PairedSeries(folder) for folder in (first, second, other))
    assert np.array_equal(a.source, b.source) and np.array_equal(a.target, b.target)
    assert np.mean(np.asarray(a.source) != c.source) > 0.5
    assert a.has_twins and not c.has_twins
    stamp = (first / "source.npy").stat().st_mtime_ns
    simulate_series(tmp_path / "a", 3, acquisition, heights, noise_seed=1)
    assert (first / "source.npy").stat().st_mtime_ns == stamp


@settings(max_examples=20, deadline=None)
@given(a=st.integers(0, 5000), b=st.integers(0, 5000), c=st.integers(0, 5000))
def test_splits_never_share_a_phantom_whatever_their_seeds(a, b, c):
    plans = training_plan(seed=a), held_out_plan("validation", 20, 2, b), held_out_plan("test", 20, 2, c)
    seeds = [{s.phantom_seed for s in plan} for plan in plans]
    assert all(not (x & y) for i, x in enumerate(seeds) for y in seeds[i + 1:])


def test_a_folder_made_with_other_settings_is_refused(tmp_path):
    make = lambda seed: simulate_series(tmp_path / "a", 3, Acquisition(size=64, pixel=4.0), np.array([10.0]), noise_seed=seed, clean=False)
    make(0)
    with pytest.raises(InputError, match="other settings"):
        make(1)


def test_stored_hu_are_whole_numbers_in_the_scanner_s_range():
    assert as_stored(np.array([-5000.0, 0.4, 9000.0])).tolist() == [-1024, 0, 3071]
    with pytest.raises(ValueError, match="MTF50"):
        Kernel("wrong", 9.0, 5.0)
