"""Voxel S-values: dose to the voxels around one that holds the activity, by our own Monte Carlo.

MIRD pamphlet 17 (Bolch et al., J Nucl Med 40 (1999) 11S): the activity lies evenly in the middle voxel of a large
uniform medium. Electrons, positrons and photons are followed apart and added by their yields.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from organdose.errors import InputError
from organdose.nuclear.emission_sampling import EnergyTable, electron_table, photon_table, positron_table
from organdose.nuclear.emissions import Emissions
from organdose.nuclear.media import Medium
from organdose.progress import Progress
from organdose.transport.cross_sections import photon_tables
from organdose.transport.electron_tables import electron_tables
from organdose.transport.elements import HIGHEST_KEV, LOWEST_KEV
from organdose.transport.monte_carlo import StopRule, Tally, run_electrons, run_photons
from organdose.transport.voxel_grid import VoxelGrid
from organdose.transport.voxel_source import Energies, VoxelSource

MGY_KG_PER_KEV = 1.602176634e-13
_DECAYS = 1e6  # in a MBq s
_MARGIN_MM = 60.0  # of medium around the kernel, for photons that come back
_MOST_VOXELS = 8_000_000


@dataclass(frozen=True)
class VoxelKernel:
    """`mgy_per_mbq_s` (z, y, x), odd in each direction, the source in the middle; `relative_uncertainty` likewise.

    `energy_kev`: per decay, left in the kernel. `emitted_kev`: per decay, of everything that was followed.
    `left_out`: what the nuclide emits besides, named.
    """

    mgy_per_mbq_s: np.ndarray
    relative_uncertainty: np.ndarray
    voxel_mm: tuple[float, float, float]
    medium: Medium
    energy_kev: float
    emitted_kev: float
    left_out: tuple[str, ...]

    def at(self, x: int, y: int, z: int) -> float:
        """Dose (mGy per MBq s) at that many voxels from the source."""
        half = [n // 2 for n in self.mgy_per_mbq_s.shape]
        return float(self.mgy_per_mbq_s[half[0] + z, half[1] + y, half[2] + x])


def voxel_kernel(emissions: Emissions, medium: Medium, voxel_mm: tuple[float, float, float], half_voxels: int = 5, *,
                 histories: int = 400_000, seed: int = 1, progress: Progress | None = None) -> VoxelKernel:
    """The kernel of `emissions` up to `half_voxels` from the source in each direction.

    `histories`: for each kind of particle. Raises `InputError` for voxels or kernels that are none.
    """
    if min(voxel_mm) <= 0 or half_voxels < 1:
        raise InputError(f"a kernel of {half_voxels} voxels of {voxel_mm} mm", mend="Both must be positive.")
    grid, inner = _grid(medium, voxel_mm, half_voxels)
    followed = _followed(emissions, grid, medium, histories, seed, progress or Progress())
    energy, variance = np.zeros(grid.shape), np.zeros(grid.shape)
    for tally, per_decay in followed:
        part = tally.energy_kev * per_decay
        energy += part
        variance += (part * tally.relative_uncertainty) ** 2
    middle = tuple(n // 2 for n in grid.shape)
    energy[middle] += _below(photon_table(emissions, annihilation=False))
    images = _images(energy[inner], voxel_mm)
    energy = images.mean(axis=0)
    # An image that falls on itself is no further measurement.
    different = 1 + (np.diff(np.sort(_images(np.arange(energy.size).reshape(energy.shape), voxel_mm), axis=0), axis=0)
                     != 0).sum(axis=0)
    variance = _images(variance[inner], voxel_mm).mean(axis=0) / different
    uncertainty = np.divide(np.sqrt(variance), energy, out=np.ones_like(energy), where=energy > 0)
    emitted = sum(table.energy_kev for table in _tables(emissions)) + (
        positron_table(emissions).particles_per_decay * 2 * 510.99895)
    return VoxelKernel(energy * _DECAYS * MGY_KG_PER_KEV / grid.voxel_mass_kg[middle], uncertainty, voxel_mm, medium,
                       float(energy.sum()), emitted, emissions.unsupported)


def _tables(emissions: Emissions) -> tuple[EnergyTable, EnergyTable, EnergyTable]:
    return photon_table(emissions, annihilation=False), electron_table(emissions), positron_table(emissions)


def _grid(medium: Medium, voxel_mm, half_voxels: int) -> tuple[VoxelGrid, tuple[slice, ...]]:
    """The medium with its margin, and where the kernel lies in it (z, y, x)."""
    margins = [math.ceil(_MARGIN_MM / size) for size in voxel_mm]
    counts = [2 * (half_voxels + margin) + 1 for margin in margins]
    if math.prod(counts) > _MOST_VOXELS:
        raise InputError(f"a kernel of {half_voxels} voxels of {voxel_mm} mm needs {math.prod(counts):,} voxels",
                         mend="Make the kernel smaller or its voxels larger.")
    index = np.zeros(counts[::-1], np.uint8)
    grid = VoxelGrid.of_materials((medium.material,), (medium.density_g_cm3,), index, voxel_mm)
    return grid, tuple(slice(margin, margin + 2 * half_voxels + 1) for margin in reversed(margins))


def _followed(emissions: Emissions, grid: VoxelGrid, medium: Medium, histories: int, seed: int,
              progress: Progress) -> list[tuple[Tally, float]]:
    """A tally for each kind of particle there is, with the number of its particles per decay."""
    photons, electrons, positrons = _tables(emissions)
    photons = photons.between(LOWEST_KEV, HIGHEST_KEV)
    highest = max([1100.0, *(float(table.high_kev.max()) for table in (photons, electrons, positrons)
                             if len(table.yields))])
    tables = photon_tables(grid.materials, min(highest + 1.0, HIGHEST_KEV))
    stopping = electron_tables(grid.materials, (medium.density_g_cm3,), highest + 1.0)
    activity = np.zeros(grid.shape, np.float32)
    activity[tuple(n // 2 for n in grid.shape)] = 1.0

    def source(table: EnergyTable, charge: int = 0) -> VoxelSource:
        energies = Energies(table.low_kev, table.high_kev - table.low_kev, table.yields)
        return VoxelSource(activity, grid.spacing_mm, grid.origin_mm, energies, charge)

    runs: list[tuple[EnergyTable, Callable[[], Tally]]] = [
        (photons, lambda: run_photons(source(photons), grid, tables, StopRule(histories), seed=seed, device="cpu",
                                      progress=progress, stage="Kernel, photons")),
        (electrons, lambda: run_electrons(source(electrons), grid, tables, stopping, StopRule(histories), seed=seed,
                                          progress=progress, stage="Kernel, electrons")),
        (positrons, lambda: run_electrons(source(positrons, 1), grid, tables, stopping, StopRule(histories), seed=seed,
                                          progress=progress, stage="Kernel, positrons"))]
    return [(run(), table.particles_per_decay) for table, run in runs if table.particles_per_decay > 0]


def _below(photons: EnergyTable) -> float:
    """Energy per decay (keV) of photons too slow to be followed: they stay where they are."""
    return photons.energy_kev - photons.between(LOWEST_KEV, HIGHEST_KEV).energy_kev


def _turns(voxel_mm) -> list[tuple[int, int, int]]:
    """Orders of the axes (z, y, x) that leave the voxel as it is."""
    sizes = voxel_mm[::-1]
    return [order for order in itertools.permutations(range(3)) if all(sizes[a] == sizes[b] for a, b in
                                                                       enumerate(order))]


def _images(values: np.ndarray, voxel_mm) -> np.ndarray:
    """The mirror images and turns that the medium and the voxel allow, (images, z, y, x)."""
    mirrored = [np.flip(values, axes) for n in range(4) for axes in itertools.combinations(range(3), n)]
    return np.stack([np.transpose(image, order) for image in mirrored for order in _turns(voxel_mm)])
