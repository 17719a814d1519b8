"""From the CT's fine voxels to the coarser ones that dose is computed in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import SimpleITK as sitk

from organdose.anatomy.tissues import TissueTable
from organdose.patient.contrast_medium import ContrastMedium, blood, iodine_materials
from organdose.patient.lattice import Lattice, cubes_over
from organdose.progress import Progress
from organdose.transport.materials import Material
from organdose.transport.voxel_grid import VoxelGrid


@dataclass(frozen=True)
class DoseGrid:
    """The voxels dose is computed in, and the densities they came from.

    `geometry`: float32 image that stands for the grid (its values are the density). `voxels`: the same for the
    transport. `ct_density_g_cm3`: float32 (z, y, x) on the CT's own grid, from which organ masses are taken.
    `last_covered`: part of the last slice along z that the CT fills; the rest of it is air of `air_density_g_cm3`.
    """

    geometry: sitk.Image
    voxels: VoxelGrid
    ct_density_g_cm3: np.ndarray
    last_covered: float = 1.0
    air_density_g_cm3: float = 0.0


def dose_grid(ct: sitk.Image, voxels: float | Lattice, tissues: TissueTable, *, air: np.ndarray | None = None,
              contrast: ContrastMedium | None = None, progress: Progress | None = None) -> DoseGrid:
    """Tissue in the voxels of a lattice, or in cubes of that many mm from the lower corner of `ct` over all of it.

    Densities are averaged over the exact overlap of the voxels, so that mass is kept; the material is that of the
    mass-weighted mean HU, so that fat beside air stays fat. Where voxels reach beyond the CT
    they are filled with air. `air` (bool, (z, y, x) of the CT): voxels that count as air whatever their HU.
    `contrast`: voxels that are blood with iodine; dose voxels with enough of it get a material of their own.
    Raises `InputError` for a voxel size outside 0.5-20 mm.
    """
    lattice = voxels if isinstance(voxels, Lattice) else cubes_over(ct, voxels)
    part_of_coarse = lattice.parts_of(ct)
    ct_density, (density, weighted_hu, *iodine_g_cm3) = _averaged(ct, part_of_coarse, tissues, air, contrast,
                                                                  progress or Progress())
    along_x, along_y, along_z = part_of_coarse
    covered = (along_z.sum(axis=1)[:, None, None] * along_y.sum(axis=1)[None, :, None]
               * along_x.sum(axis=1)[None, None, :]).astype(np.float32)
    mean_hu = np.divide(weighted_hu, density, out=np.full_like(density, -1000.0), where=density > 0)
    materials = tuple(Material.from_symbols(name, fractions)
                      for name, fractions in zip(tissues.names, tissues.weight_fractions))
    material_index = tissues.material_index(mean_hu)
    if iodine_g_cm3:
        iodine_mg_per_g = 1000 * np.divide(iodine_g_cm3[0], density, out=np.zeros_like(density), where=density > 0)
        materials += _mark_iodine(material_index, iodine_mg_per_g, mean_hu, len(materials))
    density += (1 - covered) * tissues.node_density_g_cm3[0]
    geometry = lattice.image(density)
    voxel_grid = VoxelGrid(materials, material_index, density, geometry.GetSpacing(), geometry.GetOrigin())
    last_covered = min(1.0, float(along_z.sum(axis=1)[-1]))
    return DoseGrid(geometry, voxel_grid, ct_density, last_covered, float(tissues.node_density_g_cm3[0]))


def _averaged(ct: sitk.Image, part_of_coarse: list[sp.csr_array], tissues: TissueTable, air: np.ndarray | None,
              contrast: ContrastMedium | None, progress: Progress) -> tuple[np.ndarray, list[np.ndarray]]:
    """Density of the CT's voxels, and what `_slice_tissue` gives averaged onto the dose voxels (parts of them beyond
    the CT count as nothing), float32 (z, y, x). `part_of_coarse`: overlaps over the dose voxel along x, y, z."""
    hu = sitk.GetArrayViewFromImage(ct)
    along_x, along_y, along_z = part_of_coarse
    ct_density = np.empty(hu.shape, dtype=np.float32)
    shape = tuple(along.shape[0] for along in (along_z, along_y, along_x))
    sums = [np.zeros(shape, np.float32) for _ in range(2 if contrast is None else 3)]
    for k in range(hu.shape[0]):
        ct_density[k], *weighted = _slice_tissue(hu[k], k, tissues, air, contrast)
        shares = along_z[:, [k]].tocoo()
        for source, target in zip((ct_density[k], *weighted), sums):
            in_plane = along_y @ (along_x @ source.T).T
            for row, share in zip(shares.coords[0], shares.data):
                target[row] += share * in_plane
        if k % 16 == 0:
            progress.report("Dose grid", k / hu.shape[0])
    return ct_density, sums


def _slice_tissue(hu: np.ndarray, k: int, tissues: TissueTable, air: np.ndarray | None,
                  contrast: ContrastMedium | None) -> list[np.ndarray]:
    """Density (g/cm3), density times HU and, with contrast medium, iodine (g/cm3) of one slice, float32 (y, x).

    Contrast medium counts with the HU of the blood it is in, so that it makes no bone of its surroundings.
    """
    if air is not None and air[k].any():
        hu = np.where(air[k], hu.dtype.type(-1000), hu)
    density = tissues.density_g_cm3(hu)
    if contrast is None:
        return [density, density * hu]
    enhanced, iodine = contrast.voxels[k], np.zeros_like(density)
    density[enhanced] = contrast.density_g_cm3(hu[enhanced])
    iodine[enhanced] = 1e-3 * contrast.iodine_mg_per_ml(hu[enhanced])
    return [density, density * np.where(enhanced, hu.dtype.type(blood()["unenhanced_hu"]), hu), iodine]


def _mark_iodine(material_index: np.ndarray, iodine_mg_per_g: np.ndarray, mean_hu: np.ndarray,
                 known: int) -> tuple[Material, ...]:
    """Give dose voxels the material with the iodine nearest to theirs, in place; returns the materials added.

    Voxels that are bone without the iodine stay bone, and those with less than half of the smallest step stay tissue.
    """
    steps, materials = iodine_materials()
    enough = (iodine_mg_per_g >= 0.5 * steps[0]) & (mean_hu < blood()["elsewhere_from_hu"])
    nearest = np.searchsorted(0.5 * (steps[1:] + steps[:-1]), iodine_mg_per_g[enough])
    material_index[enough] = (known + nearest).astype(np.uint8)
    return materials
