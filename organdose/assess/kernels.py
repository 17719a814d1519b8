"""The compiled functions that following an edit needs, loaded before somebody waits for them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from organdose.anatomy.tissues import schneider2000
from organdose.assess.hu_density import HUDensity
from organdose.assess.live_organ_table import LiveDose, LiveOrganTable
from organdose.assess.mask_changes import KeptMasks
from organdose.assess.patient_grid import PatientGrid

_SHAPE = (4, 4, 4)


def load_kernels() -> None:
    """Follow an edit of a mask of a few voxels: numba compiles, or loads from its cache, what that takes.

    Some tenths of a second.
    """
    grid = PatientGrid((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), _SHAPE)
    dose = LiveDose.of(grid, np.ones(_SHAPE, np.float32))
    density, kept = HUDensity(np.zeros(_SHAPE, np.int16), schneider2000()), KeptMasks(_SHAPE)
    table = LiveOrganTable(dose, grid, density, kept)
    for stamp, slices in enumerate((3, 2)):
        labels = np.zeros(_SHAPE, np.uint8)
        labels[:slices, 1:3, 1:3] = 1
        drawing = SimpleNamespace(segments={"liver": (0, 1)}, notes={}, stamps=[stamp],
                                  layer=lambda index, labels=labels: (labels, (0, 0, 0)))
        for _ in table.follow(drawing):
            pass
