"""How a region looks around each of its voxels: entropy, range and SD in a square of the slice, summarised over the region.

The squares may reach beyond the region, and at the border of the box they see its mirror image (MATLAB's entropyfilt, rangefilt and
stdfilt, which IBEX applies to the box). Each map is (n,) float64, one value a voxel of the region.
"""
from __future__ import annotations

import numpy as np

from .levels import nearest_bins

SUMMARIES = {"Max": np.max, "Mean": np.mean, "Median": np.median, "Min": np.min, "Std": lambda values: values.std(ddof=min(1, len(values) - 1))}
ROWS_AT_ONCE = 1 << 12


def local_entropy(values: np.ndarray, mask: np.ndarray, size: int, low: float, step: float, bins: int) -> np.ndarray:
    """-sum of p log2 p over the bins of a square. Unit: bit. Constant: 0."""
    binned = nearest_bins(values, low, step, bins)
    return _over_squares(binned, mask, size, _entropy_of_rows)


def local_range(values: np.ndarray, mask: np.ndarray, size: int) -> np.ndarray:
    """Largest less smallest value of a square. Unit: HU. Constant: 0."""
    return _over_squares(values, mask, size, lambda rows: np.ptp(rows, axis=1))


def local_sd(values: np.ndarray, mask: np.ndarray, size: int) -> np.ndarray:
    """SD (ddof 1) of a square. Unit: HU. Constant: 0."""
    return _over_squares(values, mask, size, lambda rows: rows.std(axis=1, ddof=1))


def summaries(local: np.ndarray) -> list[float]:
    """Of `SUMMARIES`, over the region; the Std has ddof 1, and is 0 for one voxel. An empty region: NaN."""
    return [float(function(local)) if local.size else float("nan") for function in SUMMARIES.values()]


def _over_squares(values, mask, size, function):
    half = size // 2
    padded = np.pad(values, ((0, 0), (half, half), (half, half)), mode="symmetric")
    squares = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))
    where = np.argwhere(mask)
    parts = [where[start:start + ROWS_AT_ONCE] for start in range(0, len(where), ROWS_AT_ONCE)]
    found = [function(squares[tuple(part.T)].reshape(len(part), -1)) for part in parts]
    return np.concatenate(found).astype(np.float64) if found else np.empty(0)


def _entropy_of_rows(rows):
    """Sorted, every value's count ends where the next value begins: H = log2 n - mean over the voxels of log2 of their count."""
    n = rows.shape[1]
    rows = np.sort(rows, axis=1)
    ends = np.concatenate([rows[:, 1:] != rows[:, :-1], np.ones((len(rows), 1), bool)], axis=1)
    row, last = np.nonzero(ends)
    length = np.diff(last, prepend=-1)
    length[np.append(True, row[1:] != row[:-1])] = last[np.append(True, row[1:] != row[:-1])] + 1
    return np.log2(n) - np.bincount(row, length * np.log2(length), len(rows)) / n
