"""SSDE factors against the tables of AAPM report 204."""

import json

import numpy as np
import pytest

from organdose.assess.size_specific_dose import size_conversion
from organdose.errors import InputError


# AAPM report 204 (2011), tables 1D (32 cm) and 2D (16 cm): diameter in cm, factor.
@pytest.mark.parametrize(("phantom_cm", "diameter_cm", "factor"), [
    (32, 8, 2.76), (32, 15, 2.14), (32, 20, 1.78), (32, 25, 1.48), (32, 30, 1.23), (32, 35, 1.02), (32, 45, 0.71),
    (16, 6, 1.49), (16, 10, 1.27), (16, 16, 1.01), (16, 20, 0.86), (16, 30, 0.59), (16, 55, 0.22)])
def test_factors_are_those_of_the_report(phantom_cm, diameter_cm, factor):
    assert size_conversion(float(phantom_cm)).factor(diameter_cm) == pytest.approx(factor, abs=0.006)


@pytest.mark.parametrize(("phantom_cm", "table"), [(32.0, "body_32cm_table"), (16.0, "head_16cm_table")])
def test_every_row_of_the_reports_tables_agrees(shared_reference, phantom_cm, table):
    published = np.array(json.loads((shared_reference / "organ_risk_data.json").read_text())["ssde"][table])
    assert size_conversion(phantom_cm).factor(published[:, 0]) == pytest.approx(published[:, 1], abs=0.006)


def test_heads_have_a_conversion_of_their_own_that_says_it_is_unverified():
    head = size_conversion(16.0, "head")
    assert "293" in head.source and not head.is_verified
    assert head.factor(17.0) < size_conversion(16.0).factor(17.0)


def test_sizes_beyond_the_tables_have_no_factor():
    found = size_conversion(32.0).factor(np.array([7.0, 30.0, 60.0, np.nan]))
    assert np.isnan(found[[0, 2, 3]]).all() and np.isfinite(found[1])


def test_a_ctdi_phantom_that_does_not_exist_is_refused():
    with pytest.raises(InputError, match="20 cm"):
        size_conversion(20.0)
