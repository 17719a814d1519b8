"""Writes tungsten_spectra.json: X-ray tube spectra before any added filtration, computed once with SpekPy.

    pip install spekpy==2.5.4 && python Resources/spectra/generate_spectra.py

SpekPy: Poludniowski, Omar, Bujila, Andreo, Med Phys 48 (2021) 3630; physics model 'casim' (Omar et al., Med Phys 47
(2020) 4763). SpekPy is 160 MB, so the table is shipped and SpekPy is not a dependency.
"""

import json
from pathlib import Path

import spekpy

ANODE_ANGLE_DEG = 7.0
TUBE_VOLTAGES_KV = (70, 80, 90, 100, 110, 120, 130, 135, 140, 150)
BIN_KEV = 1.0


def fluence_per_mas(tube_voltage_kv: float) -> tuple[list[float], list[float]]:
    """Bin centres (keV) and photons per cm2, mAs and keV at 1 m, in vacuum and without filtration."""
    spectrum = spekpy.Spek(kvp=tube_voltage_kv, th=ANODE_ANGLE_DEG, dk=BIN_KEV, physics="casim", z=100.0, mas=1.0)
    energies_kev, fluence = spectrum.get_spectrum(edges=False)
    return [float(e) for e in energies_kev], [float(f"{value:.5g}") for value in fluence]


def main() -> None:
    spectra = {}
    for tube_voltage_kv in TUBE_VOLTAGES_KV:
        energies_kev, fluence = fluence_per_mas(tube_voltage_kv)
        spectra[str(tube_voltage_kv)] = {"first_kev": energies_kev[0], "fluence_per_cm2_mas_kev": fluence}
    table = {
        "source": f"SpekPy {spekpy.__version__} (Poludniowski et al., Med Phys 48 (2021) 3630), model casim, "
                  f"tungsten, anode angle {ANODE_ANGLE_DEG:g} degrees, no added filtration, at 1 m; "
                  "written by Resources/spectra/generate_spectra.py",
        "anode_angle_deg": ANODE_ANGLE_DEG,
        "bin_kev": BIN_KEV,
        "spectra": spectra,
    }
    path = Path(__file__).with_name("tungsten_spectra.json")
    lines = json.dumps(table, indent=1)
    # One line for each spectrum keeps the file readable and its diffs small.
    for spectrum in spectra.values():
        lines = lines.replace(json.dumps(spectrum, indent=1).replace("\n", "\n  "), json.dumps(spectrum))
    path.write_text(lines + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
