"""Electron and positron histories on a CPU thread. What they set free is handed over: photons, and fast electrons."""

from numba import njit

from organdose.transport.compiled import scalar_function
from organdose.transport.electron_tracks import annihilate, follow_electron
from organdose.transport.random_numbers import first_state

GENERATIONS = 3  # electrons, those they knock on, those these knock on; the last keep their energy to themselves
# Of random numbers: one a generation, for its tracks and for the photons it makes.
FIRST_ELECTRON_STREAM, FIRST_PHOTON_STREAM = 2, 2 + GENERATIONS
LAST_ELECTRON_STREAM = FIRST_ELECTRON_STREAM + GENERATIONS - 1
PHOTONS_A_HISTORY = 3  # one of bremsstrahlung, two of annihilation


@scalar_function
def _add(deposited, index, value):
    deposited[index] += value


@njit(nogil=True, cache=True, fastmath={"contract", "arcp", "nsz"}, _nrt=False, error_model="numpy")
def follow_electrons(position_mm, direction, energy_kev, weight, charge, seed, stream, first_history, grid, tables,
                     deposited_kev, ledger_kev, photons, knocked):
    """Follow every electron (charge 0) or positron (1) to its end: adds what stays in each voxel (keV times weight) to
    `deposited_kev` (flat), and to `ledger_kev` (emitted, deposited, leaving).

    `photons` and `knocked` are `Secondaries`: the photons of history n stand in the rows from 3 n on, the electron that
    stands for those it knocked on in row n; weights are 0 where there is none. Energy handed on to them is not among
    the emitted: it is counted when they are followed.
    """
    for n in range(energy_kev.shape[0]):
        carried = float(weight[n])
        if carried == 0.0:
            continue
        kind = int(charge[n])
        state = first_state(seed, stream, first_history + n)
        x, y, z, leaving, left_behind, handed_on, state = follow_electron(
            position_mm[n, 0] - grid.corner_x, position_mm[n, 1] - grid.corner_y, position_mm[n, 2] - grid.corner_z,
            float(direction[n, 0]), float(direction[n, 1]), float(direction[n, 2]), float(energy_kev[n]), carried, kind,
            grid, tables, _add, deposited_kev, photons, PHOTONS_A_HISTORY * n, knocked, n,
            stream < LAST_ELECTRON_STREAM, state)
        ledger_kev[0] += (energy_kev[n] - handed_on) * carried
        ledger_kev[1] += left_behind * carried
        ledger_kev[2] += leaving * carried
        if kind == 1 and leaving == 0.0:
            annihilate(x + grid.corner_x, y + grid.corner_y, z + grid.corner_z, carried, photons,
                       PHOTONS_A_HISTORY * n + 1, state)
