"""Logits on the network's voxels -> labels on those of the CT, a slice at a time: memory stays that of a slice."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numba import njit

from organdose.progress import Progress

_UNLIKELY = -6.0  # logits this far below the best everywhere in two slices cannot win between them


def labels_on_slices(logits: torch.Tensor, places: tuple[np.ndarray, np.ndarray, np.ndarray],
                     progress: Progress | None = None) -> np.ndarray:
    """uint8 labels at the crossings of three axes `places` (z, y, x), given as voxel numbers of `logits`.

    `logits` (labels, z, y, x) float16. Linear between voxels, so that surfaces lie between them too; beyond the ends
    the last voxel counts. Labels that cannot win in a slice are left out of its work. Raises `Cancelled`.
    """
    progress, values = progress or Progress(), logits.numpy()
    (low, share), rows, columns = (_between(np.asarray(p, float), n) for p, n in zip(places, values.shape[1:]))
    labels = np.zeros(tuple(len(p) for p in places), dtype=np.uint8)

    def draw(k: int) -> None:
        pair = values[:, low[k]:low[k] + 2].astype(np.float32)
        chosen = np.flatnonzero((pair - pair.max(axis=0)).max(axis=(1, 2, 3)) > _UNLIKELY)
        plane = pair[chosen, 0] + share[k] * (pair[chosen, -1] - pair[chosen, 0])
        _draw_plane(np.ascontiguousarray(np.moveaxis(plane, 0, -1)), chosen.astype(np.uint8), *rows, *columns,
                    labels[k])

    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        try:
            for k, _ in enumerate(pool.map(draw, range(len(labels)))):
                if k % 16 == 0:
                    progress.report("masks on the CT", k / len(labels))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return labels


def _between(places: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """For each place the voxel below it, and its share of the way to the next (float32)."""
    places = np.clip(places, 0, size - 1)
    low = np.minimum(places.astype(np.int64), max(size - 2, 0))
    return low, (places - low).astype(np.float32)


@njit(cache=True, nogil=True)
def _draw_plane(plane, values, row_low, row_share, column_low, column_share, labels):
    """Write into `labels` (y, x) the value whose plane (y, x, values), bilinear between its points, is largest."""
    last_row, last_column = plane.shape[0] - 1, plane.shape[1] - 1
    for i in range(labels.shape[0]):
        top, bottom = plane[row_low[i]], plane[min(row_low[i] + 1, last_row)]
        for j in range(labels.shape[1]):
            one, other = column_low[j], min(column_low[j] + 1, last_column)
            u, v = row_share[i], column_share[j]
            best, label = -np.inf, values[0]
            for n in range(values.size):
                upper = top[one, n] + v * (top[other, n] - top[one, n])
                lower = bottom[one, n] + v * (bottom[other, n] - bottom[one, n])
                here = upper + u * (lower - upper)
                if here > best:
                    best, label = here, values[n]
            labels[i, j] = label
