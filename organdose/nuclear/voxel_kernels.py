"""Voxel S-values: dose to the voxels around one that holds the activity, by our own Monte Carlo.

MIRD pamphlet 17 (Bolch et al., J Nucl Med 40 (1999) 11S): the activity lies evenly in the middle voxel of an endless
uniform medium. Electrons, positrons and photons are followed apart and added by their yields (`kernel_monte_carlo`);
alphas and recoils stay in the middle voxel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from organdose.dose_map import MGY_KG_PER_KEV
from organdose.errors import InputError
from organdose.nuclear.emissions import Emissions
from organdose.nuclear.kernel_monte_carlo import BATCHES, KernelScores, kernel_scores, whole
from organdose.nuclear.media import Medium
from organdose.nuclear.photon_voxels import far_octant, near_shape, shell_shares
from organdose.nuclear.radial_photons import SHELL_EDGES_MM
from organdose.progress import Progress

_DECAYS = 1e6  # in a MBq s
_MOST_VOXELS = 50_000_000  # of an octant


@dataclass(frozen=True)
class VoxelKernel:
    """`octant_mgy_per_mbq_s` (z, y, x): dose in the voxels of one octant, the source voxel first; the other seven are
    its mirror images. `octant_relative_uncertainty`: standard, of the Monte Carlo behind it.

    `energy_kev`: per decay, left within the kernel. `emitted_kev`: per decay, of everything that was followed.
    `left_out`: what the nuclide emits besides, named.
    """

    octant_mgy_per_mbq_s: np.ndarray
    octant_relative_uncertainty: np.ndarray
    voxel_mm: tuple[float, float, float]
    medium: Medium
    energy_kev: float
    emitted_kev: float
    left_out: tuple[str, ...]

    @property
    def beyond(self) -> float:
        """Part of the emitted energy that is left outside the kernel."""
        return 1.0 - self.energy_kev / self.emitted_kev

    @cached_property
    def mgy_per_mbq_s(self) -> np.ndarray:
        """The whole kernel (z, y, x), odd in each direction, the source in the middle."""
        return mirrored(self.octant_mgy_per_mbq_s)

    @cached_property
    def relative_uncertainty(self) -> np.ndarray:
        """As `mgy_per_mbq_s`."""
        return mirrored(self.octant_relative_uncertainty)

    def at(self, x: int, y: int, z: int) -> float:
        """Dose (mGy per MBq s) at that many voxels from the source."""
        return float(self.octant_mgy_per_mbq_s[abs(z), abs(y), abs(x)])


def voxel_kernel(emissions: Emissions, medium: Medium, voxel_mm: tuple[float, float, float],
                 half_voxels: int | tuple[int, int, int] = 5, *, histories: int = 400_000, seed: int = 1,
                 threads: int | None = None, progress: Progress | None = None) -> VoxelKernel:
    """The kernel of `emissions` up to `half_voxels` (one number, or x, y, z) from the source.

    `voxel_mm` is (x, y, z); `histories`: for each kind of particle. Raises `InputError` for voxels or kernels that are
    none.
    """
    scores = kernel_scores(emissions, medium, voxel_mm, histories=histories, seed=seed, threads=threads,
                           progress=progress)
    return kernel_of_scores(scores, medium, voxel_mm, half_voxels, emissions.unsupported)


def kernel_of_scores(scores: KernelScores, medium: Medium, voxel_mm: tuple[float, float, float],
                     half_voxels: int | tuple[int, int, int], left_out: tuple[str, ...] = ()) -> VoxelKernel:
    """The kernel up to `half_voxels` from what Monte Carlo scored for `voxel_mm`; how far it reaches costs little."""
    counts = tuple(n + 1 for n in np.broadcast_to(half_voxels, 3)[::-1].tolist())
    if min(counts) < 2 or math.prod(counts) > _MOST_VOXELS:
        raise InputError(f"a kernel of {half_voxels} voxels of {voxel_mm} mm",
                         mend=f"It needs 1 and more voxels to each side, and at most {_MOST_VOXELS:,} in an octant.")
    energy, variance = _photons(scores.shell_kev, voxel_mm, counts)
    held = tuple(slice(min(n, m)) for n, m in zip(counts, scores.near_kev.shape))
    energy[held] += scores.near_kev[held]
    variance[held] += scores.near_uncertainty_kev[held] ** 2
    uncertainty = np.divide(np.sqrt(variance), energy, out=np.ones_like(energy), where=energy > 0)
    voxel_kg = math.prod(voxel_mm) * medium.density_g_cm3 * 1e-6
    return VoxelKernel(energy * (_DECAYS * MGY_KG_PER_KEV / voxel_kg), uncertainty.astype(np.float32), tuple(voxel_mm),
                       medium, whole(energy), scores.emitted_kev, left_out)


def _photons(shell_kev: np.ndarray, voxel_mm, counts: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Energy of photons in the octant's voxels (keV per decay) and its variance; `shell_kev` (batches, SHELLS)."""
    mean = shell_kev.mean(axis=0)
    energy = far_octant(mean, voxel_mm, counts)
    spread = shell_kev.std(axis=0, ddof=1) / math.sqrt(BATCHES)
    relative = np.divide(spread, mean, out=np.ones_like(mean), where=mean > 0)
    z, y, x = (size * np.arange(n) for size, n in zip(voxel_mm[::-1], counts))
    distance = np.sqrt(z[:, None, None] ** 2 + y[:, None] ** 2 + x**2)
    shell = np.clip(np.searchsorted(SHELL_EDGES_MM, distance, side="right") - 1, 0, len(mean) - 1)
    variance = (energy * relative[shell]) ** 2
    shape = near_shape(voxel_mm, counts)
    near, batches = tuple(map(slice, shape)), shell_kev @ shell_shares(voxel_mm, shape).T
    energy[near] = batches.mean(axis=0).reshape(shape)
    variance[near] = (batches.var(axis=0, ddof=1) / BATCHES).reshape(shape)
    return energy, variance


def mirrored(octant: np.ndarray) -> np.ndarray:
    """All eight octants of a kernel from the first one."""
    for axis in range(3):
        octant = np.concatenate([np.flip(octant, axis).take(range(octant.shape[axis] - 1), axis), octant], axis)
    return octant
