"""What single elements do to photons between 1 keV and 5 MeV, from xraylib.

Schoonjans et al., Spectrochimica Acta B 66 (2011) 776. xraylib ends at 800 keV. Above, Compton follows Klein-Nishina
(bound electrons no longer matter there), photoelectric absorption and Rayleigh scattering the power law of the last
100 keV, and pair production is NIST's (XCOM); totals stay within 0.1 % of NIST's up to 1 MeV and within 0.3 % at
2 MeV in water, air and bone, and at 3 MeV in water (`Testing/transport`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from organdose.transport.nist_tables import nist_tables

LOWEST_KEV = 1.0
HIGHEST_KEV = 5000.0
PAIR_THRESHOLD_KEV = 2 * 510.99895
KEV_ANGSTROM = 12.398419843  # h c
ELECTRON_REST_KEV = 510.99895
POINTS_PER_LOG_KEV = 306.0  # a step of 0.33 %
MOMENTUM_POINTS = 1024
_BARN_MOLE = 0.602214076  # cm2 per barn and mole
_XRAYLIB_KEV = 800.0
_SLOPE_KEV = 700.0
# K x-rays of lighter elements (P: 2.0 keV) stop within some micrometres of tissue.
_LIGHTEST_WITH_K_XRAYS = 20


def energy_grid_kev(highest_kev: float) -> np.ndarray:
    """Logarithmic grid from `LOWEST_KEV` to `highest_kev`."""
    return np.geomspace(LOWEST_KEV, highest_kev, math.ceil(POINTS_PER_LOG_KEV * math.log(highest_kev / LOWEST_KEV)) + 1)


def momentum_grid(highest_kev: float) -> np.ndarray:
    """x = sin(theta/2)/lambda (1/Angstrom), uniform in its square root, up to backscatter at `highest_kev`."""
    return np.linspace(0.0, math.sqrt(highest_kev / KEV_ANGSTROM), MOMENTUM_POINTS) ** 2


@dataclass(frozen=True)
class KXrays:
    """K fluorescence of one element: `part` of the photoelectric events that emit a K x-ray (at each energy),
    the mean energies of its K alpha and K beta lines (keV), and the share of K alpha."""

    part: np.ndarray
    alpha_kev: float
    beta_kev: float
    alpha_share: float

    @property
    def mean_kev(self) -> float:
        return self.alpha_share * self.alpha_kev + (1 - self.alpha_share) * self.beta_kev


@dataclass(frozen=True)
class ElementTables:
    """Mass attenuation by process (cm2/g) on `energy_grid_kev`; scattering function and form factor (electrons) on
    `momentum_grid`; K x-rays, or None where they do not matter."""

    atomic_weight: float
    photoelectric_cm2_g: np.ndarray
    compton_cm2_g: np.ndarray
    rayleigh_cm2_g: np.ndarray
    pair_cm2_g: np.ndarray
    incoherent: np.ndarray
    form_factor: np.ndarray
    k_xrays: KXrays | None


@cache
def element_tables(z: int, highest_kev: float) -> ElementTables:
    import xraylib

    energies_kev, x = energy_grid_kev(highest_kev), momentum_grid(highest_kev)
    # SF_Compt raises below q = 0.001 / Angstrom, where the scattering function vanishes anyway.
    incoherent = np.array([xraylib.SF_Compt(z, float(q)) if q > 0.001 else 0.0 for q in x])
    form_factor = np.array([xraylib.FF_Rayl(z, float(q)) for q in x])
    return ElementTables(xraylib.AtomicWeight(z), photoelectric_cm2_g(z, energies_kev), compton_cm2_g(z, energies_kev),
                         rayleigh_cm2_g(z, energies_kev), pair_cm2_g(z, energies_kev), incoherent, form_factor,
                         _k_xrays(z, energies_kev))


def photoelectric_cm2_g(z: int, energies_kev: np.ndarray) -> np.ndarray:
    import xraylib

    return _continued(lambda kev: xraylib.CS_Photo(z, kev), energies_kev)


def rayleigh_cm2_g(z: int, energies_kev: np.ndarray) -> np.ndarray:
    import xraylib

    return _continued(lambda kev: xraylib.CS_Rayl(z, kev), energies_kev)


def compton_cm2_g(z: int, energies_kev: np.ndarray) -> np.ndarray:
    import xraylib

    at_end = xraylib.CS_Compt(z, _XRAYLIB_KEV) / klein_nishina_per_electron(_XRAYLIB_KEV)
    return np.array([xraylib.CS_Compt(z, float(kev)) if kev <= _XRAYLIB_KEV
                     else at_end * klein_nishina_per_electron(float(kev)) for kev in energies_kev])


def total_cm2_g(z: int, energies_kev: np.ndarray) -> np.ndarray:
    return (photoelectric_cm2_g(z, energies_kev) + compton_cm2_g(z, energies_kev) + rayleigh_cm2_g(z, energies_kev)
            + pair_cm2_g(z, energies_kev))


def pair_cm2_g(z: int, energies_kev: np.ndarray) -> np.ndarray:
    """Pair and triplet production; an element that is not tabulated takes its neighbours' cross-section over Z^2."""
    import xraylib

    energies_kev = np.asarray(energies_kev, dtype=float)
    above = energies_kev > PAIR_THRESHOLD_KEV
    table, result = nist_tables(), np.zeros(energies_kev.shape)
    known = sorted(int(key) for key in table["pair_barn"])
    over_z_2 = [np.interp(energies_kev[above], table["pair_kev"], table["pair_barn"][str(k)]) / k**2 for k in known]
    per_atom = z**2 * np.array([np.interp(z, known, column) for column in np.transpose(over_z_2)])
    result[above] = per_atom * _BARN_MOLE / xraylib.AtomicWeight(z)
    return result


