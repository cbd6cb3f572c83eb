"""Fits a Protocol to paired slices: transfer curves, the noise maps (36 and 45 coefficients), the noise's spectrum and directions."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.model.directions import DIRECTION_CELL, apparent_directionality, direction_energies, log_ray_noise
from LTDiffStandardizeLib.model.frame import SliceFrame, amplitude_curve
from LTDiffStandardizeLib.model.noise import slice_noise
from LTDiffStandardizeLib.model.noise_map import (COARSE_BANDS, FINE_BANDS, Bands, FittedNoiseMap, cell_mean,
                                                      noise_features, tissue_weights)
from LTDiffStandardizeLib.model.protocols import KernelFacts, Protocol, probe_indices
from LTDiffStandardizeLib.model.spectra import RadialCurve, SliceSpectrum, SpectrumAccumulator, colour
from LTDiffStandardizeLib.model.standardizer import PaddedSlices
from LTDiffStandardizeLib.model.transfer import TransferCurve
from LTDiffStandardizeLib.volumes.volume import CTVolume

Pair = tuple[np.ndarray, np.ndarray]
_FLAT = RadialCurve((0.0,), (1.0,))
_BODY_HU = -950.0
EDGE_HU = 60.0
"""HU between neighbouring cells above which a residual may be an edge that the filter missed."""
FEWEST_CELLS = 500


def fit_protocol(source: KernelFacts, target: KernelFacts, load: Callable[[int], Pair], indices: Sequence[int],
                 spacing: tuple[float, float], about: str) -> Protocol:
    """`load(i)` gives (source, target) slices of one scan in HU, sides multiples of 4; spacing (row, column) in mm."""
    transfer = TransferCurve.measure((load(i) for i in indices), spacing)
    amplitude = _residual_amplitude(load, indices, spacing, transfer.ls)
    coarse, fine = (_fit_noise_map(load, indices, spacing, transfer.ls, amplitude, bands) for bands in (COARSE_BANDS, FINE_BANDS))
    protocol = Protocol(source, target, transfer, coarse, amplitude, about, fine_noise_map=fine, fitted_pixel=float(spacing[0]))
    protocol = replace(protocol, noise_amplitude=_normalised_amplitude(load, indices, spacing, protocol))
    return replace(protocol, directionality=_fit_directionality(load, indices, spacing, protocol))


def fit_protocol_to_volumes(source: CTVolume, target: CTVolume, slices: int = 48) -> Protocol:
    """A protocol from one scan with two kernels. Raises InputError where the volumes do not lie on one grid."""
    if source.hu.shape != target.hu.shape or not np.allclose(source.spacing, target.spacing, rtol=1e-3) or \
            not np.allclose(source.origin, target.origin, atol=0.02 * min(source.spacing)) or \
            not np.allclose(source.direction, target.direction, atol=1e-3):
        raise InputError(f"{source.name} and {target.name} do not lie on one grid; give two reconstructions of one scan with the same slices and pixels.")
    indices = probe_indices(len(source.hu), slices)
    before, after = PaddedSlices(source), PaddedSlices(target)
    facts = [KernelFacts(volume.facts.kernel or volume.name) for volume in (source, target)]
    about = f"Fitted on {len(indices)} slices of one scan, {source.name} and {target.name}."
    return fit_protocol(*facts, lambda index: (before[index], after[index]), indices, (source.spacing[1], source.spacing[0]), about)


def _residual_amplitude(load, indices, spacing, gain: RadialCurve) -> RadialCurve:
    accumulator = SpectrumAccumulator()
    for index in indices:
        source, target = load(index)
        accumulator.add(target - SliceSpectrum(source, spacing).filtered(gain), None, spacing)
    return amplitude_curve(accumulator)


def _normalised_amplitude(load, indices, spacing, protocol: Protocol) -> RadialCurve:
    accumulator = SpectrumAccumulator()
    for index in indices:
        source, target = load(index)
        frame = SliceFrame(source.astype(np.float32), spacing, protocol, _FLAT)
        # Edges that the filter missed are no noise; clipped, they do not shape its spectrum.
        accumulator.add(np.clip((target - frame.filtered) / frame.sd, -4, 4), None, spacing)
    return amplitude_curve(accumulator)


def _fit_directionality(load, indices, spacing, protocol: Protocol, known: float = 0.7) -> float:
    """The exponent that noise must have to look as directed as the residual does, judged beside noise of the exponent `known`."""
    seen, made, rays = [], [], []
    for index in indices:
        source, target = load(index)
        frame = SliceFrame(source.astype(np.float32), spacing, replace(protocol, directionality=known), protocol.noise_amplitude)
        where = _homogeneous(frame.source)
        rays.append(log_ray_noise(frame.source, spacing)[:, where])
        seen.append(direction_energies(np.clip(frame.to_residual(target), -4, 4))[:, where])
        made.append(direction_energies(frame.directed(slice_noise(source.shape, 0, float(index))))[:, where])
    rays, seen, made = (np.concatenate(part, axis=1).astype(float) for part in (rays, seen, made))
    if rays.shape[1] < FEWEST_CELLS:
        return 0.0
    # Both come out low by the same share, as neighbouring orientations overlap.
    ratio = apparent_directionality(seen, rays) / max(apparent_directionality(made, rays), 1e-3)
    return float(np.clip(known * ratio, 0.0, 1.2))


def _homogeneous(source: np.ndarray) -> np.ndarray:
    """Cells of the body without strong edges, whose residual is noise."""
    from scipy.ndimage import gaussian_filter, gaussian_gradient_magnitude

    cells = gaussian_filter(cell_mean(source, DIRECTION_CELL), 1)
    return (cells > _BODY_HU) & (gaussian_gradient_magnitude(cells, 1) < EDGE_HU)


def _fit_noise_map(load, indices, spacing, gain: RadialCurve, amplitude: RadialCurve, bands: Bands,
                   ridge: float = 3.0) -> FittedNoiseMap:
    """Ridge regression of the log local variance of the whitened residual; then each tissue's level set by the median."""
    samples = [_noise_samples(*load(index), spacing, gain, amplitude, bands) for index in indices]
    features, log_variance, tissue = (np.concatenate(part, axis=-1) for part in zip(*samples))
    gram = features @ features.T + ridge * np.eye(len(features))
    weights = np.linalg.solve(gram, features @ log_variance)
    error = log_variance - weights @ features
    count = len(features) // 3
    plain, lung, bone = (np.median(error[tissue == label]) if np.any(tissue == label) else 0.0 for label in (0, 1, 2))
    for block, shift in ((0, plain), (1, lung - plain), (2, bone - plain)):
        weights[block * count + count - 1] += shift
    return FittedNoiseMap(tuple(float(w) for w in 0.5 * weights), bands)


def _noise_samples(source, target, spacing, gain, amplitude, bands: Bands, stride: int = 2):
    from scipy.ndimage import gaussian_filter

    spectrum = SliceSpectrum(source, spacing)
    difference = target - spectrum.filtered(gain)
    scale = 1.4826 * np.median(np.abs(difference)) + 1e-3
    white = colour(difference, amplitude, spacing, inverse=True)
    energy = gaussian_filter(cell_mean(np.minimum(white**2, 30 * scale**2)), 1.25)
    body = gaussian_filter(cell_mean(np.asarray(source, np.float32)), 1.5) > _BODY_HU
    pick = np.zeros_like(body)
    pick[::stride, ::stride] = True
    pick &= body
    lung, bone = tissue_weights(source)
    tissue = np.where(lung > 0.5, 1, np.where(bone > 0.5, 2, 0))
    return noise_features(source, spectrum, bands)[:, pick], np.log(energy[pick] + 1e-3), tissue[pick]
