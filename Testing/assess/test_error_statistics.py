"""ME, MAE, RE and RAE of doses worked out by hand."""

import math

import numpy as np
import pytest

from organdose.assess.error_statistics import Spread, error_statistics, relative_percent


def test_the_errors_of_four_doses_are_those_worked_out_by_hand():
    errors = error_statistics(np.array([11, 18, 44, 80]), np.array([10, 20, 40, 80]))
    assert errors.me_mgy == Spread(4, pytest.approx(0.75), pytest.approx(2.5), -2.0, 4.0)
    assert errors.mae_mgy.mean == pytest.approx(1.75) and errors.mae_mgy.sd == pytest.approx(math.sqrt(8.75 / 3))
    assert errors.re_percent.mean == pytest.approx(2.5)  # 10, -10, 10 and 0 %
    assert (errors.re_percent.minimum, errors.re_percent.maximum) == pytest.approx((-10, 10))
    assert errors.rae_percent.mean == pytest.approx(7.5) and errors.rae_percent.maximum == pytest.approx(10)
    assert errors.rms_mgy == pytest.approx(math.sqrt((1 + 4 + 16) / 4))


def test_doses_below_the_low_dose_have_no_relative_error_and_still_an_error():
    errors = error_statistics([0.5, 22.0, 3.0], [0.1, 20.0, 0.0], low_dose_mgy=1.0)
    assert errors.re_percent.count == 1 and errors.re_percent.mean == pytest.approx(10)
    assert errors.me_mgy.count == 3 and errors.me_mgy.mean == pytest.approx((0.4 + 2 + 3) / 3)
    assert np.isnan(relative_percent([1.0], [0.0], 0.0)).all(), "nothing is divided by zero"


def test_the_correlation_is_that_of_numpy_and_none_for_a_flat_dose():
    test, reference = np.random.default_rng(0).random((2, 50))
    assert error_statistics(test, reference).correlation == pytest.approx(np.corrcoef(test, reference)[0, 1])
    assert math.isnan(error_statistics([1, 1], [1, 2]).correlation)


def test_no_values_and_one_value_have_no_spread():
    assert Spread.of([]).count == 0 and math.isnan(Spread.of([]).mean)
    assert Spread.of([3.0]).mean == 3 and math.isnan(Spread.of([3.0]).sd)
