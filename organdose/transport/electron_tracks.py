"""Whole tracks of electrons and positrons. Scalar functions for CPU and CUDA alike."""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from organdose.transport.compiled import scalar_function
from organdose.transport.electron_flights import (
    border_distance,
    deflection_cosine,
    energy_after,
    nearest_border,
    radiated_photon,
    radiation_yield,
    range_g_cm2,
    step_length_g_cm2,
    straggled_loss,
)
from organdose.transport.elements import ELECTRON_REST_KEV, LOWEST_KEV
from organdose.transport.flights import material_and_density
from organdose.transport.interactions import any_direction, turned
from organdose.transport.random_numbers import next_state, uniform_pair

_EMPTY_G_CM3 = 1e-9
_CM_PER_MM = 0.1
# Tracks that straggle reach a little beyond their CSDA range.
_FURTHEST = 1.1


class Secondaries(NamedTuple):
    """Arrays that particles set free on a track are noted in: positions (mm) and directions (n, 3), energies (keV) and
    weights (n), float32. A weight of 0 stands for no particle."""

    position_mm: np.ndarray
    direction: np.ndarray
    energy_kev: np.ndarray
    weight: np.ndarray


@njit(inline="always", _nrt=False, error_model="numpy")
def follow_electron(x, y, z, u, v, w, energy, carried, kind, grid, tables, score, deposited_kev, photons, photon_row,
                    knocked, row, hands_on, state):
    """One electron (`kind` 0) or positron (1) to its end; what it leaves in a voxel is `score`d into `deposited_kev`.

    Its bremsstrahlung becomes the photon of `photon_row`, the fast electrons it knocks on that of `row` of `knocked`:
    one each, chosen by its energy, stands for all. Unless it `hands_on`, electrons stay where they are knocked on.
    Returns where the track ends (in the grid's coordinates), the energy with which it left the grid (0 inside), what it
    left behind and what it gave to electrons and photons that are still to be followed (keV, without its weight), and
    the random state.
    """
    i, j, m = _voxel_number(x, grid.voxel_x), _voxel_number(y, grid.voxel_y), _voxel_number(z, grid.voxel_z)
    radiated = handed_on = left_behind = whole = hinge = scattering = 0.0
    before_hinge = True
    while energy > 0.0 and 0 <= i < grid.count_x and 0 <= j < grid.count_y and 0 <= m < grid.count_z:
        voxel = (m * grid.count_y + j) * grid.count_x + i
        material, steps = material_and_density(voxel, grid)
        per_mm = steps * grid.density_step  # g/cm2 in a mm
        length, axis = border_distance(x, y, z, u, v, w, i, j, m, grid)
        crosses = True
        if per_mm > _EMPTY_G_CM3 * _CM_PER_MM:
            room = nearest_border(x, y, z, i, j, m, grid) * per_mm
            if whole == 0.0:
                whole, scattering = step_length_g_cm2(energy, kind, material, tables)
                state = next_state(state)
                hinge, _ = uniform_pair(state)
                hinge, before_hinge = hinge * whole, True
            wanted = (hinge if before_hinge else whole - hinge) / per_mm
            crosses = length < wanted
            length = min(length, wanted)
            lost, light, photon_kev, knock, state = _loss(energy, length * per_mm, room, kind, material, tables,
                                                          hands_on, state)
            score(deposited_kev, voxel, (lost - light - knock) * carried)
            left_behind += lost - light - knock
            radiated += light
            state = _noted(light, radiated, photon_kev, x, y, z, u, v, w, grid, photons, photon_row, state)
            handed_on += knock
            state = _noted(knock, handed_on, knock, x, y, z, u, v, w, grid, knocked, row, state)
            energy -= lost
        x, y, z = x + u * length, y + v * length, z + w * length
        if crosses:
            i, j, m = _next_voxel(i, j, m, axis, u, v, w)
            whole = 0.0
        elif before_hinge:
            state = next_state(state)
            r, turn = uniform_pair(state)
            u, v, w = turned(u, v, w, deflection_cosine(0.5 * scattering * whole, r), 2.0 * math.pi * turn)
            before_hinge = False
        else:
            whole = 0.0
    _finished(radiated, handed_on, carried, photons, photon_row, knocked, row)
    return x, y, z, energy, left_behind, radiated + handed_on, state


