"""Curves of organs: TIAC in hours, the drawn curve beside its integral, recovery once for all time points."""

import math

import numpy as np
import pytest

from organdose.errors import InputError
from organdose.nuclear.integral_flags import NO_DATA
from organdose.nuclear.recovery_coefficients import Recovery
from organdose.nuclear.time_activity import tiac_h, time_activity_curves

HOUR_S = 3600.0
LU177 = math.log(2) / (6.6443 * 24 * HOUR_S)
TIMES_S = np.array([4, 24, 96, 168]) * HOUR_S
ACTIVITY_BQ = np.stack([3e8 * np.exp(-math.log(2) / 50 * TIMES_S / HOUR_S),
                        1e8 * np.exp(-math.log(2) / 80 * TIMES_S / HOUR_S)], axis=1)


def curves(model="mono", **options):
    return time_activity_curves(["kidney_left", "tumour_1"], TIMES_S, ACTIVITY_BQ, LU177, 7.4e9, model, **options)


def test_the_coefficient_is_decays_for_each_becquerel_in_hours():
    assert tiac_h(7.2e13, 1e10) == pytest.approx(2.0)
    kidney, tumour = curves()
    assert kidney.tiac_h == pytest.approx(3e8 / 7.4e9 * 50 / math.log(2))
    assert tumour.tiac_h == pytest.approx(1e8 / 7.4e9 * 80 / math.log(2))


@pytest.mark.parametrize(("model", "options"), [
    ("physical", {}), ("mono", {}), ("trapezoid", {"start": "zero"}), ("trapezoid", {"start": "constant"}),
    ("trapezoid", {"start": "physical", "tail": "fitted"}), ("single", {"time_point": 3})])
def test_the_drawn_curve_has_the_integral_that_is_stated(model, options):
    for curve in curves(model, **options):
        drawn = np.trapezoid(curve.curve_bq, curve.curve_s)
        rest = 0.01 * np.interp(TIMES_S[-1], curve.curve_s, curve.curve_bq) / -np.diff(np.log(curve.curve_bq[-2:]))[0]
        rest *= curve.curve_s[-1] - curve.curve_s[-2]
        assert drawn + rest == pytest.approx(curve.integral_bq_s, rel=2e-3)
        assert curve.curve_s[0] == 0 and np.all(np.diff(curve.curve_s) >= 0)


def test_a_recovery_coefficient_raises_one_organ_and_its_uncertainty_is_not_averaged_out():
    recovery = {"tumour_1": Recovery(0.5, 0.05, True, "Recovery 0.5, outside the table.")}
    sigma = 1e-4 * ACTIVITY_BQ
    plain, corrected = curves(uncertainty_bq=sigma), curves(uncertainty_bq=sigma, recoveries=recovery)
    assert corrected[0].tiac_h == plain[0].tiac_h and math.isnan(corrected[0].recovery)
    assert corrected[1].tiac_h == pytest.approx(2 * plain[1].tiac_h)
    assert corrected[1].activity_bq == pytest.approx(2 * ACTIVITY_BQ[:, 1])
    assert corrected[1].tiac_uncertainty_h == pytest.approx(0.1 * corrected[1].tiac_h, rel=1e-3)
    assert "outside the table" in corrected[1].note


def test_an_organ_that_no_image_shows_has_no_number_and_says_so():
    missing = ACTIVITY_BQ.copy()
    missing[:, 1] = np.nan
    curve = time_activity_curves(["liver", "spleen"], TIMES_S, missing, LU177, 1e9, "mono")[1]
    assert math.isnan(curve.tiac_h) and curve.flags & NO_DATA
    assert np.isnan(curve.curve_bq).all() and "not a number" in curve.note


@pytest.mark.parametrize(("change", "said"), [
    ({"administered_bq": 0.0}, "administered"),
    ({"organs": ["liver"]}, "for 1 organs"),
    ({"recoveries": {"brain": Recovery(1, 0, False, "")}}, "brain"),
])
def test_what_does_not_fit_is_said(change, said):
    given = {"organs": ["liver", "spleen"], "times_s": TIMES_S, "activity_bq": ACTIVITY_BQ,
             "decay_constant_per_s": LU177, "administered_bq": 1e9, "model": "mono"}
    with pytest.raises(InputError, match=said):
        time_activity_curves(**(given | change))
