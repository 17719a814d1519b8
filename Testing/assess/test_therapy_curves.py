"""The dose rate that BED takes from fitted curves is that of the curve that was integrated, for every model."""

import math

import numpy as np
import pytest

from organdose.assess.radiobiology import protraction_factor
from organdose.assess.therapy import dose_rate
from organdose.nuclear.time_activity import time_activity_curves

TIMES_S = 3600 * np.array([1.0, 4.0, 24.0, 72.0, 168.0])
PHYSICAL_PER_S = math.log(2) / (6.647 * 86_400)


def curve_of(model: str, activity_bq: np.ndarray, **parameters):
    (found,) = time_activity_curves(["kidneys"], TIMES_S, activity_bq[:, None], PHYSICAL_PER_S, 7.4e9, model,
                                    **parameters)
    return found


@pytest.mark.parametrize(("model", "parameters"), [
    ("physical", {}), ("mono", {}), ("bi", {}), ("bi", {"uptake": True}), ("trapezoid", {}),
    ("trapezoid", {"start": "zero", "tail": "fitted"}), ("single", {"time_point": 4}),
    ("single", {"time_point": 4, "method": "population", "half_life_h": 50.0})])
def test_the_integral_of_the_dose_rate_is_that_of_the_curve(model, parameters):
    activity_bq = 5e8 * np.exp(-math.log(2) * TIMES_S / 180_000) * (1 + np.exp(-TIMES_S / 20_000))
    curve = curve_of(model, activity_bq, **parameters)
    # Hänscheid's integral is no exponential's: its drawn one differs from it, but not in its half-life.
    assert 3600 * dose_rate(curve).integral == pytest.approx(curve.integral_bq_s, rel=2e-4)


def test_a_known_half_life_comes_back_with_its_factor():
    curve = curve_of("mono", 5e8 * np.exp(-math.log(2) * TIMES_S / 180_000))
    rate = dose_rate(curve)
    assert rate.effective_half_life_h == pytest.approx(50.0, rel=1e-4)
    assert protraction_factor(rate, math.log(2) / 2.8) == pytest.approx(2.8 / 52.8, rel=1e-4)


def test_trapezoids_through_one_exponential_come_near_its_factor():
    curve = curve_of("trapezoid", 5e8 * np.exp(-math.log(2) * TIMES_S / 180_000), tail="fitted")
    assert protraction_factor(dose_rate(curve), math.log(2) / 2.8) == pytest.approx(2.8 / 52.8, rel=0.05)
