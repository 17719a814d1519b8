"""Integrals of activity over time against closed forms, their uncertainties against repeated draws."""

import math

import numpy as np
import pytest

from organdose.errors import Cancelled, InputError
from organdose.nuclear.integral_flags import (
    AT_PHYSICAL_DECAY,
    EMPTY,
    NEGATIVE_TO_ZERO,
    NO_DATA,
    POINTS_LEFT_OUT,
    SIMPLER_MODEL,
)
from organdose.nuclear.integration_models import integration_models
from organdose.nuclear.time_integration import time_integrated
from organdose.progress import Progress

HOUR_S = 3600.0
LU177 = math.log(2) / (6.6443 * 24 * HOUR_S)
TIMES_S = np.array([4, 24, 48, 96, 168]) * HOUR_S


def rate(half_life_h):
    return math.log(2) / (np.asarray(half_life_h) * HOUR_S)


def exponential(half_life_h, times_s=TIMES_S):
    return np.exp(-np.multiply.outer(times_s, rate(half_life_h)))


def test_one_exponential_without_noise_is_recovered():
    half_lives_h = np.linspace(5, 150, 60).reshape(3, 20)
    result = time_integrated("mono", TIMES_S, 1e4 * exponential(half_lives_h), LU177)
    assert result.value == pytest.approx(1e4 / rate(half_lives_h), rel=1e-6)
    assert not result.flags.any()


def test_two_exponentials_without_noise_are_recovered():
    fast_h, slow_h = np.meshgrid([2.5, 4, 8, 12], [40, 60, 100, 150])
    for part in (0.1, 0.5, 0.9):
        activity = 1e6 * (part * exponential(fast_h) + (1 - part) * exponential(slow_h))
        result = time_integrated("bi", TIMES_S, activity, LU177)
        assert result.value == pytest.approx(1e6 * (part / rate(fast_h) + (1 - part) / rate(slow_h)), rel=1e-6)
        assert not result.flags.any()


def test_an_uptake_phase_is_recovered_where_it_is_allowed():
    times_s = np.array([1, 3, 6, 24, 72, 168]) * HOUR_S
    activity = 1e5 * (exponential(80, times_s) - 0.7 * exponential(3, times_s))[:, None]
    true = 1e5 * (1 / rate(80) - 0.7 / rate(3))
    allowed = time_integrated("bi", times_s, activity, LU177, uptake=True, with_phases=True)
    assert allowed.value == pytest.approx(true, rel=1e-6)
    assert allowed.phases.amplitude[:, 0] == pytest.approx([-7e4, 1e5], rel=1e-5)
    assert math.log(2) / allowed.phases.rate_per_s[:, 0] / HOUR_S == pytest.approx([3, 80], rel=1e-5)
    without = time_integrated("bi", times_s, activity, LU177)
    assert without.flags[0] & SIMPLER_MODEL
    assert without.value != pytest.approx(true, rel=1e-3)


def test_an_uptake_from_nothing_starts_at_nothing():
    times_s = np.array([2, 8, 24, 72, 168]) * HOUR_S
    activity = (exponential(70, times_s) - exponential(5, times_s))[:, None]
    result = time_integrated("bi", times_s, activity, LU177, uptake=True, with_phases=True)
    assert result.value == pytest.approx(1 / rate(70) - 1 / rate(5), rel=1e-6)
    assert result.phases.amplitude.sum() == pytest.approx(0, abs=1e-6)


def test_physical_decay_alone_gives_the_mean_life():
    result = time_integrated("physical", TIMES_S, 3e4 * np.exp(-LU177 * TIMES_S), LU177)
    assert result.value == pytest.approx(3e4 / LU177)
    one = time_integrated("physical", 24 * HOUR_S, np.array([7.0]), LU177, relative_uncertainty=0.04)
    assert one.value == pytest.approx(7 * math.exp(LU177 * 24 * HOUR_S) / LU177)
    assert one.uncertainty == pytest.approx(0.04 * one.value)


