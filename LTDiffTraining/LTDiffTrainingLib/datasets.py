"""Pairs as training maps: each slice brought into its frame once, then cropped at random as often as wanted.

A group of series shares kernels and pixel size, and one protocol fitted on it. Maps lie on disk as float16 memory maps,
beside a key of what they were made from, so that a second start reuses them.
"""
from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from LTDiffStandardizeLib.model.conditioning import protocol_features
from LTDiffStandardizeLib.model.frame import FrameFactory
from LTDiffStandardizeLib.model.protocols import KernelFacts, Protocol, load_protocol, save_protocol
from LTDiffStandardizeLib.model.spectra import apply_curve
from LTDiffStandardizeLib.model.transfer import TransferCurve
from LTDiffStandardizeLib.volumes.atomic import folder_aside

from .fitting.protocols import fit_protocol
from .simulation.pairs import PairedSeries

MAPS = ("source", "source_residual", "log_sd", "target", "expected", "target_hu")
"""Per pixel: source HU; whitened residuals of the source and of the target; log noise SD; the target's residual without
its unrecoverable noise (from the noise-free twins; NaN where there are none); target HU."""
VERSION = 6


@dataclass(frozen=True)
class PreparedSeries:
    """`maps` (slices, len(MAPS), rows, columns); `directions` (slices, ORIENTATIONS, rows / 8, columns / 8); `protocol`: what the
    networks are told; `body`: rows and columns that hold it (top, bottom, left, right)."""

    maps: np.ndarray
    directions: np.ndarray
    protocol: np.ndarray
    body: tuple[int, int, int, int]


@dataclass(frozen=True)
class PreparedGroup:
    protocol: Protocol
    series: list[PreparedSeries]


def prepare_group(name: str, series: Sequence[PairedSeries], cache: Path, log: Callable[[str], None] = print,
                  fit_slices: int = 48) -> PreparedGroup:
    """The protocol fitted on the group's slices and the maps of every slice, from the cache where it has them."""
    key = hashlib.sha256(json.dumps([VERSION, fit_slices, [s.description for s in series]], sort_keys=True).encode()).hexdigest()[:16]
    folder = Path(cache) / f"{name}-{key}"
    if not folder.exists():
        log(f"Preparing {name}: {sum(map(len, series))} slices.")
        with folder_aside(folder) as aside:
            _write_maps(aside, series, fit_slices)
    return PreparedGroup(load_protocol(folder / "protocol.json"), [_opened(folder, number) for number in range(len(series))])


def _opened(folder: Path, number: int) -> PreparedSeries:
    maps, directions = (np.load(folder / f"{kind}-{number:03d}.npy", mmap_mode="r") for kind in ("maps", "directions"))
    return PreparedSeries(maps, directions, np.load(folder / f"protocol-{number:03d}.npy"), _body_box(maps[:, 0]))


def group_protocol(series: Sequence[PairedSeries], fit_slices: int) -> Protocol:
    """A protocol fitted on evenly spread slices of the series, which share kernels and pixel size."""
    index = [(s, i) for s in series for i in range(len(s))]
    picked = np.unique(np.linspace(0, len(index) - 1, min(fit_slices, len(index))).round().astype(int))
    spacing = (series[0].pixel, series[0].pixel)
    load = lambda k: tuple(np.asarray(a[index[k][1]], np.float32) for a in (index[k][0].source, index[k][0].target))
    source, target = (_kernel_facts(series[0].description["acquisition"][k]) for k in ("source", "target"))
    return fit_protocol(source, target, load, picked, spacing, f"Fitted on {len(picked)} slices of {len(series)} series.")


def _kernel_facts(kernel: dict) -> KernelFacts:
    stop = None if kernel["stop_start"] is None else (kernel["stop_start"], kernel["stop_end"])
    return KernelFacts(kernel["name"], kernel["mtf50"], kernel["mtf10"], stop)


def _write_maps(folder: Path, series: Sequence[PairedSeries], fit_slices: int) -> None:
    protocol = group_protocol(series, fit_slices)
    save_protocol(protocol, folder / "protocol.json")
    noise_gain = _noise_transfer(series, fit_slices // 2)
    for number, one in enumerate(series):
        frames = FrameFactory(protocol, (one.pixel, one.pixel), one.source)
        shape = (len(one), len(MAPS)) + one.source.shape[1:]
        maps = np.lib.format.open_memmap(folder / f"maps-{number:03d}.npy", "w+", np.float16, shape)
        directions = []
        for index in range(len(one)):
            maps[index], directed = _slice_maps(one, index, frames, noise_gain)
            directions.append(directed)
        maps.flush()
        np.save(folder / f"directions-{number:03d}.npy", np.stack(directions))
        np.save(folder / f"protocol-{number:03d}.npy", protocol_features(protocol, frames.amplitude, one.pixel))


def _noise_transfer(series: Sequence[PairedSeries], slices: int):
    """Least-squares gain from the source's noise to the target's; None without noise-free twins."""
    if not all(s.has_twins for s in series):
        return None
    index = [(s, i) for s in series for i in range(len(s))]
    picked = np.unique(np.linspace(0, len(index) - 1, slices).round().astype(int))
    def noises():
        for one, i in (index[k] for k in picked):
            source_clean, target_clean = one.twins(i)
            yield one.source[i] - source_clean, one.target[i] - target_clean
    return TransferCurve.measure(noises(), (series[0].pixel, series[0].pixel)).ls


def _slice_maps(one: PairedSeries, index: int, frames: FrameFactory, noise_gain) -> tuple[np.ndarray, np.ndarray]:
    source, target = (np.asarray(a[index], np.float32) for a in (one.source, one.target))
    frame = frames.frame(source)
    expected = np.full_like(source, np.nan)
    if noise_gain is not None:
        source_clean, target_clean = one.twins(index)
        # The conditional mean of the target given the source, to first order: its noise-free twin plus the share of
        # the noise that the source's noise tells. One tenth of the target's variance, so edges become learnable.
        expected = frame.to_residual(target_clean + apply_curve(source - source_clean, noise_gain, frames.spacing))
    maps = np.stack([source, frame.to_residual(source), frame.log_sd, frame.to_residual(target), expected, target])
    return maps, frame.directions.astype(np.float16)


def _body_box(sources: np.ndarray, margin: int = 8) -> tuple[int, int, int, int]:
    """Rows and columns that hold the body in any slice; the whole slice where there is none."""
    body = np.asarray(sources[:, ::4, ::4], np.float32).max(0) > -500
    if not body.any():
        return 0, sources.shape[1], 0, sources.shape[2]
    rows, columns = np.flatnonzero(body.any(1)) * 4, np.flatnonzero(body.any(0)) * 4
    limit = sources.shape[1:]
    return (max(rows[0] - margin, 0), min(rows[-1] + margin, limit[0]), max(columns[0] - margin, 0), min(columns[-1] + margin, limit[1]))
