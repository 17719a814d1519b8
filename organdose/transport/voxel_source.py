"""Particles from inside voxels: each starts somewhere in a voxel, as often as its activity says, in any direction.

Knows nothing of nuclides: energies come as lines and cells of a spectrum.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numba import njit

from organdose.errors import InputError
from organdose.transport.alias_table import alias_rows, drawn
from organdose.transport.compiled import scalar_function
from organdose.transport.emission import EMISSION_STREAM, put
from organdose.transport.interactions import any_direction
from organdose.transport.particles import Electrons, Photons
from organdose.transport.random_numbers import first_state, next_state, uniform, uniform_pair


@dataclass(frozen=True)
class Energies:
    """What a particle's energy is drawn from: `yields` (any unit) of lines, whose `width_kev` is 0, and of cells of a
    continuous spectrum from `lowest_kev` on, all (n,). Raises `InputError` for energies that are none."""

    lowest_kev: np.ndarray
    width_kev: np.ndarray
    yields: np.ndarray

    def __post_init__(self):
        low, width, yields = (np.asarray(v, float) for v in (self.lowest_kev, self.width_kev, self.yields))
        if not len(low) == len(width) == len(yields) or not len(low) or not (low + width).min() > 0 or low.min() < 0 \
                or width.min() < 0 or yields.min() < 0 or not yields.sum() > 0:
            raise InputError("a spectrum needs energies above 0 keV and yields, as many of one as of the other",
                             mend="Correct the spectrum.")

    @classmethod
    def lines(cls, energies_kev, yields=(1.0,)) -> Energies:
        energies_kev = np.atleast_1d(np.asarray(energies_kev, float))
        return cls(energies_kev, np.zeros(len(energies_kev)), np.asarray(yields, float))

    @property
    def highest_kev(self) -> float:
        return float(np.max(np.asarray(self.lowest_kev) + np.asarray(self.width_kev)))

    @property
    def mean_kev(self) -> float:
        return float(np.average(np.asarray(self.lowest_kev) + 0.5 * np.asarray(self.width_kev), weights=self.yields))


@dataclass(frozen=True)
class VoxelSource:
    """A `PhotonSource` and an `ElectronSource` in voxels.

    `activity` (z, y, x): relative numbers of particles, not negative; `spacing_mm`, `origin_mm` (centre of the first
    voxel) in the order (x, y, z). `charge`: of emitted electrons, 0 or 1 (positrons). `weight`: statistical weight of
    each particle. Raises `InputError` for a map without activity, or a weight that is not positive.
    """

    activity: np.ndarray
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float]
    energies: Energies
    charge: int = 0
    weight: float = 1.0
    places: tuple = field(default=None, repr=False)
    emission: tuple = field(init=False, repr=False)

    def __post_init__(self):
        if not self.weight > 0:
            raise InputError(f"particles of weight {self.weight:g}", mend="Give a positive weight.")
        if self.places is None:
            object.__setattr__(self, "places", self._places())
        tables = (*self.places, *alias_rows(np.asarray(self.energies.yields, float)[None]),
                  np.asarray(self.energies.lowest_kev, float), np.asarray(self.energies.width_kev, float),
                  float(self.weight))
        object.__setattr__(self, "emission", (one_particle, tables))

    def _places(self) -> tuple:
        """What voxels are drawn from."""
        activity = np.asarray(self.activity)
        if activity.ndim != 3 or not np.all(np.isfinite(activity)) or activity.min() < 0 or not activity.sum() > 0:
            raise InputError("an activity map needs three dimensions, finite numbers, none of them negative, not all 0",
                             mend="Correct the map.")
        # Voxels without activity need no place in the table.
        holding = np.flatnonzero(activity)
        return (*alias_rows(activity.ravel()[holding][None].astype(float)), holding.astype(np.int32),
                *activity.shape[:0:-1], *(float(s) for s in self.spacing_mm),
                *(float(o) - 0.5 * float(s) for o, s in zip(self.origin_mm, self.spacing_mm)))

    def emitting(self, energies: Energies, charge: int = 0, weight: float = 1.0) -> VoxelSource:
        """Other particles from the same places, whose table they share."""
        return replace(self, energies=energies, charge=charge, weight=weight)

    @property
    def highest_kev(self) -> float:
        return self.energies.highest_kev

    def emit(self, photons: Photons, seed: int, first_history: int) -> None:
        """See `PhotonSource.emit`."""
        _emit(photons.position_mm, photons.direction, photons.energy_kev, photons.weight, seed, first_history,
              self.emission[1])

    def emit_electrons(self, electrons: Electrons, seed: int, first_history: int) -> None:
        """See `ElectronSource.emit_electrons`."""
        _emit(electrons.position_mm, electrons.direction, electrons.energy_kev, electrons.weight, seed, first_history,
              self.emission[1])
        electrons.charge[:] = self.charge


@scalar_function
def one_particle(seed, history, chance, alias, voxels, count_x, count_y, spacing_x, spacing_y, spacing_z, corner_x,
                 corner_y, corner_z, energy_chance, energy_alias, lowest_kev, width_kev, weight):
    """x, y, z (mm), u, v, w (unit direction), energy (keV) and weight of the particle of (seed, history)."""
    state = next_state(first_state(seed, EMISSION_STREAM, history))
    place, _ = drawn(chance, alias, 0, uniform(state))
    voxel = voxels[place]
    i, j, m = voxel % count_x, (voxel // count_x) % count_y, voxel // (count_x * count_y)
    state = next_state(state)
    in_x, in_y = uniform_pair(state)
    state = next_state(state)
    in_z, _ = uniform_pair(state)
    state = next_state(state)
    cell, part = drawn(energy_chance, energy_alias, 0, uniform(state))
    u, v, w, state = any_direction(state)
    return (corner_x + (i + in_x) * spacing_x, corner_y + (j + in_y) * spacing_y, corner_z + (m + in_z) * spacing_z,
            u, v, w, lowest_kev[cell] + part * width_kev[cell], weight)


@njit(nogil=True, cache=True)
def _emit(position_mm, direction, energy_kev, weight, seed, first_history, tables):
    for n in range(position_mm.shape[0]):
        put(one_particle(seed, first_history + n, *tables), position_mm, direction, energy_kev, weight, n)
