"""A dose map as every room sees it: mGy in voxels, with its statistical uncertainty where the engine has one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import SimpleITK as sitk

MGY_KG_PER_KEV = 1.602176634e-13  # 1 keV in 1 kg, in mGy (SI brochure, 2019)


@dataclass(frozen=True)
class DoseMap:
    """Absorbed dose on the dose grid.

    `dose_mgy`: float32 image, mGy. `relative_uncertainty`: float32 image on the same grid, relative standard
    uncertainty (1 = 100 %; 1 where nothing was scored), or None for engines that are not statistical.
    `density_g_cm3`: float32 array (z, y, x) of the same grid, the density the engine used.
    `organ_relative_uncertainty`: for each organ asked for, the relative standard uncertainty of its mean dose, from
    batch statistics (voxel uncertainties are correlated and must not simply be added in quadrature).
    `organ_mean_mgy`: means of engines that compute organs rather than voxels; the table has these instead of the map's.
    `organ_level`: what those engines computed besides, for tables of their own.
    `quantity` is 'absorbed dose'; `engine` names the engine with its version; `facts` are lines for report and record.
    """

    dose_mgy: sitk.Image
    density_g_cm3: np.ndarray
    engine: str
    quantity: str = "absorbed dose"
    relative_uncertainty: sitk.Image | None = None
    organ_relative_uncertainty: dict[str, float] = field(default_factory=dict)
    organ_mean_mgy: dict[str, float] = field(default_factory=dict)
    organ_level: object = field(default=None, repr=False)
    facts: dict[str, object] = field(default_factory=dict)


def within(dose: DoseMap, kept: np.ndarray) -> DoseMap:
    """The same map with dose 0 and uncertainty 1 outside `kept` (bool, (z, y, x)); its facts say so."""
    facts = {**dose.facts, "dose_outside_masks": "not stated: set to zero, with an uncertainty of 100 %"}
    uncertainty = dose.relative_uncertainty
    return replace(dose, dose_mgy=_masked(dose.dose_mgy, kept, 0.0), facts=facts,
                   relative_uncertainty=None if uncertainty is None else _masked(uncertainty, kept, 1.0))


def _masked(image: sitk.Image, kept: np.ndarray, outside: float) -> sitk.Image:
    values = np.where(kept, sitk.GetArrayViewFromImage(image), np.float32(outside))
    masked = sitk.GetImageFromArray(values)
    masked.CopyInformation(image)
    return masked
