"""Spectra of betas: shapes, mean energies, and nuclides that emit both signs."""

import numpy as np
import pytest

from organdose.nuclear.allowed_shape import allowed_mean_kev, allowed_shape, endpoint_kev_of_mean, fermi_function
from organdose.nuclear.beta_spectrum import COMPUTED, PARTED, TABULATED, beta_spectra
from organdose.nuclear.decay_data import nuclide_record
from organdose.nuclear.radionuclide import radionuclide, radionuclide_names


def _betas(name):
    emissions = radionuclide(name).emissions
    return (*emissions.beta_minus, *emissions.beta_plus)


def _branch_mean_kev(name, kind):
    """Mean energy from ICRP 107's list of branches, which stands beside the tables of spectra."""
    record = nuclide_record(name)["emissions"]
    rows = np.array(record[kind] + (record["betaD"] if kind == "beta-" else []))
    return 1e3 * rows.prod(axis=1).sum() / rows[:, 1].sum()


# Endpoint and mean energy in keV of allowed transitions as the DDEP evaluations are quoted, from memory.
@pytest.mark.parametrize(("z", "mass_number", "sign", "endpoint_kev", "mean_kev"), [
    (16, 32, -1, 1710.66, 695.5), (7, 14, -1, 156.476, 49.16), (2, 3, -1, 18.564, 5.68), (16, 33, -1, 248.5, 76.4),
    (8, 18, 1, 633.5, 249.3), (5, 11, 1, 960.5, 385.7), (7, 15, 1, 1731.9, 735.3)])
def test_allowed_shapes_have_the_published_mean_energies(z, mass_number, sign, endpoint_kev, mean_kev):
    assert allowed_mean_kev(z, mass_number, sign, endpoint_kev) == pytest.approx(mean_kev, rel=0.008)
    assert endpoint_kev_of_mean(z, mass_number, sign, mean_kev) == pytest.approx(endpoint_kev, rel=0.012)


def test_a_nucleus_without_charge_changes_no_spectrum():
    np.testing.assert_allclose(fermi_function(0, 1, -1, np.array([1.0, 100.0, 3000.0])), 1.0)


def test_a_nucleus_pulls_electrons_back_and_pushes_positrons_away():
    energies_kev = np.array([5.0, 50.0, 500.0])
    assert np.all(fermi_function(40, 90, -1, energies_kev) > 1) and np.all(fermi_function(40, 90, 1, energies_kev) < 1)


def test_nothing_is_emitted_outside_zero_and_the_endpoint():
    shape = allowed_shape(8, 18, 1, 633.5, np.array([-1.0, 0.0, 300.0, 633.5, 700.0]))
    assert list(shape > 0) == [False, False, True, False, False]


def test_the_positrons_of_f_18_follow_the_allowed_shape():
    beta, = _betas("F-18")
    shape = allowed_shape(8, 18, 1, 633.5, beta.centres_kev) * np.diff(beta.edges_kev)
    difference = np.abs(np.cumsum(beta.probability) - np.cumsum(shape / shape.sum()))
    assert difference.max() < 0.003


@pytest.mark.parametrize(("name", "mean_kev", "endpoint_kev"), [
    ("Y-90", 933.7, 2280.1), ("P-32", 695.5, 1710.7), ("F-18", 249.8, 633.5), ("C-11", 385.7, 960.5),
    ("Lu-177", 133.3, 498.3)])
def test_mean_and_endpoint_are_those_of_the_literature(name, mean_kev, endpoint_kev):
    beta, = _betas(name)
    assert beta.mean_energy_kev == pytest.approx(mean_kev, rel=0.005)
    assert beta.endpoint_kev == pytest.approx(endpoint_kev, rel=0.002)


def test_the_tables_agree_with_the_branches_for_all_nuclides():
    """Branches' mean energies are given apart from the tables. Beyond 0.5 % is N-16, whose table differs, and
    weak branches of nuclides of both signs, parted by allowed shapes."""
    differences = {(name, beta.kind): beta.mean_energy_kev / _branch_mean_kev(name, beta.kind) - 1
                   for name in radionuclide_names() for beta in _betas(name)}
    assert len(differences) == 977
    outside = {key: round(100 * difference, 1) for key, difference in differences.items() if abs(difference) > 0.005}
    assert outside == {("N-16", "beta-"): -1.7, ("Br-78", "beta-"): -7.9, ("Mn-54", "beta+"): 2.9,
                       ("Rb-84", "beta-"): -2.3, ("I-126", "beta+"): 1.1, ("Ag-106", "beta-"): 1.0,
                       ("Cl-36", "beta+"): -0.8, ("Eu-150m", "beta+"): 0.7, ("Tm-168", "beta+"): 0.7}
    assert np.median(np.abs(list(differences.values()))) < 5e-4


def test_the_two_signs_of_cu_64_are_parted():
    minus, plus = _betas("Cu-64")
    assert (minus.kind, plus.kind, minus.source) == ("beta-", "beta+", PARTED)
    assert minus.mean_energy_kev == pytest.approx(190.7, rel=0.005)  # DDEP
    assert plus.mean_energy_kev == pytest.approx(278.2, rel=0.005)
    assert minus.endpoint_kev == pytest.approx(579.4, abs=10) and plus.endpoint_kev == pytest.approx(653.0, abs=10)


@pytest.mark.parametrize("name", ["Lu-177", "Cu-64", "Cf-252", "Pb-210", "H-3"])
def test_a_spectrum_is_a_distribution(name):
    for beta in _betas(name):
        assert beta.probability.sum() == pytest.approx(1.0) and np.all(beta.probability >= 0)
        assert np.all(np.diff(beta.edges_kev) > 0) and len(beta.edges_kev) == len(beta.probability) + 1
        assert (beta.density_per_kev * np.diff(beta.edges_kev)).sum() == pytest.approx(1.0)
        with pytest.raises(ValueError, match="read-only"):
            beta.probability[0] = 1


def test_a_missing_table_is_computed_and_says_so():
    branches = {"beta-": np.array([[694.8, 1.0]]), "beta+": np.empty((0, 2))}
    beta, = beta_spectra("P-32", 15, 32, np.empty((0, 2)), branches)
    tabulated, = _betas("P-32")
    assert (beta.source, tabulated.source) == (COMPUTED, TABULATED)
    assert beta.mean_energy_kev == pytest.approx(694.8, rel=1e-3)
    assert beta.endpoint_kev == pytest.approx(1710.7, rel=0.002)


def test_a_nuclide_without_betas_has_no_spectrum():
    assert _betas("In-111") == () and _betas("Be-7") == ()
