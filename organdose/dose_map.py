"""A dose map as every room sees it: mGy in voxels, with its statistical uncertainty where the engine has one."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import SimpleITK as sitk


@dataclass(frozen=True)
class DoseMap:
    """Absorbed dose on the dose grid.

    `dose_mgy`: float32 image, mGy. `relative_uncertainty`: float32 image on the same grid, relative standard
    uncertainty (1 = 100 %; 1 where nothing was scored), or None for engines that are not statistical.
    `density_g_cm3`: float32 array (z, y, x) of the same grid, the density the engine used.
    `organ_relative_uncertainty`: for each organ asked for, the relative standard uncertainty of its mean dose, from
    batch statistics (voxel uncertainties are correlated and must not simply be added in quadrature).
    `quantity` is 'absorbed dose'; `engine` names the engine with its version; `facts` are lines for report and record.
    """

    dose_mgy: sitk.Image
    density_g_cm3: np.ndarray
    engine: str
    quantity: str = "absorbed dose"
    relative_uncertainty: sitk.Image | None = None
    organ_relative_uncertainty: dict[str, float] = field(default_factory=dict)
    facts: dict[str, object] = field(default_factory=dict)
