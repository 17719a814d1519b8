"""Photon transport in voxels by Woodcock tracking; electrons deposit their energy where they are set free.

Woodcock et al., ANL-7050 (1965): flight lengths are drawn with the largest attenuation of the whole grid, and at each
stop the photon interacts with the probability local / largest attenuation, so that voxel borders need no search.
Energy is scored as its expected value at every stop, interaction or not: photon energy times local mu_tr over the
largest attenuation. The mean is that of the energy really left, its scatter far smaller where few photons interact:
in lung, air and small organs.
Local deposition holds for photons up to about 150 keV in voxels of a millimetre or more (CSDA range of a 100 keV
electron in water: 0.14 mm). Fluorescence photons are not followed: their energy is deposited locally.
"""

import math

from numba import njit

from organdose.transport.cross_sections import LOWEST_KEV
from organdose.transport.interactions import compton, rayleigh, turned
from organdose.transport.random_numbers import first_state, next_state, uniform

_TRANSPORT_STREAM = 1
_LOG_LOWEST = math.log(LOWEST_KEV)


@njit
def _distance_to_box(x, y, z, u, v, w, size_x, size_y, size_z):
    """Distance along the direction to the box [0, size]; 0 from inside, -1 when the box is missed."""
    near, far = 0.0, 1e30
    for place, direction, size in ((x, u, size_x), (y, v, size_y), (z, w, size_z)):
        if abs(direction) < 1e-12:
            if place < 0.0 or place > size:
                return -1.0
        else:
            t_1, t_2 = -place / direction, (size - place) / direction
            near = max(near, min(t_1, t_2))
            far = min(far, max(t_1, t_2))
    return near if near < far else -1.0


@njit(nogil=True, cache=True)
def transport_photons(position_mm, direction, energy_kev, weight, seed, first_history,
                      lower_corner_mm, spacing_mm, material_index, density_g_cm3,
                      attenuation_cm2_g, transferred_cm2_g, photoelectric_part, photoelectric_or_compton_part,
                      majorant_per_mm, energy_steps, incoherent, coherent_cumulated, momentum_steps, deposited_kev):
    """Follow each photon to its end and add the expected energy it leaves (keV times weight) to `deposited_kev`."""
    count_z, count_y, count_x = material_index.shape
    size_x, size_y, size_z = count_x * spacing_mm[0], count_y * spacing_mm[1], count_z * spacing_mm[2]
    last_energy = majorant_per_mm.shape[0] - 2
    for photon in range(position_mm.shape[0]):
        state = first_state(seed, _TRANSPORT_STREAM, first_history + photon)
        x = position_mm[photon, 0] - lower_corner_mm[0]
        y = position_mm[photon, 1] - lower_corner_mm[1]
        z = position_mm[photon, 2] - lower_corner_mm[2]
        u, v, w = float(direction[photon, 0]), float(direction[photon, 1]), float(direction[photon, 2])
        energy = float(energy_kev[photon])
        entry = _distance_to_box(x, y, z, u, v, w, size_x, size_y, size_z)
        if entry < 0.0:
            continue
        x, y, z = x + u * entry, y + v * entry, z + w * entry
        place = (math.log(energy) - _LOG_LOWEST) * energy_steps
        while True:
            k = min(max(int(place), 0), last_energy)
            part = place - k
            majorant = majorant_per_mm[k] * (1.0 - part) + majorant_per_mm[k + 1] * part
            state = next_state(state)
            step = -math.log(uniform(state)) / majorant
            x, y, z = x + u * step, y + v * step, z + w * step
            if x < 0.0 or y < 0.0 or z < 0.0 or x >= size_x or y >= size_y or z >= size_z:
                break
            i, j, m = int(z / spacing_mm[2]), int(y / spacing_mm[1]), int(x / spacing_mm[0])
            material = material_index[i, j, m]
            per_mm = 0.1 * density_g_cm3[i, j, m]
            deposited_kev[i, j, m] += energy * weight[photon] * per_mm / majorant * (
                transferred_cm2_g[material, k] * (1.0 - part) + transferred_cm2_g[material, k + 1] * part)
            local = per_mm * (
                attenuation_cm2_g[material, k] * (1.0 - part) + attenuation_cm2_g[material, k + 1] * part)
            state = next_state(state)
            chance = uniform(state) * majorant
            if chance >= local:
                continue
            chance /= local
            if chance < photoelectric_part[material, k] * (1.0 - part) + photoelectric_part[material, k + 1] * part:
                break
            compton_end = (photoelectric_or_compton_part[material, k] * (1.0 - part)
                           + photoelectric_or_compton_part[material, k + 1] * part)
            if chance < compton_end:
                energy, cosine, state = compton(energy, incoherent, material, momentum_steps, state)
                if energy <= LOWEST_KEV:
                    deposited_kev[i, j, m] += energy * weight[photon]
                    break
                place = (math.log(energy) - _LOG_LOWEST) * energy_steps
            else:
                cosine, state = rayleigh(energy, coherent_cumulated, material, momentum_steps, state)
            state = next_state(state)
            u, v, w = turned(u, v, w, cosine, 2.0 * math.pi * uniform(state))
