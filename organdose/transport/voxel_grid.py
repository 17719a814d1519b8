"""The world photons travel in: a box of voxels, each with a material and a density."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit

from organdose.errors import InputError
from organdose.transport.cross_sections import PhotonTables
from organdose.transport.materials import Material

_MOST_MATERIALS = 256
_DENSITY_STEPS = 2**24 - 1


class PackedGrid(NamedTuple):
    """The grid as compiled code reads it. `voxels` (flat, x fastest, uint32) holds the material in its low 8 bits and
    the density in steps of `density_step` above them: one visit to memory a voxel. Lengths in mm from the lower corner,
    and `density_step` in g/cm2 per mm (0.1 times g/cm3), so that density times a mass coefficient is per mm."""

    voxels: np.ndarray
    density_step: float
    count_x: int
    count_y: int
    count_z: int
    voxel_x: float
    voxel_y: float
    voxel_z: float
    size_x: float
    size_y: float
    size_z: float
    corner_x: float
    corner_y: float
    corner_z: float


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
        if len(self.materials) > _MOST_MATERIALS:
            raise InputError(f"{len(self.materials)} materials in one grid", mend=f"At most {_MOST_MATERIALS} fit.")
        if int(self.material_index.max()) >= len(self.materials) or int(self.material_index.min()) < 0:
            raise InputError("a voxel refers to a material that is not in the list", mend="Extend the list.")
        if not np.all(np.isfinite(self.density_g_cm3)) or float(self.density_g_cm3.min()) < 0:
            raise InputError("densities must be finite and not negative", mend="Correct the density map.")
        if min(self.spacing_mm) <= 0:
            raise InputError("voxel sizes must be positive", mend="Correct the spacing.")

    @classmethod
    def of_materials(cls, materials: Sequence[Material], densities_g_cm3: Sequence[float], material_index: np.ndarray,
                     spacing_mm: tuple[float, float, float],
                     centre_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> VoxelGrid:
        """A phantom whose materials have one density each; `centre_mm` (x, y, z) is where the middle of the box lies.

        Raises `InputError` when a material has no density or a voxel no material.
        """
        if len(densities_g_cm3) != len(materials):
            raise InputError(f"{len(materials)} materials and {len(densities_g_cm3)} densities",
                             mend="Give one density (g/cm3) for each material.")
        index = np.asarray(material_index)
        if index.ndim != 3 or not np.issubdtype(index.dtype, np.integer):
            raise InputError("the material map must be three-dimensional and of whole numbers",
                             mend="Give the number of each voxel's material as (z, y, x).")
        if int(index.max()) >= len(materials) or int(index.min()) < 0:
            raise InputError("a voxel refers to a material that is not in the list", mend="Extend the list.")
        counts = index.shape[::-1]
        origin_mm = tuple(c - 0.5 * (n - 1) * s for c, n, s in zip(centre_mm, counts, spacing_mm))
        return cls(tuple(materials), index.astype(np.uint8), np.asarray(densities_g_cm3, np.float32)[index],
                   tuple(spacing_mm), origin_mm)

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
        densest = _densest(self.material_index.ravel(), self.density_g_cm3.ravel(), len(self.materials))
        return (densest[:, None] * tables.attenuation_cm2_g).max(axis=0).astype(np.float32) * np.float32(0.1)

    def packed(self) -> PackedGrid:
        """The grid in one array for compiled code."""
        step_g_cm3 = max(float(self.density_g_cm3.max()), 1e-9) / _DENSITY_STEPS
        voxels = np.empty(self.shape, np.uint32)
        for plane, density, material in zip(voxels, self.density_g_cm3, self.material_index):
            plane[:] = np.rint(density / step_g_cm3).astype(np.uint32) << np.uint32(8)
            plane |= material
        counts = self.shape[::-1]
        spacing = tuple(float(s) for s in self.spacing_mm)
        return PackedGrid(voxels.ravel(), 0.1 * step_g_cm3, *counts, *spacing,
                          *(n * s for n, s in zip(counts, spacing)), *(float(c) for c in self.lower_corner_mm))


@njit(cache=True)
def _densest(material_index, density_g_cm3, count):
    """Highest density of each material; 0 where it does not occur."""
    densest = np.zeros(count)
    for k in range(material_index.shape[0]):
        if density_g_cm3[k] > densest[material_index[k]]:
            densest[material_index[k]] = density_g_cm3[k]
    return densest
