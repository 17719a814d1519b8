"""Bowties as thickness against fan angle, and what passes them."""

import numpy as np
import pytest
from pydantic import ValidationError

from organdose.ct.bowtie import Bowtie, TabulatedBowtie, bowtie_transmission

TABLE = TabulatedBowtie(material="C", fan_angle_deg=(0, 10, 20), thickness_at_mm=(2.0, 12.0, 30.0))


def test_a_table_is_linear_between_its_angles_alike_on_both_sides_and_constant_beyond():
    found = TABLE.thickness_mm(np.radians([-25, -10, -5, 0, 5, 15, 25]), 595.0)
    assert found == pytest.approx([30.0, 12.0, 7.0, 2.0, 7.0, 21.0, 30.0])


def test_what_passes_is_narrow_beam_attenuation():
    # NIST at 60 keV: carbon 0.1753 cm2/g at 1.7 g/cm3, aluminium 0.2778 cm2/g at 2.699 g/cm3.
    passed = bowtie_transmission(TABLE, np.radians([0, 10, 20]), np.array([60.0]), 595.0)[:, 0]
    assert passed == pytest.approx(np.exp(-0.01753 * 1.7 * np.array([2.0, 12.0, 30.0])), rel=3e-3)
    aluminium = Bowtie(material="Al", central_mm=3.0, edge_mm=20.0, compensated_water_cylinder_mm=300.0,
                       compensated_part=0.0)
    passed = bowtie_transmission(aluminium, np.array([0.0]), np.array([60.0]), 595.0)
    assert passed == pytest.approx(np.exp(-0.02778 * 2.699 * 3.0), rel=3e-3)


def test_no_bowtie_lets_everything_through():
    assert np.all(bowtie_transmission(None, np.zeros(3), np.array([60.0, 80.0]), 595.0) == 1.0)


@pytest.mark.parametrize(("changed", "named"), [
    ({"material": "Unobtainium"}, "unknown filter material"), ({"fan_angle_deg": (0, 10)}, "one thickness_at_mm"),
    ({"fan_angle_deg": (1, 10, 20)}, "rise from 0"), ({"fan_angle_deg": (0, 10, 10)}, "rise from 0"),
    ({"thickness_at_mm": (2.0, -1.0, 3.0)}, "must not be negative")])
def test_a_table_that_makes_no_sense_is_refused(changed, named):
    with pytest.raises(ValidationError, match=named):
        TabulatedBowtie(**(TABLE.model_dump() | changed))
