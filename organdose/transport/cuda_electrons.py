"""Electron and positron histories on an NVIDIA GPU: one thread a track, with the scalar functions of the CPU."""

from numba import cuda

from organdose.transport.cuda_particles import add, append, note, row_of_thread
from organdose.transport.electron_tracks import annihilate, follow_electron
from organdose.transport.electron_transport import LAST_ELECTRON_STREAM, PHOTONS_A_HISTORY
from organdose.transport.random_numbers import first_state


@cuda.jit(fastmath=True)
def follow_electrons(electrons, charge, seed, stream, first_history, grid, tables, deposited_kev, ledger_kev, photons,
                     knocked):
    """See `electron_transport.follow_electrons`; all electrons are of one `charge`, and what they set free is appended
    to `photons` and `knocked`, in the same rows as on the CPU."""
    n = row_of_thread(electrons)
    if n < 0:
        return
    energy, carried = float(electrons.energy_kev[n]), float(electrons.weight[n])
    x, y, z = (float(electrons.position_mm[n, 0]) - grid.corner_x, float(electrons.position_mm[n, 1]) - grid.corner_y,
               float(electrons.position_mm[n, 2]) - grid.corner_z)
    u, v, w = float(electrons.direction[n, 0]), float(electrons.direction[n, 1]), float(electrons.direction[n, 2])
    first_photon = PHOTONS_A_HISTORY * n
    for photon in range(first_photon, first_photon + PHOTONS_A_HISTORY):
        photons.weight[photon] = 0.0
    knocked.weight[n] = 0.0
    state = first_state(seed, stream, first_history + n)
    x, y, z, leaving, left_behind, handed_on, state = follow_electron(
        x, y, z, u, v, w, energy, carried, charge, grid, tables, add, deposited_kev, photons, first_photon, knocked, n,
        stream < LAST_ELECTRON_STREAM, state)
    note(ledger_kev, 0, (energy - handed_on) * carried)
    note(ledger_kev, 1, left_behind * carried)
    note(ledger_kev, 2, leaving * carried)
    if charge == 1 and leaving == 0.0:
        annihilate(x + grid.corner_x, y + grid.corner_y, z + grid.corner_z, carried, photons, first_photon + 1, state)
    for photon in range(first_photon, first_photon + PHOTONS_A_HISTORY):
        if photons.weight[photon] > 0.0:
            append(photons, photon)
    if knocked.weight[n] > 0.0:
        append(knocked, n)
