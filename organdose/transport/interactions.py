"""What happens to a photon where it meets an atom. Scalar functions, compiled by numba for CPU and CUDA alike."""

import math

from organdose.transport.compiled import scalar_function
from organdose.transport.compton_profiles import broadened_energy_kev
from organdose.transport.cross_sections import COMPTON_END, PHOTOELECTRIC_END
from organdose.transport.elements import ELECTRON_REST_KEV, KEV_ANGSTROM, LOWEST_KEV, PAIR_THRESHOLD_KEV
from organdose.transport.random_numbers import next_state, uniform, uniform_pair

_MOMENTUM_TRIALS = 64  # slow photons scattered forward can lose next to nothing: then the line stays sharp


@scalar_function
def energy_place(energy_kev, tables):
    """Row of the energy grid below `energy_kev` and the part of the way to the next."""
    place = (math.log(energy_kev) - tables.log_lowest) * tables.steps_per_log
    k = min(max(int(place), 0), tables.interaction.shape[1] - 2)
    return k, place - k


@scalar_function
def looked_up(tables, material, k, part, column):
    """One column of the interaction table, linear between energies."""
    return tables.interaction[material, k, column] * (1.0 - part) + tables.interaction[material, k + 1, column] * part


@scalar_function
def interact(choice, energy_kev, u, v, w, material, k, part, tables, state):
    """A photon meets an atom: `choice` in (0, 1) decides how.

    Returns energy (keV; 0 when the photon ends here), direction, what is left here beyond the mean energy transfer that
    is scored anyway (keV: scattered photons below the cut-off), by how much the photon's weight grows, and the new
    random state. After pair production one photon of 511 keV stands for both.
    """
    photoelectric_end = looked_up(tables, material, k, part, PHOTOELECTRIC_END)
    if choice < photoelectric_end:
        line_kev = k_xray_kev(choice / photoelectric_end, material, k, part, tables)
        if line_kev == 0.0:
            return 0.0, u, v, w, 0.0, 1.0, state
        u, v, w, state = any_direction(state)
        return line_kev, u, v, w, 0.0, 1.0, state
    if energy_kev > PAIR_THRESHOLD_KEV and choice >= (tables.pair_start[material, k] * (1.0 - part)
                                                      + tables.pair_start[material, k + 1] * part):
        u, v, w, state = any_direction(state)
        return ELECTRON_REST_KEV, u, v, w, 0.0, 2.0, state
    if choice < looked_up(tables, material, k, part, COMPTON_END):
        energy_kev, cosine, state = compton(energy_kev, tables, material, state)
        if energy_kev <= LOWEST_KEV:
            return 0.0, u, v, w, energy_kev, 1.0, state
    else:
        cosine, state = rayleigh(energy_kev, tables, material, state)
    state = next_state(state)
    u, v, w = turned(u, v, w, cosine, 2.0 * math.pi * uniform(state))
    return energy_kev, u, v, w, 0.0, 1.0, state


@scalar_function
def any_direction(state):
    """A direction, all of them alike, and the new random state."""
    state = next_state(state)
    r, turn = uniform_pair(state)
    cosine = 2.0 * r - 1.0
    sine = math.sqrt(1.0 - cosine * cosine)
    azimuth = 2.0 * math.pi * turn
    return sine * math.cos(azimuth), sine * math.sin(azimuth), cosine, state


@scalar_function
def k_xray_kev(chance, material, k, part, tables):
    """Energy (keV) of the K x-ray that a photoelectric event emits, 0 for none; `chance` in (0, 1) decides."""
    below = 0.0
    for slot in range(tables.k_xray_cumulated.shape[1]):
        end = (tables.k_xray_cumulated[material, slot, k] * (1.0 - part)
               + tables.k_xray_cumulated[material, slot, k + 1] * part)
        if chance < end:
            lines = tables.k_xray_lines[material, slot]
            return lines[0] if chance - below < lines[2] * (end - below) else lines[1]
        below = end
    return 0.0


