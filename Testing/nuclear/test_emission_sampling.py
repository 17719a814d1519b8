"""Tables to draw energies from, and what transports cannot follow."""

import numpy as np
import pytest

from organdose.errors import InputError
from organdose.nuclear.emission_range import untransported
from organdose.nuclear.emission_sampling import electron_table, energy_table, photon_table, positron_table
from organdose.nuclear.emissions import ALPHA, ANNIHILATION, GAMMA, X_RAY
from organdose.nuclear.nuclide_text import COMMON
from organdose.nuclear.progeny import with_progeny
from organdose.nuclear.radionuclide import radionuclide
from organdose.transport.alias_table import drawn

DRAWS = 200_000


def _drawn_kev(table, seed=3):
    chance, alias = table.alias()
    generator = np.random.default_rng(seed)
    pairs = [drawn(chance, alias, 0, r) for r in generator.random(DRAWS)]
    rows, rest = np.array([row for row, _ in pairs]), np.array([left for _, left in pairs])
    return table.low_kev[rows] + rest * (table.high_kev - table.low_kev)[rows]


@pytest.mark.parametrize("name", COMMON)
def test_tables_keep_energies_and_numbers_per_decay(name):
    emissions = with_progeny(name).emissions
    electrons, positrons = electron_table(emissions), positron_table(emissions)
    photons = photon_table(emissions, annihilation=True)
    assert electrons.energy_kev + positrons.energy_kev == pytest.approx(emissions.electron_energy_kev)
    assert photons.energy_kev == pytest.approx(emissions.photon_energy_kev)
    assert positrons.particles_per_decay == pytest.approx(emissions.yield_per_decay.get("beta+", 0.0))


def test_annihilation_photons_are_not_counted_twice():
    emissions = radionuclide("F-18").emissions
    assert photon_table(emissions, annihilation=True).energy_kev == pytest.approx(988.6, rel=1e-3)  # ICRP 107
    assert photon_table(emissions, annihilation=False).particles_per_decay == 0
    assert positron_table(emissions).particles_per_decay == pytest.approx(0.967, rel=1e-3)
    gallium = radionuclide("Ga-68").emissions
    assert photon_table(gallium, annihilation=False).energy_kev == pytest.approx(
        gallium.energy_kev[GAMMA] + gallium.energy_kev[X_RAY])


def test_drawn_energies_follow_the_spectrum_of_y_90():
    table = electron_table(radionuclide("Y-90").emissions)
    energies_kev = _drawn_kev(table)
    assert energies_kev.max() < 2281 and energies_kev.min() >= 0
    standard_error_kev = energies_kev.std() / np.sqrt(DRAWS)
    mean_kev = table.energy_kev / table.particles_per_decay
    assert energies_kev.mean() == pytest.approx(mean_kev, abs=4 * standard_error_kev)


def test_drawn_lines_are_lines():
    table = photon_table(radionuclide("Tc-99m").emissions, annihilation=True)
    energies_kev = _drawn_kev(table)
    part = np.mean(np.abs(energies_kev - 140.511) < 0.01)
    assert part == pytest.approx(0.8906 / table.particles_per_decay, rel=0.01)  # DDEP: 0.885(2); ICRP 107: 0.890


def test_there_is_nothing_to_draw_from_where_nothing_is_emitted():
    with pytest.raises(InputError, match="no such particle"):
        positron_table(radionuclide("Lu-177").emissions).alias()


def test_the_largest_chain_fits_the_alias_tables():
    chance, alias = electron_table(with_progeny("U-238").emissions).alias()
    assert chance.shape == alias.shape and alias.min() >= 0


def test_a_table_is_cut_through_its_bins():
    beta, = radionuclide("Y-90").emissions.beta_minus
    table = energy_table([beta])
    low, high = table.between(0.0, 333.3), table.between(333.3, np.inf)
    assert low.particles_per_decay + high.particles_per_decay == pytest.approx(table.particles_per_decay)
    assert low.energy_kev + high.energy_kev == pytest.approx(table.energy_kev)
    assert low.high_kev.max() == 333.3 == high.low_kev.min()


def test_the_gamma_of_ga_68_above_the_range_is_told_with_its_energy():
    """1077.3 keV, 3.2 % of decays (DDEP); the rest above 1 MeV is a tenth of a percent."""
    parts = untransported(radionuclide("Ga-68").emissions, photons_kev=(1.0, 1000.0))
    above, = (part for part in parts if part.kind == GAMMA)
    assert above.why == "above 1000 keV"
    assert above.energy_kev == pytest.approx(1077.3 * 0.0322, rel=0.15)
    assert not [part for part in untransported(radionuclide("Ga-68").emissions, photons_kev=(1.0, 3000.0))
                if part.kind == GAMMA]


def test_a_line_on_the_border_is_inside():
    parts = untransported(radionuclide("F-18").emissions, photons_kev=(511.0, 511.0), positrons_kev=None)
    assert ANNIHILATION not in {part.kind for part in parts}
    parts = untransported(radionuclide("F-18").emissions, photons_kev=(1.0, 510.9))
    assert next(part for part in parts if part.kind == ANNIHILATION).energy_kev == pytest.approx(988.6, rel=1e-3)


def test_without_a_transport_of_electrons_all_their_energy_is_told():
    emissions = radionuclide("Lu-177").emissions
    told_kev = sum(part.energy_kev for part in untransported(emissions) if part.why == "no transport of electrons")
    assert told_kev == pytest.approx(emissions.electron_energy_kev) == pytest.approx(147.9, rel=0.005)


@pytest.mark.parametrize("bounds_kev", [(10.0, 1.0), (-1.0, 5.0), (float("nan"), 5.0)])
def test_a_range_that_is_none_is_refused(bounds_kev):
    with pytest.raises(InputError, match="no range"):
        untransported(radionuclide("F-18").emissions, photons_kev=bounds_kev)


def test_with_all_transports_only_alphas_remain():
    parts = untransported(with_progeny("Ra-223").emissions, photons_kev=(0.0, 1e4), electrons_kev=(0.0, 1e4),
                          positrons_kev=(0.0, 1e4))
    assert [part.kind for part in parts] == [ALPHA, "alpha recoil"]


def test_what_is_followed_and_what_is_told_add_up_to_all():
    emissions = with_progeny("Ac-225").emissions
    told_kev = sum(part.energy_kev for part in untransported(emissions, photons_kev=(50.0, 300.0),
                                                             electrons_kev=(100.0, 1000.0)))
    followed_kev = (photon_table(emissions, annihilation=True).between(50.0, 300.0).energy_kev
                    + electron_table(emissions).between(100.0, 1000.0).energy_kev)
    assert told_kev + followed_kev == pytest.approx(sum(emissions.energy_kev.values()))
