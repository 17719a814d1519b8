"""Volume and mass of a mask in coarser voxels: each fine voxel is shared out by the exact overlap of the boxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy import sparse


@dataclass(frozen=True)
class AxisShares:
    """Along one axis: fine voxel k reaches `count[k]` coarse voxels from `first[k]` on, by the lengths of row k."""

    first: np.ndarray
    count: np.ndarray
    length_mm: np.ndarray

    @classmethod
    def of(cls, overlap_mm: sparse.csr_array) -> AxisShares:
        """From an overlap matrix (coarse, fine) in mm (`anatomy.box_overlap.overlap_matrix`)."""
        by_fine = sparse.csc_array(overlap_mm)
        by_fine.sort_indices()
        count = np.diff(by_fine.indptr)
        first = np.zeros(len(count), dtype=np.int64)
        length_mm = np.zeros((len(count), max(1, int(count.max(initial=0)))))
        for k in np.flatnonzero(count):
            span = slice(by_fine.indptr[k], by_fine.indptr[k + 1])
            first[k] = by_fine.indices[span][0]
            length_mm[k, :count[k]] = by_fine.data[span]
        return cls(first, count.astype(np.int64), length_mm)

    def part(self, span: slice) -> AxisShares:
        """The shares of the fine voxels in `span`."""
        return AxisShares(self.first[span], self.count[span], self.length_mm[span])

    def sources(self, span: slice) -> slice:
        """The fine voxels that reach the coarse voxels in `span`."""
        reaching = np.flatnonzero((self.count > 0) & (self.first < span.stop) & (self.first + self.count > span.start))
        return slice(int(reaching[0]), int(reaching[-1]) + 1) if reaching.size else slice(0, 0)

    def reached(self) -> slice:
        """The coarse voxels that these fine voxels reach."""
        some = self.count > 0
        if not some.any():
            return slice(0, 0)
        return slice(int(self.first[some].min()), int((self.first + self.count)[some].max()))


def add_overlaps(inside: np.ndarray, density_g_cm3: np.ndarray, shares: tuple[AxisShares, AxisShares, AxisShares],
                 corner: tuple[int, int, int], volume_ml: np.ndarray, mass_g: np.ndarray) -> None:
    """Add what the voxels `inside` (bool, (z, y, x)) have in each coarse voxel to `volume_ml` and `mass_g`.

    The coarse arrays begin at the coarse voxel `corner` (z, y, x). What a coarse voxel gets does not depend on how the
    fine voxels are cut into slabs, as long as these come in rising order: sums of a part repeat those of the whole.
    """
    z, y, x = shares
    _add(inside, density_g_cm3, z.first - corner[0], z.count, z.length_mm, y.first - corner[1], y.count, y.length_mm,
         x.first - corner[2], x.count, x.length_mm, volume_ml, mass_g)


@njit(nogil=True, cache=True)
def _add(inside, density_g_cm3, first_z, count_z, length_z, first_y, count_y, length_y, first_x, count_x, length_x,
         volume_ml, mass_g):
    # One row of fine voxels is summed along x first: its sums then go to each coarse row that it reaches.
    length_mm, mass = np.zeros(volume_ml.shape[2]), np.zeros(volume_ml.shape[2])
    for i in range(inside.shape[0]):
        for j in range(inside.shape[1]):
            low, high = volume_ml.shape[2], 0
            for k in range(inside.shape[2]):
                if not inside[i, j, k] or count_x[k] == 0:
                    continue
                for c in range(count_x[k]):
                    length_mm[first_x[k] + c] += length_x[k, c]
                    mass[first_x[k] + c] += length_x[k, c] * density_g_cm3[i, j, k]
                low, high = min(low, first_x[k]), max(high, first_x[k] + count_x[k])
            if low >= high:
                continue
            for a in range(count_z[i]):
                for b in range(count_y[j]):
                    area = 1e-3 * length_z[i, a] * length_y[j, b]
                    z, y = first_z[i] + a, first_y[j] + b
                    for x in range(low, high):
                        volume_ml[z, y, x] += area * length_mm[x]
                        mass_g[z, y, x] += area * mass[x]
            length_mm[low:high] = 0
            mass[low:high] = 0
