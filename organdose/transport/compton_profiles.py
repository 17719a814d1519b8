"""Doppler broadening of Compton lines: the electrons that photons meet are already moving.

Impulse approximation with the Compton profiles of the whole atom (Biggs, Mendelsohn, Mann, At Data Nucl Data Tables 16
(1975) 201, from xraylib). The scattering angle stays that of Klein-Nishina times the scattering function; the energy
then follows from the electron's momentum along the momentum transfer (Ribberfors, Phys Rev B 12 (1975) 2067). Momenta
that would give the photon energy are drawn again; binding energies of single shells are not asked for.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numba import njit

from organdose.transport.compiled import scalar_function
from organdose.transport.elements import ELECTRON_REST_KEV, KEV_ANGSTROM

QUANTILES = 257
_HIGHEST_ATOMIC_UNITS = 100.0
_FINE_STRUCTURE = 7.2973525693e-3  # one atomic unit of momentum in m_e c
_ENERGIES = 64


def momentum_quantiles(atoms: dict[int, float]) -> np.ndarray:
    """|p_z|/(m_e c) at `QUANTILES` equally spaced probabilities; `atoms`: relative number of atoms by atomic number."""
    p = np.concatenate([[0.0], np.geomspace(1e-3, _HIGHEST_ATOMIC_UNITS, 600)])
    profile = sum(number * _profile(z, tuple(p)) for z, number in atoms.items())
    cumulated = np.concatenate([[0.0], np.cumsum(np.diff(p) * (profile[1:] + profile[:-1]) / 2)])
    wanted = np.linspace(0.0, 1.0, QUANTILES)
    return np.interp(wanted, cumulated / cumulated[-1], p) * _FINE_STRUCTURE


@cache
def _profile(z: int, p: tuple[float, ...]) -> np.ndarray:
    import xraylib

    return np.array([xraylib.ComptonProfile(z, value) for value in p])


@scalar_function
def broadened_energy_kev(energy_kev, cosine, momentum):
    """Energy (keV) after scattering off an electron of the momentum `momentum` (m_e c, signed) along the transfer."""
    tau = 1.0 / (1.0 + energy_kev / ELECTRON_REST_KEV * (1.0 - cosine))
    t = momentum * momentum
    along = 1.0 - t * tau * cosine
    squared = along * along - (1.0 - t * tau * tau) * (1.0 - t)
    root = math.sqrt(max(0.0, squared))
    if momentum < 0.0:
        root = -root
    return energy_kev * tau / (1.0 - t * tau * tau) * (along + root)


def broadened_transferred_part(energies_kev: np.ndarray, incoherent: np.ndarray, highest_kev: float,
                               momenta: np.ndarray) -> np.ndarray:
    """Mean part of the photon energy that the electron gets with broadened lines, (energies,): what
    `interactions.compton` draws, integrated over angle and momentum at some energies and interpolated."""
    nodes_kev = np.geomspace(energies_kev[0], energies_kev[-1], _ENERGIES)
    cosines, weights = np.polynomial.legendre.leggauss(48)
    middles = 0.5 * (momenta[1:] + momenta[:-1])
    parts = [_mean_part(float(kev), cosines, weights, incoherent, highest_kev, middles) for kev in nodes_kev]
    return np.interp(np.log(energies_kev), np.log(nodes_kev), parts)


@njit(cache=True)
def _mean_part(energy_kev, cosines, weights, incoherent, highest_kev, momenta):
    alpha, last = energy_kev / ELECTRON_REST_KEV, len(incoherent) - 1
    total = given = 0.0
    for cosine, weight in zip(cosines, weights):
        away = 1.0 - cosine
        kept = 1.0 / (1.0 + alpha * away)
        x = energy_kev / KEV_ANGSTROM * math.sqrt(0.5 * away)
        place = math.sqrt(x * KEV_ANGSTROM / highest_kev) * last
        k = min(int(place), last - 1)
        bound = incoherent[k] + (place - k) * (incoherent[k + 1] - incoherent[k])
        density = weight * kept * kept * (kept + 1.0 / kept - 1.0 + cosine * cosine) * bound
        allowed = lost = 0.0
        for momentum in momenta:
            for sign in (-1.0, 1.0):
                after_kev = broadened_energy_kev(energy_kev, cosine, sign * momentum)
                if 0.0 < after_kev < energy_kev:
                    allowed += 1.0
                    lost += 1.0 - after_kev / energy_kev
        total += density
        if allowed > 0.0:
            given += density * lost / allowed
        else:
            given += density * (1.0 - kept)
    return given / total
