"""Several engines side by side: which one the others are compared with, and what was not computed."""

import math

import pytest

from organdose.assess.engine_comparison import engine_comparison
from organdose.assess.organ_dose import OrganDose


def row(organ, mean_mgy, uncertainty_percent=None):
    return OrganDose(organ, "", 1, 1, mean_mgy, uncertainty_percent, 0, 0, 0, 0, 0, 0, 100)


def test_monte_carlo_is_the_reference_where_it_is_among_them():
    found = engine_comparison("local", {"local": [row("liver", 8.0)], "mc": [row("liver", 10.0, 0.5)]})
    assert (found.engines, found.reference, found.others) == (("local", "mc"), "mc", ("local",))
    assert found.rows[0].difference_percent == {"local": pytest.approx(-20)}
    assert found.rows[0].uncertainty_percent["mc"] == 0.5 and math.isnan(found.rows[0].uncertainty_percent["local"])


def test_else_the_chosen_one_is():
    found = engine_comparison("vsv", {"local": [row("liver", 8.0)], "vsv": [row("liver", 4.0)]})
    assert (found.engines, found.reference) == (("vsv", "local"), "vsv")
    assert found.rows[0].difference_percent == {"local": pytest.approx(100)}


def test_what_an_engine_has_not_computed_is_not_zero():
    found = engine_comparison("mc", {"mc": [row("liver", 0.0), row("spleen", 2.0)],
                                     "mird": [row("liver", 1.0), row("breast", 1.0)]})
    by_organ = {each.organ: each for each in found.rows}
    assert list(by_organ) == ["liver", "spleen", "breast"]
    assert math.isnan(by_organ["spleen"].mean_mgy["mird"]) and math.isnan(by_organ["breast"].mean_mgy["mc"])
    assert all(math.isnan(each.difference_percent["mird"]) for each in found.rows)  # a dose of 0 has no percents either
