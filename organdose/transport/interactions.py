"""What happens to a photon where it meets an atom: Compton and Rayleigh angles. Scalar functions compiled by numba."""

import math

from numba import njit

from organdose.transport.cross_sections import ELECTRON_REST_KEV, KEV_ANGSTROM
from organdose.transport.random_numbers import next_state, uniform


@njit
def compton(energy_kev, incoherent, material, momentum_steps, state):
    """Scattered energy (keV), cosine of the scattering angle, new random state.

    Klein-Nishina energy by the composition-rejection method of Butcher and Messel (Nucl Phys 20 (1960) 15), then
    rejection with the incoherent scattering function, which suppresses small momentum transfers to bound electrons.
    """
    alpha = energy_kev / ELECTRON_REST_KEV
    e_min = 1.0 / (1.0 + 2.0 * alpha)
    weight_1 = -math.log(e_min)
    weight_2 = 0.5 * (1.0 - e_min * e_min)
    last = incoherent.shape[1] - 1
    while True:
        state = next_state(state)
        branch = uniform(state)
        state = next_state(state)
        r = uniform(state)
        if branch * (weight_1 + weight_2) < weight_1:
            e = math.exp(-weight_1 * r)
        else:
            e = math.sqrt(e_min * e_min + (1.0 - e_min * e_min) * r)
        one_minus_cos = (1.0 - e) / (e * alpha)
        sin_squared = one_minus_cos * (2.0 - one_minus_cos)
        state = next_state(state)
        if uniform(state) > 1.0 - e * sin_squared / (1.0 + e * e):
            continue
        place = math.sqrt(energy_kev / KEV_ANGSTROM * math.sqrt(0.5 * one_minus_cos)) * momentum_steps
        k = min(int(place), last - 1)
        part = place - k
        accepted = incoherent[material, k] * (1.0 - part) + incoherent[material, k + 1] * part
        state = next_state(state)
        if uniform(state) < accepted:
            return energy_kev * e, 1.0 - one_minus_cos, state


@njit
def rayleigh(energy_kev, coherent_cumulated, material, momentum_steps, state):
    """Cosine of the scattering angle, new random state.

    x^2 is drawn from the cumulated squared form factor up to the largest momentum transfer of this energy, then
    (1 + cos^2)/2 is applied by rejection (Thomson).
    """
    x_max = energy_kev / KEV_ANGSTROM
    place = math.sqrt(x_max) * momentum_steps
    last = coherent_cumulated.shape[1] - 1
    top = min(int(place), last - 1)
    part = place - top
    limit = coherent_cumulated[material, top] * (1.0 - part) + coherent_cumulated[material, top + 1] * part
    while True:
        state = next_state(state)
        wanted = uniform(state) * limit
        low, high = 0, top + 1
        while high - low > 1:
            middle = (low + high) // 2
            if coherent_cumulated[material, middle] > wanted:
                high = middle
            else:
                low = middle
        below = coherent_cumulated[material, low]
        step = coherent_cumulated[material, high] - below
        # Grid points are (k / momentum_steps)^2 in x; the cumulated form factor is linear in x^2 between them.
        x_low = (low / momentum_steps) ** 4
        x_high = (high / momentum_steps) ** 4
        x_squared = x_low + (x_high - x_low) * ((wanted - below) / step if step > 0.0 else 0.0)
        cosine = 1.0 - 2.0 * min(x_squared / (x_max * x_max), 1.0)
        state = next_state(state)
        if uniform(state) < 0.5 * (1.0 + cosine * cosine):
            return cosine, state


@njit
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
