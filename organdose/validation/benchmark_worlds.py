"""The patients and tubes that speed is measured with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from organdose.anatomy.phantoms.media import media
from organdose.anatomy.phantoms.stylised_phantom import load_phantom
from organdose.anatomy.phantoms.voxelise import BACKGROUND, voxelise
from organdose.anatomy.tissues import schneider2000
from organdose.ct.scanner import load_scanner
from organdose.ct.tube_path import TubePath
from organdose.ct.xray_source import XRaySource
from organdose.transport.materials import Material
from organdose.transport.voxel_grid import VoxelGrid

_COLLIMATION_MM = 40.0
_TORSO_MM, _TORSO_COUNTS = (300.0, 559.0), (500, 320, 260)
_TORSO_MATERIALS = 20
_SMALLEST_ORGAN_G = 50.0


@dataclass(frozen=True)
class World:
    """A grid, organ labels on it (0: none) with their names, and the length of a whole scan of it (mm)."""

    grid: VoxelGrid
    organs: np.ndarray
    names: tuple[str, ...]
    scanned_mm: tuple[float, float]

    def helical_source(self, kv: float = 120.0) -> XRaySource:
        """The generic scanner's tube with the body bowtie along the scan, its angle unknown."""
        scanner = load_scanner("generic")
        return XRaySource(scanner.tube_spectrum(kv), TubePath(np.array(self.scanned_mm), np.ones(2)),
                          scanner.focus_isocentre_mm, scanner.fan_half_angle_rad, _COLLIMATION_MM,
                          bowtie=scanner.bowtie("body"))


@cache
def whole_body() -> World:
    """The stylised man in 5 mm voxels, scanned from head to foot."""
    phantom = voxelise(load_phantom("adult-male"), (5.0, 5.0, 5.0))
    tissues = schneider2000()
    materials = tuple(Material.from_symbols(n, f) for n, f in zip(tissues.names, tissues.weight_fractions))
    reference = phantom.reference
    density = phantom.density_g_cm3.astype(np.float32)
    grid = VoxelGrid(materials, tissues.material_index(phantom.hu), density, reference.GetSpacing(),
                     reference.GetOrigin())
    masses_g = np.bincount(phantom.part.ravel(), density.ravel()) * phantom.voxel_ml
    kept = [k for k in range(len(BACKGROUND), len(phantom.part_names))
            if k < len(masses_g) and masses_g[k] > _SMALLEST_ORGAN_G]
    numbers = np.zeros(256, np.uint8)
    numbers[kept] = 1 + np.arange(len(kept))
    first_mm = reference.GetOrigin()[2]
    last_mm = first_mm + 5.0 * (grid.shape[0] - 1)
    return World(grid, numbers[phantom.part], tuple(phantom.part_names[k] for k in kept), (first_mm, last_mm))


@cache
def fine_torso() -> World:
    """The stylised man's trunk in 500 x 320 x 260 voxels of 1 mm, of 20 materials."""
    phantom = voxelise(load_phantom("adult-male"), (1.0, 1.0, 1.0), _TORSO_MM)
    tissues = schneider2000()
    present = np.argsort(-np.bincount(phantom.medium.ravel(), minlength=len(media().names)))[:_TORSO_MATERIALS]
    present = np.sort(present)
    nearest = np.abs(media().hu[:, None] - media().hu[present][None, :]).argmin(axis=1).astype(np.uint8)
    counts_x, counts_y, counts_z = _TORSO_COUNTS
    index = np.zeros((counts_z, counts_y, counts_x), np.uint8)
    body = nearest[phantom.medium]
    corner = [(big - small) // 2 for big, small in zip(index.shape, body.shape)]
    index[tuple(slice(c, c + n) for c, n in zip(corner, body.shape))] = body
    fractions = tissues.material_index(media().hu[present])
    materials = [Material.from_symbols(media().names[k], tissues.weight_fractions[row])
                 for k, row in zip(present, fractions)]
    grid = VoxelGrid.of_materials(materials, media().density_g_cm3[present], index, (1.0, 1.0, 1.0))
    half_mm = 0.5 * counts_z - _COLLIMATION_MM
    return World(grid, index, tuple(m.name for m in materials), (-half_mm, half_mm))
