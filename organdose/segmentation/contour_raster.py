"""Which voxel centres lie inside closed contours."""

from __future__ import annotations

import numpy as np


def inside_contours(contours: list[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """Boolean array (y, x) of `shape`: the pixels whose centres lie inside an odd number of the closed `contours`.

    Each contour is an array (n, 2) of (x, y) in pixel indices (centre of pixel 0 at 0.0), first point not repeated.
    A contour inside another is therefore a hole, and a keyhole's channel encloses nothing. A centre on a contour
    belongs to the area above it and to its right, so areas that share an edge neither overlap nor leave a gap.
    """
    crossings = np.zeros((shape[0], shape[1] + 1), dtype=np.int64)
    for points in contours:
        rows, columns = _crossings(points, shape)
        np.add.at(crossings, (rows, columns), 1)
    return np.cumsum(crossings, axis=1)[:, :-1] % 2 == 1


def _crossings(points: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """(row, first column right of the crossing) for each place where a row of pixel centres crosses the contour."""
    start, stop = points, np.roll(points, -1, axis=0)
    lower = np.where((start[:, 1] <= stop[:, 1])[:, None], start, stop)
    upper = np.where((start[:, 1] <= stop[:, 1])[:, None], stop, start)
    # Rows y with lower y <= y < upper y: each end point belongs to one of the two edges that meet in it.
    first = np.clip(np.ceil(lower[:, 1]).astype(np.int64), 0, shape[0])
    last = np.clip(np.ceil(upper[:, 1]).astype(np.int64), 0, shape[0])
    counts = last - first
    edge = np.repeat(np.arange(len(points)), counts)
    rows = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
    slope = (upper[edge, 0] - lower[edge, 0]) / (upper[edge, 1] - lower[edge, 1])
    x = lower[edge, 0] + slope * (rows - lower[edge, 1])
    return rows, np.clip(np.ceil(x).astype(np.int64), 0, shape[1])
