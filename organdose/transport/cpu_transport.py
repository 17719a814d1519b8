"""Photon histories on a CPU thread.

Histories by stops travel in a small herd: while the voxels that some photons have reached are still on their way from
memory, others move. On a 1 mm torso that doubles the speed, as two visits to main memory at each stop are what takes
the time there.
"""

import math

import numpy as np
from numba import njit

from organdose.transport.compiled import scalar_function
from organdose.transport.cpu_prefetch import prefetch
from organdose.transport.flights import (
    at_stop,
    entered,
    fly_by_track,
    material_and_density,
    mean_free_path,
    voxel_at,
)
from organdose.transport.interactions import energy_place, interact
from organdose.transport.random_numbers import first_state, next_state, uniform_pair

TRANSPORT_STREAM = 1
HERD = 32
_IDLE, _OUTSIDE = -2, -1
# Lets the compiler fuse and use reciprocals; infinities and NaN keep their meaning.
_FAST = {"contract", "arcp", "nsz"}

HERD_MEMBER = np.dtype([
    *((name, np.float64) for name in ("x", "y", "z", "u", "v", "w", "energy_kev", "weight", "mean_free_path", "part",
                                      "choice")),
    ("k", np.int64), ("voxel", np.int64), ("state", np.uint64)])


@scalar_function
def _add(deposited, index, value):
    deposited[index] += value


@njit(nogil=True, cache=True, fastmath=_FAST, _nrt=False, error_model="numpy")
def follow_by_stops(position_mm, direction, energy_kev, weight, seed, stream, first_history, grid, tables,
                    majorant_per_mm, deposited_kev, ledger_kev, herd, analogue):
    """Follow every photon to its end: adds the expected energy left in each voxel (keV times weight) to
    `deposited_kev` (flat), and to `ledger_kev` what photons really (emitted, left behind, carried out of the grid).
    Rows of weight 0 hold no photon. With `analogue` the energy really left is scored instead, for comparison."""
    waiting, idle = 0, 0
    for member in range(HERD):
        waiting = _next_photon(herd[member], position_mm, direction, energy_kev, weight, waiting, seed, stream,
                               first_history, grid, tables, majorant_per_mm, ledger_kev)
        idle += herd[member].voxel == _IDLE
    while idle < HERD:
        for member in range(HERD):
            if herd[member].voxel != _IDLE:
                _fly(herd[member], grid, deposited_kev)
        for member in range(HERD):
            photon = herd[member]
            if photon.voxel == _IDLE or _stop(photon, grid, tables, majorant_per_mm, deposited_kev,
                                                          ledger_kev, analogue):
                continue
            waiting = _next_photon(photon, position_mm, direction, energy_kev, weight, waiting, seed, stream,
                                   first_history, grid, tables, majorant_per_mm, ledger_kev)
            idle += photon.voxel == _IDLE


@scalar_function
def _next_photon(photon, position_mm, direction, energy_kev, weight, waiting, seed, stream, first_history, grid,
                 tables, majorant_per_mm, ledger_kev):
    """The next waiting photon that meets the grid takes the place of `photon`; returns the number of the one after."""
    photon.voxel = _IDLE
    while waiting < energy_kev.shape[0]:
        n = waiting
        waiting += 1
        if weight[n] == 0.0:
            continue
        photon.u, photon.v, photon.w = direction[n, 0], direction[n, 1], direction[n, 2]
        energy_in_kev = float(energy_kev[n]) * weight[n]
        ledger_kev[0] += energy_in_kev
        meets, photon.x, photon.y, photon.z = entered(position_mm[n, 0], position_mm[n, 1], position_mm[n, 2],
                                                      photon.u, photon.v, photon.w, grid)
        if not meets:
            ledger_kev[2] += energy_in_kev
            continue
        photon.energy_kev, photon.weight = energy_kev[n], weight[n]
        photon.mean_free_path, photon.k, photon.part = mean_free_path(photon.energy_kev, majorant_per_mm, tables)
        photon.state = first_state(seed, stream, first_history + n)
        photon.voxel = 0
        break
    return waiting


@scalar_function
def _fly(photon, grid, deposited_kev):
    photon.state = next_state(photon.state)
    r, photon.choice = uniform_pair(photon.state)
    step = -math.log(r) * photon.mean_free_path
    photon.x += photon.u * step
    photon.y += photon.v * step
    photon.z += photon.w * step
    photon.voxel = voxel_at(photon.x, photon.y, photon.z, grid)
    if photon.voxel >= 0:
        prefetch(grid.voxels, photon.voxel)
        prefetch(deposited_kev, photon.voxel)


@scalar_function
def _stop(photon, grid, tables, majorant_per_mm, deposited_kev, ledger_kev, analogue):
    """Score and perhaps interact; False when the history is over."""
    if photon.voxel == _OUTSIDE:
        ledger_kev[2] += photon.energy_kev * photon.weight
        return False
    material, density = material_and_density(photon.voxel, grid)
    probability, given = at_stop(material, density, photon.k, photon.part, photon.mean_free_path, grid, tables)
    if not analogue:
        deposited_kev[photon.voxel] += photon.energy_kev * photon.weight * given
    if photon.choice >= probability:
        return True
    before_kev, before_weight = photon.energy_kev, photon.weight
    photon.energy_kev, photon.u, photon.v, photon.w, rest_kev, factor, photon.state = interact(
        photon.choice / probability, before_kev, photon.u, photon.v, photon.w, material, photon.k, photon.part, tables,
        photon.state)
    photon.weight *= factor
    left_kev = before_kev * before_weight - photon.energy_kev * photon.weight
    ledger_kev[1] += left_kev
    deposited_kev[photon.voxel] += left_kev if analogue else rest_kev * before_weight
    if photon.energy_kev == 0.0:
        return False
    if photon.energy_kev != before_kev:
        photon.mean_free_path, photon.k, photon.part = mean_free_path(photon.energy_kev, majorant_per_mm, tables)
    return True


@njit(nogil=True, cache=True, fastmath=_FAST, _nrt=False, error_model="numpy")
def follow_by_tracks(position_mm, direction, energy_kev, weight, seed, stream, first_history, grid, tables,
                     deposited_kev, ledger_kev):
    """As `follow_by_stops`, scoring along the tracks."""
    for n in range(energy_kev.shape[0]):
        if weight[n] == 0.0:
            continue
        energy, carried = float(energy_kev[n]), float(weight[n])
        u, v, w = float(direction[n, 0]), float(direction[n, 1]), float(direction[n, 2])
        ledger_kev[0] += energy * carried
        meets, x, y, z = entered(position_mm[n, 0], position_mm[n, 1], position_mm[n, 2], u, v, w, grid)
        state = first_state(seed, stream, first_history + n)
        k, part = energy_place(energy, tables)
        while meets and energy > 0.0:
            state = next_state(state)
            r, choice = uniform_pair(state)
            distance, voxel = fly_by_track(x, y, z, u, v, w, energy * carried, k, part, -math.log(r), grid, tables,
                                           _add, deposited_kev)
            if distance < 0.0:
                break
            x, y, z = x + u * distance, y + v * distance, z + w * distance
            material, _ = material_and_density(voxel, grid)
            before = energy * carried
            energy, u, v, w, rest, factor, state = interact(choice, energy, u, v, w, material, k, part, tables, state)
            deposited_kev[voxel] += rest * carried
            carried *= factor
            ledger_kev[1] += before - energy * carried
            if energy > 0.0:
                k, part = energy_place(energy, tables)
        ledger_kev[2] += energy * carried
