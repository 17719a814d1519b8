"""Single voxel S-value: activity convolved with the kernel of soft tissue, as if the whole body were that.

MIRD pamphlet 17 (Bolch et al., J Nucl Med 40 (1999) 11S).
"""

from __future__ import annotations

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
from organdose.nuclear.media import SOFT_TISSUE
from organdose.nuclear.voxel_kernels import VoxelKernel
from organdose.patient.dose_grid import DoseGrid
from organdose.progress import Progress

_MBQ_PER_BQ = 1e-6


def single_vsv_dose_mgy(decays: np.ndarray, kernel: VoxelKernel, density_g_cm3: np.ndarray | None = None) -> np.ndarray:
    """Dose (mGy, float32, (z, y, x)) of `decays` in each voxel; scaled by density where `density_g_cm3` is given."""
    (energy,) = convolved(decays, [kernel.octant_mgy_per_mbq_s])
    # Rounding leaves tiny negative numbers where there is no dose.
    dose_mgy = np.maximum(_MBQ_PER_BQ * energy, 0.0).astype(np.float32)
    return dose_mgy if density_g_cm3 is None else dose_mgy * density_factor(kernel, density_g_cm3)


class SingleVSVEngine:
    name = "vsv"
    title = "Voxel S-values, single medium"
    needs = "the activity in each voxel; a CT in HU for densities, where dose is scaled by them"
    yields = "absorbed dose in mGy in each voxel, with everything taken as soft tissue"
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
        kernels = kernels_in([SOFT_TISSUE], source, grid, parameters, progress)
        (progress or Progress()).report("Convolution", 0.0)
        density = grid.voxels.density_g_cm3 if parameters.density_scaled else None
        dose_mgy = single_vsv_dose_mgy(source.decays, kernels[0], density)
        return kernel_dose_map(self.name, dose_mgy, source, grid, kernels, parameters, [
            f"Everything, lung, bone and air too, is taken as {SOFT_TISSUE.material.name} of "
            f"{SOFT_TISSUE.density_g_cm3:g} g/cm3 without an end."])
