"""Loading the compiled functions before they are needed."""

from types import SimpleNamespace

import numpy as np

from organdose.anatomy.tissues import schneider2000
from organdose.assess import mask_changes, overlap_sums
from organdose.assess.hu_density import HUDensity
from organdose.assess.kernels import load_kernels
from organdose.assess.live_organ_table import LiveDose, LiveOrganTable
from organdose.assess.mask_changes import KeptMasks
from organdose.assess.patient_grid import PatientGrid


def compiled():
    return {(module.__name__, name): len(each.signatures) for module in (mask_changes, overlap_sums)
            for name, each in vars(module).items() if hasattr(each, "signatures")}


def test_following_a_real_edit_compiles_nothing_more():
    load_kernels()
    before = compiled()
    assert sum(before.values()) > 0
    fine, coarse = PatientGrid((0, 0, 0), (1, 1, 2), (20, 30, 40)), PatientGrid((2, 2, 2), (5, 5, 5), (8, 6, 8))
    dose = LiveDose.of(coarse, np.full(coarse.shape, 3, np.float32), np.full(coarse.shape, 0.1, np.float32))
    table = LiveOrganTable(dose, fine, HUDensity(np.full(fine.shape, 40, np.int16), schneider2000()),
                           KeptMasks(fine.shape))
    rows = {}
    for stamp, first in enumerate((5, 7)):
        labels = np.zeros(fine.shape, np.uint8)
        labels[first:15, 5:25, 5:30] = 1
        drawing = SimpleNamespace(segments={"liver": (0, 1)}, notes={}, stamps=[stamp],
                                  layer=lambda index, labels=labels: (labels, (0, 0, 0)))
        for step in table.follow(drawing):
            rows |= {update.name: update.row for update in step.updates}
    assert rows["liver"].mean_mgy == 3
    assert compiled() == before
