"""What one decay in the middle voxel leaves around it: electrons by voxel, photons by distance, by Monte Carlo.

Electrons and positrons fly through the kernel's own voxels, as far as they reach. Photons, those of the nuclide and
those that electrons and positrons make, are scored by their distance from the decay (`radial_photons`), which serves
voxels of any size and is smooth however far away.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from organdose.errors import InputError
from organdose.nuclear.emission_sampling import EnergyTable, electron_table, photon_table, positron_table
from organdose.nuclear.emissions import Emissions
from organdose.nuclear.media import Medium
from organdose.nuclear.radial_photons import SHELLS, Flight, follow_by_radius
from organdose.progress import Progress
from organdose.transport.cross_sections import photon_tables
from organdose.transport.electron_tables import RANGE, electron_tables
from organdose.transport.electron_tracks import Secondaries
from organdose.transport.electron_transport import (
    FIRST_ELECTRON_STREAM,
    GENERATIONS,
    PHOTONS_A_HISTORY,
    follow_electrons,
)
from organdose.transport.elements import ELECTRON_REST_KEV, HIGHEST_KEV, LOWEST_KEV
from organdose.transport.particles import Electrons, Photons
from organdose.transport.voxel_grid import VoxelGrid
from organdose.transport.voxel_source import Energies, VoxelSource

BATCHES = 25
_AT_ONCE = 20_000
_LOCAL_ELECTRON_KEV = 5.0  # slower electrons get less than 1 micrometre far
_FURTHEST = 1.15  # tracks that straggle get a little beyond their range
_MOST_VOXELS = 12_000_000
_SEEDS_APART = 2**40
_SLOWEST_TABLE_KEV = 1100.0


@dataclass(frozen=True)
class KernelScores:
    """Energy per decay (keV) around the source voxel, whose corner of the octant comes first.

    `near_kev` (z, y, x): left by electrons, alphas, recoils and slow photons in each voxel of the octant (all eight are
    alike), `near_uncertainty_kev` its standard uncertainty. `shell_kev` (batches, SHELLS): left by photons in each
    shell of `SHELL_EDGES_MM` around the decay. `balance_kev`: 'emitted', 'deposited', 'leaving' as they really were,
    'scored' in the arrays above, and the standard uncertainty of the first as 'emitted_uncertainty'. `emitted_kev`: by
    the decay data.
    """

    near_kev: np.ndarray
    near_uncertainty_kev: np.ndarray
    shell_kev: np.ndarray
    balance_kev: dict[str, float]
    emitted_kev: float


def kernel_scores(emissions: Emissions, medium: Medium, voxel_mm: tuple[float, float, float], *, histories: int,
                  seed: int = 1, threads: int | None = None, progress: Progress | None = None) -> KernelScores:
    """Follow `histories` of each kind of particle of a decay evenly anywhere in a voxel of `voxel_mm` (x, y, z).

    Raises `InputError` for voxels so small that electrons would reach over too many of them, and too few histories.
    """
    if min(voxel_mm) <= 0 or histories < BATCHES:
        raise InputError(f"a kernel of voxels of {voxel_mm} mm from {histories} histories",
                         mend=f"Voxels must be positive and histories at least {BATCHES}.")
    size = math.ceil(histories / BATCHES)
    world = _World.around(emissions, medium, voxel_mm)
    parts = [(world.runner(table, charge, seed + kind * _SEEDS_APART, size), table.particles_per_decay, title)
             for kind, (table, charge, title) in enumerate(_followed(emissions)) if table.particles_per_decay > 0]
    local_kev = _local_kev(emissions)
    near, variance = np.zeros(world.octant_shape), np.zeros(world.octant_shape)
    near[0, 0, 0], shells = local_kev, np.zeros((BATCHES, SHELLS))
    ledger, emitted_variance = np.array([local_kev, local_kev, 0.0]), 0.0
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        for run, per_decay, title in parts:
            batches = []
            for batch in pool.map(run, range(BATCHES)):
                batches.append(batch)
                (progress or Progress()).report(f"Kernel in {medium.material.name}, {title}", len(batches) / BATCHES)
            octants, in_shells, ledgers = (np.stack(each) * (per_decay / size) for each in zip(*batches))
            near += octants.mean(axis=0)
            variance += octants.var(axis=0, ddof=1) / BATCHES
            shells += in_shells
            ledger += ledgers.mean(axis=0)
            emitted_variance += float(ledgers[:, 0].var(ddof=1)) / BATCHES
    scored = float(whole(near)) + float(shells.sum(axis=1).mean())
    return KernelScores(near, np.sqrt(variance), shells, {
        **dict(zip(("emitted", "deposited", "leaving"), ledger.tolist())), "scored": scored,
        "emitted_uncertainty": math.sqrt(emitted_variance)}, emitted_kev(emissions))


def whole(octant: np.ndarray) -> float:
    """Sum over all voxels of what is given for one octant: those on its faces are shared."""
    return float(np.einsum("zyx,z,y,x->", octant, *(np.where(np.arange(n) > 0, 2.0, 1.0) for n in octant.shape)))


def emitted_kev(emissions: Emissions) -> float:
    """Energy per decay (keV) of all that a kernel accounts for; positrons bring that of their annihilation."""
    photons, positrons = photon_table(emissions, annihilation=False), positron_table(emissions)
    return (emissions.alpha_energy_kev + emissions.electron_energy_kev + photons.energy_kev
            + 2 * ELECTRON_REST_KEV * positrons.particles_per_decay)


def _followed(emissions: Emissions) -> list[tuple[EnergyTable, int | None, str]]:
    """Energies, charge (None: photons) and title of each kind of particle that is followed."""
    fast = electron_table(emissions).between(_LOCAL_ELECTRON_KEV, math.inf)
    photons = photon_table(emissions, annihilation=False).between(LOWEST_KEV, HIGHEST_KEV)
    return [(photons, None, "photons"), (fast, 0, "electrons"), (positron_table(emissions), 1, "positrons")]


def _local_kev(emissions: Emissions) -> float:
    """Energy per decay (keV) that stays where the decay was: alphas and recoils (less than 0.1 mm), slow electrons and
    photons."""
    slow_photons = photon_table(emissions, annihilation=False).between(0.0, LOWEST_KEV)
    slow_electrons = electron_table(emissions).between(0.0, _LOCAL_ELECTRON_KEV)
    return emissions.alpha_energy_kev + slow_photons.energy_kev + slow_electrons.energy_kev


@dataclass(frozen=True)
class _World:
    """The medium with its tables, and the voxels that electrons reach; the source voxel is in their middle."""

    grid: VoxelGrid
    medium: Medium
    photon_tables: tuple
    electron_tables: tuple

    @classmethod
    def around(cls, emissions: Emissions, medium: Medium, voxel_mm) -> _World:
        tables = [table for table, _, _ in _followed(emissions)]
        highest = max([_SLOWEST_TABLE_KEV, *(float(table.high_kev.max()) for table in tables if len(table.yields))])
        stopping = electron_tables((medium.material,), (medium.density_g_cm3,), highest + 1.0)
        charged = [float(table.high_kev.max()) for table in tables[1:] if len(table.yields)]
        reach_mm = _FURTHEST * max((_range_mm(kev, stopping, medium) for kev in charged), default=0.0)
        counts = [2 * (math.ceil(reach_mm / size) + 1) + 1 for size in voxel_mm]
        if math.prod(counts) > _MOST_VOXELS:
            raise InputError(f"a kernel of voxels of {voxel_mm} mm: electrons reach {reach_mm:.0f} mm in "
                             f"{medium.material.name}, over {math.prod(counts):,} voxels",
                             mend="Make the voxels larger.")
        grid = VoxelGrid.of_materials((medium.material,), (medium.density_g_cm3,), np.zeros(counts[::-1], np.uint8),
                                      tuple(voxel_mm))
        photons = photon_tables(grid.materials, min(highest + 1.0, HIGHEST_KEV)).compiled()
        return cls(grid, medium, photons, stopping)

    @property
    def octant_shape(self) -> tuple[int, int, int]:
        return tuple(n // 2 + 1 for n in self.grid.shape)

    def runner(self, table: EnergyTable, charge: int | None, seed: int, size: int
               ) -> Callable[[int], tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """A function that follows batch k: energy by voxel of the octant, by shell, and the ledger (keV)."""
        source = VoxelSource(np.ones((1, 1, 1)), self.grid.spacing_mm, (0.0, 0.0, 0.0),
                             Energies(table.low_kev, table.high_kev - table.low_kev, table.yields), charge or 0)
        follow, packed = self._photons if charge is None else self._electrons, self.grid.packed()

        def run(batch: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            near, shells, ledger = np.zeros(len(packed.voxels), np.float64), np.zeros(SHELLS), np.zeros(3)
            for first in range(batch * size, (batch + 1) * size, _AT_ONCE):
                count = min(_AT_ONCE, (batch + 1) * size - first)
                follow(source, packed, seed, first, count, near, shells, ledger)
            return octant_mean(near.reshape(self.grid.shape), self.grid.spacing_mm), shells, ledger

        return run

    def _photons(self, source, packed, seed, first, count, near, shells, ledger) -> None:
        photons = Photons.empty(count)
        source.emit(photons, seed, first)
        flight = Flight(photons.position_mm, photons.direction, photons.energy_kev, photons.weight,
                        photons.position_mm.copy(), 1)
        follow_by_radius(flight, seed, first, self.medium.density_g_cm3, self.photon_tables, shells, ledger)

    def _electrons(self, source, packed, seed, first, count, near, shells, ledger) -> None:
        electrons = Electrons.empty(count)
        source.emit_electrons(electrons, seed, first)
        decay_mm = electrons.position_mm.copy()
        for generation in range(GENERATIONS):
            photons, knocked = Photons.empty(PHOTONS_A_HISTORY * count), Electrons.empty(count)
            photons.weight[:] = knocked.weight[:] = 0.0
            follow_electrons(electrons.position_mm, electrons.direction, electrons.energy_kev, electrons.weight,
                             electrons.charge, seed, FIRST_ELECTRON_STREAM + generation, first, packed,
                             self.electron_tables, near, ledger,
                             Secondaries(photons.position_mm, photons.direction, photons.energy_kev, photons.weight),
                             Secondaries(knocked.position_mm, knocked.direction, knocked.energy_kev, knocked.weight))
            flight = Flight(photons.position_mm, photons.direction, photons.energy_kev, photons.weight, decay_mm,
                            PHOTONS_A_HISTORY)
            follow_by_radius(flight, seed, PHOTONS_A_HISTORY * (GENERATIONS * first + generation * count),
                             self.medium.density_g_cm3, self.photon_tables, shells, ledger)
            electrons = knocked


def _range_mm(energy_kev: float, stopping, medium: Medium) -> float:
    """CSDA range, the longer of electron's and positron's."""
    place = (math.log(energy_kev) - stopping.log_lowest) * stopping.steps_per_log
    row = min(math.ceil(place), stopping.columns.shape[2] - 1)
    return 10 * float(stopping.columns[:, 0, row, RANGE].max()) / medium.density_g_cm3


def octant_mean(values: np.ndarray, voxel_mm: tuple[float, float, float]) -> np.ndarray:
    """Mean of the mirror images of `values` (z, y, x; odd), and of the turns that voxels of `voxel_mm` (x, y, z) allow;
    the middle comes first."""
    for axis in range(3):
        middle = values.shape[axis] // 2
        values = np.moveaxis(values, axis, 0)
        values = np.moveaxis(0.5 * (values[middle:] + values[middle::-1]), 0, axis)
    sizes = voxel_mm[::-1]
    orders = [order for order in itertools.permutations(range(3)) if all(sizes[a] == sizes[b]
                                                                         for a, b in enumerate(order))]
    return sum(np.transpose(values, order) for order in orders) / len(orders)
