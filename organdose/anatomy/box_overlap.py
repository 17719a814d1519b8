"""How much of each fine voxel lies in each coarse one, along one axis: averaging that keeps mass exact."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp


def overlap_matrix(fine_edges_mm: np.ndarray, coarse_edges_mm: np.ndarray) -> sp.csr_array:
    """Sparse matrix (n_coarse, n_fine) of overlap lengths in mm between two rising sequences of voxel edges.

    A separable volume overlap is the product of three such matrices, one for each axis.
    """
    first = np.clip(np.searchsorted(coarse_edges_mm, fine_edges_mm[:-1], side="right") - 1, 0, None)
    last = np.clip(np.searchsorted(coarse_edges_mm, fine_edges_mm[1:], side="left"), None, len(coarse_edges_mm) - 1)
    rows, columns, lengths = [], [], []
    for shift in range(int((last - first).max(initial=0))):
        coarse = first + shift
        fine = np.flatnonzero(coarse < last)
        coarse = coarse[fine]
        length_mm = (np.minimum(fine_edges_mm[fine + 1], coarse_edges_mm[coarse + 1])
                     - np.maximum(fine_edges_mm[fine], coarse_edges_mm[coarse]))
        kept = length_mm > 0
        rows.append(coarse[kept])
        columns.append(fine[kept])
        lengths.append(length_mm[kept])
    shape = (len(coarse_edges_mm) - 1, len(fine_edges_mm) - 1)
    if not rows:
        return sp.csr_array(shape)
    return sp.csr_array((np.concatenate(lengths), (np.concatenate(rows), np.concatenate(columns))), shape=shape)


def axis_edges_mm(origin_mm: float, spacing_mm: float, count: int) -> np.ndarray:
    """The `count` + 1 voxel edges along an axis whose first voxel centre is at `origin_mm`."""
    return origin_mm + spacing_mm * (np.arange(count + 1) - 0.5)
