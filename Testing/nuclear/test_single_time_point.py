"""One measurement: the published approximations against the exponential they stand for."""

import math

import numpy as np
import pytest

from organdose.errors import InputError
from organdose.nuclear.integral_flags import NEGATIVE_TO_ZERO, NO_DATA
from organdose.nuclear.single_time_point import (
    HAENSCHEID_ERROR,
    HAENSCHEID_WINDOW,
    haenscheid_factor_s,
    population_factor_s,
)
from organdose.nuclear.time_integration import time_integrated

HOUR_S = 3600.0
LU177 = math.log(2) / (6.6443 * 24 * HOUR_S)


def true_factor_s(time_s, half_life_s):
    return 2 ** (time_s / half_life_s) * half_life_s / math.log(2)


def test_haenscheid_is_exact_at_one_and_two_half_lives():
    for half_lives in (1, 2):
        assert haenscheid_factor_s(96 * HOUR_S) == pytest.approx(true_factor_s(96 * HOUR_S, 96 * HOUR_S / half_lives))


def test_haenscheid_stays_within_its_stated_error_in_its_window_and_not_outside():
    ratio = np.linspace(*HAENSCHEID_WINDOW, 201)
    error = haenscheid_factor_s(1.0) / np.array([true_factor_s(1.0, 1 / x) for x in ratio]) - 1
    low, high = HAENSCHEID_ERROR
    assert low < error.min() < -0.11 and 0.06 < error.max() < high
    for outside in (0.6, 3.0):
        assert haenscheid_factor_s(1.0) / true_factor_s(1.0, 1 / outside) - 1 < low


def test_haenscheid_on_an_image_says_where_it_holds():
    activity = np.array([[10.0, -3.0, np.nan]], np.float32)
    result = time_integrated("single", 96 * HOUR_S, activity, LU177, relative_uncertainty=0.05)
    assert result.value[0] == pytest.approx(10 * 2 * 96 * HOUR_S / math.log(2))
    assert result.uncertainty[0] == pytest.approx(0.05 * result.value[0])
    assert result.value[1] == 0 and math.isnan(result.value[2])
    assert result.flags.tolist() == [0, NEGATIVE_TO_ZERO, NO_DATA]
    assert "38.4 to 128 h" in result.notes[0] and "not part of the uncertainty" in result.notes[0]


def test_haenscheid_is_refused_where_no_possible_half_life_fits():
    with pytest.raises(InputError, match="Measure earlier"):
        time_integrated("single", 30 * HOUR_S, np.ones(1), math.log(2) / (1.83 * HOUR_S))


def test_the_half_life_of_a_population_gives_the_exponentials_integral():
    assert population_factor_s(70 * HOUR_S, 51 * HOUR_S)[0] == pytest.approx(true_factor_s(70 * HOUR_S, 51 * HOUR_S))
    result = time_integrated("single", 70 * HOUR_S, np.array([4.0]), LU177, method="population", half_life_h=51)
    assert result.value == pytest.approx(4 * true_factor_s(70 * HOUR_S, 51 * HOUR_S))
    assert "0.95 mean lives" in result.notes[0]


@pytest.mark.parametrize("time_h", [20, 73.6, 150])
def test_the_spread_of_half_lives_enters_the_uncertainty_as_drawn_patients_have_it(time_h):
    half_lives_s = np.random.default_rng(4).normal(51, 2, 200_000) * HOUR_S
    # The activity at the measurement is what is known; the integral varies with the patient's half-life.
    integrals_s = true_factor_s(time_h * HOUR_S, half_lives_s)
    assert population_factor_s(time_h * HOUR_S, 51 * HOUR_S, 2 * HOUR_S)[1] == pytest.approx(integrals_s.std(), rel=0.1)


def test_an_error_of_the_half_life_counts_least_at_the_mean_life():
    def spread(time_h):
        factor, sd = population_factor_s(time_h * HOUR_S, 51 * HOUR_S, 5 * HOUR_S)
        return sd / factor

    best_h = 51 / math.log(2)
    assert spread(best_h) < min(spread(0.7 * best_h), spread(1.3 * best_h))


@pytest.mark.parametrize(("parameters", "said"), [
    ({"method": "population"}, "not given"),
    ({"method": "population", "half_life_h": 170}, "longer than the physical one"),
    ({"time_point": 2}, "time point 2 of 1"),
    ({"method": "guess"}, "method"),
])
def test_what_is_missing_is_said(parameters, said):
    with pytest.raises(InputError, match=said):
        time_integrated("single", 24 * HOUR_S, np.ones(1), LU177, **parameters)


def test_of_several_time_points_one_has_to_be_chosen():
    times_s, activity = np.array([24, 96]) * HOUR_S, np.array([9.0, 5.0])
    with pytest.raises(InputError, match="which one"):
        time_integrated("single", times_s, activity, LU177)
    chosen = time_integrated("single", times_s, activity, LU177, time_point=2)
    assert chosen.value == pytest.approx(5 * haenscheid_factor_s(96 * HOUR_S))
    with pytest.raises(InputError, match="after administration"):
        time_integrated("single", 0.0, np.ones(1), LU177)


def test_the_curve_of_a_single_point_has_its_integral():
    for parameters in ({}, {"method": "population", "half_life_h": 40}):
        result = time_integrated("single", 96 * HOUR_S, np.array([3.0]), LU177, with_phases=True, **parameters)
        phases = result.phases
        assert np.sum(phases.amplitude / phases.rate_per_s) == pytest.approx(float(result.value))
        assert phases.amplitude[0] * np.exp(-phases.rate_per_s[0] * 96 * HOUR_S) == pytest.approx(3.0)
