"""Physical decay: factors between moments, and the moment at which a decaying source has its mean over a frame."""

from __future__ import annotations

import math

from organdose.errors import InputError

# Below this the series is better than the closed form, whose terms cancel.
_SHORT_FRAME = 1e-4


def decay_constant_per_s(half_life_s: float) -> float:
    """ln 2 / half-life. Raises `InputError` unless the half-life is positive and finite."""
    if not (0 < half_life_s < math.inf):
        raise InputError(f"the half-life is {half_life_s:g} s", mend="It must be positive.")
    return math.log(2) / half_life_s


def decay_factor(elapsed_s: float, half_life_s: float) -> float:
    """What is left of an activity after `elapsed_s` (negative: what it was before)."""
    return math.exp(-decay_constant_per_s(half_life_s) * elapsed_s)


def mean_activity_offset_s(duration_s: float, half_life_s: float) -> float:
    """Seconds after the start of a frame when the activity equals its mean over the frame.

    ln(x / (1 - exp(-x))) / lambda with x = lambda * duration: the 'average count rate time' that Frame Reference Time
    states (PS3.3 C.8.9.4.1.5), here of a source that only decays.
    """
    constant = decay_constant_per_s(half_life_s)
    x = constant * duration_s
    if x < _SHORT_FRAME:
        return duration_s * (0.5 - x / 24)
    return math.log(x / -math.expm1(-x)) / constant
