"""The CT volume: HU values, where they lie in the patient, and the scanner facts that matter for standardization."""
from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

import numpy as np

TOLERANCE_VOXELS = 0.05  # far below what shifts a mask, far above the single precision of NIfTI


@dataclass(frozen=True)
class CTFacts:
    """What the scanner tells about a series; None where it does not. Nothing here identifies a patient.

    kernel: ConvolutionKernel (0018,1210), several values joined by a backslash.
    kvp: peak tube voltage, kV. mas: tube current times exposure time, mAs, median over the slices.
    slice_thickness_mm: width of the slice profile; slice_distance_mm: from slice centre to slice centre. The two differ often.
    fov_mm: diameter of the reconstructed field of view. rescale_*: HU = slope * stored value + intercept.
    lossy_compression: method and ratio with which the pixels were once compressed with loss.
    """

    kernel: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    kvp: float | None = None
    mas: float | None = None
    slice_thickness_mm: float | None = None
    slice_distance_mm: float | None = None
    fov_mm: float | None = None
    rescale_slope: float | None = None
    rescale_intercept: float | None = None
    lossy_compression: str | None = None


@dataclass(frozen=True)
class DicomSource:
    """The file and UID of each slice that a volume was read from, in slice order; a UID is "" where the file has none.

    frames: which frame of its file a slice is, from 0, None where it is all of it; () where that holds of every slice.
    """

    paths: tuple[Path, ...]
    sop_instance_uids: tuple[str, ...]
    series_instance_uid: str = ""
    frames: tuple[int | None, ...] = ()

    def frame(self, index: int) -> int | None:
        return self.frames[index] if self.frames else None


@dataclass(eq=False)
class CTVolume:
    """A CT volume on a regular grid.

    hu: (slices, rows, columns), int16 or float32, HU.
    spacing: (x, y, z) mm between voxel centres along columns, rows and slices.
    origin: (x, y, z) mm, centre of voxel [0, 0, 0], in DICOM patient coordinates (LPS).
    direction: 3x3, orthonormal; its columns are the LPS unit vectors of the index axes x, y, z (as in ITK).
    padding: bool, shape of `hu`, True outside the scanner's field of view; None where there is no such voxel. Read-only.
    source: the DICOM files, where the volume was read from such.

    Raises ValueError where the arrays do not fit together.
    """

    hu: np.ndarray
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    direction: np.ndarray = field(default_factory=lambda: np.eye(3))
    padding: np.ndarray | None = None
    facts: CTFacts = CTFacts()
    source: DicomSource | None = None
    name: str = "volume"

    def __post_init__(self) -> None:
        if self.hu.ndim != 3 or self.hu.dtype not in (np.int16, np.float32):
            raise ValueError(f"hu must be int16 or float32 with three axes, not {self.hu.dtype} with {self.hu.ndim}")
        if self.padding is not None and self.padding.shape != self.hu.shape:
            raise ValueError(f"padding has the shape {self.padding.shape}, hu has {self.hu.shape}")
        if self.source is not None and len(self.source.paths) != len(self.hu):
            raise ValueError(f"source has {len(self.source.paths)} files, hu has {len(self.hu)} slices")
        self.spacing = tuple(float(value) for value in self.spacing)
        self.origin = tuple(float(value) for value in self.origin)
        self.direction = np.asarray(self.direction, np.float64).reshape(3, 3)

    def slice_positions(self) -> np.ndarray:
        """(slices,) float64: where each slice lies along the slice normal, in mm of patient coordinates.

        The normal is the cross product of the in-plane axes, turned so that its largest component is positive. So the same
        slice of the same patient has the same position however the array was ordered or flipped, and noise may be keyed by it.
        """
        normal = np.cross(self.direction[:, 0], self.direction[:, 1])
        normal *= np.sign(normal[np.argmax(np.abs(normal))])
        steps = np.arange(len(self.hu)) * self.spacing[2]
        return float(normal @ self.origin) + steps * float(normal @ self.direction[:, 2])

    def corners(self) -> np.ndarray:
        """(8, 3): centres of the corner voxels, LPS mm."""
        indices = np.array(list(product(*((0, size - 1) for size in self.hu.shape[::-1]))))
        return self.origin + (indices * self.spacing) @ self.direction.T

    def with_hu(self, new_hu: np.ndarray, name: str) -> CTVolume:
        """The same place, padding, facts and source with other values: (slices, rows, columns), HU; floats become float32.

        Raises ValueError where the shape differs.
        """
        if new_hu.shape != self.hu.shape:
            raise ValueError(f"the new values have the shape {new_hu.shape}, the volume has {self.hu.shape}")
        dtype = np.int16 if new_hu.dtype == np.int16 else np.float32
        return replace(self, hu=new_hu.astype(dtype, copy=False), name=name)


def why_not_on_grid(volume: CTVolume, other: CTVolume) -> str | None:
    """What is wrong, a piece of a sentence, where the voxels of a volume are not those of another; None where they are."""
    if volume.hu.shape != other.hu.shape:
        return "it has {} x {} x {} slices, rows and columns, not {} x {} x {}".format(*volume.hu.shape, *other.hu.shape)
    distance = float(np.linalg.norm(volume.corners() - other.corners(), axis=1).max())
    return None if distance <= TOLERANCE_VOXELS * min(other.spacing) else f"its corners lie up to {distance:.3g} mm off"


def fits_int16(values: np.ndarray) -> bool:
    """Whether all values are of an integer type and within the range of int16."""
    limits = np.iinfo(np.int16)
    return np.issubdtype(values.dtype, np.integer) and values.min() >= limits.min and values.max() <= limits.max
