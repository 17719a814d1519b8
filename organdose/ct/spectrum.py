"""X-ray tube spectra and what filters leave of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

import numpy as np

from organdose.errors import InputError
from organdose.resources import resource_path
from organdose.transport.cross_sections import mass_attenuation_cm2_g
from organdose.transport.materials import DRY_AIR, Material

# Densities in g/cm3 of filter materials (NIST, X-ray mass attenuation tables).
FILTER_DENSITY_G_CM3 = {"Al": 2.699, "Cu": 8.96, "Ti": 4.54, "C": 1.7, "Be": 1.848}


@dataclass(frozen=True)
class Spectrum:
    """Photon fluence in energy bins of equal width: bin centres (keV), photons per bin (any unit), bin width (keV).

    A width of 0 stands for lines at the given energies.
    """

    energies_kev: np.ndarray
    photons: np.ndarray
    bin_kev: float

    @property
    def highest_kev(self) -> float:
        return float(self.energies_kev[-1] + 0.5 * self.bin_kev)

    @property
    def mean_kev(self) -> float:
        return float(np.average(self.energies_kev, weights=self.photons))

    def filtered(self, element: str, thickness_mm: float) -> Spectrum:
        """The spectrum behind `thickness_mm` of an element. Raises `InputError` for an unknown filter element."""
        transmission = filter_transmission(element, thickness_mm, self.energies_kev)
        return Spectrum(self.energies_kev, self.photons * transmission, self.bin_kev)

    @property
    def air_kerma(self) -> float:
        """Air kerma in free air, in keV cm2/g times the unit of `photons`."""
        return float(np.sum(self.photons * self.energies_kev * _air_energy_absorption_cm2_g(tuple(self.energies_kev))))

    def half_value_layer_mm_al(self) -> float:
        """Aluminium thickness (mm) that halves the air kerma in narrow-beam geometry."""
        from scipy.optimize import brentq

        def excess(thickness_mm: float) -> float:
            return self.filtered("Al", thickness_mm).air_kerma / self.air_kerma - 0.5

        return float(brentq(excess, 0.0, 100.0))


def filter_transmission(element: str, thickness_mm, energies_kev: np.ndarray) -> np.ndarray:
    """Transmitted part of a narrow beam; `thickness_mm` broadcasts against `energies_kev`."""
    if element not in FILTER_DENSITY_G_CM3:
        raise InputError(f"unknown filter material {element!r}", mend=f"Use one of {', '.join(FILTER_DENSITY_G_CM3)}.")
    return np.exp(-_filter_attenuation_per_mm(element, tuple(energies_kev)) * thickness_mm)


@cache
def _filter_attenuation_per_mm(element: str, energies_kev: tuple[float, ...]) -> np.ndarray:
    material = Material.from_symbols(element, {element: 1.0})
    return mass_attenuation_cm2_g(material, np.asarray(energies_kev)) * FILTER_DENSITY_G_CM3[element] * 0.1


@cache
def _air_energy_absorption_cm2_g(energies_kev: tuple[float, ...]) -> np.ndarray:
    """mu_en/rho of dry air as photoelectric plus Compton times Klein-Nishina's mean transferred part.

    Within 0.5 % of NIST's mu_en between 10 and 150 keV; xraylib's CS_Energy is wrong by up to 37 % there.
    """
    import xraylib

    absorption = np.zeros(len(energies_kev))
    for z, weight in DRY_AIR.weight_fractions.items():
        for k, energy in enumerate(energies_kev):
            absorption[k] += weight * (xraylib.CS_Photo(z, energy)
                                       + xraylib.CS_Compt(z, energy) * klein_nishina_transferred_part(energy))
    return absorption


def klein_nishina_transferred_part(energy_kev: float) -> float:
    """Mean part of the photon energy given to the electron in Compton scattering (Klein and Nishina, 1929)."""
    alpha = energy_kev / 510.99895
    cosines, weights = np.polynomial.legendre.leggauss(64)
    kept = 1.0 / (1.0 + alpha * (1.0 - cosines))
    differential = kept**2 * (kept + 1.0 / kept - (1.0 - cosines**2))
    return float(np.sum(weights * differential * (1.0 - kept)) / np.sum(weights * differential))


@cache
def _table() -> dict:
    return json.loads(resource_path("spectra", "tungsten_spectra.json").read_text(encoding="utf-8"))


def tungsten_spectrum(tube_voltage_kv: float) -> Spectrum:
    """Unfiltered spectrum of a tungsten tube (Resources/spectra; SpekPy, anode angle 7 degrees).

    Raises `InputError` for a tube voltage that is not in the table.
    """
    table = _table()
    key = f"{tube_voltage_kv:g}"
    if key not in table["spectra"]:
        raise InputError(f"no tube spectrum for {key} kV",
                         mend=f"Known tube voltages: {', '.join(table['spectra'])} kV.")
    entry = table["spectra"][key]
    photons = np.asarray(entry["fluence_per_cm2_mas_kev"], dtype=float)
    energies_kev = entry["first_kev"] + table["bin_kev"] * np.arange(len(photons))
    kept = energies_kev >= 5.0  # nothing below 5 keV passes the filtration of a CT tube
    return Spectrum(energies_kev[kept], photons[kept] * table["bin_kev"], table["bin_kev"])
