"""TG-195 case 1: air kerma behind 1 m of air and none, one and two half-value layers of aluminium.

A narrow beam needs no Monte Carlo: this case tests cross-sections and spectra. As in the report, kerma is fluence times
energy times the report's own mu_en/rho of air.
"""

from __future__ import annotations

import numpy as np

from organdose.ct.spectrum import FILTER_DENSITY_G_CM3
from organdose.progress import Progress
from organdose.transport.cross_sections import mass_attenuation_cm2_g
from organdose.transport.materials import Material
from organdose.validation.comparison import Comparison
from organdose.validation.tg195_table import SPECTRUM_BIN_KEV, Published

_KINDS = {"30 keV": "monoenergetic", "100 keV": "monoenergetic", "30 kVp": "polyenergetic", "100 kVp": "polyenergetic"}
_AIR_CM, _DISC_RADIUS_MM = 100.0, 5.0
_ALUMINIUM = Material.from_symbols("aluminium", {"Al": 1.0})
_TOLERANCE_PERCENT = 0.3


def half_value_layers(published: Published, histories: int, progress: Progress | None = None) -> list[Comparison]:
    """Kerma without filter, and what one and two half-value layers leave of it; `histories` play no part."""
    thicknesses = published.table["geometry"]["case1_HVL"]["spectra_and_Al_thickness_mm"]
    rows = []
    for spectrum, kind in _KINDS.items():
        layers_mm = next(v for k, v in thicknesses.items() if k.startswith(spectrum))
        kerma = {name: _kerma(published, spectrum, thickness_mm)
                 for name, thickness_mm in zip(("None", "HVL", "QVL"), (0.0, *layers_mm))}
        for name, value in kerma.items():
            rows.append(_row(published, f"1 {spectrum} {name}", ("Case 1", f"{name}Filter", spectrum, kind), value))
        for name in ("HVL", "QVL"):
            rows.append(_row(published, f"1 {spectrum} {name} / None", ("Case 1 HVL", name, spectrum, kind),
                             kerma[name] / kerma["None"]))
    return rows


def _row(published: Published, label: str, key: tuple[str, str, str, str], ours: float) -> Comparison:
    row = published.row(*key)
    return Comparison(label, ours, 0.0, {code: entry["value"] for code, entry in row["codes"].items()},
                      row["mean_no_mcnp"], _TOLERANCE_PERCENT)


def _kerma(published: Published, spectrum: str, thickness_mm: float) -> float:
    """Air kerma per photon through a disc of 1 cm at 1 m, in the report's unit: keV cm2/g and mm2 of the disc."""
    energies_kev, photons, bin_kev = published.spectrum(spectrum)
    table_kev, absorption_cm2_g = (np.asarray(column) for column in published.table["spectra"]["mu_en_rho_air_cm2_g"])
    air, air_density = published.material("air")
    attenuation = mass_attenuation_cm2_g(air, energies_kev) * air_density * _AIR_CM
    attenuation += mass_attenuation_cm2_g(_ALUMINIUM, energies_kev) * FILTER_DENSITY_G_CM3["Al"] * 0.1 * thickness_mm
    # The codes scored lines in the table's bin below them: 30 keV as 29.75 keV.
    scored_kev = energies_kev if bin_kev else energies_kev - 0.5 * SPECTRUM_BIN_KEV
    scored = np.interp(scored_kev, table_kev, absorption_cm2_g) * scored_kev
    disc_mm2 = np.pi * _DISC_RADIUS_MM**2
    return float(np.sum(photons * scored * np.exp(-attenuation)) / np.sum(photons) / disc_mm2)