def klein_nishina_per_electron(energy_kev: float) -> float:
    """Total Klein-Nishina cross-section in units of 2 pi r_e^2 (Klein and Nishina, Z Phys 52 (1929) 853)."""
    a = energy_kev / ELECTRON_REST_KEV
    log = math.log1p(2 * a)
    return (1 + a) / a**2 * (2 * (1 + a) / (1 + 2 * a) - log / a) + log / (2 * a) - (1 + 3 * a) / (1 + 2 * a) ** 2


def _continued(function, energies_kev: np.ndarray) -> np.ndarray:
    """`function` (keV) up to xraylib's end, its power law beyond."""
    end = function(_XRAYLIB_KEV)
    power = math.log(end / function(_SLOPE_KEV)) / math.log(_XRAYLIB_KEV / _SLOPE_KEV)
    return np.array([function(float(kev)) if kev <= _XRAYLIB_KEV else end * (kev / _XRAYLIB_KEV) ** power
                     for kev in energies_kev])


def _k_xrays(z: int, energies_kev: np.ndarray) -> KXrays | None:
    """xraylib's Kissel partial cross-sections give the K share, its tables the fluorescence yield and the lines."""
    import xraylib

    if z < _LIGHTEST_WITH_K_XRAYS:
        return None
    edge_kev, fluorescence_yield = xraylib.EdgeEnergy(z, xraylib.K_SHELL), xraylib.FluorYield(z, xraylib.K_SHELL)

    def k_share(kev: float) -> float:
        if kev <= edge_kev:
            return 0.0
        kev = min(kev, 100.0)  # far above the edge the share hardly changes, and the Kissel tables end
        # xraylib's partial cross-sections are for one electron of the shell.
        electrons = xraylib.ElectronConfig(z, xraylib.K_SHELL)
        return electrons * xraylib.CSb_Photo_Partial(z, xraylib.K_SHELL, kev) / xraylib.CSb_Photo_Total(z, kev)

    part = np.array([fluorescence_yield * k_share(float(kev)) for kev in energies_kev])
    return KXrays(part, xraylib.LineEnergy(z, xraylib.KA_LINE), xraylib.LineEnergy(z, xraylib.KB_LINE),
                  xraylib.RadRate(z, xraylib.KA_LINE))
