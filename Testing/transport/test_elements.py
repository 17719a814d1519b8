"""Elements against the NIST tables beyond xraylib's end, fluorescence against jump ratios and yields."""

import json

import numpy as np
import pytest
import xraylib

from organdose.transport.cross_sections import mass_attenuation_cm2_g
from organdose.transport.elements import element_tables, energy_grid_kev, klein_nishina_per_electron, pair_cm2_g
from organdose.transport.materials import WATER, Material


def test_attenuation_agrees_with_nist_from_10_kev_to_2_mev(shared_reference):
    nist = json.loads((shared_reference / "nist_reference.json").read_text())
    for name, composition in nist["composition"].items():
        material = Material(name, {int(z): weight for z, weight in composition.items()})
        rows = np.array([row[:2] for row in nist["tables"][name] if 0.01 <= row[0] <= 2.0], dtype=float)
        assert rows[-1, 0] == 2.0  # beyond xraylib's 0.8 MeV and the threshold of pairs
        ours = mass_attenuation_cm2_g(material, 1000 * rows[:, 0])
        low = rows[:, 0] <= 1.0
        assert ours[low] == pytest.approx(rows[low, 1], rel=1e-3), name
        assert ours == pytest.approx(rows[:, 1], rel=3e-3), name


def test_water_at_2_and_3_mev_is_nists_value():
    # Hubbell and Seltzer, NIST: liquid water, 2 MeV 0.04942, 3 MeV 0.03969 cm2/g.
    assert mass_attenuation_cm2_g(WATER, np.array([2000.0, 3000.0])) == pytest.approx([0.04942, 0.03969], rel=3e-3)


def test_pairs_are_made_above_twice_the_electrons_mass_and_mostly_in_heavy_elements():
    # XCOM: oxygen, 2 MeV, nuclear field 0.01134 barn per atom.
    barn_mole = 0.602214076
    assert pair_cm2_g(8, np.array([2000.0]))[0] * 15.999 / barn_mole == pytest.approx(0.01134, rel=0.01)
    assert pair_cm2_g(8, np.array([1000.0]))[0] == 0
    assert pair_cm2_g(82, np.array([2000.0]))[0] > 5 * pair_cm2_g(8, np.array([2000.0]))[0]


def test_lead_at_1_mev_is_nists_value_within_two_percent():
    # Hubbell and Seltzer, NIST: lead, 1 MeV: 0.07102 cm2/g. The continued photoelectric effect is a quarter of it.
    assert mass_attenuation_cm2_g(Material.from_symbols("lead", {"Pb": 1}), np.array([1000.0]))[0] == pytest.approx(
        0.07102, rel=0.02)


def test_slow_photons_scatter_off_electrons_with_thomsons_cross_section():
    # 8/3 pi r_e^2, in units of 2 pi r_e^2.
    assert klein_nishina_per_electron(0.01) == pytest.approx(4 / 3, rel=1e-4)


@pytest.mark.parametrize(("z", "line_kev"), [(20, 3.69), (53, 28.61), (56, 32.19), (64, 43.0)])
def test_k_x_rays_come_as_often_as_jump_ratio_and_yield_say(z, line_kev):
    # Alpha lines: Bearden, Rev Mod Phys 39 (1967) 78. K share of the photoelectric effect: 1 - 1/jump ratio.
    k_xrays = element_tables(z, 151.0).k_xrays
    energies_kev = energy_grid_kev(151.0)
    above = k_xrays.part[energies_kev > 1.05 * xraylib.EdgeEnergy(z, xraylib.K_SHELL)]
    expected = (1 - 1 / xraylib.JumpFactor(z, xraylib.K_SHELL)) * xraylib.FluorYield(z, xraylib.K_SHELL)
    assert above == pytest.approx(expected, rel=0.08)
    assert k_xrays.part[energies_kev < xraylib.EdgeEnergy(z, xraylib.K_SHELL)].max() == 0
    assert k_xrays.alpha_kev == pytest.approx(line_kev, rel=0.01)
    assert k_xrays.alpha_kev < k_xrays.mean_kev < k_xrays.beta_kev


def test_light_elements_keep_their_k_x_rays_to_themselves():
    assert element_tables(8, 151.0).k_xrays is None and element_tables(15, 151.0).k_xrays is None
