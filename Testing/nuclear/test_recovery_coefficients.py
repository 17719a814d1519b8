"""Recovery coefficients: read with their source, interpolated, and never silently extrapolated."""

import json
import math

import numpy as np
import pytest

from organdose.errors import InputError
from organdose.nuclear.recovery_coefficients import corrected, read_recovery_table, sphere_diameter_mm

# Made up for these tests.
TABLE = {"title": "Six spheres", "source": "made up", "spheres": [
    {"diameter_mm": 37, "recovery": 0.9, "uncertainty": 0.02},
    {"diameter_mm": 10, "recovery": 0.3, "uncertainty": 0.05}, {"volume_ml": 4 / 3 * math.pi, "recovery": 0.6}]}


@pytest.fixture
def write(tmp_path):
    def write(data):
        path = tmp_path / "recovery.json"
        path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
        return path

    return write


def volume_ml(diameter_mm):
    return math.pi / 6 * (diameter_mm / 10) ** 3


def test_the_diameter_of_a_sphere_of_one_ml():
    assert sphere_diameter_mm(1.0) == pytest.approx(12.407, abs=1e-3)


def test_between_two_spheres_the_coefficient_is_on_the_straight_line(write):
    table = read_recovery_table(write(TABLE))
    assert table.diameter_mm == pytest.approx([10, 20, 37])
    between = table.at_volume(volume_ml(15))
    assert between.coefficient == pytest.approx(0.45)
    assert not between.is_extrapolated and "made up" in between.note


@pytest.mark.parametrize(("diameter_mm", "coefficient"), [(5, 0.3), (60, 0.9)])
def test_outside_the_table_the_nearest_sphere_is_taken_and_flagged(write, diameter_mm, coefficient):
    outside = read_recovery_table(write(TABLE)).at_volume(volume_ml(diameter_mm))
    assert outside.coefficient == coefficient
    assert outside.is_extrapolated and "Outside the table" in outside.note


def test_the_largest_sphere_itself_is_inside(write):
    assert not read_recovery_table(write(TABLE)).at_volume(volume_ml(37)).is_extrapolated


def test_a_correction_divides_and_adds_the_coefficients_uncertainty(write):
    recovery = read_recovery_table(write(TABLE)).at_volume(volume_ml(37))
    value, uncertainty = corrected(np.array([9.0]), np.array([0.45]), recovery)
    assert value == pytest.approx(10)
    assert uncertainty == pytest.approx(10 * math.hypot(0.05, 0.02 / 0.9))
    assert corrected(np.array([9.0]), None, recovery)[1] is None


@pytest.mark.parametrize(("data", "said"), [
    ("{", "not a table"),
    ([], "not a table"),
    ({"title": "t", "spheres": []}, "source"),
    (TABLE | {"source": " "}, "does not say where"),
    (TABLE | {"spheres": []}, "no spheres"),
    (TABLE | {"spheres": [{"diameter_mm": 10, "volume_ml": 1, "recovery": 1}]}, "either"),
    (TABLE | {"spheres": [{"diameter_mm": 10, "recovery": 90}]}, "not percent"),
    (TABLE | {"spheres": [{"diameter_mm": 10, "recovery": 0.5}] * 2}, "each once"),
    (TABLE | {"spheres": [{"diameter_mm": -10, "recovery": 0.5}]}, "above zero"),
])
def test_a_table_that_cannot_be_used_is_named_with_what_is_wrong(write, data, said):
    path = write(data)
    with pytest.raises(InputError, match=said) as caught:
        read_recovery_table(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_volume_of_zero_has_no_recovery(write):
    with pytest.raises(InputError, match="above zero"):
        read_recovery_table(write(TABLE)).at_volume(0.0)
