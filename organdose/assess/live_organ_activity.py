"""What organs hold of a concentration that an image shows, following masks while somebody draws them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from organdose.assess.boxes import Box, shape_of
from organdose.assess.live_organ_table import LiveDose, LiveOrganTable, RowUpdate
from organdose.assess.mask_changes import Drawing, KeptMasks
from organdose.assess.organ_selection import Selection
from organdose.assess.organ_weights_update import RowVoxels
from organdose.assess.patient_grid import PatientGrid


class _WholeVolume:
    """A density of 1 everywhere, indexed by boxes as the real one is: volumes are asked for, masses are not."""

    def __init__(self, shape: tuple[int, int, int]):
        self.shape = shape

    def __getitem__(self, box: Box) -> np.ndarray:
        return np.ones(shape_of(box), np.float32)


class LiveOrganActivity(LiveOrganTable):
    """Sums over organs of an image of concentrations (any unit a ml): `amounts` (unit), `volumes_ml` inside the image.

    The sums are by exact overlap of the voxels of image and masks, as those of `organ_weights`. `kept` may serve
    several images and dose maps. Raises `InputError` when the grids of masks and `kept` differ.
    """

    def __init__(self, grid: PatientGrid, concentration: np.ndarray, ct_grid: PatientGrid, kept: KeptMasks):
        # Not `LiveDose.of`: reconstruction noise makes concentrations below zero, doses are none.
        values = LiveDose(grid, grid.turned(concentration).ravel(), None)
        super().__init__(values, ct_grid, _WholeVolume(ct_grid.shape), kept)
        self.amounts: dict[str, float] = {}
        self.volumes_ml: dict[str, float] = {}

    def take(self, drawing: Drawing) -> Iterator[float]:
        """Bring the sums up to date with `drawing` in steps of some milliseconds; yields the part done (0 to 1)."""
        for step in self.follow(drawing):
            for update in step.updates:
                if update.row is None:
                    self.amounts.pop(update.name, None)
                    self.volumes_ml.pop(update.name, None)
            yield step.fraction

    def _assessed(self, selection: Selection, held: RowVoxels) -> RowUpdate:
        name = selection.name
        values = self._dose.dose_mgy[held.indices].astype(np.float64)
        self.amounts[name], self.volumes_ml[name] = float(values @ held.volume_ml), float(held.volume_ml.sum())
        return RowUpdate(name, name, None)

    def _vanished(self) -> list[RowUpdate]:
        """An organ whose mask was emptied holds nothing."""
        gone = sorted(self.amounts.keys() - self._selections.keys())
        self._shown -= set(gone)
        return [RowUpdate(name, None, None) for name in gone]
