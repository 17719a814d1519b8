"""The bladder's time-integrated activity against a simulation in small steps and the published formula."""

import math

import numpy as np
import pytest
from pydantic import ValidationError

from organdose.errors import InputError
from organdose.nuclear.bladder_voiding import BladderVoiding, ExcretionPhase, bladder_tiac_h

F18 = math.log(2) / (109.77 * 60)
LU177 = math.log(2) / (6.6443 * 86400)
PHASES = (ExcretionPhase(0.3, 1.2), ExcretionPhase(0.5, 30.0))


def cloutier_h(phases, p, interval_h):
    total, length_s = 0.0, 3600 * interval_h
    for phase in phases:
        both = p + math.log(2) / (3600 * phase.half_life_h)
        total += phase.fraction * ((1 - math.exp(-p * length_s)) / p - (1 - math.exp(-both * length_s)) / both) / (
            1 - math.exp(-both * length_s))
    return total / 3600


def simulated_h(phases, p, voids_s, residual, step_s=2.0):
    """Content without decay, step by step; its integral with decay by the trapezoid rule."""
    times_s = np.arange(0, voids_s[-1], step_s)
    came = sum(phase.fraction * -np.expm1(-math.log(2) / (3600 * phase.half_life_h) * times_s) for phase in phases)
    inside, content, next_void = np.empty_like(times_s), 0.0, 0
    for k in range(len(times_s)):
        content += came[k] - (came[k - 1] if k else 0)
        if times_s[k] >= voids_s[next_void]:
            content, next_void = residual * content, next_void + 1
        inside[k] = content
    return np.trapezoid(inside * np.exp(-p * times_s), times_s) / 3600


@pytest.mark.parametrize("p", [F18, LU177])
def test_regular_voids_follow_the_formula_of_cloutier(p):
    assert bladder_tiac_h(PHASES, p) == pytest.approx(cloutier_h(PHASES, p, 3.5), rel=1e-9)


def test_first_void_residual_and_a_night_follow_a_simulation():
    voiding = BladderVoiding(interval_h=3, first_void_h=0.75, residual_percent=12)
    voids_s = 3600 * np.concatenate([[0.75], 0.75 + 3 * np.arange(1, 12)])
    assert bladder_tiac_h(PHASES, F18, voiding) == pytest.approx(simulated_h(PHASES, F18, voids_s, 0.12), rel=2e-3)
    night_s = 3600 * np.array([2.0, 5.0, 8.0, 16.0])
    voids_s = np.concatenate([night_s, night_s[-1] + 3600 * 3 * np.arange(1, 60)])
    tiac = bladder_tiac_h(PHASES, 5 * LU177, voiding, void_times_s=night_s)
    assert tiac == pytest.approx(simulated_h(PHASES, 5 * LU177, voids_s, 0.12, 5.0), rel=5e-3)


def test_regular_voids_written_out_change_nothing():
    voiding = BladderVoiding(interval_h=4, residual_percent=5)
    written = bladder_tiac_h(PHASES, F18, voiding, void_times_s=3600 * np.array([4.0, 8.0, 12.0]))
    assert written == pytest.approx(bladder_tiac_h(PHASES, F18, voiding))


def test_all_excreted_at_once_decays_until_the_first_void():
    tiac = bladder_tiac_h([ExcretionPhase(1.0, 0.0)], F18, BladderVoiding(interval_h=2))
    assert tiac == pytest.approx((1 - math.exp(-F18 * 7200)) / F18 / 3600, rel=1e-5)


def test_a_bladder_never_emptied_holds_what_its_filling_balances():
    r = math.log(2) / (3600 * 30)
    tiac = bladder_tiac_h([ExcretionPhase(0.5, 30.0)], F18, void_times_s=[3600 * 400.0])
    assert tiac == pytest.approx(0.5 * (1 / F18 - 1 / (F18 + r)) / 3600, rel=1e-6)


def test_longer_intervals_and_more_left_behind_mean_more():
    tiacs = [bladder_tiac_h(PHASES, LU177, BladderVoiding(interval_h=h, residual_percent=r))
             for h, r in ((2, 0), (3.5, 0), (3.5, 20))]
    assert tiacs == sorted(tiacs) and len(set(tiacs)) == 3


@pytest.mark.parametrize(("phases", "options", "said"), [
    ((), {}, "fractions"),
    ((ExcretionPhase(0.8, 1), ExcretionPhase(0.3, 9)), {}, "sum to 1"),
    ((ExcretionPhase(math.nan, 1),), {}, "fractions"),
    ((ExcretionPhase(0.5, -1),), {}, "half-life"),
    (PHASES, {"void_times_s": [3600, 1800]}, "do not rise"),
])
def test_what_makes_no_sense_is_refused(phases, options, said):
    with pytest.raises(InputError, match=said):
        bladder_tiac_h(phases, F18, **options)


def test_a_decay_constant_of_zero_and_an_interval_of_zero_are_refused():
    with pytest.raises(InputError, match="decay constant"):
        bladder_tiac_h(PHASES, 0.0)
    with pytest.raises(ValidationError):
        BladderVoiding(interval_h=0)