@scalar_function
def compton(energy_kev, tables, material, state):
    """Scattered energy (keV), cosine of the scattering angle, new random state.

    Klein-Nishina energy by the composition-rejection method of Butcher and Messel (Nucl Phys 20 (1960) 15), then
    rejection with the incoherent scattering function, which suppresses small momentum transfers to bound electrons.
    """
    incoherent = tables.incoherent
    alpha = energy_kev / ELECTRON_REST_KEV
    e_min = 1.0 / (1.0 + 2.0 * alpha)
    weight_1 = -math.log(e_min)
    weight_2 = 0.5 * (1.0 - e_min * e_min)
    last = incoherent.shape[1] - 1
    while True:
        state = next_state(state)
        branch, r = uniform_pair(state)
        if branch * (weight_1 + weight_2) < weight_1:
            e = math.exp(-weight_1 * r)
        else:
            e = math.sqrt(e_min * e_min + (1.0 - e_min * e_min) * r)
        one_minus_cos = (1.0 - e) / (e * alpha)
        sin_squared = one_minus_cos * (2.0 - one_minus_cos)
        state = next_state(state)
        first, second = uniform_pair(state)
        if first > 1.0 - e * sin_squared / (1.0 + e * e):
            continue
        place = math.sqrt(energy_kev / KEV_ANGSTROM * math.sqrt(0.5 * one_minus_cos)) * tables.steps_per_sqrt_x
        k = min(int(place), last - 1)
        part = place - k
        accepted = incoherent[material, k] * (1.0 - part) + incoherent[material, k + 1] * part
        if second < accepted:
            return _line_kev(energy_kev, e, 1.0 - one_minus_cos, tables, material, state)


@scalar_function
def _line_kev(energy_kev, kept, cosine, tables, material, state):
    """Scattered energy, cosine and state: the Compton line, broadened where the tables say how electrons move."""
    last = tables.electron_momentum.shape[1] - 1
    if last < 1:
        return energy_kev * kept, cosine, state
    for _ in range(_MOMENTUM_TRIALS):
        state = next_state(state)
        r, sign = uniform_pair(state)
        k = int(r * last)
        part = r * last - k
        momentum = (tables.electron_momentum[material, k] * (1.0 - part)
                    + tables.electron_momentum[material, k + 1] * part)
        after_kev = broadened_energy_kev(energy_kev, cosine, momentum if sign < 0.5 else -momentum)
        if 0.0 < after_kev < energy_kev:
            return after_kev, cosine, state
    return energy_kev * kept, cosine, state


@scalar_function
def rayleigh(energy_kev, tables, material, state):
    """Cosine of the scattering angle, new random state.

    x^2 is drawn from the cumulated squared form factor up to the largest momentum transfer of this energy, then
    (1 + cos^2)/2 is applied by rejection (Thomson).
    """
    coherent_cumulated, steps = tables.coherent_cumulated, tables.steps_per_sqrt_x
    x_max = energy_kev / KEV_ANGSTROM
    place = math.sqrt(x_max) * steps
    last = coherent_cumulated.shape[1] - 1
    top = min(int(place), last - 1)
    part = place - top
    limit = coherent_cumulated[material, top] * (1.0 - part) + coherent_cumulated[material, top + 1] * part
    while True:
        state = next_state(state)
        r, chance = uniform_pair(state)
        wanted = r * limit
        low, high = 0, top + 1
        while high - low > 1:
            middle = (low + high) // 2
            if coherent_cumulated[material, middle] > wanted:
                high = middle
            else:
                low = middle
        below = coherent_cumulated[material, low]
        step = coherent_cumulated[material, high] - below
        # Grid points are (k / steps)^2 in x; the cumulated form factor is linear in x^2 between them.
        x_low = (low / steps) ** 4
        x_high = (high / steps) ** 4
        x_squared = x_low + (x_high - x_low) * ((wanted - below) / step if step > 0.0 else 0.0)
        cosine = 1.0 - 2.0 * min(x_squared / (x_max * x_max), 1.0)
        if chance < 0.5 * (1.0 + cosine * cosine):
            return cosine, state


@scalar_function
def turned(u, v, w, cosine, azimuth):
    """Direction (u, v, w) turned by the polar angle of `cosine` and `azimuth` (radians)."""
    sine = math.sqrt(max(0.0, 1.0 - cosine * cosine))
    a, b = sine * math.cos(azimuth), sine * math.sin(azimuth)
    across = 1.0 - w * w
    if across > 1e-10:
        root = math.sqrt(across)
        new_u = u * cosine + (a * u * w - b * v) / root
        new_v = v * cosine + (a * v * w + b * u) / root
        new_w = w * cosine - a * root
    else:
        new_u, new_v, new_w = a, b, cosine * w
    norm = 1.0 / math.sqrt(new_u * new_u + new_v * new_v + new_w * new_w)
    return new_u * norm, new_v * norm, new_w * norm
