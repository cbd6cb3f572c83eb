"""Learns from pairs of many kernels what two power spectra of different patients tell (model/unpaired.py)."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from LTDiffStandardizeLib.model.frame import NEGLIGIBLE_SHARE, SliceFrame
from LTDiffStandardizeLib.model.noise_map import COARSE_BANDS, cell_mean, noise_features
from LTDiffStandardizeLib.model.protocols import KernelFacts, Protocol
from LTDiffStandardizeLib.model.spectra import RadialCurve, radial_power
from LTDiffStandardizeLib.model.unpaired import HIGHEST_SHARE, LOWEST, UnpairedModel, spectral_features

from ..simulation.pairs import PairedSeries

RIDGE = 30.0
BODY_HU = -950.0


@dataclass(frozen=True)
class Example:
    """A group of series, its protocol fitted on pairs, and radial power spectra of each series' source and target."""

    series: Sequence[PairedSeries]
    protocol: Protocol
    source_power: Sequence[RadialCurve]
    target_power: Sequence[RadialCurve]

    @staticmethod
    def of(series: Sequence[PairedSeries], protocol: Protocol) -> "Example":
        spacing = (series[0].pixel, series[0].pixel)
        power = lambda slices: radial_power((np.asarray(image, np.float32) for image in slices), spacing)
        return Example(series, protocol, [power(s.source) for s in series], [power(s.target) for s in series])

    def unpaired(self) -> Iterator[tuple[int, RadialCurve, RadialCurve]]:
        """Each series' source with the target of the next one, another patient."""
        for number in range(len(self.series)):
            yield number, self.source_power[number], self.target_power[(number + 1) % len(self.series)]


def fit_unpaired(groups: Sequence[tuple[Sequence[PairedSeries], Protocol]], most: int = 4, report: Callable[[str], None] = print) -> UnpairedModel | None:
    """From groups of at least two series and their protocols; of each group the first `most` series. None without such groups."""
    examples = [Example.of(series[:most], protocol) for series, protocol in groups if len(series) > 1]
    if not examples:
        return None
    report(f"Learning what unpaired scans tell, over {len(examples)} groups.")
    return UnpairedModel(_fit_coherence(examples), _fit_noise(examples))


def _fit_coherence(examples: Sequence[Example]) -> tuple[float, ...]:
    features, odds = [], []
    for example in examples:
        forward, pixel = example.protocol.transfer, example.series[0].pixel
        frequency = np.asarray(forward.coherence.frequency)
        frequency = frequency[(frequency > LOWEST) & (frequency < HIGHEST_SHARE * 5 / pixel)]
        squared = np.clip(forward.coherence(frequency), 0.05, 0.9995) ** 2
        for _, source, target in example.unpaired():
            for a, b in ((source, target), (target, source)):  # Coherence is the same both ways.
                features.append(spectral_features(frequency, a, b, pixel))
                odds.append(np.log(squared / (1 - squared)))
    return _ridge(np.concatenate(features, 1), np.concatenate(odds))


def _fit_noise(examples: Sequence[Example], folds: int = 4) -> tuple[float, ...]:
    """What is to be added to the log SD of the coherence's noise map, from the residuals of the filter that is used with it.

    Each fold's coherence is learned on the other folds: on groups it has seen it errs less than on a user's kernels.
    """
    features, missing = [], []
    for fold in range(min(folds, len(examples))):
        others = [e for number, e in enumerate(examples) if number % folds != fold] or examples
        plain = UnpairedModel(_fit_coherence(others), ())
        for example in examples[fold::folds]:
            for f, m in _group_samples(example, plain):
                features.append(f)
                missing.append(m)
    return _ridge(np.concatenate(features, 1), np.concatenate(missing))


def _group_samples(example: Example, plain: UnpairedModel, stride: int = 3) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for number, source_power, target_power in example.unpaired():
        one = example.series[number]
        protocol = plain.protocol(KernelFacts("source"), KernelFacts("target"), source_power, target_power, one.pixel, "")
        for index in range(0, len(one), stride):
            yield _noise_samples(one, index, protocol)


def _noise_samples(one: PairedSeries, index: int, protocol: Protocol, stride: int = 3) -> tuple[np.ndarray, np.ndarray]:
    from scipy.ndimage import gaussian_filter

    frame = SliceFrame(np.asarray(one.source[index], np.float32), (one.pixel, one.pixel), protocol, RadialCurve((0.0,), (1.0,)))
    difference = np.asarray(one.target[index], np.float32) - frame.filtered
    ceiling = 30 * (1.4826 * np.median(np.abs(difference)) + 1e-3) ** 2
    energy = gaussian_filter(cell_mean(np.minimum(difference**2, ceiling)), 1.25)
    body = gaussian_filter(cell_mean(frame.source), 1.5) > BODY_HU
    pick = np.zeros_like(body)
    pick[::stride, ::stride] = True
    pick &= body
    known = np.exp(2 * protocol.noise_map.log_sd(frame.source, frame._spectrum, frame.filtered)[pick])
    # Noise below the share that no feature tells is of no concern, and its logarithm would outweigh all other.
    detail = frame.filtered - gaussian_filter(frame.filtered, 6)
    floor = 1 + NEGLIGIBLE_SHARE * gaussian_filter(cell_mean(detail**2), 1.25)[pick]
    missing = 0.5 * np.log((energy[pick] + floor) / (known + floor))
    return noise_features(frame.source, frame._spectrum, COARSE_BANDS)[:, pick], missing


def _ridge(features: np.ndarray, wanted: np.ndarray) -> tuple[float, ...]:
    features = features.astype(float)
    weights = np.linalg.solve(features @ features.T + RIDGE * np.eye(len(features)), features @ wanted)
    return tuple(float(w) for w in weights)
