"""Every kind of SUV against sizes worked out by hand, and back again."""

import pytest

from organdose.errors import InputError
from organdose.study.suv import KINDS, bq_per_ml_of_suv, suv_normalisation, suv_of_bq_per_ml


@pytest.mark.parametrize(("kind", "sex", "expected"), [
    ("BW", "M", 80_000.0), ("BW", "F", 80_000.0),
    # BMI 80 / 1.6^2 = 31.25: 9270 * 80 / (6680 + 6750), 9270 * 80 / (8780 + 7625)
    ("LBMJANMA", "M", 741_600_000 / 13_430), ("LBMJANMA", "F", 741_600_000 / 16_405),
    # (80 / 160)^2 = 0.25: 88 - 32, 85.6 - 37, and 88 - 30 with the older factor
    ("LBMJAMES128", "M", 56_000.0), ("LBMJAMES128", "F", 48_600.0),
    ("LBM", "M", 58_000.0), ("LBM", "F", 48_600.0),
    # 8 cm over 152 cm: 48 + 8.48, 45.5 + 7.28
    ("IBW", "M", 56_480.0), ("IBW", "F", 52_780.0)])
def test_sizes_of_a_patient_of_80_kg_and_160_cm(kind, sex, expected):
    assert suv_normalisation(kind, mass_kg=80.0, height_m=1.6, sex=sex) == pytest.approx(expected, rel=1e-12)


def test_the_body_surface_of_70_kg_and_170_cm_is_that_of_the_nomograms():
    assert suv_normalisation("BSA", mass_kg=70.0, height_m=1.7) / 1e4 == pytest.approx(1.81, abs=0.005)


@pytest.mark.parametrize("kind", KINDS)
def test_to_suv_and_back_is_exact(kind):
    size = suv_normalisation(kind, mass_kg=71.3, height_m=1.77, sex="F")
    assert bq_per_ml_of_suv(3.7e8, size) * suv_of_bq_per_ml(3.7e8, size) == pytest.approx(1.0, rel=1e-15)


def test_a_body_of_even_concentration_has_an_suv_of_one():
    # 100 MBq in 50 kg: 2000 Bq/g.
    assert bq_per_ml_of_suv(1e8, suv_normalisation("BW", mass_kg=50.0)) == 2000.0


@pytest.mark.parametrize(("kind", "facts", "message"), [
    ("SUL", {}, "not known"), ("BW", {}, "needs patient_mass_kg"),
    ("LBMJANMA", {"mass_kg": 70.0, "height_m": 1.7}, "patient_sex"),
    ("IBW", {"height_m": 1.7, "sex": "O"}, "patient_sex"),
    ("LBMJAMES128", {"mass_kg": 300.0, "height_m": 1.5, "sex": "F"}, "no positive value")])
def test_what_has_no_size_is_refused(kind, facts, message):
    with pytest.raises(InputError, match=message):
        suv_normalisation(kind, **facts)


def test_an_activity_of_nothing_has_no_suv():
    with pytest.raises(InputError, match="positive"):
        suv_of_bq_per_ml(0.0, 70_000.0)
