"""The world photons travel in: a box of voxels, each with a material and a density."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from organdose.errors import InputError
from organdose.transport.cross_sections import PhotonTables
from organdose.transport.materials import Material


@dataclass(frozen=True)
class VoxelGrid:
    """Axis-aligned voxels in vacuum.

    `material_index` (uint8) and `density_g_cm3` (float32) have the shape (z, y, x). `origin_mm` is the centre of the
    first voxel and `spacing_mm` the voxel size, both in the order (x, y, z). Raises `InputError` when they disagree.
    """

    materials: tuple[Material, ...]
    material_index: np.ndarray
    density_g_cm3: np.ndarray
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float]

    def __post_init__(self):
        if self.material_index.shape != self.density_g_cm3.shape or self.material_index.ndim != 3:
            raise InputError("material and density grids differ in shape", mend="Give both as (z, y, x) of one grid.")
        if int(self.material_index.max()) >= len(self.materials):
            raise InputError("a voxel refers to a material that is not in the list", mend="Extend the list.")
        if not np.all(np.isfinite(self.density_g_cm3)) or float(self.density_g_cm3.min()) < 0:
            raise InputError("densities must be finite and not negative", mend="Correct the density map.")
        if min(self.spacing_mm) <= 0:
            raise InputError("voxel sizes must be positive", mend="Correct the spacing.")

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.density_g_cm3.shape

    @property
    def voxel_mass_kg(self) -> np.ndarray:
        """Mass of each voxel in kg, float64 (z, y, x)."""
        return self.density_g_cm3.astype(np.float64) * float(np.prod(self.spacing_mm)) * 1e-6

    @property
    def lower_corner_mm(self) -> np.ndarray:
        return np.asarray(self.origin_mm) - 0.5 * np.asarray(self.spacing_mm)

    def majorant_per_mm(self, tables: PhotonTables) -> np.ndarray:
        """Largest linear attenuation (1/mm) anywhere in the grid at each energy of `tables`, float32."""
        densest = np.zeros(len(self.materials))
        np.maximum.at(densest, self.material_index.ravel(), self.density_g_cm3.ravel())
        return (densest[:, None] * tables.attenuation_cm2_g).max(axis=0).astype(np.float32) * np.float32(0.1)
