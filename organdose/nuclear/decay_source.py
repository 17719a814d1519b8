"""What decays in voxels as sources for the transport: one history of theirs is one decay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from organdose.errors import InputError
from organdose.nuclear.emission_sampling import EnergyTable, electron_table, photon_table, positron_table
from organdose.nuclear.emissions import Emissions
from organdose.transport.elements import HIGHEST_KEV, LOWEST_KEV
from organdose.transport.voxel_source import Energies, VoxelSource

_SLOWEST_TABLE_KEV = 1100.0  # tables of less reach have too few energies to interpolate between


@dataclass(frozen=True)
class DecaySource:
    """`photons` (0 or 1 sources) and `electrons` (up to 2: electrons, positrons), for `run_particles`.

    `local_kev`: per decay, of what stays where it arises: alphas and recoils (within 0.1 mm), and photons too slow to
    be followed. `highest_kev`: of anything emitted or made, for the tables.
    """

    photons: tuple[VoxelSource, ...]
    electrons: tuple[VoxelSource, ...]
    local_kev: float
    highest_kev: float


def decay_source(emissions: Emissions, decays: np.ndarray, spacing_mm: tuple[float, float, float],
                 origin_mm: tuple[float, float, float]) -> DecaySource:
    """`decays` (z, y, x): relative numbers of decays in each voxel; `spacing_mm`, `origin_mm` as `VoxelSource`.

    Positrons make their annihilation photons where they stop; those of ICRP 107 are left out. What cannot be followed
    is in neither (`emission_range.untransported` names it). Raises `InputError` for a map without decays and a nuclide
    that emits nothing.
    """
    every = photon_table(emissions, annihilation=False)
    followed = every.between(LOWEST_KEV, HIGHEST_KEV)
    slow_kev = every.between(0.0, LOWEST_KEV).energy_kev
    local_kev = emissions.alpha_energy_kev + slow_kev
    kinds = ((followed, 0), (electron_table(emissions), 0), (positron_table(emissions), 1))
    present = [(table, charge) for table, charge in kinds if table.particles_per_decay > 0]
    if not present:
        if local_kev > 0:
            return DecaySource((), (), local_kev, _SLOWEST_TABLE_KEV)
        raise InputError("the radionuclide emits nothing that leaves dose", mend="Choose another radionuclide.")
    first = VoxelSource(decays, spacing_mm, origin_mm, _energies(present[0][0]))
    sources = [first.emitting(_energies(table), charge, table.particles_per_decay) for table, charge in present]
    number_of_photons = int(present[0][0] is followed)
    highest_kev = max([_SLOWEST_TABLE_KEV, *(source.highest_kev for source in sources)])
    return DecaySource(tuple(sources[:number_of_photons]), tuple(sources[number_of_photons:]), local_kev, highest_kev)


def _energies(table: EnergyTable) -> Energies:
    return Energies(table.low_kev, table.high_kev - table.low_kev, table.yields)
