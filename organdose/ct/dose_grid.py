"""From the CT's fine voxels to the coarser ones that dose is computed in."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.box_overlap import axis_edges_mm, overlap_matrix
from organdose.anatomy.tissues import TissueTable
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


def dose_grid(ct: sitk.Image, voxel_mm: float, tissues: TissueTable, *, progress: Progress | None = None) -> DoseGrid:
    """Cubic voxels of `voxel_mm` over the whole of `ct`, starting at its lower corner.

    Densities are averaged over the exact overlap of the voxels, so that mass is kept; the material is that of the
    mass-weighted mean HU, so that fat beside air stays fat. Where the last voxels reach beyond the CT
    they are filled with air. Raises `InputError` for a voxel size outside 0.5-20 mm.
    """
    if not 0.5 <= voxel_mm <= 20:
        raise InputError(f"a dose voxel of {voxel_mm:g} mm", mend="Choose a size between 0.5 and 20 mm.")
    progress = progress or Progress()
    counts = [math.ceil(n * s / voxel_mm - 1e-6) for n, s in zip(ct.GetSize(), ct.GetSpacing())]
    lower_mm = [o - 0.5 * s for o, s in zip(ct.GetOrigin(), ct.GetSpacing())]
    part_of_coarse = [
        overlap_matrix(axis_edges_mm(o, s, n), lower + voxel_mm * np.arange(count + 1)) / voxel_mm
        for o, s, n, lower, count in zip(ct.GetOrigin(), ct.GetSpacing(), ct.GetSize(), lower_mm, counts)]
    hu = sitk.GetArrayViewFromImage(ct)
    ct_density = np.empty(hu.shape, dtype=np.float32)
    shape = (counts[2], counts[1], counts[0])
    density, weighted_hu = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    along_x, along_y, along_z = part_of_coarse
    for k in range(hu.shape[0]):
        ct_density[k] = tissues.density_g_cm3(hu[k])
        shares = along_z[:, [k]].tocoo()
        for source, target in ((ct_density[k], density), (ct_density[k] * hu[k], weighted_hu)):
            in_plane = along_y @ (along_x @ source.T).T
            for row, share in zip(shares.coords[0], shares.data):
                target[row] += share * in_plane
        if k % 16 == 0:
            progress.report("Dose grid", k / hu.shape[0])
    covered = (along_z.sum(axis=1)[:, None, None] * along_y.sum(axis=1)[None, :, None]
               * along_x.sum(axis=1)[None, None, :]).astype(np.float32)
    material_index = tissues.material_index(weighted_hu / density)
    density += (1 - covered) * tissues.node_density_g_cm3[0]
    geometry = sitk.GetImageFromArray(density)
    geometry.SetSpacing([float(voxel_mm)] * 3)
    geometry.SetOrigin([lower + 0.5 * voxel_mm for lower in lower_mm])
    materials = tuple(Material.from_symbols(name, fractions)
                      for name, fractions in zip(tissues.names, tissues.weight_fractions))
    voxels = VoxelGrid(materials, material_index, density, geometry.GetSpacing(), geometry.GetOrigin())
    last_covered = min(1.0, float(along_z.sum(axis=1)[-1]))
    return DoseGrid(geometry, voxels, ct_density, last_covered, float(tissues.node_density_g_cm3[0]))
