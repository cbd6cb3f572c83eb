"""Paired series by simulation: one noisy sinogram per slice, reconstructed with two kernels.

Each series is a folder of memory-mappable arrays beside `series.json`; a folder exists only when it is complete, so an
interrupted run continues where it stopped.
"""
from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from LTDiffStandardizeLib.errors import InputError
from LTDiffStandardizeLib.volumes.atomic import folder_aside

from .kernels import SHARP, SOFT, Kernel
from .phantom import ChestPhantom
from .scanner import Scanner, as_stored

CLEAN_SCALE = 8
"""Noise-free twins are stored as int16 in steps of 1/8 HU."""


@dataclass(frozen=True)
class Acquisition:
    """How a phantom is scanned. `pixel`, `thickness`, `distance` in mm; `photons` per ray."""

    source: Kernel = SOFT
    target: Kernel = SHARP
    pixel: float = 0.7
    thickness: float = 1.0
    distance: float = 1.0
    photons: float = 9e4
    size: int = 512

    @staticmethod
    def random(rng: np.random.Generator) -> "Acquisition":
        """Kernels (every other soft one with a stop band), pixel size, slice thickness and dose at random; soft to sharp."""
        soft50 = rng.uniform(3.2, 5.0)
        sharp50 = rng.uniform(max(6.0, soft50 + 1.5), 9.4)
        stop = float(rng.uniform(6.3, 7.6)) if rng.random() < 0.5 else None
        soft = Kernel("soft", soft50, soft50 * rng.uniform(1.55, 1.85), stop, stop and stop + float(rng.uniform(1.0, 1.8)))
        sharp = Kernel("sharp", sharp50, sharp50 * rng.uniform(1.35, 1.5))
        thickness = float(rng.choice((0.625, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0)))
        return Acquisition(soft, sharp, pixel=float(rng.uniform(0.45, 0.9)), thickness=thickness, photons=9e4 * float(rng.uniform(1, 4)))

    def reversed(self) -> "Acquisition":
        """The same scan, from the target kernel to the source kernel."""
        return replace(self, source=self.target, target=self.source)


@dataclass(frozen=True)
class SimulatedSlice:
    """Two reconstructions of one noisy scan in int16 HU, and of the same object without noise in float32 HU."""

    source: np.ndarray
    target: np.ndarray
    source_clean: np.ndarray | None = None
    target_clean: np.ndarray | None = None


def simulate_slice(phantom: ChestPhantom, acquisition: Acquisition, z: float, seed: int, clean: bool = True,
                   scanner: Scanner = Scanner()) -> SimulatedSlice:
    """Scan the phantom at height z (mm); noise depends on (seed, z) alone."""
    sinogram = scanner.project(phantom.slice_hu(z, acquisition.thickness))
    rng = np.random.default_rng((phantom.seed, seed, round(1000 * z) & 0xFFFFFFFF))
    # A slice averages the quanta of all the beam it covers.
    noisy = scanner.add_noise(sinogram, acquisition.photons * acquisition.thickness, rng)
    make = lambda rays, kernel: scanner.reconstruct(rays, kernel, acquisition.pixel, acquisition.size)
    source, target = (as_stored(make(noisy, k)) for k in (acquisition.source, acquisition.target))
    if not clean:
        return SimulatedSlice(source, target)
    return SimulatedSlice(source, target, make(sinogram, acquisition.source), make(sinogram, acquisition.target))


def simulate_series(folder: Path, phantom_seed: int, acquisition: Acquisition, heights: np.ndarray, noise_seed: int = 0,
                    clean: bool = True, progress: Callable[[int, int], None] | None = None) -> Path:
    """Write a simulated pair to `folder` unless it is there already; returns `folder`.

    source.npy and target.npy are (slices, size, size) int16 HU; with `clean` also source_clean.npy and
    target_clean.npy in steps of 1/CLEAN_SCALE HU; series.json holds the acquisition, heights in mm and the nodules.
    """
    folder = Path(folder)
    phantom = ChestPhantom(phantom_seed, length=float(max(48.0, np.max(heights) + 2)))
    description = _description(phantom, acquisition, heights, noise_seed, clean)
    if folder.exists():
        refuse_other(folder, description)
        return folder
    with folder_aside(folder) as aside:
        _write_slices(aside, phantom, acquisition, heights, noise_seed, clean, progress)
        (aside / "series.json").write_text(json.dumps(description, indent=1))
    return folder


def refuse_other(folder: Path, description: dict) -> None:
    """Raises InputError where the folder holds a pair that was made otherwise."""
    if json.loads((folder / "series.json").read_text()) != json.loads(json.dumps(description)):
        raise InputError(f"{folder} holds a pair made with other settings; choose another output folder, or remove it.")


def _write_slices(aside: Path, phantom: ChestPhantom, acquisition: Acquisition, heights: np.ndarray, noise_seed: int,
                  clean: bool, progress: Callable[[int, int], None] | None) -> None:
    """In a function of its own, so that no memory map is open when the folder is renamed (Windows)."""
    names = ("source", "target") + (("source_clean", "target_clean") if clean else ())
    shape = (len(heights), acquisition.size, acquisition.size)
    arrays = {n: np.lib.format.open_memmap(aside / f"{n}.npy", "w+", np.int16, shape) for n in names}
    for index, z in enumerate(heights):
        made = simulate_slice(phantom, acquisition, float(z), noise_seed, clean)
        for name in names:
            hu = getattr(made, name)
            arrays[name][index] = hu if hu.dtype == np.int16 else np.rint(np.clip(hu, -4090, 4090) * CLEAN_SCALE)
        if progress:
            progress(index + 1, len(heights))
    for array in arrays.values():
        array.flush()


def _description(phantom: ChestPhantom, acquisition: Acquisition, heights: np.ndarray, noise_seed: int, clean: bool) -> dict:
    nodules = [{"centre": n.centre.tolist(), "radius": n.radius, "hu": n.hu} for n in phantom.chest.nodules]
    return {"phantom_seed": phantom.seed, "noise_seed": noise_seed, "twins": clean, "heights": [float(z) for z in heights],
            "acquisition": asdict(acquisition), "nodules": nodules}


class PairedSeries:
    """A simulated or real pair on disk, opened as memory maps."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.description = json.loads((self.folder / "series.json").read_text())
        self.source = np.load(self.folder / "source.npy", mmap_mode="r")
        self.target = np.load(self.folder / "target.npy", mmap_mode="r")

    @property
    def pixel(self) -> float:
        return self.description["acquisition"]["pixel"]

    @property
    def has_twins(self) -> bool:
        return (self.folder / "source_clean.npy").exists()

    def twins(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """The noise-free source and target of a slice, float32 HU."""
        load = lambda name: np.load(self.folder / f"{name}_clean.npy", mmap_mode="r")[index].astype(np.float32) / CLEAN_SCALE
        return load("source"), load("target")

    def __len__(self) -> int:
        return len(self.source)