@pytest.mark.parametrize("model", ["mono", "bi"])
def test_no_fit_decays_slower_than_the_nuclide(model):
    rising = np.array([1.0, 1.1, 1.2, 1.3, 1.4])[:, None]
    result = time_integrated(model, TIMES_S, rising, LU177, with_phases=True)
    assert result.flags[0] & AT_PHYSICAL_DECAY
    assert result.phases.rate_per_s.min() == pytest.approx(LU177)
    weights = np.exp(-LU177 * TIMES_S)
    assert result.value == pytest.approx((weights @ rising[:, 0]) / (weights @ weights) / LU177)


@pytest.mark.parametrize(("model", "half_lives_h", "relative"), [("mono", (60,), 0.1), ("bi", (6, 70), 0.03)])
def test_the_uncertainty_covers_the_truth_in_repeated_draws(model, half_lives_h, relative):
    times_s = np.array([1, 4, 8, 24, 48, 72, 120, 168]) * HOUR_S
    clean = sum(exponential(half_life_h, times_s) for half_life_h in half_lives_h)[:, None]
    sigma = relative * clean
    draws = clean + sigma * np.random.default_rng(5).standard_normal((len(times_s), 4000))
    result = time_integrated(model, times_s, draws, LU177, uncertainty=np.broadcast_to(sigma, draws.shape))
    pull = (result.value - sum(1 / rate(half_life_h) for half_life_h in half_lives_h)) / result.uncertainty
    assert np.mean(np.abs(pull) < 1) == pytest.approx(0.683, abs=0.03)
    assert np.mean(np.abs(pull) < 2) == pytest.approx(0.954, abs=0.02)
    assert abs(pull.mean()) < 0.15


def test_without_uncertainties_the_scatter_gives_that_of_the_integral():
    times_s = np.linspace(4, 168, 12) * HOUR_S
    clean = exponential(50, times_s)[:, None]
    draws = clean + 0.02 * np.random.default_rng(6).standard_normal((12, 4000))
    known = time_integrated("mono", times_s, draws, LU177, uncertainty=0.02)
    scatter = time_integrated("mono", times_s, draws, LU177)
    assert np.mean(scatter.uncertainty**2) == pytest.approx(np.mean(known.uncertainty**2), rel=0.05)
    assert any("scatter" in note for note in scatter.notes)
    exact = time_integrated("mono", times_s[:2], clean[:2], LU177)
    assert math.isnan(exact.uncertainty[0])


def test_two_phases_that_the_points_do_not_determine_become_one():
    result = time_integrated("bi", TIMES_S, 5e3 * exponential([30, 90]), LU177, uncertainty=10.0)
    assert np.all(result.flags & SIMPLER_MODEL)
    assert result.value == pytest.approx(5e3 / rate([30, 90]), rel=1e-5)
    assert "2 of 2 (100 %)" in " ".join(result.notes)


def test_a_voxel_of_noise_falls_back_until_its_uncertainty_is_stated():
    draws = np.random.default_rng(8).normal(0, 1, (5, 500))
    result = time_integrated("bi", TIMES_S, draws, LU177, uncertainty=1.0)
    assert np.all(result.flags & SIMPLER_MODEL)
    assert np.all(result.value >= 0)
    assert np.all(np.isfinite(result.uncertainty))
    zeroed = (result.flags & NEGATIVE_TO_ZERO) > 0
    assert 0.3 < zeroed.mean() < 0.7
    assert not result.value[zeroed].any()


