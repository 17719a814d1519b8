"""Where the voxels of a stored image lie in the patient, whichever way its axes run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from organdose.anatomy.box_overlap import axis_edges_mm, overlap_matrix
from organdose.assess.boxes import Box
from organdose.assess.overlap_sums import AxisShares
from organdose.errors import InputError

_STRAIGHT = 1e-4  # how far a direction cosine may lie from 0 or 1


@dataclass(frozen=True)
class PatientGrid:
    """A grid along the patient's axes (LPS), and how a stored array (three axes) lies on it.

    `origin_mm` and `spacing_mm` are those of the patient's axes x, y, z, `shape` that of the turned array (z, y, x).
    Stored axis `order[n]` runs along patient axis n of (z, y, x), backwards where `flipped[n]`.
    """

    origin_mm: tuple[float, float, float]
    spacing_mm: tuple[float, float, float]
    shape: tuple[int, int, int]
    order: tuple[int, int, int] = (0, 1, 2)
    flipped: tuple[bool, bool, bool] = (False, False, False)

    @classmethod
    def of(cls, origin_mm, spacing_mm, direction, size, what: str = "image") -> PatientGrid:
        """From origin, spacing, 3 x 3 direction (columns i, j, k in LPS) and size (i, j, k) of the stored image.

        Raises `InputError` for a grid that is not aligned with the patient axes; `what` names it.
        """
        direction, spacing_mm = np.reshape(direction, (3, 3)), np.asarray(spacing_mm, dtype=float)
        axes = np.abs(direction).argmax(axis=1)  # of i, j, k, the one along x, y, z
        straight = np.zeros((3, 3))
        straight[range(3), axes] = np.sign(direction[range(3), axes])
        if sorted(axes) != [0, 1, 2] or not np.allclose(direction, straight, atol=_STRAIGHT):
            raise InputError(f"the {what} grid is not aligned with the patient axes (LPS)",
                             mend="Turn it to an axis-aligned grid first.")
        backwards = straight[range(3), axes] < 0
        lengths_mm = spacing_mm[axes] * (np.asarray(size)[axes] - 1)
        first_mm = np.where(backwards, np.asarray(origin_mm) - lengths_mm, origin_mm)
        return cls(tuple(map(float, first_mm)), tuple(map(float, spacing_mm[axes])),
                   tuple(int(size[axis]) for axis in axes[::-1]), tuple(int(2 - axis) for axis in axes[::-1]),
                   tuple(bool(back) for back in backwards[::-1]))

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in ml."""
        return float(np.prod(self.spacing_mm)) / 1000.0

    @property
    def stored_shape(self) -> tuple[int, int, int]:
        return tuple(self.shape[self.order.index(axis)] for axis in range(3))

    def turned(self, stored: np.ndarray) -> np.ndarray:
        """A view (z, y, x) along the patient's axes of an array as it is stored."""
        return stored.transpose(self.order)[tuple(slice(None, None, -1 if back else 1) for back in self.flipped)]

    def turned_box(self, stored: Box) -> Box:
        """A box of the stored array as a box (z, y, x) along the patient's axes."""
        return tuple(slice(size - stored[axis].stop, size - stored[axis].start) if back else stored[axis]
                     for axis, size, back in zip(self.order, self.shape, self.flipped))

    def same_place(self, other: PatientGrid) -> bool:
        """Whether the voxels of both lie at the same places (to 0.001 mm)."""
        return self.shape == other.shape and np.allclose(
            [*self.origin_mm, *self.spacing_mm], [*other.origin_mm, *other.spacing_mm], atol=1e-3)

    def shares_in(self, coarse: PatientGrid) -> tuple[AxisShares, AxisShares, AxisShares]:
        """For the axes z, y, x: how the voxels of this grid share out among those of `coarse`, which count from 1.

        One more coarse voxel on each side takes what sticks out of `coarse`.
        """
        def shares(axis: int) -> AxisShares:
            fine, wide = (axis_edges_mm(grid.origin_mm[axis], grid.spacing_mm[axis], grid.shape[2 - axis])
                          for grid in (self, coarse))
            around = min(fine[0], wide[0]) - 1.0, max(fine[-1], wide[-1]) + 1.0
            return AxisShares.of(overlap_matrix(fine, np.concatenate([around[:1], wide, around[1:]])))

        return tuple(shares(axis) for axis in (2, 1, 0))
