"""Parents in equilibrium with their progeny."""

import numpy as np
import pytest
from scipy.linalg import expm

from organdose.errors import InputError
from organdose.nuclear.emissions import ALPHA
from organdose.nuclear.progeny import with_progeny
from organdose.nuclear.radionuclide import radionuclide


def _decays(name, **limits):
    return {member.nuclide.name: member.decays_per_parent_decay for member in with_progeny(name, **limits).members}


def test_ac_225_comes_with_its_six_progeny():
    decays = _decays("Ac-225")
    assert set(decays) == {"Ac-225", "Fr-221", "At-217", "Bi-213", "Po-213", "Tl-209", "Pb-209"}
    assert decays["Po-213"] == pytest.approx(0.979, abs=1e-3) and decays["Tl-209"] == pytest.approx(0.0209, abs=2e-4)
    assert decays["Pb-209"] == pytest.approx(1.0, abs=2e-4)  # both branches of Bi-213 meet there


def test_ac_225_and_ra_223_send_out_four_alphas():
    for name in ("Ac-225", "Ra-223"):
        assert with_progeny(name).emissions.yield_per_decay[ALPHA] == pytest.approx(4.0, abs=1e-3)


def test_the_alphas_of_ra_223_carry_the_published_energies():
    """Mean alpha energies in MeV, and 97 % of the energy of particles for alphas: a table of the decay chain in the
    Journal of Nuclear Medicine."""
    emissions = with_progeny("Ra-223").emissions
    found = {part.origin: part.energy_kev / part.yield_per_decay for part in emissions.alphas if part.kind == ALPHA}
    for name, mean_mev in (("Ra-223", 5.64), ("Rn-219", 6.75), ("Po-215", 7.39), ("Bi-211", 6.55)):
        assert found[name] == pytest.approx(1e3 * mean_mev, rel=0.015)
    particles_kev = emissions.alpha_energy_kev + emissions.electron_energy_kev
    assert emissions.alpha_energy_kev / particles_kev == pytest.approx(0.97, abs=0.01)


def test_ra_223_releases_28_mev():
    """28.2 MeV per decay with progeny, as the prescribing information of Ra-223 dichloride says (from memory)."""
    assert sum(with_progeny("Ra-223").emissions.energy_kev.values()) == pytest.approx(28_200, rel=0.005)


def _activities(names, fractions, seconds):
    """Bateman's equations as a matrix exponential; 1 Bq of the first at the beginning."""
    constants = np.array([radionuclide(name).decay_constant_per_s for name in names])
    matrix = np.diag(-constants) + np.diag(constants[:-1] * fractions, -1)
    return constants * (expm(matrix * seconds) @ np.eye(len(names))[0]) / constants[0]


def test_transient_equilibrium_of_tc_99m_with_mo_99_is_reached_in_three_days():
    activities = _activities(["Mo-99", "Tc-99m"], [0.8773], 72 * 3600.0)
    _, member = with_progeny("Mo-99").members
    assert member.equilibrium_activity_ratio == pytest.approx(activities[1] / activities[0], rel=2e-3)
    assert member.equilibrium_activity_ratio == pytest.approx(0.965, abs=0.002)
    assert member.decays_per_parent_decay == pytest.approx(0.8773)


def test_over_all_time_progeny_decay_by_the_branching_fraction():
    """The area under the activity of Bi-213 over that of Ac-225 is 1, though its activity in equilibrium is higher."""
    names = ["Ac-225", "Fr-221", "Bi-213"]
    hours = np.arange(0.0, 100 * 24.0, 0.5)
    activities = np.array([_activities(names, [1.0, 1.0], 3600.0 * hour) for hour in hours])
    ratio = np.trapezoid(activities[:, 2], hours) / np.trapezoid(activities[:, 0], hours)
    assert ratio == pytest.approx(1.0, rel=2e-3)
    member = next(member for member in with_progeny("Ac-225").members if member.nuclide.name == "Bi-213")
    assert member.equilibrium_activity_ratio == pytest.approx(1.0034, abs=2e-4)


def test_a_daughter_that_outlives_its_parent_is_left_out_and_named():
    mixture = with_progeny("Tc-99m")
    assert [member.nuclide.name for member in mixture.members] == ["Tc-99m"]
    assert "Tc-99 (1 a decay of Tc-99m, half-life 2.111e+05 y): it outlives Tc-99m" in mixture.left_out
    assert "Tc-99" in mixture.assumption


def test_a_nuclide_without_radioactive_progeny_says_so():
    assert with_progeny("F-18").assumption == "F-18 is taken without progeny."
    assert _decays("Rb-82") == {"Rb-82": 1.0}


def test_the_gamma_rays_of_cs_137_come_with_its_progeny():
    assert radionuclide("Cs-137").emissions.energy_kev.get("gamma", 0.0) < 1.0
    assert with_progeny("Cs-137").emissions.energy_kev["gamma"] == pytest.approx(661.657 * 0.851, rel=0.006)


def test_the_assumption_tells_shares_place_and_slowest():
    text = with_progeny("Ac-225").assumption
    for word in ("Fr-221 (1)", "Po-213 (0.979)", "where Ac-225 decayed", "Pb-209 with a half-life of 3.253 h"):
        assert word in text


def test_progeny_is_limited_by_half_life_and_what_is_beyond_is_named():
    mixture = with_progeny("Ac-225", half_life_limit_s=600)
    assert [member.nuclide.name for member in mixture.members] == ["Ac-225", "Fr-221", "At-217"]
    assert mixture.left_out == ("Bi-213 (1 a decay of Ac-225, half-life 45.59 min): the limit is 10 min",)


def test_progeny_is_chosen_by_name():
    assert set(_decays("Ac-225", progeny=["Fr221", "at-217"])) == {"Ac-225", "Fr-221", "At-217"}
    alone = with_progeny("Ac-225", progeny=[])
    assert len(alone.members) == 1 and "Fr-221" in alone.left_out[0]


def test_branches_that_icrp_107_does_not_list_are_told():
    assert any("does not list" in line and "0.01" in line for line in with_progeny("Ac-223").left_out)


@pytest.mark.parametrize(("name", "limits", "words"), [
    ("Tc-99m", {"progeny": ["Tc-99"]}, "outlives Tc-99m"), ("Lu-177", {"progeny": ["F-18"]}, "none"),
    ("Ac-225", {"progeny": ["Bi-213"]}, "mothers"), ("Ac-225", {"half_life_limit_s": 0.0}, "more than 0"),
    ("Ac-225", {"half_life_limit_s": float("nan")}, "more than 0"), ("Lu-999", {}, "Did you mean"),
    ("Ac-225", {"half_life_limit_s": 10.0, "progeny": ["Fr-221"]}, "not by both"),
    ("Ac-225", {"progeny": ["Fr-999"]}, "no radionuclide")])
def test_what_cannot_be_is_refused(name, limits, words):
    with pytest.raises(InputError, match=words):
        with_progeny(name, **limits)
