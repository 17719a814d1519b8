"""Sampled angles and energies against integrals of the cross-sections they come from."""

import numpy as np
import pytest
import xraylib
from numba import njit

from organdose.transport.cross_sections import photon_tables
from organdose.transport.interactions import compton, rayleigh, turned
from organdose.transport.materials import WATER
from organdose.transport.random_numbers import first_state

SAMPLES = 200_000


@njit
def sampled_compton(energy_kev, tables, count, seed):
    energies, cosines = np.empty(count), np.empty(count)
    state = first_state(seed, 0, 0)
    for k in range(count):
        energies[k], cosines[k], state = compton(energy_kev, tables, 0, state)
    return energies, cosines


@njit
def sampled_rayleigh(energy_kev, tables, count, seed):
    cosines = np.empty(count)
    state = first_state(seed, 0, 0)
    for k in range(count):
        cosines[k], state = rayleigh(energy_kev, tables, 0, state)
    return cosines


def averages(density, values):
    return [float(np.sum(density * v) / np.sum(density)) for v in values]


@pytest.mark.parametrize("energy_kev", [20.0, 60.0, 140.0])
def test_compton_scattering_follows_xraylibs_differential_cross_section(energy_kev):
    tables = photon_tables((WATER,)).compiled()
    energies, cosines = sampled_compton(energy_kev, tables, SAMPLES, 3)
    angles = np.linspace(0.02, np.pi - 1e-3, 4000)  # xraylib raises at smaller momentum transfers
    density = np.array([sum(w * xraylib.DCS_Compt(z, energy_kev, float(t)) for z, w in WATER.weight_fractions.items())
                        for t in angles]) * np.sin(angles)
    kept = 1 / (1 + energy_kev / 510.99895 * (1 - np.cos(angles)))
    mean_cosine, mean_square, mean_energy = averages(
        density, (np.cos(angles), np.cos(angles) ** 2, energy_kev * kept))
    assert cosines.mean() == pytest.approx(mean_cosine, abs=0.005)
    assert (cosines**2).mean() == pytest.approx(mean_square, abs=0.005)
    assert energies.mean() == pytest.approx(mean_energy, rel=1e-3)


@pytest.mark.parametrize("energy_kev", [20.0, 60.0, 140.0])
def test_rayleigh_scattering_follows_xraylibs_differential_cross_section(energy_kev):
    tables = photon_tables((WATER,)).compiled()
    cosines = sampled_rayleigh(energy_kev, tables, SAMPLES, 4)
    angles = np.linspace(1e-3, np.pi - 1e-3, 8000)
    density = np.array([sum(w * xraylib.DCS_Rayl(z, energy_kev, float(t)) for z, w in WATER.weight_fractions.items())
                        for t in angles]) * np.sin(angles)
    mean_cosine, mean_square = averages(density, (np.cos(angles), np.cos(angles) ** 2))
    assert cosines.mean() == pytest.approx(mean_cosine, abs=0.005)
    assert (cosines**2).mean() == pytest.approx(mean_square, abs=0.005)


@pytest.mark.parametrize("direction", [(0.0, 0.0, 1.0), (0.0, 0.0, -1.0), (0.6, -0.48, 0.64)])
def test_a_turned_direction_keeps_its_length_and_the_angle_asked_for(direction):
    turned_direction = np.array(turned(*direction, 0.3, 1.1))
    assert np.linalg.norm(turned_direction) == pytest.approx(1.0)
    assert turned_direction @ np.array(direction) == pytest.approx(0.3)
