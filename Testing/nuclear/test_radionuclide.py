"""Names, half-lives and decay modes of radionuclides."""

import math

import pytest

from organdose.errors import InputError
from organdose.nuclear import decay_data
from organdose.nuclear.radionuclide import radionuclide, radionuclide_names


def test_all_of_icrp_107_is_there():
    names = radionuclide_names()
    assert len(names) == len(set(names)) == 1252
    assert len({name.split("-")[0] for name in names}) == 97
    assert names[0] == "Ac-223" and names[-1] == "Zr-97"


@pytest.mark.parametrize("text", ["Tc-99m", "tc-99m", "Tc99m", "99mTc", "99m-Tc", "^99m^Tc", " TC 99M "])
def test_a_nuclide_is_known_by_all_its_spellings(text):
    assert radionuclide(text).name == "Tc-99m"


@pytest.mark.parametrize(("text", "name"), [
    ("56Mn", "Mn-56"), ("24Na", "Na-24"), ("13N", "N-13"), ("111In", "In-111"), ("114mIn", "In-114m"),
    ("lu177", "Lu-177"), ("Ir-192n", "Ir-192n")])
def test_isomers_are_told_from_elements_that_begin_with_m_or_n(text, name):
    assert radionuclide(text).name == name


@pytest.mark.parametrize(("text", "near"), [
    ("F-19", "F-18"), ("Lu-1777", "Lu-177"), ("Y-900", "Y-9"), ("Tc-100m", "Tc-99"), ("Xx-12", "Did you mean")])
def test_an_unknown_nuclide_is_refused_with_the_nearest_names(text, near):
    with pytest.raises(InputError) as caught:
        radionuclide(text)
    assert repr(text) in str(caught.value) and near in str(caught.value)


@pytest.mark.parametrize("text", ["", "18", "fluorine", "Lu-177; drop", None])
def test_what_is_no_name_at_all_is_refused_in_one_line(text):
    with pytest.raises(InputError, match="no radionuclide"):
        radionuclide(text)


# Half-lives as the DDEP evaluations (LNHB table of radionuclides) are quoted, from memory; in the unit beside them.
@pytest.mark.parametrize(("name", "half_life", "unit_s", "tolerance"), [
    ("F-18", 1.82890, 3600, 0.002), ("C-11", 20.361, 60, 0.002), ("Ga-68", 67.83, 60, 0.003),
    ("Cu-64", 12.7004, 3600, 0.001), ("Zr-89", 78.42, 3600, 0.001), ("I-123", 13.2234, 3600, 0.005),
    ("I-131", 8.0233, 86400, 0.001), ("Tc-99m", 6.0067, 3600, 0.002), ("Lu-177", 6.647, 86400, 0.001),
    ("Y-90", 2.6684, 86400, 0.001), ("Sm-153", 1.92855, 86400, 0.006), ("Ra-223", 11.43, 86400, 0.001),
    ("Sr-90", 28.80, 365.2422 * 86400, 0.001), ("Po-213", 3.70e-6, 1, 0.15)])
def test_half_lives_are_those_of_the_evaluations(name, half_life, unit_s, tolerance):
    assert radionuclide(name).half_life_s == pytest.approx(half_life * unit_s, rel=tolerance)


def test_the_half_life_of_ac_225_is_the_one_of_2008():
    assert radionuclide("Ac-225").half_life_s == pytest.approx(10.0 * 86400)


def test_half_of_the_activity_is_left_after_a_half_life():
    nuclide = radionuclide("F-18")
    assert math.exp(-nuclide.decay_constant_per_s * nuclide.half_life_s) == pytest.approx(0.5)


def test_branches_name_their_daughters():
    modes = {(mode.mode, mode.daughter): mode.fraction for mode in radionuclide("Cu-64").decay_modes}
    assert modes == {("β+ & EC", "Ni-64"): pytest.approx(0.61), ("β-", "Zn-64"): pytest.approx(0.39)}
    assert radionuclide("F-18").decay_modes[0].daughter == "O-18"


def test_both_packages_carry_the_same_edition_of_the_half_lives():
    from radioactivedecay import Nuclide

    for name in radionuclide_names():
        assert radionuclide(name).half_life_s == pytest.approx(Nuclide(name).half_life("s"), rel=1e-4), name


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(decay_data.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install icrp107-database"):
        decay_data.nuclide_record("F-18")