@scalar_function
def _voxel_number(place, voxel_mm):
    return int(math.floor(place / voxel_mm))  # noqa: RUF046 (on CUDA, numba's floor is a float)


@scalar_function
def _loss(energy, length_g_cm2, room_g_cm2, kind, material, tables, hands_on, state):
    """What is lost on a piece of track (keV); of that what is radiated, with the energy of its photons, and what an
    electron gets that may leave the voxel; and the random state. A particle that cannot leave its voxel any more loses
    everything."""
    if energy <= LOWEST_KEV:
        return energy, 0.0, 0.0, 0.0, state
    if range_g_cm2(energy, kind, material, tables) * _FURTHEST < room_g_cm2:
        light, photon_kev, state = radiated_photon(energy * radiation_yield(energy, kind, material, tables), energy,
                                                   state)
        return energy, light, photon_kev, 0.0, state
    mean_after, radiating = energy_after(energy, length_g_cm2, kind, material, tables)
    mean_lost = energy - mean_after
    light, photon_kev, state = radiated_photon(mean_lost * radiating, energy, state)
    lost, largest, state = straggled_loss(mean_lost * (1.0 - radiating), energy, length_g_cm2, kind, material, tables,
                                          state)
    knock = 0.0
    if hands_on and largest > LOWEST_KEV and range_g_cm2(largest, 0, material, tables) > room_g_cm2:
        knock = largest
    lost = min(lost, energy - light)
    knock = min(knock, lost)
    if photon_kev <= LOWEST_KEV:
        return lost + light, 0.0, 0.0, knock, state
    return lost + light, light, photon_kev, knock, state


@scalar_function
def _noted(given, so_far, energy, x, y, z, u, v, w, grid, secondaries, row, state):
    """Note the place, with the probability that `given` has in all given `so_far`; returns the random state."""
    if given > 0.0:
        state = next_state(state)
        keep, _ = uniform_pair(state)
        if keep * so_far < given:
            secondaries.position_mm[row, 0] = x + grid.corner_x
            secondaries.position_mm[row, 1] = y + grid.corner_y
            secondaries.position_mm[row, 2] = z + grid.corner_z
            secondaries.direction[row, 0] = u
            secondaries.direction[row, 1] = v
            secondaries.direction[row, 2] = w
            secondaries.energy_kev[row] = energy
    return state


@scalar_function
def _finished(radiated, handed_on, carried, photons, photon_row, knocked, row):
    """Weights of the photon and the electron that stand for all."""
    if radiated > 0.0:
        photons.weight[photon_row] = radiated / photons.energy_kev[photon_row] * carried
    if handed_on > 0.0:
        knocked.weight[row] = handed_on / knocked.energy_kev[row] * carried


@scalar_function
def _next_voxel(i, j, m, axis, u, v, w):
    if axis == 0:
        return i + (1 if u > 0.0 else -1), j, m
    if axis == 1:
        return i, j + (1 if v > 0.0 else -1), m
    return i, j, m + (1 if w > 0.0 else -1)


@scalar_function
def annihilate(x, y, z, carried, photons, row, state):
    """Two photons of 511 keV back to back, in any direction."""
    u, v, w, state = any_direction(state)
    for photon in range(2):
        sign = 1.0 - 2.0 * photon
        photons.position_mm[row + photon, 0] = x
        photons.position_mm[row + photon, 1] = y
        photons.position_mm[row + photon, 2] = z
        photons.direction[row + photon, 0] = sign * u
        photons.direction[row + photon, 1] = sign * v
        photons.direction[row + photon, 2] = sign * w
        photons.energy_kev[row + photon] = ELECTRON_REST_KEV
        photons.weight[row + photon] = carried
