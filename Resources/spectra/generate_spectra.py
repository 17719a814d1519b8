"""Writes tungsten_spectra.json: X-ray tube spectra before any added filtration, computed once with SpekPy.

    pip install spekpy==2.5.4 xraylib scipy && python Resources/spectra/generate_spectra.py

SpekPy: Poludniowski, Omar, Bujila, Andreo, Med Phys 48 (2021) 3630; physics model 'casim' (Omar et al., Med Phys 47
(2020) 4763). SpekPy is 160 MB, so the table is shipped and SpekPy is not a dependency.

Bremsstrahlung and characteristic lines are kept apart, because between two tube voltages the former scales with energy
over tube voltage while the latter stay where they are. Other take-off angles than 7 degrees are described by the
thickness of tungsten that turns the spectrum at 7 degrees into one of the same air kerma behind 7 mm Al.
"""

import json
from pathlib import Path

import numpy as np
import spekpy
import xraylib
from scipy.optimize import brentq

ANODE_ANGLE_DEG = 7.0
TAKE_OFF_DEG = (1, 1.5, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25)
TUBE_VOLTAGES_KV = (70, 80, 90, 100, 110, 120, 130, 140, 150)
BIN_KEV = 1.0
FILTER_MM_AL = 7.0


def fluence_per_mas(tube_voltage_kv: float, take_off_deg: float = ANODE_ANGLE_DEG, **parts) -> tuple:
    """Bin centres (keV) and photons per cm2, mAs and keV at 1 m, in vacuum and without filtration."""
    spectrum = spekpy.Spek(kvp=tube_voltage_kv, th=take_off_deg, dk=BIN_KEV, physics="casim", z=100.0, mas=1.0, **parts)
    energies_kev, fluence = spectrum.get_spectrum(edges=False)
    return energies_kev, fluence


def tungsten_um(tube_voltage_kv: float) -> list[float]:
    """For each take-off angle the tungsten (micrometre) that is passed more than at the anode angle of the table."""
    energies_kev, reference = fluence_per_mas(tube_voltage_kv)
    per_um = np.array([xraylib.CS_Total(74, e) for e in energies_kev]) * 19.3e-4
    behind_filter = np.exp([-0.2699 * FILTER_MM_AL * xraylib.CS_Total(13, e) for e in energies_kev])
    # Any smooth detector will do to balance the two spectra; CS_Energy's errors of some percent cancel.
    response = behind_filter * energies_kev * [xraylib.CS_Energy(7, e) for e in energies_kev]

    def extra(take_off_deg: float) -> float:
        wanted = np.sum(response * fluence_per_mas(tube_voltage_kv, take_off_deg)[1])
        return brentq(lambda um: np.sum(response * reference * np.exp(-per_um * um)) / wanted - 1, -60, 200)

    return [round(float(extra(angle)), 3) + 0.0 for angle in TAKE_OFF_DEG]


def entry(tube_voltage_kv: float) -> dict:
    energies_kev, continuum = fluence_per_mas(tube_voltage_kv, char=False)
    _, lines = fluence_per_mas(tube_voltage_kv, brem=False)
    return {"first_kev": float(energies_kev[0]), "continuum_per_cm2_mas_kev": [float(f"{v:.5g}") for v in continuum],
            "lines_per_cm2_mas": {f"{e:g}": float(f"{v * BIN_KEV:.5g}") for e, v in zip(energies_kev, lines) if v > 0},
            "extra_tungsten_um": tungsten_um(tube_voltage_kv)}


def main() -> None:
    spectra = {str(tube_voltage_kv): entry(tube_voltage_kv) for tube_voltage_kv in TUBE_VOLTAGES_KV}
    head = {
        "source": f"SpekPy {spekpy.__version__} (Poludniowski et al., Med Phys 48 (2021) 3630), model casim, "
                  f"tungsten, anode angle {ANODE_ANGLE_DEG:g} degrees, no added filtration, at 1 m; extra_tungsten_um: "
                  "see the script; written by Resources/spectra/generate_spectra.py",
        "anode_angle_deg": ANODE_ANGLE_DEG,
        "take_off_deg": TAKE_OFF_DEG,
        "bin_kev": BIN_KEV,
    }
    # One line for each field keeps the file readable and its diffs small.
    lines = [f' "{key}": {json.dumps(value)}' for key, value in head.items()]
    voltages = []
    for voltage, fields in spectra.items():
        inner = ",\n".join(f'   "{key}": {json.dumps(value)}' for key, value in fields.items())
        voltages.append(f'  "{voltage}": {{\n{inner}}}')
    text = "{\n" + ",\n".join([*lines, ' "spectra": {\n' + ",\n".join(voltages) + "}"]) + "\n}\n"
    json.loads(text)
    Path(__file__).with_name("tungsten_spectra.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
