"""Where F-18 FDG is in a stylised patient an hour after injection: activity concentration of each medium."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.phantoms.media import media
from organdose.anatomy.phantoms.stylised_phantom import ARMS_UP, Phantom
from organdose.anatomy.phantoms.voxelise import grid_axes_mm, voxelise
from organdose.progress import Progress

F18_HALF_LIFE_S = 6586.2  # ICRP Publication 107: 109.77 min
F18_POSITRON_FRACTION = 0.967  # ICRP Publication 107

# Fractions of the administered activity, decay corrected to injection. Brain, heart wall, lungs and liver: uptake
# fractions of the model in ICRP Publication 128 (2015) for F-18 FDG. The model passes about 0.15 through the urine in
# the first hour; this project leaves 0.03 of it in the bladder and lets the patient void 0.12. Kidneys: this project's
# choice (SUV 3 to 4). Everything else lies in the other tissues, by the weights in Resources/phantoms/media.json.
UPTAKE_FRACTION = {"brain": 0.08, "myocardium": 0.04, "lung": 0.03, "liver": 0.05, "kidney": 0.012, "urine": 0.03}
VOIDED_FRACTION = 0.12

PET_VOXEL_MM = 4.0
_PET_WIDTH_MM = 576.0


@dataclass(frozen=True)
class FDGStudy:
    """One injection. `weight_kg` is the whole patient's, forearms outside the model included.

    `fraction_per_ml[medium]` is the share of the administered activity in a ml of each medium, decay left out.
    """

    weight_kg: float
    fraction_per_ml: np.ndarray
    administered_mbq_per_kg: float = 3.5
    uptake_time_s: float = 3600.0

    @property
    def administered_bq(self) -> float:
        return round(self.administered_mbq_per_kg * self.weight_kg) * 1e6

    @property
    def decay_to_scan(self) -> float:
        return math.exp(-math.log(2) * self.uptake_time_s / F18_HALF_LIFE_S)

    @cached_property
    def bq_per_ml(self) -> np.ndarray:
        """Concentration of each medium at the start of the scan."""
        return (self.administered_bq * self.decay_to_scan * self.fraction_per_ml).astype(np.float32)


def fdg_study(phantom: Phantom, progress: Progress | None = None) -> FDGStudy:
    """The patient's FDG study: volumes of all media in the whole body (4 mm voxels) share out the activity."""
    table = media()
    whole = voxelise(phantom, (4.0, 4.0, 4.0), pose=ARMS_UP, progress=progress)
    counts = np.bincount(whole.medium[whole.part > 0], minlength=len(table.names))
    volume_ml = counts * whole.voxel_ml
    forearms_g = phantom.forearms_mass_g * math.prod(phantom.scale)
    fraction = np.zeros(len(table.names))
    for name, share in UPTAKE_FRACTION.items():
        fraction[table.number[name]] = share / volume_ml[table.number[name]]
    per_ml = table.fdg_weight * table.density_g_cm3
    rest = 1 - VOIDED_FRACTION - sum(UPTAKE_FRACTION.values())
    muscle_like_g = (per_ml * volume_ml).sum() + forearms_g
    weight_kg = float((table.density_g_cm3 * volume_ml).sum() + forearms_g) / 1000
    return FDGStudy(weight_kg, fraction + rest * per_ml / muscle_like_g)


def activity_map(phantom: Phantom, study: FDGStudy, z_range_mm: tuple[float, float],
                 progress: Progress | None = None, *, voxel_mm: float = PET_VOXEL_MM) -> sitk.Image:
    """True concentration in Bq/ml at the start of the scan (float32), arms up, on a cubic grid of its own.

    `z_range_mm`: lowest and highest slice centre. Each voxel is the mean of eight points.
    """
    half_mm = voxel_mm / 2
    fine = voxelise(phantom, (half_mm,) * 3, (z_range_mm[0] - half_mm / 2, z_range_mm[1] + half_mm / 2),
                    width_mm=(_PET_WIDTH_MM, _PET_WIDTH_MM), progress=progress)
    medium = fine.medium[:fine.medium.shape[0] // 2 * 2]
    shape = tuple(n // 2 for n in medium.shape)
    activity = np.empty(shape, np.float32)
    for k in range(shape[0]):
        pair = study.bq_per_ml[medium[2 * k:2 * k + 2]]
        activity[k] = pair.reshape(2, shape[1], 2, shape[2], 2).mean(axis=(0, 2, 4))
    x, y, z = grid_axes_mm(phantom, (half_mm,) * 3, (z_range_mm[0] - half_mm / 2, z_range_mm[1] + half_mm / 2),
                           width_mm=(_PET_WIDTH_MM, _PET_WIDTH_MM))
    image = sitk.GetImageFromArray(activity)
    image.SetSpacing((voxel_mm,) * 3)
    image.SetOrigin(tuple(float(a[0] + half_mm / 2) for a in (x, y, z)))
    return image
