"""Multiple voxel S-values: each voxel takes its dose from the kernel of its own medium.

Lee et al., J Nucl Med 59 (2018) 1133: the activity is convolved with the kernel of one medium after the other, and the
density of the voxel that receives the dose decides which result counts there. What lies between source and target is
taken as that medium too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from organdose.dose_map import DoseMap
from organdose.nuclear.activity_integral import ActivityIntegral
from organdose.nuclear.kernel_convolution import convolved
from organdose.nuclear.kernel_dose import (
    KernelParameters,
    checked_source,
    density_factor,
    kernel_dose_map,
    kernels_in,
)
from organdose.nuclear.media import CORTICAL_BONE, LUNG, SOFT_TISSUE, SPONGY_BONE
from organdose.nuclear.voxel_kernels import VoxelKernel
from organdose.patient.dose_grid import DoseGrid
from organdose.progress import Progress

MEDIA = (LUNG, SOFT_TISSUE, SPONGY_BONE, CORTICAL_BONE)
# Densities (g/cm3) that divide them: halfway between lung and soft tissue, soft tissue and spongy bone, and the bones.
BOUNDS_G_CM3 = (0.65, 1.11, 1.52)
_MBQ_PER_BQ = 1e-6


def medium_index(density_g_cm3: np.ndarray) -> np.ndarray:
    """Index into MEDIA of each voxel, uint8 of the same shape; air counts as lung."""
    return np.digitize(density_g_cm3, BOUNDS_G_CM3).astype(np.uint8)


def multiple_vsv_dose_mgy(decays: np.ndarray, kernels: Sequence[VoxelKernel], medium: np.ndarray,
                          density_g_cm3: np.ndarray | None = None, progress: Progress | None = None) -> np.ndarray:
    """Dose (mGy, float32, (z, y, x)) of `decays` in each voxel, from the kernel that `medium` (whole numbers, same
    shape) says; scaled by density where `density_g_cm3` is given."""
    dose_mgy = np.zeros(decays.shape, np.float32)
    used = np.flatnonzero(np.bincount(medium.ravel(), minlength=len(kernels)))
    results = convolved(decays, [kernels[k].octant_mgy_per_mbq_s for k in used])
    for done, (k, energy) in enumerate(zip(used, results)):
        (progress or Progress()).report("Convolution", done / len(used))
        here = medium == k
        dose_mgy[here] = np.maximum(_MBQ_PER_BQ * energy[here], 0.0)
        if density_g_cm3 is not None:
            dose_mgy[here] *= density_factor(kernels[k], density_g_cm3[here])
    return dose_mgy


class MultipleVSVEngine:
    name = "msv"
    title = "Voxel S-values, multiple media"
    needs = "a CT in HU and the activity in each voxel"
    yields = "absorbed dose in mGy in each voxel, from the kernel of the voxel's own medium"
    parameters = KernelParameters
    computes_organs = False

    def check(self, source: ActivityIntegral, parameters: KernelParameters) -> None:
        """See `InternalDoseEngine.check`."""
        checked_source(source)

    def run(self, source: ActivityIntegral, grid: DoseGrid, parameters: KernelParameters, *,
            organs: tuple[str, ...] = (), organ_mass_g: sp.csr_matrix | None = None,
            progress: Progress | None = None) -> DoseMap:
        """See `InternalDoseEngine.run`."""
        checked_source(source)
        density = grid.voxels.density_g_cm3
        kernels = kernels_in(MEDIA, source, grid, parameters, progress)
        dose_mgy = multiple_vsv_dose_mgy(source.decays, kernels, medium_index(density),
                                         density if parameters.density_scaled else None, progress)
        names = [f"{medium.material.name} {medium.density_g_cm3:g}" for medium in MEDIA]
        bounds = ", ".join(f"{bound:g}" for bound in BOUNDS_G_CM3)
        return kernel_dose_map(self.name, dose_mgy, source, grid, kernels, parameters, [
            f"Each voxel has the dose of a uniform medium: {', '.join(names)} g/cm3, with bounds at {bounds} g/cm3 of "
            "the voxel's own density; air counts as lung. What lies between is not looked at."])
