"""Sampled angles and energies against integrals of the cross-sections they come from."""

import numpy as np
import pytest
import xraylib
from numba import njit

from organdose.transport.cross_sections import photon_tables
from organdose.transport.interactions import compton, energy_place, interact, rayleigh, turned
from organdose.transport.materials import WATER, Material
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


@njit
def interactions(choices, energy_kev, tables, seed):
    energies, rests, cosines = np.empty(len(choices)), np.empty(len(choices)), np.empty(len(choices))
    state = first_state(seed, 0, 0)
    k, part = energy_place(energy_kev, tables)
    for n in range(len(choices)):
        energies[n], _, _, cosines[n], rests[n], factor, state = interact(choices[n], energy_kev, 0.0, 0.0, 1.0, 0, k,
                                                                           part, tables, state)
        energies[n] *= factor
    return energies, cosines, rests


def test_iodine_glows_after_photoelectric_absorption_as_often_as_its_yield_says():
    tables = photon_tables((Material.from_symbols("iodine", {"I": 1}),)).compiled()
    photoelectric = xraylib.CS_Photo(53, 60.0) / xraylib.CS_Total(53, 60.0)
    choices = np.random.default_rng(1).uniform(0, photoelectric, SAMPLES)
    energies, cosines, rests = interactions(choices, 60.0, tables, 5)
    k_share = 1 - 1 / xraylib.JumpFactor(53, xraylib.K_SHELL)
    glowing = energies > 0
    assert glowing.mean() == pytest.approx(k_share * xraylib.FluorYield(53, xraylib.K_SHELL), rel=0.03)
    assert set(np.round(energies[glowing], 1)) == {28.5, 31.8}
    assert np.mean(energies[glowing] < 30) == pytest.approx(xraylib.RadRate(53, xraylib.KA_LINE), abs=0.01)
    assert cosines[glowing].mean() == pytest.approx(0, abs=0.01)  # K x-rays leave evenly in all directions
    assert (cosines[glowing] ** 2).mean() == pytest.approx(1 / 3, abs=0.01)
    assert rests.max() == 0


@pytest.mark.parametrize("doppler", [False, True])
@pytest.mark.parametrize("energy_kev", [10.0, 60.0, 300.0, 3000.0])
def test_the_energy_scored_is_the_mean_of_the_energy_that_stays(energy_kev, doppler):
    material = Material.from_symbols("bone with iodine", {"H": 5, "O": 60, "P": 10, "Ca": 20, "I": 5})
    tables = photon_tables((material,), 3100.0, doppler=doppler)
    choices = np.random.default_rng(2).uniform(0, 1, SAMPLES)
    energies, _, rests = interactions(choices, energy_kev, tables.compiled(), 6)
    # What is scored on average at a stop is transferred / attenuation; photons below the cut-off are added apart.
    stays = (energy_kev - energies - rests) / energy_kev
    k = np.searchsorted(tables.energies_kev, energy_kev)
    expected = tables.transferred_cm2_g[0, k] / tables.attenuation_cm2_g[0, k]
    assert stays.mean() == pytest.approx(expected, abs=4 * stays.std() / np.sqrt(SAMPLES) + 2e-3 * expected)


def test_doppler_broadening_spreads_the_compton_line_as_wide_as_the_electrons_are_fast():
    tables = photon_tables((WATER,), doppler=True).compiled()
    energies, cosines = sampled_compton(100.0, tables, 400_000, 9)
    backwards = cosines < -0.95
    line_kev = 100.0 / (1 + 100.0 / 510.99895 * (1 - cosines[backwards]))
    shift = energies[backwards] - line_kev
    # To first order the line shifts by p_z |q| E' / E; half of the electrons move slower than the median |p_z|.
    p = np.linspace(0, 5, 2000)
    profile = sum(w / xraylib.AtomicWeight(z) * np.array([xraylib.ComptonProfile(z, float(q)) for q in p])
                  for z, w in WATER.weight_fractions.items())
    half = p[np.searchsorted(np.cumsum(profile), 0.25 * 2 * np.cumsum(profile)[-1])]  # median |p_z|
    transfer = np.sqrt(100**2 + line_kev.mean() ** 2 + 2 * 100 * line_kev.mean()) / 510.99895
    expected_kev = half / 137.036 * transfer * line_kev.mean() / 100.0 * 510.99895
    assert np.median(np.abs(shift)) == pytest.approx(expected_kev, rel=0.15)
    assert abs(np.median(shift)) < 0.1 * np.median(np.abs(shift))
