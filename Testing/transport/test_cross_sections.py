"""Attenuation against the NIST tables."""

import json

import numpy as np
import pytest

from organdose.errors import InputError
from organdose.transport.cross_sections import mass_attenuation_cm2_g, photon_tables
from organdose.transport.materials import PMMA, Material


def test_attenuation_agrees_with_nist_to_a_tenth_of_a_percent(shared_reference):
    nist = json.loads((shared_reference / "nist_reference.json").read_text())
    for name, composition in nist["composition"].items():
        material = Material(name, {int(z): weight for z, weight in composition.items()})
        rows = np.array([row for row in nist["tables"][name] if 0.01 <= row[0] <= 0.15], dtype=float)
        ours = mass_attenuation_cm2_g(material, 1000 * rows[:, 0])
        assert ours == pytest.approx(rows[:, 1], rel=2e-3), name


def test_interpolated_tables_reproduce_xraylib_between_their_nodes():
    tables = photon_tables((PMMA,))
    energies_kev = np.array([12.34, 33.3, 61.7, 119.9])
    interpolated = np.interp(np.log(energies_kev), np.log(tables.energies_kev), tables.attenuation_cm2_g[0])
    assert interpolated == pytest.approx(mass_attenuation_cm2_g(PMMA, energies_kev), rel=1e-4)


def test_pmma_at_60_kev_is_the_nist_value():
    # NIST XCOM/Hubbell tables, polymethyl methacrylate, 60 keV: 0.1924 cm2/g.
    assert mass_attenuation_cm2_g(PMMA, np.array([60.0]))[0] == pytest.approx(0.1924, rel=1e-3)


def test_energies_beyond_the_tables_are_refused():
    with pytest.raises(InputError, match="not supported"):
        photon_tables((PMMA,), 6000.0)


def test_an_unknown_element_is_named():
    with pytest.raises(InputError, match="'Xx'"):
        Material.from_symbols("mixture", {"H": 1, "Xx": 2})
