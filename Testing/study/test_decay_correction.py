"""Factors of physical decay against halves that anyone can count."""

import math

import numpy as np
import pytest

from organdose.errors import InputError
from organdose.study.decay_correction import decay_factor, mean_activity_offset_s


def test_a_half_life_halves_and_two_quarter():
    assert decay_factor(6586.2, 6586.2) == pytest.approx(0.5, rel=1e-15)
    assert decay_factor(2 * 6586.2, 6586.2) == pytest.approx(0.25, rel=1e-15)
    assert decay_factor(-6586.2, 6586.2) == pytest.approx(2.0, rel=1e-15)


@pytest.mark.parametrize("duration_s", [0.01, 0.5, 60.0, 3600.0, 36000.0])
def test_at_its_offset_the_activity_equals_its_mean_over_the_frame(duration_s):
    half_life_s = 3600.0
    times_s = (np.arange(200_000) + 0.5) / 200_000 * duration_s
    mean = float(np.exp2(-times_s / half_life_s).mean())
    assert decay_factor(mean_activity_offset_s(duration_s, half_life_s), half_life_s) == pytest.approx(mean, rel=1e-9)


def test_over_a_frame_of_one_half_life_the_mean_is_half_over_ln_two():
    assert decay_factor(mean_activity_offset_s(3600.0, 3600.0), 3600.0) == pytest.approx(0.5 / math.log(2), rel=1e-14)


def test_the_decay_factor_that_a_scanner_wrote_is_the_mean_of_its_frame():
    # Discovery ST, frame of 300 s of F-18 with 6588 s: the header says 1.01587.
    assert 1 / decay_factor(mean_activity_offset_s(300.0, 6588.0), 6588.0) == pytest.approx(1.01587, abs=5e-6)


@pytest.mark.parametrize("half_life_s", [0.0, -1.0, math.inf, math.nan])
def test_a_half_life_that_cannot_be_is_refused(half_life_s):
    with pytest.raises(InputError, match="half-life"):
        decay_factor(1.0, half_life_s)
