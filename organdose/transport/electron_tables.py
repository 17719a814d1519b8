"""What electrons need on their way through a list of materials: energy loss, range, radiation, scattering."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from organdose.transport.electron_stopping import (
    HIGHEST_ELECTRON_KEV,
    LOWEST_ELECTRON_KEV,
    atomic_weight,
    collision_mev_cm2_g,
    electrons_per_weight,
    radiative_mev_cm2_g,
)
from organdose.transport.elements import ELECTRON_REST_KEV
from organdose.transport.materials import Material

_POINTS_PER_LOG_KEV = 40.0
_AVOGADRO_R_E_2_CM2 = 6.02214076e23 * (2.8179403262e-13) ** 2
_FINE_STRUCTURE = 7.2973525693e-3
STOPPING, RANGE, RADIATION_YIELD, RADIATED, SCATTERING, HARD = range(6)


class ElectronTables(NamedTuple):
    """`columns`: (charges, materials, energies, 6) float32 on a logarithmic energy grid; charge 0 is the electron, 1
    the positron. Columns: total stopping power (keV cm2/g), CSDA range (g/cm2), radiation yield (part of the energy
    that is radiated until the end), part of the present loss that is radiated, inverse transport mean free path
    (cm2/g), energy per electron met (2 pi r_e^2 m_e c^2 n / beta^2 in keV cm2/g: collisions that transfer W and more
    are this times 1/W).
    """

    columns: np.ndarray
    log_lowest: float
    steps_per_log: float


def electron_tables(materials: tuple[Material, ...], densities_g_cm3: tuple[float, ...],
                    highest_kev: float = HIGHEST_ELECTRON_KEV) -> ElectronTables:
    """Tables for `materials`; the densities, one a material, rule the density effect alone."""
    count = math.ceil(_POINTS_PER_LOG_KEV * math.log(highest_kev / LOWEST_ELECTRON_KEV)) + 1
    energies_kev = np.geomspace(LOWEST_ELECTRON_KEV, highest_kev, count)
    columns = np.empty((2, len(materials), count, 6), np.float32)
    for row, (material, density) in enumerate(zip(materials, densities_g_cm3)):
        radiative = 1000 * radiative_mev_cm2_g(material, energies_kev)
        hard = _hard_kev_cm2_g(material, energies_kev)
        for charge in range(2):
            scattering = transport_cm2_g(material, energies_kev, positrons=charge == 1)
            stopping = radiative + 1000 * collision_mev_cm2_g(material, density, energies_kev, positrons=charge == 1)
            columns[charge, row] = np.stack([stopping, _integral(energies_kev, 1 / stopping),
                                             _integral(energies_kev, radiative / stopping) / energies_kev,
                                             radiative / stopping, scattering, hard], axis=1)
    return ElectronTables(columns, math.log(LOWEST_ELECTRON_KEV),
                          (count - 1) / math.log(highest_kev / LOWEST_ELECTRON_KEV))


def transport_cm2_g(material: Material, energies_kev: np.ndarray, *, positrons: bool = False) -> np.ndarray:
    """Inverse of the transport mean free path: mean of (1 - cosine) of elastic scattering per g/cm2.

    Nuclei: screened Rutherford scattering with Moliere's screening angle (Z Naturforsch 2a (1947) 133), times Mott's
    factor for the spin as McKinley and Feshbach give it (Phys Rev 74 (1948) 1759; light elements): with
    s = sin(angle / 2), 1 - beta^2 s^2 +- pi alpha Z beta s (1 - s). The atom's electrons: the same down to the same
    angle, but a collision takes at most half of an electron's energy, which limits the angle (Kawrakow, Nucl Instrum
    Methods B 134 (1998) 325).
    """
    tau = energies_kev / ELECTRON_REST_KEV
    momentum_2 = tau * (tau + 2)
    beta_2 = momentum_2 / (tau + 1) ** 2
    total = np.zeros(len(energies_kev))
    for z, weight in material.weight_fractions.items():
        screening = 0.25 * (_FINE_STRUCTURE * z ** (1 / 3) / 0.885) ** 2 / momentum_2 * (
            1.13 + 3.76 * (_FINE_STRUCTURE * z) ** 2 / beta_2)
        logarithm = np.log(1 + 1 / screening)
        spin = beta_2 - (-1 if positrons else 1) * math.pi * _FINE_STRUCTURE * z * np.sqrt(beta_2)
        nucleus = logarithm - 1 / (1 + screening) - spin
        # The energy transfer that belongs to the screening angle is 2 momentum^2 screening.
        electron = np.log(np.maximum(0.25 * tau / (momentum_2 * screening), 1.0))
        total += (weight / atomic_weight(z) * _AVOGADRO_R_E_2_CM2 * 2 * math.pi * z * (z * nucleus + electron)
                  / (momentum_2 * beta_2))
    return total


def _hard_kev_cm2_g(material: Material, energies_kev: np.ndarray) -> np.ndarray:
    tau = energies_kev / ELECTRON_REST_KEV
    beta_2 = tau * (tau + 2) / (tau + 1) ** 2
    return 2 * math.pi * _AVOGADRO_R_E_2_CM2 * ELECTRON_REST_KEV * electrons_per_weight(material) / beta_2


def _integral(energies_kev: np.ndarray, density: np.ndarray) -> np.ndarray:
    """From 0 up to each energy; below the first one the density is taken as constant."""
    steps = np.diff(energies_kev) * (density[1:] + density[:-1]) / 2
    return np.concatenate([[0.0], np.cumsum(steps)]) + energies_kev[0] * density[0]
