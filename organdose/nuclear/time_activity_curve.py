"""A time-activity curve of one organ, for all who show one: nothing here computes, so that a window can read one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TimeActivityCurve:
    """One organ. Times are seconds since administration, activities Bq as they were at those times.

    `activity_bq`, `uncertainty_bq` (n; NaN: not known): the points, corrected for recovery where there is one.
    `curve_s`, `curve_bq`: the curve that was integrated. `integral_bq_s` and `tiac_h`, the integral over the
    administered activity, each with its standard uncertainty (NaN: not known). `flags`: bits of `integral_flags`;
    `note`: what they and the recovery say of this organ. From `phase_from_s` on the curve is the sum of `phase_bq`
    exp(-`phase_per_s` (t - `phase_from_s`)).
    """

    organ: str
    times_s: np.ndarray
    activity_bq: np.ndarray
    uncertainty_bq: np.ndarray
    curve_s: np.ndarray
    curve_bq: np.ndarray
    integral_bq_s: float
    integral_uncertainty_bq_s: float
    tiac_h: float
    tiac_uncertainty_h: float
    model: str
    flags: int
    recovery: float
    note: str
    phase_bq: tuple[float, ...] = ()
    phase_per_s: tuple[float, ...] = ()
    phase_from_s: float = 0.0
