"""Emissions: energies per decay beside published ones, and nothing dropped."""

import csv
from pathlib import Path

import numpy as np
import pytest

from organdose.nuclear.decay_data import nuclide_record
from organdose.nuclear.emissions import (
    ALPHA,
    ANNIHILATION,
    AUGER,
    CONVERSION,
    GAMMA,
    RECOIL,
    X_RAY,
    emissions_of_record,
)
from organdose.nuclear.nuclide_text import COMMON
from organdose.nuclear.radionuclide import radionuclide, radionuclide_names

_TABLE = (Path(__file__).parent / "icrp107_mean_energies.csv").read_text(encoding="utf-8").splitlines()
INDEX = {row["nuclide"]: row for row in csv.DictReader(line for line in _TABLE if not line.startswith("#"))}


@pytest.mark.parametrize("name", INDEX)
def test_energies_per_decay_are_those_of_the_index_of_icrp_107(name):
    """To 0.5 %; the index rounds to 0.01 keV, alphas to 0.1 keV."""
    emissions, row = radionuclide(name).emissions, INDEX[name]
    electrons = 0.02 if name == "N-16" else 0.005  # the table of its betas has less energy than its branches
    assert emissions.electron_energy_kev == pytest.approx(1e3 * float(row["electron_mev"]), rel=electrons, abs=0.01)
    assert emissions.photon_energy_kev == pytest.approx(1e3 * float(row["photon_mev"]), rel=0.005, abs=0.01)
    assert emissions.alpha_energy_kev == pytest.approx(1e3 * float(row["alpha_mev"]), rel=0.005, abs=0.1)


def test_every_nuclide_in_common_use_is_compared_with_the_index():
    assert set(COMMON) <= set(INDEX) and len(COMMON) == 22


# keV per decay: EJNMMI Physics 7 (2020) 33, table 1 (Lu-177, Tb-161); Falzone et al. 2015 as quoted in Front Pharmacol
# 9 (2018) 996, table 1 (the others).
@pytest.mark.parametrize(("name", "kinds", "kev"), [
    ("Lu-177", ("beta-",), 133.3), ("Lu-177", (CONVERSION,), 13.52), ("Lu-177", (AUGER,), 1.13),
    ("Lu-177", (GAMMA, X_RAY), 35.1), ("Lu-177", ("beta-", CONVERSION, AUGER), 147.9),
    ("Tb-161", ("beta-",), 154.3), ("Tb-161", (CONVERSION,), 39.28), ("Tb-161", (AUGER,), 8.94),
    ("Tb-161", (GAMMA, X_RAY), 36.35), ("Tb-161", ("beta-", CONVERSION, AUGER), 202.5),
    ("Cu-67", ("beta-",), 136), ("Tc-99m", (CONVERSION,), 15.2), ("Tc-99m", (AUGER,), 0.94),
    ("Tc-99m", (GAMMA, X_RAY), 127), ("In-111", (CONVERSION,), 27.9), ("In-111", (AUGER,), 6.88),
    ("I-123", (CONVERSION,), 21.0), ("I-123", (AUGER,), 7.23), ("I-123", (GAMMA, X_RAY), 173),
    ("Sm-153", ("beta-",), 224), ("Sm-153", (CONVERSION,), 40.3), ("At-211", (ALPHA,), 6780),
    ("At-211", (RECOIL,), 131)])
def test_energies_by_kind_are_those_of_published_tables(name, kinds, kev):
    if name == "At-211":  # the table counts its progeny Po-211
        parts = (radionuclide("At-211").emissions, radionuclide("Po-211").emissions.scaled(0.5825))
    else:
        parts = (radionuclide(name).emissions,)
    energy_kev = sum(emissions.energy_kev.get(kind, 0.0) for emissions in parts for kind in kinds)
    assert energy_kev == pytest.approx(kev, rel=0.006)


# Mean energies in keV and yields of positrons and betas as textbooks give them (ENSDF).
@pytest.mark.parametrize(("name", "kind", "kev"), [
    ("Y-90", "beta-", 933.7), ("F-18", "beta+", 249.8 * 0.967), ("C-11", "beta+", 385.7 * 0.9977),
    ("P-32", "beta-", 694.9), ("F-18", ANNIHILATION, 1022 * 0.967), ("Tc-99m", GAMMA, 140.511 * 0.8906)])
def test_energies_follow_from_mean_energies_and_yields(name, kind, kev):
    assert radionuclide(name).emissions.energy_kev[kind] == pytest.approx(kev, rel=0.005)


def test_there_are_two_annihilation_photons_a_positron_for_all_nuclides():
    for name in radionuclide_names():
        number = radionuclide(name).emissions.yield_per_decay
        assert number.get(ANNIHILATION, 0.0) == pytest.approx(2 * number.get("beta+", 0.0), rel=1e-3, abs=1e-12), name


def test_no_emission_of_any_nuclide_is_dropped():
    for name in radionuclide_names():
        record = nuclide_record(name)["emissions"]
        tabulated_kev = 1e3 * sum(energy * number for kind, rows in record.items() if kind != "b-spectra"
                                  for energy, number in rows)
        energy_kev = sum(radionuclide(name).emissions.energy_kev.values())
        assert energy_kev == pytest.approx(tabulated_kev, rel=0.007, abs=1e-6), name
        lines = sum(len(rows) for kind, rows in record.items() if "bet" not in kind and kind != "b-spectra")
        emissions = radionuclide(name).emissions
        found = sum(len(part.yields) for part in (*emissions.photons, *emissions.electrons, *emissions.alphas,
                                                  *emissions.others))
        assert found == lines, name


def test_recoils_balance_the_momentum_of_alphas():
    alphas, recoils = radionuclide("Po-212").emissions.alphas
    assert recoils.energies_kev / alphas.energies_kev == pytest.approx(4.0026 / 208, rel=0.01)


def test_fission_is_named_not_dropped():
    emissions = radionuclide("Cf-252").emissions
    neutrons, fragments = sorted(emissions.unsupported, reverse=True)
    assert neutrons.startswith("neutrons of Cf-252: 0.1164 and 268.5 keV")
    assert fragments.startswith("fission fragments of Cf-252: 0.06184 and 5816 keV")  # two a fission, 3.092 % of decays
    assert any("delayed betas" in note for note in emissions.notes)
    assert radionuclide("Lu-177").emissions.unsupported == ()


def test_a_radiation_nobody_knows_yet_is_named_not_dropped():
    emissions = emissions_of_record("Xx-1", 10, 20, {"gamma": [[0.1, 0.5]], "cluster": [[30.0, 1e-9]]})
    assert emissions.unsupported == ("clusters of Xx-1: 1e-09 and 3e-05 keV a decay",)
    assert emissions.energy_kev == {GAMMA: pytest.approx(50.0), "cluster": pytest.approx(3e-5)}


def test_lines_stand_in_ascending_order_and_cannot_be_changed():
    for part in radionuclide("I-131").emissions.photons:
        assert np.all(np.diff(part.energies_kev) >= 0)
        with pytest.raises(ValueError, match="read-only"):
            part.yields[0] = 1


def test_scaling_changes_yields_and_no_energies():
    emissions = radionuclide("Bi-213").emissions
    half = emissions.scaled(0.5)
    assert half.electron_energy_kev == pytest.approx(0.5 * emissions.electron_energy_kev)
    assert half.beta_minus[0].mean_energy_kev == emissions.beta_minus[0].mean_energy_kev
