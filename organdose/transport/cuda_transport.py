"""Photon histories on an NVIDIA GPU: one thread a history, with the physics of the CPU.

numba compiles the scalar functions of `flights`, `interactions` and of the source once more for the GPU; only the loops
over histories and the atomic additions stand here.
"""

import math

from numba import cuda

from organdose.transport.cuda_particles import add, note, row_of_thread
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


@cuda.jit(device=True)
def _begun(photons, n, seed, stream, first_history, grid, ledger_kev):
    """Whether photon n meets the grid and where, its direction, energy (keV), weight and random state."""
    energy, carried = float(photons.energy_kev[n]), float(photons.weight[n])
    u, v, w = float(photons.direction[n, 0]), float(photons.direction[n, 1]), float(photons.direction[n, 2])
    note(ledger_kev, 0, energy * carried)
    meets, x, y, z = entered(photons.position_mm[n, 0], photons.position_mm[n, 1], photons.position_mm[n, 2], u, v, w,
                             grid)
    return meets, x, y, z, u, v, w, energy, carried, first_state(seed, stream, first_history + n)


@cuda.jit(fastmath=True)
def follow_by_stops(photons, seed, stream, first_history, grid, tables, majorant_per_mm, deposited_kev, ledger_kev,
                    analogue):
    """See `cpu_transport.follow_by_stops`; `ledger_kev` has rows of its entries."""
    n = row_of_thread(photons)
    if n < 0:
        return
    meets, x, y, z, u, v, w, energy, carried, state = _begun(photons, n, seed, stream, first_history, grid, ledger_kev)
    free_path, k, part = mean_free_path(energy, majorant_per_mm, tables)
    left = 0.0
    while meets and energy > 0.0:
        state = next_state(state)
        r, choice = uniform_pair(state)
        step = -math.log(r) * free_path
        x, y, z = x + u * step, y + v * step, z + w * step
        voxel = voxel_at(x, y, z, grid)
        if voxel < 0:
            break
        material, density = material_and_density(voxel, grid)
        probability, given = at_stop(material, density, k, part, free_path, grid, tables)
        if not analogue:
            add(deposited_kev, voxel, energy * carried * given)
        if choice >= probability:
            continue
        before, scattering = energy * carried, energy
        energy, u, v, w, rest, factor, state = interact(choice / probability, energy, u, v, w, material, k, part,
                                                        tables, state)
        rest *= carried
        carried *= factor
        left += before - energy * carried
        if analogue:
            rest = before - energy * carried
        if rest > 0.0:
            add(deposited_kev, voxel, rest)
        if energy != scattering and energy > 0.0:
            free_path, k, part = mean_free_path(energy, majorant_per_mm, tables)
    note(ledger_kev, 1, left)
    note(ledger_kev, 2, energy * carried)


@cuda.jit(fastmath=True)
def follow_by_tracks(photons, seed, stream, first_history, grid, tables, deposited_kev, ledger_kev):
    """See `cpu_transport.follow_by_tracks`."""
    n = row_of_thread(photons)
    if n < 0:
        return
    meets, x, y, z, u, v, w, energy, carried, state = _begun(photons, n, seed, stream, first_history, grid, ledger_kev)
    k, part = energy_place(energy, tables)
    left = 0.0
    while meets and energy > 0.0:
        state = next_state(state)
        r, choice = uniform_pair(state)
        distance, voxel = fly_by_track(x, y, z, u, v, w, energy * carried, k, part, -math.log(r), grid, tables, add,
                                       deposited_kev)
        if distance < 0.0:
            break
        x, y, z = x + u * distance, y + v * distance, z + w * distance
        material, _ = material_and_density(voxel, grid)
        before = energy * carried
        energy, u, v, w, rest, factor, state = interact(choice, energy, u, v, w, material, k, part, tables, state)
        if rest > 0.0:
            add(deposited_kev, voxel, rest * carried)
        carried *= factor
        left += before - energy * carried
        if energy > 0.0:
            k, part = energy_place(energy, tables)
    note(ledger_kev, 1, left)
    note(ledger_kev, 2, energy * carried)
