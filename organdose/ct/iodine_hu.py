"""What iodine adds to the HU of a scanner."""

from __future__ import annotations

import numpy as np

from organdose.ct.spectrum import Spectrum
from organdose.transport.cross_sections import mass_attenuation_cm2_g
from organdose.transport.materials import WATER, Material

_PATIENT_CM = 25.0  # of water between tube and detector, for the spectrum that the detector sees


def iodine_hu_per_mg_per_ml(spectrum: Spectrum) -> float:
    """What 1 mg iodine per ml adds to the HU, for a detector that weights photons with their energy.

    `spectrum` is that in front of the patient; 25 cm of water harden it. For the generic scanner: 26 HU at 120 kV, as
    measured for scanners (25 HU: Bae, Radiology 256 (2010) 32-61), 41 HU at 80 kV.
    """
    energies_kev = spectrum.energies_kev
    water = mass_attenuation_cm2_g(WATER, energies_kev)
    iodine = mass_attenuation_cm2_g(Material.from_symbols("iodine", {"I": 1.0}), energies_kev)
    seen = spectrum.photons * energies_kev * np.exp(-_PATIENT_CM * water)
    return float(1000 * 1e-3 * np.sum(seen * iodine) / np.sum(seen * water))
