"""Stopping powers against NIST's ESTAR (Berger et al., SRD 124)."""

import numpy as np
import pytest

from organdose.errors import InputError
from organdose.transport.electron_stopping import (
    collision_mev_cm2_g,
    mean_excitation_ev,
    radiative_mev_cm2_g,
)
from organdose.transport.materials import WATER, Material
from organdose.transport.nist_tables import nist_tables

ENERGIES_KEV = np.array([10.0, 100.0, 500.0, 1000.0, 2000.0])
BONE = Material("cortical bone (ICRP)", {1: 0.047234, 6: 0.14433, 7: 0.04199, 8: 0.446096, 12: 0.0022, 15: 0.10497,
                                         16: 0.00315, 20: 0.20993, 30: 0.0001})
# ESTAR: collision and radiative stopping power of liquid water, MeV cm2/g.
WATER_COLLISION = np.array([22.56, 4.115, 2.034, 1.849, 1.824])
WATER_RADIATIVE = np.array([3.898e-3, 4.228e-3, 7.257e-3, 1.280e-2, 2.678e-2])


def test_water_slows_electrons_as_estar_says():
    ours = collision_mev_cm2_g(WATER, 1.0, ENERGIES_KEV)
    assert ours == pytest.approx(WATER_COLLISION, rel=0.008)
    assert ours[:4] == pytest.approx(WATER_COLLISION[:4], rel=0.003)
    assert radiative_mev_cm2_g(WATER, ENERGIES_KEV) == pytest.approx(WATER_RADIATIVE, rel=0.003)


LUNG = Material("lung (ICRP)", {1: 0.101278, 6: 0.10231, 7: 0.02865, 8: 0.757072, 11: 0.00184, 12: 0.00073, 15: 0.0008,
                                16: 0.00225, 17: 0.00266, 19: 0.00194, 20: 0.00009, 26: 0.00037, 30: 0.00001})


@pytest.mark.parametrize(("material", "density_g_cm3", "collision", "radiative"), [
    (BONE, 1.85, [19.72, 3.679, 1.825, 1.659, 1.643], [5.461e-3, 6.356e-3, 1.055e-2, 1.824e-2, 3.755e-2]),
    (LUNG, 1.05, [22.32, 4.073, 2.013, 1.827, 1.802], [3.842e-3, 4.176e-3, 7.171e-3, 1.265e-2, 2.646e-2])])
def test_bone_and_lung_slow_electrons_as_estar_says(material, density_g_cm3, collision, radiative):
    ours = collision_mev_cm2_g(material, density_g_cm3, ENERGIES_KEV)
    assert ours[:4] == pytest.approx(collision[:4], rel=0.005)
    assert ours == pytest.approx(collision, rel=0.01)
    assert radiative_mev_cm2_g(material, ENERGIES_KEV) == pytest.approx(radiative, rel=0.003)


@pytest.mark.parametrize(("material", "expected_ev"), [(WATER, 75.0), (BONE, 106.4)])
def test_mean_excitation_energies_follow_braggs_rule(material, expected_ev):
    assert mean_excitation_ev(material) == pytest.approx(expected_ev, rel=0.006)


def test_the_density_effect_slows_less_in_denser_water():
    vapour, liquid = (collision_mev_cm2_g(WATER, density, np.array([2000.0]))[0] for density in (1e-6, 1.0))
    assert vapour > 1.03 * liquid
    assert collision_mev_cm2_g(WATER, 1e-6, np.array([20.0])) == pytest.approx(
        collision_mev_cm2_g(WATER, 1.0, np.array([20.0])))


def test_positrons_lose_more_when_slow_and_less_when_fast():
    # Rohrlich and Carlson, Phys Rev 93 (1954) 38: Bhabha against Moeller scattering.
    energies_kev = np.array([20.0, 100.0, 1000.0])
    ratio = (collision_mev_cm2_g(WATER, 1.0, energies_kev, positrons=True)
             / collision_mev_cm2_g(WATER, 1.0, energies_kev))
    assert 1.05 < ratio[0] < 1.12 and ratio[0] > ratio[1] > 1 > ratio[2] > 0.96


def test_an_element_between_two_tabulated_ones_radiates_like_its_neighbours():
    zinc, bromine, silver = (radiative_mev_cm2_g(Material.from_symbols(symbol, {symbol: 1}), np.array([1000.0]))[0]
                             for symbol in ("Zn", "Br", "Ag"))
    assert zinc < bromine < silver


def test_the_tables_name_their_source():
    assert "ESTAR" in nist_tables()["source"] and "XCOM" in nist_tables()["source"]


@pytest.mark.parametrize("energy_kev", [0.5, 20_000.0])
def test_energies_outside_the_tables_are_refused(energy_kev):
    with pytest.raises(InputError, match="not supported"):
        collision_mev_cm2_g(WATER, 1.0, np.array([energy_kev]))
