"""Photons in an endless uniform medium, scored by how far from the place of the decay they leave their energy.

Around a point everything is alike in all directions, so shells gather what voxels would scatter: the kernel of photons
is smooth at any distance. Random flights as in `transport`, without a grid.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from organdose.transport.cross_sections import ATTENUATION, TRANSFERRED
from organdose.transport.interactions import energy_place, interact, looked_up
from organdose.transport.random_numbers import first_state, next_state, uniform_pair

_INNERMOST_MM, _OUTERMOST_MM, _SHELLS_PER_LOG = 0.1, 1000.0, 20.0
_STREAM = 16  # of random numbers; those of the transport are below
SHELL_EDGES_MM = np.concatenate([[0.0], np.geomspace(
    _INNERMOST_MM, _OUTERMOST_MM, round(_SHELLS_PER_LOG * math.log(_OUTERMOST_MM / _INNERMOST_MM)) + 1)])
SHELL_EDGES_MM.flags.writeable = False
SHELLS = len(SHELL_EDGES_MM) - 1
_PER_LOG = (SHELLS - 1) / math.log(_OUTERMOST_MM / _INNERMOST_MM)


class Flight(NamedTuple):
    """Photons to follow: `position_mm` and `direction` (n, 3), `energy_kev` and `weight` (n). Photon k belongs to the
    decay at `decay_mm[k // photons_a_decay]`."""

    position_mm: np.ndarray
    direction: np.ndarray
    energy_kev: np.ndarray
    weight: np.ndarray
    decay_mm: np.ndarray
    photons_a_decay: int


@njit(nogil=True, cache=True)
def follow_by_radius(flight, seed, first_photon, density_g_cm3, tables, shell_kev, ledger_kev):
    """Follow every photon until it is absorbed or 1 m away from its decay.

    Adds what collisions leave on average (keV times weight) to `shell_kev` (SHELLS), and to `ledger_kev` what is really
    (emitted, deposited, leaving). `tables`: `PhotonTables.compiled()` of one material.
    """
    for n in range(flight.energy_kev.shape[0]):
        energy, carried = float(flight.energy_kev[n]), float(flight.weight[n])
        if carried == 0.0:
            continue
        decay = flight.decay_mm[n // flight.photons_a_decay]
        x = float(flight.position_mm[n, 0] - decay[0])
        y = float(flight.position_mm[n, 1] - decay[1])
        z = float(flight.position_mm[n, 2] - decay[2])
        u, v, w = float(flight.direction[n, 0]), float(flight.direction[n, 1]), float(flight.direction[n, 2])
        ledger_kev[0] += energy * carried
        state = first_state(seed, _STREAM, first_photon + n)
        while energy > 0.0:
            k, part = energy_place(energy, tables)
            attenuation = looked_up(tables, 0, k, part, ATTENUATION)
            state = next_state(state)
            r, choice = uniform_pair(state)
            distance = -math.log(r) / (0.1 * density_g_cm3 * attenuation)
            x, y, z = x + u * distance, y + v * distance, z + w * distance
            radius = math.sqrt(x * x + y * y + z * z)
            if radius >= _OUTERMOST_MM:
                break
            before = energy * carried
            given = before * looked_up(tables, 0, k, part, TRANSFERRED) / attenuation
            energy, u, v, w, rest, factor, state = interact(choice, energy, u, v, w, 0, k, part, tables, state)
            shell = 0 if radius < _INNERMOST_MM else 1 + int(math.log(radius / _INNERMOST_MM) * _PER_LOG)
            shell_kev[min(shell, SHELLS - 1)] += given + rest * carried
            carried *= factor
            ledger_kev[1] += before - energy * carried
        ledger_kev[2] += energy * carried
