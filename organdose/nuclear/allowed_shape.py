"""Shape of an allowed beta spectrum: phase space times the Fermi function of a point nucleus.

Evans, The Atomic Nucleus (1955), chapter 17; Fermi function as in Konopinski and Rose, in Siegbahn (ed.), Alpha-, Beta-
and Gamma-Ray Spectroscopy (1965), with the nuclear radius 1.2 fm A^(1/3). No screening, no forbiddenness.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.special import loggamma

ELECTRON_MASS_KEV = 510.99895
_FINE_STRUCTURE = 1.0 / 137.035999
_COMPTON_WAVELENGTH_FM = 386.15927  # reduced
_POINTS = 400


def fermi_function(z: int, mass_number: int, sign: int, energies_kev: np.ndarray) -> np.ndarray:
    """F for the daughter's charge `z`; `sign` -1 for electrons, +1 for positrons; `energies_kev` > 0."""
    total = 1.0 + energies_kev / ELECTRON_MASS_KEV
    momentum = np.sqrt(total**2 - 1.0)
    gamma = np.sqrt(1.0 - (_FINE_STRUCTURE * z) ** 2)
    eta = -sign * _FINE_STRUCTURE * z * total / momentum
    radius = 1.2 * mass_number ** (1.0 / 3.0) / _COMPTON_WAVELENGTH_FM
    logarithm = (2.0 * (gamma - 1.0) * np.log(2.0 * momentum * radius) + np.pi * eta
                 + 2.0 * loggamma(gamma + 1j * eta).real - 2.0 * loggamma(2.0 * gamma + 1.0).real)
    return 2.0 * (1.0 + gamma) * np.exp(logarithm)


def allowed_shape(z: int, mass_number: int, sign: int, endpoint_kev: float, energies_kev: np.ndarray) -> np.ndarray:
    """Relative number per keV at `energies_kev` (any shape), 0 outside (0, endpoint_kev)."""
    energies_kev = np.asarray(energies_kev, dtype=float)
    inside = (energies_kev > 0.0) & (energies_kev < endpoint_kev)
    kinetic = np.where(inside, energies_kev, 0.5 * endpoint_kev)
    total = 1.0 + kinetic / ELECTRON_MASS_KEV
    phase_space = np.sqrt(total**2 - 1.0) * total * (endpoint_kev - kinetic) ** 2
    return np.where(inside, phase_space * fermi_function(z, mass_number, sign, kinetic), 0.0)


def allowed_mean_kev(z: int, mass_number: int, sign: int, endpoint_kev: float) -> float:
    """Mean energy of the allowed spectrum with that endpoint."""
    energies_kev = endpoint_kev * (np.arange(_POINTS) + 0.5) / _POINTS
    shape = allowed_shape(z, mass_number, sign, endpoint_kev, energies_kev)
    return float(energies_kev @ shape / shape.sum())


def endpoint_kev_of_mean(z: int, mass_number: int, sign: int, mean_kev: float) -> float:
    """Endpoint of the allowed spectrum with that mean energy."""
    # The mean lies between a fifth (heavy nuclei, low energies) and all but two thirds of the endpoint.
    return brentq(lambda endpoint_kev: allowed_mean_kev(z, mass_number, sign, endpoint_kev) - mean_kev,
                  1.2 * mean_kev, 8.0 * mean_kev, rtol=1e-8)