def test_a_trapezoid_with_a_physical_tail_is_the_closed_form():
    times_s, activity = np.array([10.0, 30.0, 70.0]), np.array([5.0, 9.0, 3.0])
    p = 0.02
    middle = 0.5 * (5 + 9) * 20 + 0.5 * (9 + 3) * 40
    starts = {"zero": 25.0, "constant": 50.0, "physical": 5 * (math.exp(p * 10) - 1) / p}
    for start, before in starts.items():
        result = time_integrated("trapezoid", times_s, activity, p, start=start, uncertainty=[0.1, 0.2, 0.3])
        assert result.value == pytest.approx(before + middle + 3 / p)
    by_point = np.array([before / 5 + 10, 30, 20 + 1 / p])
    assert result.uncertainty == pytest.approx(math.sqrt(np.sum((by_point * [0.1, 0.2, 0.3]) ** 2)))
    assert math.isnan(time_integrated("trapezoid", times_s, activity, p).uncertainty)


def test_a_fitted_tail_is_the_exponential_through_the_last_points():
    times_s = np.array([1, 20, 60, 100]) * HOUR_S
    activity = np.array([7.0, *(8 * exponential(40, times_s)[1:])])
    result = time_integrated("trapezoid", times_s, activity, LU177, tail="fitted", tail_points=3, start="constant")
    trapezoids = 7 * times_s[0] + np.trapezoid(activity, times_s)
    assert result.value == pytest.approx(trapezoids + activity[-1] / rate(40))
    slower = time_integrated("trapezoid", times_s, activity, LU177, start="constant")
    assert slower.value == pytest.approx(trapezoids + activity[-1] / LU177)


def test_a_fitted_tail_passes_its_uncertainty_on():
    times_s, rng = np.array([2, 24, 72, 144]) * HOUR_S, np.random.default_rng(3)
    clean = exponential(55, times_s)[:, None]
    draws = clean * (1 + 0.03 * rng.standard_normal((4, 4000)))
    result = time_integrated("trapezoid", times_s, draws, LU177, tail="fitted", uncertainty=0.03 * clean[:, 0])
    exact = time_integrated("trapezoid", times_s, clean, LU177, tail="fitted", uncertainty=0.03 * clean[:, 0])
    assert exact.uncertainty[0] == pytest.approx(result.value.std(), rel=0.06)


def test_a_tail_that_rises_decays_as_the_nuclide():
    result = time_integrated("trapezoid", TIMES_S, np.array([[1.0, 1, 1, 1, 2]]).T, LU177, tail="fitted")
    assert result.flags[0] == SIMPLER_MODEL | AT_PHYSICAL_DECAY
    physical = time_integrated("trapezoid", TIMES_S, np.array([[1.0, 1, 1, 1, 2]]).T, LU177)
    assert result.value == pytest.approx(physical.value)


@pytest.mark.parametrize("model", sorted(set(integration_models()) - {"single"}))
def test_voxels_without_activity_are_told_apart_from_voxels_without_data(model):
    activity = np.stack([np.zeros(5), np.full(5, np.nan), 4 * exponential(60)], axis=1)
    activity[2, 2] = np.inf
    result = time_integrated(model, TIMES_S, activity, LU177)
    assert result.flags[:2].tolist() == [EMPTY, POINTS_LEFT_OUT | NO_DATA]
    assert result.value[0] == 0 and math.isnan(result.value[1]) and math.isnan(result.uncertainty[1])
    assert result.flags[2] & POINTS_LEFT_OUT
    if model == "mono":
        assert result.value[2] == pytest.approx(4 / rate(60))


def test_points_left_out_make_fewer_phases():
    activity = np.tile((exponential(5) + exponential(80))[:, None], 3)
    activity[3:, 1] = np.nan
    activity[1:, 2] = np.nan
    result = time_integrated("bi", TIMES_S, activity, LU177)
    assert result.flags.tolist() == [0, POINTS_LEFT_OUT | SIMPLER_MODEL,
                                     POINTS_LEFT_OUT | SIMPLER_MODEL | AT_PHYSICAL_DECAY]


def test_a_voxel_without_its_first_point_gets_no_activity_from_before_its_second():
    times_s = np.array([0.05, 24, 48, 96]) * HOUR_S
    activity = np.array([[np.nan, 1000, 1, 0.9], [1000, 1, 0.9, 0.8]]).T
    result = time_integrated("mono", times_s, activity, LU177, uncertainty=1.0, with_phases=True)
    late, early = result.phases.rate_per_s[0]
    assert math.log(2) / late / HOUR_S == pytest.approx(12)
    assert math.log(2) / early / HOUR_S < 3


