"""Regions for the tests of features: tissue-like noise, a ball in it, and a second, slow way to count."""
import numpy as np

SPACING = (0.7, 0.7, 1.25)


def tissue(shape=(12, 40, 44), seed=0):
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(np.random.default_rng(seed).normal(size=shape), 0.8)
    return (40 + 60 * noise / noise.std()).round().astype(np.int16)


def ball(shape=(12, 40, 44)):
    axes = np.ogrid[tuple(slice(-1, 1, complex(0, n)) for n in shape)]
    return sum(axis**2 for axis in axes) < 0.5


def pairs_by_loop(levels, vector, number):
    """(number, number) counts of the levels 1..number at both ends of a vector, voxel by voxel."""
    counts = np.zeros((number, number), int)
    for start in np.argwhere(levels > 0):
        end = start + vector
        if (end >= 0).all() and (end < levels.shape).all() and levels[tuple(end)] > 0:
            counts[levels[tuple(start)] - 1, levels[tuple(end)] - 1] += 1
    return counts


def runs_by_loop(levels, vector, number, longest):
    """(number, longest) counts of the runs of each level and length along a vector, voxel by voxel."""

    def level(place):
        return levels[tuple(place)] if (place >= 0).all() and (place < levels.shape).all() else 0

    counts = np.zeros((number, longest), int)
    for start in np.argwhere(levels > 0):
        if level(start - vector) == level(start):
            continue
        length = 1
        while level(start + length * np.array(vector)) == level(start):
            length += 1
        counts[level(start) - 1, length - 1] += 1
    return counts
