"""TG-195 case 4.1 (CT, simple volumes), one beam with few histories; `organdose validate tg195` runs it all."""

import numpy as np
import pytest

from organdose.ct.spectrum import Spectrum
from organdose.validation.tg195 import simulate_simple_volumes

# Sechopoulos et al., Med Phys 42 (2015) 5679, case 4.1, 56.4 keV, 10 mm: mean of EGSnrc, Geant4 and PENELOPE, eV per
# history in the four discs.
PUBLISHED_EV = (11594.8, 2575.1, 1764.2, 1330.3)


def test_energy_in_the_four_discs_is_within_one_percent_of_the_published_codes():
    line = Spectrum(np.array([56.4]), np.array([1.0]), 0.0)
    tally = simulate_simple_volumes(line, 10.0, histories=400_000, pixel_mm=5.0)
    for ours_kev, uncertainty, published_ev in zip(tally.regions, tally.region_relative_uncertainty, PUBLISHED_EV):
        assert 1000 * ours_kev == pytest.approx(published_ev, rel=0.01 + 3 * uncertainty)
    assert tally.region_relative_uncertainty.max() < 0.015
