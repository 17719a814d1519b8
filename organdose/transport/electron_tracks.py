"""Whole tracks of electrons and positrons. Scalar functions for CPU and CUDA alike."""

import math

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
)
from organdose.transport.elements import ELECTRON_REST_KEV, LOWEST_KEV
from organdose.transport.flights import material_and_density
from organdose.transport.interactions import any_direction, turned
from organdose.transport.random_numbers import next_state, uniform_pair

_EMPTY_G_CM3 = 1e-9
_CM_PER_MM = 0.1


@njit(inline="always", _nrt=False, error_model="numpy")
def follow_electron(x, y, z, u, v, w, energy, carried, kind, grid, tables, score, deposited_kev, photon_position_mm,
                    photon_direction, photon_energy_kev, photon_weight, row, state):
    """One electron (`kind` 0) or positron (1) to its end; what it leaves in a voxel is `score`d into `deposited_kev`.

    Its bremsstrahlung becomes the photon of `row` (weight 0 where there is none). Returns where the track ends (in the
    grid's coordinates), the energy with which it left the grid (0 inside), what it left behind and what it radiated
    (keV, without its weight), and the random state.
    """
    i, j, m = math.floor(x / grid.voxel_x), math.floor(y / grid.voxel_y), math.floor(z / grid.voxel_z)
    radiated, radiating_kev, left_behind = 0.0, 0.0, 0.0
    whole, hinge, scattering, before_hinge = 0.0, 0.0, 0.0, True
    while energy > 0.0:
        if i < 0 or j < 0 or m < 0 or i >= grid.count_x or j >= grid.count_y or m >= grid.count_z:
            break
        voxel = (m * grid.count_y + j) * grid.count_x + i
        material, steps = material_and_density(voxel, grid)
        per_mm = steps * grid.density_step  # g/cm2 in a mm
        border, axis = border_distance(x, y, z, u, v, w, i, j, m, grid)
        lost_kev = given = 0.0
        if per_mm > _EMPTY_G_CM3 * _CM_PER_MM:
            if energy <= LOWEST_KEV or (range_g_cm2(energy, kind, material, tables)
                                        < nearest_border(x, y, z, i, j, m, grid) * per_mm):
                # It cannot leave this voxel any more.
                given = radiation_yield(energy, kind, material, tables) if energy > LOWEST_KEV else 0.0
                lost_kev, energy_left, length, crosses = energy, 0.0, 0.0, False
            else:
                if whole == 0.0:
                    whole, scattering = step_length_g_cm2(energy, kind, material, tables)
                    state = next_state(state)
                    hinge, _ = uniform_pair(state)
                    hinge, before_hinge = hinge * whole, True
                wanted = (hinge if before_hinge else whole - hinge) / per_mm
                crosses = border < wanted
                length = border if crosses else wanted
                energy_left, given = energy_after(energy, length * per_mm, kind, material, tables)
                lost_kev = energy - energy_left
        else:
            energy_left, length, crosses = energy, border, True
        if lost_kev > 0.0:
            new_kev = lost_kev * given
            score(deposited_kev, voxel, (lost_kev - new_kev) * carried)
            left_behind += lost_kev - new_kev
            state = next_state(state)
            keep, _ = uniform_pair(state)
            radiated += new_kev
            if new_kev > 0.0 and keep * radiated < new_kev:
                # One place of the track, chosen by what was radiated there, stands for all.
                radiating_kev = energy
                photon_position_mm[row, 0], photon_position_mm[row, 1] = x + grid.corner_x, y + grid.corner_y
                photon_position_mm[row, 2] = z + grid.corner_z
                photon_direction[row, 0], photon_direction[row, 1], photon_direction[row, 2] = u, v, w
        energy = energy_left
        x, y, z = x + u * length, y + v * length, z + w * length
        if crosses:
            if axis == 0:
                i += 1 if u > 0.0 else -1
            elif axis == 1:
                j += 1 if v > 0.0 else -1
            else:
                m += 1 if w > 0.0 else -1
            whole = 0.0
        elif energy > 0.0:
            if before_hinge:
                state = next_state(state)
                r, turn = uniform_pair(state)
                u, v, w = turned(u, v, w, deflection_cosine(0.5 * scattering * whole, r), 2.0 * math.pi * turn)
                before_hinge = False
            else:
                whole = 0.0
    if radiated > 0.0 and radiating_kev > 0.0:
        photon_energy_kev[row], expected, state = radiated_photon(radiated, radiating_kev, state)
        photon_weight[row] = expected * carried
        if photon_energy_kev[row] <= LOWEST_KEV:
            photon_weight[row] = 0.0
    return x, y, z, energy, left_behind, radiated, state


@scalar_function
def annihilate(x, y, z, carried, photon_position_mm, photon_direction, photon_energy_kev, photon_weight, row, state):
    """Two photons of 511 keV back to back, in any direction."""
    u, v, w, state = any_direction(state)
    for photon in range(2):
        sign = 1.0 - 2.0 * photon
        photon_position_mm[row + photon, 0], photon_position_mm[row + photon, 1] = x, y
        photon_position_mm[row + photon, 2] = z
        photon_direction[row + photon, 0] = sign * u
        photon_direction[row + photon, 1] = sign * v
        photon_direction[row + photon, 2] = sign * w
        photon_energy_kev[row + photon] = ELECTRON_REST_KEV
        photon_weight[row + photon] = carried