def test_negative_activities_are_kept_zeroed_or_left_out():
    activity = 10 * np.exp(-LU177 * TIMES_S)
    activity[3] = -2
    weights = np.exp(-LU177 * TIMES_S)
    others = np.arange(5) != 3
    for choice, used in (("keep", activity), ("zero", np.maximum(activity, 0))):
        result = time_integrated("physical", TIMES_S, activity, LU177, negative=choice)
        assert result.value == pytest.approx((weights @ used) / (weights @ weights) / LU177)
    result = time_integrated("physical", TIMES_S, activity, LU177, negative="leave_out")
    assert result.value == pytest.approx((weights[others] @ activity[others]) / np.sum(weights[others]**2) / LU177)
    assert result.flags == POINTS_LEFT_OUT
    assert "Activities below zero were left out." in result.notes


def test_the_result_does_not_depend_on_threads_or_on_the_number_of_voxels():
    draws = exponential(50)[:, None] + 0.02 * np.random.default_rng(1).standard_normal((5, 45_000))
    every = time_integrated("mono", TIMES_S, draws.astype(np.float32), LU177, threads=2)
    some = time_integrated("mono", TIMES_S, draws.astype(np.float32)[:, 41_000:], LU177, threads=1)
    assert np.array_equal(every.value[41_000:], some.value)


def test_weights_count():
    activity = np.array([8.0, 4.0, 9.0])[:, None]
    times_s = np.array([1, 2, 3]) * HOUR_S
    result = time_integrated("mono", times_s, activity, rate(10), uncertainty=[0.01, 0.01, 1e4])
    assert result.value == pytest.approx(16 / rate(1), rel=1e-3)


def test_the_user_may_stop_it():
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        time_integrated("mono", TIMES_S, np.ones((5, 100)), LU177, progress=progress)


GOOD = {"model": "mono", "times_s": TIMES_S, "activity": np.ones(5), "decay_constant_per_s": LU177}


@pytest.mark.parametrize(("wrong", "said"), [
    ({"times_s": TIMES_S[:1], "activity": np.ones(1)}, "needs 2 time points, there are 1"),
    ({"model": "bi", "times_s": TIMES_S[:3], "activity": np.ones(3)}, "needs 4 time points"),
    ({"times_s": np.array([1, 2, 2, 3, 4.0])}, "do not rise"),
    ({"times_s": np.array([-1, 2, 3, 4, 5.0])}, "not before administration"),
    ({"times_s": np.array([1, 2, 3, 4, np.nan])}, "finite"),
    ({"activity": np.ones(4)}, "5 times, but activities of shape (4,)"),
    ({"decay_constant_per_s": 0.0}, "decay constant"),
    ({"decay_constant_per_s": LU177 * HOUR_S}, "Check the units"),
    ({"decay_constant_per_s": math.nan}, "decay constant"),
    ({"uncertainty": 0.0}, "above zero"),
    ({"uncertainty": 1.0, "relative_uncertainty": 0.1}, "both"),
    ({"uncertainty": np.ones(3)}, "shape (3,)"),
    ({"model": "tri"}, "Models: physical, mono, bi, trapezoid, single"),
    ({"uptake": True}, "uptake"),
    ({"model": "trapezoid", "tail_points": 1}, "tail_points"),
    ({"shortest_half_life_h": 200.0}, "not below the physical one"),
])
def test_what_cannot_be_integrated_is_said_in_one_line(wrong, said):
    with pytest.raises(InputError) as caught:
        time_integrated(**(GOOD | wrong))
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_every_choice_has_a_title_and_a_description():
    for model in integration_models().values():
        for name, field in model.parameters.model_fields.items():
            assert field.title and field.description, f"{model.name}: {name}"
