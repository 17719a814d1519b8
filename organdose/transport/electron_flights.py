"""One step of an electron or positron: energy loss, deflection, photons. Scalar functions for CPU and CUDA alike.

Condensed history: the mean loss of a step is that of the stopping power; collisions that take more than 2 % of the
energy are drawn one by one, so that losses straggle and fast electrons are set free (cross-section 1/W^2 per energy W,
the leading term of Moeller's); so are photons of bremsstrahlung. Deflections of a step are gathered at one random place
of it (random hinge; Salvat, PENELOPE-2018, section 4.2) with the mean cosine that the transport mean free path asks
for. Positrons annihilate at the end of their track, none in flight.
"""

import math

from organdose.transport.compiled import scalar_function
from organdose.transport.electron_tables import HARD, RADIATED, RADIATION_YIELD, RANGE, SCATTERING, STOPPING
from organdose.transport.random_numbers import next_state, uniform_pair

LARGEST_LOSS = 0.1  # of the energy, in one step
LARGEST_DEFLECTION = 0.15  # mean of (1 - cosine) / 2 in one step
_HARD_PART = 0.02  # collisions that take more of the energy are drawn one by one
_STRAGGLING_KEV = 10.0  # slower electrons hardly move


@scalar_function
def electron_place(energy_kev, tables):
    """Row of the energy grid below `energy_kev` and the part of the way to the next."""
    place = (math.log(energy_kev) - tables.log_lowest) * tables.steps_per_log
    k = min(max(int(place), 0), tables.columns.shape[2] - 2)
    return k, place - k


@scalar_function
def electron_value(tables, charge, material, k, part, column):
    return (tables.columns[charge, material, k, column] * (1.0 - part)
            + tables.columns[charge, material, k + 1, column] * part)


@scalar_function
def range_g_cm2(energy_kev, charge, material, tables):
    """CSDA range."""
    k, part = electron_place(energy_kev, tables)
    return electron_value(tables, charge, material, k, part, RANGE)


@scalar_function
def radiation_yield(energy_kev, charge, material, tables):
    k, part = electron_place(energy_kev, tables)
    return electron_value(tables, charge, material, k, part, RADIATION_YIELD)


@scalar_function
def step_length_g_cm2(energy_kev, charge, material, tables):
    """Length of the next whole step, and twice the mean of (1 - cosine) / 2 per g/cm2 on it."""
    k, part = electron_place(energy_kev, tables)
    scattering = electron_value(tables, charge, material, k, part, SCATTERING)
    by_loss = LARGEST_LOSS * energy_kev / electron_value(tables, charge, material, k, part, STOPPING)
    return min(by_loss, 2.0 * LARGEST_DEFLECTION / scattering), scattering


@scalar_function
def energy_after(energy_kev, length_g_cm2, charge, material, tables):
    """Energy (keV) behind `length_g_cm2` and the part of the loss that was radiated: stopping power of the middle."""
    k, part = electron_place(energy_kev, tables)
    half_kev = 0.5 * length_g_cm2 * electron_value(tables, charge, material, k, part, STOPPING)
    k, part = electron_place(max(energy_kev - half_kev, 1.0), tables)
    lost_kev = length_g_cm2 * electron_value(tables, charge, material, k, part, STOPPING)
    return max(energy_kev - lost_kev, 0.0), electron_value(tables, charge, material, k, part, RADIATED)


@scalar_function
def straggled_loss(mean_kev, energy_kev, length_g_cm2, charge, material, tables, state):
    """A loss (keV) of that mean, the largest energy that a single electron got in it, and the random state."""
    if energy_kev < _STRAGGLING_KEV:
        return mean_kev, 0.0, state
    k, part = electron_place(energy_kev, tables)
    hard_kev = length_g_cm2 * electron_value(tables, charge, material, k, part, HARD)
    least, most = _HARD_PART * energy_kev, (0.5 if charge == 0 else 1.0) * energy_kev
    number = hard_kev * (1.0 / least - 1.0 / most)
    lost_kev = mean_kev - hard_kev * math.log(most / least)
    largest_kev = passed = 0.0
    while True:
        state = next_state(state)
        r, which = uniform_pair(state)
        passed -= math.log(r)
        if passed > number:
            break
        transfer_kev = 1.0 / (1.0 / least - which * (1.0 / least - 1.0 / most))
        lost_kev += transfer_kev
        largest_kev = max(largest_kev, transfer_kev)
    lost_kev = min(max(lost_kev, 0.0), energy_kev)
    return lost_kev, min(largest_kev, lost_kev), state


@scalar_function
def deflection_cosine(mean_half_away, r):
    """Cosine whose mean of (1 - cosine) / 2 is `mean_half_away` (at most about 0.2), exponential in it."""
    width = mean_half_away
    # An exponential cut off at 1 has a smaller mean than its width.
    if width > 0.02:
        width = mean_half_away + 1.0 / (math.exp(1.0 / width) - 1.0)
        width = mean_half_away + 1.0 / (math.exp(1.0 / width) - 1.0)
    whole = 1.0 - math.exp(-1.0 / width)
    return 1.0 - 2.0 * min(-width * math.log(1.0 - r * whole), 1.0)


@scalar_function
def radiated_photon(mean_kev, electron_kev, state):
    """What an electron of `electron_kev` radiates where it loses `mean_kev` that way on average: energy of all photons
    and of each (keV), and the random state.

    Energies go with (1 - k/T)/k (the form of Kramers' thick target) and are drawn weighted by k; whether the photon is
    there at all is decided so that the mean comes out. So losses by radiation straggle: most electrons have none, and
    get further than their CSDA range says. Photons so soft that there is more than one count with their number.
    """
    state = next_state(state)
    r, chance = uniform_pair(state)
    photon_kev = electron_kev * (1.0 - math.sqrt(1.0 - r))
    if photon_kev <= mean_kev:
        return mean_kev, photon_kev, state
    return photon_kev if chance * photon_kev < mean_kev else 0.0, photon_kev, state


@scalar_function
def border_distance(x, y, z, u, v, w, i, j, m, grid):
    """Distance (mm) to the border of voxel (i, j, m) along the direction, and which axis it belongs to (0, 1, 2)."""
    along_x = _to_border(x, u, i, grid.voxel_x)
    along_y = _to_border(y, v, j, grid.voxel_y)
    along_z = _to_border(z, w, m, grid.voxel_z)
    if along_x < along_y and along_x < along_z:
        return along_x, 0
    return (along_y, 1) if along_y < along_z else (along_z, 2)


@scalar_function
def _to_border(place, direction, voxel, voxel_mm):
    if direction > 1e-12:
        return max(0.0, (voxel + 1) * voxel_mm - place) / direction
    if direction < -1e-12:
        return max(0.0, place - voxel * voxel_mm) / -direction
    return 1e30


@scalar_function
def nearest_border(x, y, z, i, j, m, grid):
    """Distance (mm) to the nearest face of voxel (i, j, m)."""
    in_x, in_y, in_z = x - i * grid.voxel_x, y - j * grid.voxel_y, z - m * grid.voxel_z
    return min(min(min(in_x, grid.voxel_x - in_x), min(in_y, grid.voxel_y - in_y)),
               min(in_z, grid.voxel_z - in_z))
