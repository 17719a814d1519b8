"""What the engines that convolve with voxel S-values share: their parameters, kernels and the record of a run."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk
from pydantic import Field

from organdose import __version__
from organdose.dose_map import DoseMap
from organdose.errors import InputError
from organdose.nuclear.activity_integral import ActivityIntegral
from organdose.nuclear.engines import EngineParameters
from organdose.nuclear.kernel_cache import cached_scores
from organdose.nuclear.kernel_monte_carlo import emitted_kev
from organdose.nuclear.media import AIR_BELOW_G_CM3, Medium
from organdose.nuclear.voxel_kernels import VoxelKernel, kernel_of_scores
from organdose.patient.dose_grid import DoseGrid
from organdose.progress import Progress

REACH_MM = 500.0
_ADVANCED = {"group": "Advanced"}


class KernelParameters(EngineParameters):
    density_scaled: bool = Field(
        False, title="Scale by density",
        description="multiply the dose in each voxel by the kernel's density over the voxel's own, as if the energy "
                    "left there were that of the kernel's medium")
    kernel_histories: int = Field(
        1_000_000, ge=10_000, le=10**9, title="Histories of a kernel", json_schema_extra=_ADVANCED,
        description="of each kind of particle, where the kernel is not in the cache")
    kernel_seed: int = Field(1, ge=0, lt=2**40, title="Seed of a kernel", json_schema_extra=_ADVANCED,
                             description="the same seed gives the same kernel")


def checked_source(source: ActivityIntegral) -> None:
    """Raises `InputError` for a nuclide whose emissions leave no dose."""
    if not emitted_kev(source.mixture.emissions) > 0:
        raise InputError(f"{source.mixture.parent.name} emits nothing that leaves dose",
                         mend="Choose another radionuclide.")


def kernels_in(media: Sequence[Medium], source: ActivityIntegral, grid: DoseGrid, parameters: KernelParameters,
               progress: Progress | None) -> list[VoxelKernel]:
    """A kernel of the source's nuclides for each medium, as far as the grid and REACH_MM go."""
    spacing_mm = grid.voxels.spacing_mm
    half = tuple(max(1, min(math.ceil(REACH_MM / size), count - 1))
                 for size, count in zip(spacing_mm, grid.voxels.shape[::-1]))
    kernels = []
    for medium in media:
        scores = cached_scores(source.mixture, medium, spacing_mm, histories=parameters.kernel_histories,
                               seed=parameters.kernel_seed, progress=progress)
        kernels.append(kernel_of_scores(scores, medium, spacing_mm, half, source.mixture.emissions.unsupported))
    return kernels


def density_factor(kernel: VoxelKernel, density_g_cm3: np.ndarray) -> np.ndarray:
    """What turns dose to the kernel's medium into energy over the voxel's own mass; 1 in air, float32."""
    reference = np.float32(kernel.medium.density_g_cm3)
    return np.where(density_g_cm3 < AIR_BELOW_G_CM3, np.float32(1.0),
                    reference / np.maximum(density_g_cm3, np.float32(AIR_BELOW_G_CM3)))


def kernel_dose_map(name: str, dose_mgy: np.ndarray, source: ActivityIntegral, grid: DoseGrid,
                    kernels: Sequence[VoxelKernel], parameters: KernelParameters, method: Sequence[str]) -> DoseMap:
    """The map with its facts; `method`: lines that only this engine has to say."""
    lines = [source.mixture.assumption, *method, *_density_lines(parameters),
             *(f"Left out: {part}" for part in kernels[0].left_out),
             "The kernels' uncertainty is that of their own Monte Carlo; the map has none of its own, and that of the "
             "activity is not in it."]
    facts = {"decays": source.total_decays, "kernel_reach_mm": REACH_MM,
             "kernel_histories": parameters.kernel_histories, "kernels": [_kernel_line(kernel) for kernel in kernels],
             "assumptions": lines}
    return DoseMap(dose_image(dose_mgy, grid), grid.voxels.density_g_cm3, f"{name} {__version__}", facts=facts)


def _density_lines(parameters: KernelParameters) -> list[str]:
    if not parameters.density_scaled:
        return ["Dose is that to the kernel's medium; the voxels' own densities are not used."]
    return ["Dose is scaled by the kernel's density over the voxel's own: as much energy as in the kernel's medium, in "
            f"the voxel's mass. Voxels below {AIR_BELOW_G_CM3:g} g/cm3 (air) are not scaled."]


def _kernel_line(kernel: VoxelKernel) -> str:
    percent = 100 * kernel.octant_relative_uncertainty
    beyond_kev = kernel.emitted_kev - kernel.energy_kev
    return (f"{kernel.medium.material.name}, {kernel.medium.density_g_cm3:g} g/cm3: "
            f"{kernel.at(0, 0, 0):.4g} mGy/(MBq s) to the voxel itself (+- {percent[0, 0, 0]:.2g} %), "
            f"{kernel.at(1, 0, 0):.4g} to its neighbour along x (+- {percent[0, 0, 1]:.2g} %); "
            f"{max(0.0, beyond_kev):.4g} of {kernel.emitted_kev:.5g} keV a decay are left farther away than it reaches")


def dose_image(dose_mgy: np.ndarray, grid: DoseGrid) -> sitk.Image:
    image = sitk.GetImageFromArray(dose_mgy.astype(np.float32, copy=False))
    image.CopyInformation(grid.geometry)
    return image
