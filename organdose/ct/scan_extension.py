"""Tissue beyond the ends of the image, so that what is scattered back from it is not missing in the end slices.

A scan irradiates more of the patient than its images show: half a collimation, the overranging of a helical scan, and
what these scatter. The dose grid is therefore continued along z by repeating its end slices. A fitted phantom would be
nearer to the anatomy farther out, but it has to be fitted; what scatters into the end slices lies within some
centimetres of them, where the end slice is the best guess there is. Where an image ends in air, air is repeated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from organdose.patient.dose_grid import DoseGrid
from organdose.transport.voxel_grid import VoxelGrid

# Measured on a 32 cm cylinder of water whose images are cut (the setting of Testing/ct/test_scan_extension.py): tissue
# farther beyond the beam than 25 mm adds 1 % to the dose of the end slices, than 50 mm 0.4 %, than 100 mm below 0.1 %.
SCATTER_MARGIN_MM = 100.0
_DIVERGENCE = 1.5  # the beam's width behind the isocentre, at 300 mm from it, over that at the isocentre


@dataclass(frozen=True)
class Extension:
    """How many slices of the dose grid are added at the feet (`below`) and at the head (`above`).

    `last_covered`: part of the grid's last slice that the CT fills; the rest of it holds air of
    `air_density_g_cm3`, which an extended grid replaces by tissue.
    """

    below: int = 0
    above: int = 0
    last_covered: float = 1.0
    air_density_g_cm3: float = 0.0

    def extended(self, voxels: VoxelGrid) -> VoxelGrid:
        """The grid with its end slices repeated."""
        if not (self.below or self.above):
            return voxels
        density = voxels.density_g_cm3.copy()
        if self.above and self.last_covered < 1:
            density[-1] = (density[-1] - (1 - self.last_covered) * self.air_density_g_cm3) / self.last_covered
        around = ((self.below, self.above), (0, 0), (0, 0))
        x_mm, y_mm, z_mm = voxels.origin_mm
        return VoxelGrid(voxels.materials, np.pad(voxels.material_index, around, mode="edge"),
                         np.pad(density, around, mode="edge"), voxels.spacing_mm,
                         (x_mm, y_mm, z_mm - self.below * voxels.spacing_mm[2]))

    def cropped(self, values: np.ndarray) -> np.ndarray:
        """The part (z, y, x) of values on the extended grid that belongs to the image's own grid."""
        return values[self.below:values.shape[0] - self.above]

    def widened(self, weights: sp.spmatrix | sp.sparray, slice_voxels: int) -> sp.csr_array:
        """Weights (rows, voxels of the image's grid) as weights on the extended grid, zero in the added slices."""
        rows = weights.shape[0]
        return sp.csr_array(sp.hstack([sp.csr_array((rows, self.below * slice_voxels)), sp.csr_array(weights),
                                       sp.csr_array((rows, self.above * slice_voxels))], format="csr"))


def beam_range_mm(path_z_mm: np.ndarray, total_collimation_mm: float) -> tuple[float, float]:
    """The z from which to which the primary beam reaches at the isocentre, overranging and half a collimation
    included."""
    return float(np.min(path_z_mm)) - 0.5 * total_collimation_mm, float(np.max(path_z_mm)) + 0.5 * total_collimation_mm


def extension_for(grid: DoseGrid, path_z_mm: np.ndarray, total_collimation_mm: float, *,
                  margin_mm: float = SCATTER_MARGIN_MM) -> Extension:
    """As many slices as the beam reaches beyond `grid`, widened by its divergence, and `margin_mm` of scatter.

    `path_z_mm`: the beam's centre. A beam that ends well inside the image needs no extension.
    """
    voxels = grid.voxels
    reach_mm = 0.5 * _DIVERGENCE * total_collimation_mm + margin_mm
    step_mm = voxels.spacing_mm[2]
    bottom_mm = float(voxels.lower_corner_mm[2])
    top_mm = bottom_mm + voxels.shape[0] * step_mm
    below = max(0, math.ceil((bottom_mm - float(np.min(path_z_mm)) + reach_mm) / step_mm - 1e-6))
    above = max(0, math.ceil((float(np.max(path_z_mm)) + reach_mm - top_mm) / step_mm - 1e-6))
    return Extension(below, above, grid.last_covered, grid.air_density_g_cm3)


def extension_lines(wanted: Extension, used: Extension, slice_mm: float) -> list[str]:
    """What a report has to say about it; `wanted` is that of `extension_for`, `used` the one that was computed with."""
    below_mm, above_mm = wanted.below * slice_mm, wanted.above * slice_mm
    if not (wanted.below or wanted.above):
        return ["Neither the beam nor its scatter reaches the ends of the image: no tissue is added beyond them."]
    if used != wanted:
        return [f"Tissue outside the image is left out, as asked for, although beam and scatter reach {below_mm:g} mm "
                f"beyond it at the feet and {above_mm:g} mm at the head: doses near the ends of the image are too low."]
    return [f"Tissue outside the image: the end slices of the dose grid are repeated, {below_mm:g} mm at the feet and "
            f"{above_mm:g} mm at the head, so that overranging and scatter at the ends of the image are followed."]
