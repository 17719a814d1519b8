"""How well masks drawn in coarse voxels can agree at best with those of a finer CT: the limit of any network there.

    python -m organdose.validation.voxel_ceiling 100001 100003 100009
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk

from organdose.segmentation.network_labels import NETWORK_ORGANS, voxels_of
from organdose.segmentation.training_ct_look import generate_patient

ORGANS = ("body", "lungs", "bones", "liver", "aorta", "esophagus")
_LEAST_ML = 50.0


def ceiling(seed: int, *, fine_mm: float = 3.0, coarse_mm: float = 4.0,
            organs: Sequence[str] = ORGANS) -> dict[str, float]:
    """Dice of a generated patient's true masks in `coarse_mm`, brought to `fine_mm` linearly, with the true ones there.

    Organs of less than 50 ml in the image are left out. Raises `InputError` for a seed below 1.
    """
    fine, coarse = generate_patient(seed, fine_mm), generate_patient(seed, coarse_mm)
    found = {}
    for name in organs:
        truth = voxels_of(name, fine.labels, NETWORK_ORGANS)
        if truth.sum() * fine_mm**3 / 1000 < _LEAST_ML:
            continue
        drawn = sitk.GetImageFromArray(voxels_of(name, coarse.labels, NETWORK_ORGANS).astype(np.float32))
        drawn.CopyInformation(coarse.ct)
        best = sitk.GetArrayFromImage(sitk.Resample(drawn, fine.ct, sitk.Transform(), sitk.sitkLinear, 0.0)) > 0.5
        found[name] = float(2 * np.count_nonzero(best & truth) / (best.sum() + truth.sum()))
    return found


if __name__ == "__main__":
    for given in sys.argv[1:]:
        print(given, *(f"{name} {dice:.3f}" for name, dice in ceiling(int(given)).items()))
