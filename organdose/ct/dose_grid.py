"""From the CT's fine voxels to the coarser ones that dose is computed in."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import SimpleITK as sitk

from organdose.anatomy.box_overlap import axis_edges_mm, overlap_matrix
from organdose.anatomy.tissues import TissueTable
from organdose.ct.contrast_medium import ContrastMedium, blood, iodine_materials
from organdose.errors import InputError
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


def dose_grid(ct: sitk.Image, voxel_mm: float, tissues: TissueTable, *, air: np.ndarray | None = None,
              contrast: ContrastMedium | None = None, progress: Progress | None = None) -> DoseGrid:
    """Cubic voxels of `voxel_mm` over the whole of `ct`, starting at its lower corner.

    Densities are averaged over the exact overlap of the voxels, so that mass is kept; the material is that of the
    mass-weighted mean HU, so that fat beside air stays fat. Where the last voxels reach beyond the CT
    they are filled with air. `air` (bool, (z, y, x) of the CT): voxels that count as air whatever their HU.
    `contrast`: voxels that are blood with iodine; dose voxels with enough of it get a material of their own.
    Raises `InputError` for a voxel size outside 0.5-20 mm.
    """
    if not 0.5 <= voxel_mm <= 20:
        raise InputError(f"a dose voxel of {voxel_mm:g} mm", mend="Choose a size between 0.5 and 20 mm.")
    counts = [math.ceil(n * s / voxel_mm - 1e-6) for n, s in zip(ct.GetSize(), ct.GetSpacing())]
    lower_mm = [o - 0.5 * s for o, s in zip(ct.GetOrigin(), ct.GetSpacing())]
    part_of_coarse = [
        overlap_matrix(axis_edges_mm(o, s, n), lower + voxel_mm * np.arange(count + 1)) / voxel_mm
        for o, s, n, lower, count in zip(ct.GetOrigin(), ct.GetSpacing(), ct.GetSize(), lower_mm, counts)]
    ct_density, (density, weighted_hu, *iodine_g_cm3) = _averaged(ct, part_of_coarse, tissues, air, contrast,
                                                                  progress or Progress())
    along_x, along_y, along_z = part_of_coarse
    covered = (along_z.sum(axis=1)[:, None, None] * along_y.sum(axis=1)[None, :, None]
               * along_x.sum(axis=1)[None, None, :]).astype(np.float32)
    mean_hu = weighted_hu / density
    materials = tuple(Material.from_symbols(name, fractions)
                      for name, fractions in zip(tissues.names, tissues.weight_fractions))
    material_index = tissues.material_index(mean_hu)
    if iodine_g_cm3:
        materials += _mark_iodine(material_index, 1000 * iodine_g_cm3[0] / density, mean_hu, len(materials))
    density += (1 - covered) * tissues.node_density_g_cm3[0]
    geometry = sitk.GetImageFromArray(density)
    geometry.SetSpacing([float(voxel_mm)] * 3)
    geometry.SetOrigin([lower + 0.5 * voxel_mm for lower in lower_mm])
    voxels = VoxelGrid(materials, material_index, density, geometry.GetSpacing(), geometry.GetOrigin())
    last_covered = min(1.0, float(along_z.sum(axis=1)[-1]))
    return DoseGrid(geometry, voxels, ct_density, last_covered, float(tissues.node_density_g_cm3[0]))


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
