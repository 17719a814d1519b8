"""The mass and volume of one organ in each dose voxel, kept up to date box by box while its mask is drawn.

What a dose voxel holds is always summed anew from all CT voxels that reach it, never corrected by differences: after
any number of edits the sums are the same bits as those of `organ_weights`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from organdose.assess.boxes import Box, common, corner_of, joined, seen_from, shape_of, slabs
from organdose.assess.hu_density import HUDensity
from organdose.assess.organ_selection import Selection
from organdose.assess.organ_weights import held_voxels
from organdose.assess.overlap_sums import AxisShares, add_overlaps
from organdose.assess.patient_grid import PatientGrid

_SLAB_VOXELS = 1_000_000  # CT voxels summed in one step: some 5 ms


@dataclass(frozen=True)
class DoseOverlap:
    """How the voxels of a CT share out among dose voxels.

    Dose voxels count from 1 along each axis here: one row of margin on each side holds what sticks out of the grid.
    """

    shares: tuple[AxisShares, AxisShares, AxisShares]
    dose_shape: tuple[int, int, int]

    @classmethod
    def of(cls, ct: PatientGrid, dose: PatientGrid) -> DoseOverlap:
        return cls(ct.shares_in(dose), dose.shape)

    def part(self, ct_box: Box) -> tuple[AxisShares, AxisShares, AxisShares]:
        return tuple(axis.part(side) for axis, side in zip(self.shares, ct_box, strict=True))

    def reached(self, ct_box: Box) -> Box:
        """The dose voxels that a box of CT voxels reaches."""
        return tuple(axis.reached() for axis in self.part(ct_box))

    def sources(self, dose_box: Box) -> Box:
        """The CT voxels that reach a box of dose voxels."""
        return tuple(axis.sources(side) for axis, side in zip(self.shares, dose_box, strict=True))

    @property
    def inner(self) -> Box:
        """The dose grid without its margin."""
        return tuple(slice(1, size + 1) for size in self.dose_shape)


class RowVoxels(NamedTuple):
    """What a row of `OrganWeights` holds: flat dose-voxel indices, mass (g) and volume (ml); `outside_ml`: the volume
    outside the dose grid."""

    indices: np.ndarray
    mass_g: np.ndarray
    volume_ml: np.ndarray
    outside_ml: float


class RowWeights:
    """Mass and volume of one row in a box of dose voxels that holds it all."""

    def __init__(self, overlap: DoseOverlap):
        self._overlap = overlap
        self._box: Box | None = None
        self._volume_ml = self._mass_g = np.zeros((0, 0, 0))

    def renew(self, changed: Box, selection: Selection, layers: Sequence[np.ndarray],
              density_g_cm3: HUDensity | np.ndarray) -> Iterator[int]:
        """Sum anew what the box `changed` of CT voxels reaches, in steps; yields the CT voxels done in each.

        Nothing of this object changes before the last step. Layers and densities are (z, y, x) along the patient's
        axes, as are all boxes.
        """
        reached = self._overlap.reached(changed)
        sources = common(self._overlap.sources(reached), selection.box)
        if sources is None:
            self._put(reached, None, None, None)
            return
        summed = self._overlap.reached(sources)
        volume_ml = np.zeros(shape_of(summed))
        mass_g = np.zeros_like(volume_ml)
        for slab in slabs(sources, _SLAB_VOXELS):
            inside = selection.mask(layers, slab)
            add_overlaps(inside, density_g_cm3[slab], self._overlap.part(slab), corner_of(summed), volume_ml, mass_g)
            yield inside.size
        self._put(reached, summed, volume_ml, mass_g)

    def voxels(self) -> RowVoxels:
        """What the row holds now."""
        inner = self._box and common(self._box, self._overlap.inner)
        if not inner:
            return RowVoxels(np.zeros(0, dtype=np.intp), np.zeros(0), np.zeros(0), float(self._volume_ml.sum()))
        place = seen_from(inner, corner_of(self._box))
        volume_ml, mass_g = self._volume_ml[place], self._mass_g[place]
        held = held_voxels(volume_ml)
        at = tuple(along + side.start - 1 for along, side in zip(held, inner, strict=True))
        outside_ml = float(self._volume_ml.sum() - volume_ml.sum()) if inner != self._box else 0.0
        return RowVoxels(np.ravel_multi_index(at, self._overlap.dose_shape), mass_g[held], volume_ml[held], outside_ml)

    def _put(self, replaced: Box, summed: Box | None, volume_ml: np.ndarray | None, mass_g: np.ndarray | None) -> None:
        """Replace the sums of the dose voxels `replaced`; outside `summed` they are 0."""
        old = self._box and common(self._box, replaced)
        if old:
            self._volume_ml[seen_from(old, corner_of(self._box))] = 0
            self._mass_g[seen_from(old, corner_of(self._box))] = 0
        new = summed and common(summed, replaced)
        if new:
            self._make_room(new)
            target, source = seen_from(new, corner_of(self._box)), seen_from(new, corner_of(summed))
            self._volume_ml[target], self._mass_g[target] = volume_ml[source], mass_g[source]

    def _make_room(self, box: Box) -> None:
        wider = joined((self._box, box)) if self._box else box
        if wider == self._box:
            return
        volume_ml = np.zeros(shape_of(wider))
        mass_g = np.zeros_like(volume_ml)
        if self._box:
            place = seen_from(self._box, corner_of(wider))
            volume_ml[place], mass_g[place] = self._volume_ml, self._mass_g
        self._box, self._volume_ml, self._mass_g = wider, volume_ml, mass_g
