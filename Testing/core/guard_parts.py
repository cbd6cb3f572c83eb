"""Bodies of known noise and contents for the tests of the guard."""
import numpy as np

from LTDiffStandardizeLib.volumes import CTFacts, CTVolume

PIXEL = 0.7  # mm


def coloured_noise(shape, pixel, amplitude, sd, seed=0):
    """White noise shaped in each slice by an amplitude spectrum of radial frequency (lp/cm), with the SD asked for."""
    frequency = np.hypot(*np.meshgrid(*(np.fft.fftfreq(size, pixel / 10) for size in shape[1:]), indexing="ij"))
    white = np.random.default_rng(seed).standard_normal(shape)
    noise = np.fft.ifft2(np.fft.fft2(white) * amplitude(frequency)).real
    return noise * (sd / noise.std())


def soft(frequency):
    return np.sqrt(frequency) * np.exp(-((frequency / 4.2) ** 2))


def sharp(frequency):
    return np.sqrt(frequency) * np.exp(-((frequency / 9) ** 4))


def band(low, high):
    return lambda frequency: ((frequency >= low) & (frequency < high)).astype(float)


def body(slices=4, size=256, pixel=PIXEL, noise=12.0, amplitude=soft, kernel=None, seed=0):
    """A disc of tissue at 50 HU with a ring of fat and a spine, in air, as a float32 volume."""
    y, x = (np.mgrid[:size, :size] - size / 2) / size
    radius = np.hypot(x, y)
    hu = np.select([radius < 0.36, radius < 0.42], [50.0, -100.0], -1000.0)
    spine = np.hypot(x, y - 0.2)
    hu = np.select([spine < 0.06, spine < 0.075], [200.0, 900.0], hu)
    hu = hu + coloured_noise((slices, size, size), pixel, amplitude, noise, seed)
    return CTVolume(hu.astype(np.float32), (pixel, pixel, 2.0), facts=CTFacts(kernel=kernel), name="body")
