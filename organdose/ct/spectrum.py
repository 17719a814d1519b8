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
FILTER_DENSITY_G_CM3 = {"Al": 2.699, "Cu": 8.96, "Ti": 4.54, "C": 1.7, "Be": 1.848, "Sn": 7.31, "W": 19.3,
                        "PTFE": 2.25, "PMMA": 1.19}
_COMPOUNDS = {"PTFE": {"C": 24.018, "F": 75.982}, "PMMA": {"H": 8.0541, "C": 59.9846, "O": 31.9613}}


@dataclass(frozen=True)
class Spectrum:
    """Photon fluence in energy bins of equal width: bin centres (keV), photons per bin (any unit), bin width (keV).

    A width of 0 stands for lines at the given energies. `photons` may hold several spectra, (..., energies).
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

    def with_photons(self, photons: np.ndarray) -> Spectrum:
        """Other photon numbers in the same bins."""
        return Spectrum(self.energies_kev, photons, self.bin_kev)

    @property
    def air_kerma(self) -> float:
        """Air kerma in free air, in keV cm2/g times the unit of `photons`."""
        return float(np.sum(self.air_kerma_each))

    @property
    def air_kerma_each(self) -> np.ndarray:
        """Air kerma of each of several spectra, (...)."""
        absorption = _air_energy_absorption_cm2_g(tuple(self.energies_kev))
        return np.sum(self.photons * self.energies_kev * absorption, axis=-1)

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
    material = Material.from_symbols(element, _COMPOUNDS.get(element, {element: 1.0}))
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


@cache
def _per_voltage() -> tuple[np.ndarray, dict[float, dict]]:
    """Tube voltages of the table (rising) and its entries."""
    entries = {float(kv): entry for kv, entry in _table()["spectra"].items()}
    return np.array(sorted(entries)), entries


def _neighbours(tube_voltage_kv: float) -> list[tuple[float, dict]]:
    """The table's entries around a tube voltage with their parts, which add up to 1. Raises `InputError` outside."""
    voltages_kv, entries = _per_voltage()
    if not voltages_kv[0] <= tube_voltage_kv <= voltages_kv[-1]:
        raise InputError(f"no tube spectrum for {tube_voltage_kv:g} kV",
                         mend=f"Tube voltages between {voltages_kv[0]:g} and {voltages_kv[-1]:g} kV are known.")
    upper = max(1, int(np.searchsorted(voltages_kv, tube_voltage_kv)))
    low_kv, high_kv = voltages_kv[upper - 1], voltages_kv[upper]
    part = (tube_voltage_kv - low_kv) / (high_kv - low_kv)
    return [(float(kv), entries[kv] | {"part": p}) for kv, p in ((low_kv, 1 - part), (high_kv, part)) if p > 0]


def tungsten_spectrum(tube_voltage_kv: float, anode_angle_deg: float | None = None) -> Spectrum:
    """Unfiltered spectrum of a tungsten tube (Resources/spectra; SpekPy), `anode_angle_deg` 7 unless told.

    Between the table's voltages bremsstrahlung is interpolated at the same part of the tube voltage, characteristic
    lines at their energies. Raises `InputError` for a voltage outside the table or an impossible angle.
    """
    table = _table()
    bin_kev = table["bin_kev"]
    energies_kev = bin_kev * (np.arange(round(tube_voltage_kv / bin_kev)) + 0.5)
    photons = np.zeros(len(energies_kev))
    for kv, entry in _neighbours(tube_voltage_kv):
        continuum = np.asarray(entry["continuum_per_cm2_mas_kev"])
        at_kev = entry["first_kev"] + bin_kev * np.arange(len(continuum))
        # It ends at zero at the tube voltage.
        scaled_kev = energies_kev * kv / tube_voltage_kv
        found = np.interp(scaled_kev, np.append(at_kev, kv), np.append(continuum, 0.0))
        photons += entry["part"] * found * bin_kev * kv / tube_voltage_kv
        for line_kev, per_mas in entry["lines_per_cm2_mas"].items():
            photons[int(float(line_kev) / bin_kev)] += entry["part"] * per_mas
    kept = energies_kev >= 5.0  # nothing below 5 keV passes the filtration of a CT tube
    spectrum = Spectrum(energies_kev[kept], photons[kept], bin_kev)
    if anode_angle_deg is None or anode_angle_deg == table["anode_angle_deg"]:
        return spectrum
    extra_um = extra_tungsten_um(tube_voltage_kv, anode_angle_deg)
    return spectrum.filtered("W", 1e-3 * float(extra_um))


def extra_tungsten_um(tube_voltage_kv: float, take_off_deg: float | np.ndarray) -> np.ndarray:
    """Tungsten (micrometre) that photons leaving the anode at `take_off_deg` (any shape) pass more than at 7 degrees.

    An effective thickness: it turns SpekPy's spectrum at 7 degrees into one of the same air kerma behind 7 mm Al as
    SpekPy's at that angle (Resources/spectra/generate_spectra.py), linear in the angle's cosecant between the table's
    angles. Raises `InputError` outside of them.
    """
    angles_deg = np.asarray(_table()["take_off_deg"])
    wanted_deg = np.asarray(take_off_deg, dtype=float)
    if np.any(wanted_deg < angles_deg[0] - 1e-9) or np.any(wanted_deg > angles_deg[-1] + 1e-9):
        raise InputError("the take-off angle at the anode is outside the known ones",
                         mend=f"Angles between {angles_deg[0]:g} and {angles_deg[-1]:g} degrees are known.")
    cosecant = 1.0 / np.sin(np.radians(angles_deg))
    found = sum(entry["part"] * np.interp(1.0 / np.sin(np.radians(wanted_deg)), cosecant[::-1],
                                          entry["extra_tungsten_um"][::-1])
                for _, entry in _neighbours(tube_voltage_kv))
    return np.asarray(found)
