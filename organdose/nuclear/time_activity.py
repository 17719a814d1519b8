"""Time-activity curves of organs and lesions: measured points, the curve through them, time-integrated activity."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from organdose.errors import InputError
from organdose.nuclear.integral_flags import described
from organdose.nuclear.integration_models import IntegrationParameters, TrapezoidParameters, integration_model
from organdose.nuclear.recovery_coefficients import Recovery
from organdose.nuclear.time_activity_curve import TimeActivityCurve
from organdose.nuclear.time_integration import TimeIntegral, time_integrated

_POINTS = 200  # of a drawn curve
_TAIL = 0.01  # a drawn curve ends when this part of the activity at the last point is left


def tiac_h(integral_bq_s: float | np.ndarray, administered_bq: float) -> float | np.ndarray:
    """Time-integrated activity coefficient in h: decays in a region for each Bq administered (MIRD pamphlet 21); NaN
    where that is not known (NaN)."""
    if not math.isnan(administered_bq) and not (math.isfinite(administered_bq) and administered_bq > 0):
        raise InputError(f"an administered activity of {administered_bq} Bq", mend="Give the net activity in Bq.")
    return integral_bq_s / administered_bq / 3600


def time_activity_curves(organs: Sequence[str], times_s: np.ndarray, activity_bq: np.ndarray,
                         decay_constant_per_s: float, administered_bq: float, model: str, *,
                         uncertainty_bq: np.ndarray | None = None, recoveries: dict[str, Recovery] | None = None,
                         **parameters: object) -> list[TimeActivityCurve]:
    """Curves of organs from their activities (n times, organs), not corrected for decay; `model` and `parameters` as in
    `time_integrated`. `administered_bq`: NaN where nobody said; then so are the coefficients. `recoveries`: of the
    organs to be corrected. Raises `InputError`.
    """
    activity_bq = np.asarray(activity_bq, np.float64)
    if activity_bq.ndim != 2 or activity_bq.shape[1] != len(organs):
        raise InputError(f"activities of shape {activity_bq.shape} for {len(organs)} organs",
                         mend="The first axis is time, the second the organs.")
    recoveries = recoveries or {}
    if unknown := sorted(set(recoveries) - set(organs)):
        raise InputError(f"recovery coefficients of {', '.join(unknown)}, which have no activities",
                         mend="Use the names of the organs.")
    factor = np.array([1 / recoveries[name].coefficient if name in recoveries else 1.0 for name in organs])
    sigma = None if uncertainty_bq is None else np.broadcast_to(uncertainty_bq, activity_bq.shape) * factor
    integral = time_integrated(model, times_s, activity_bq * factor, decay_constant_per_s, uncertainty=sigma,
                               with_phases=True, **parameters)
    tiac_h(1.0, administered_bq)  # raises before any curve is made
    return [_curve(organ, index, np.asarray(times_s, np.float64), activity_bq[:, index] * factor[index],
                   np.full(len(activity_bq), np.nan) if sigma is None else sigma[:, index], integral, administered_bq,
                   recoveries.get(organ), integration_model(model).parameters(**parameters), decay_constant_per_s)
            for index, organ in enumerate(organs)]


def _curve(organ: str, index: int, times_s: np.ndarray, activity_bq: np.ndarray, uncertainty_bq: np.ndarray,
           integral: TimeIntegral, administered_bq: float, recovery: Recovery | None,
           settings: IntegrationParameters, decay_per_s: float) -> TimeActivityCurve:
    value, spread = float(integral.value[index]), float(integral.uncertainty[index])
    if recovery is not None and not math.isnan(recovery.uncertainty):
        # Common to all points: it cannot be averaged out by the fit and comes on top of it.
        spread = math.hypot(spread, value * recovery.uncertainty / recovery.coefficient)
    curve_s, curve_bq = _drawn(index, times_s, activity_bq, integral, settings, decay_per_s)
    flags = int(integral.flags[index])
    note = "; ".join(filter(None, [described(flags), recovery.note if recovery else ""]))
    phases = integral.phases
    return TimeActivityCurve(organ, times_s, activity_bq, uncertainty_bq, curve_s, curve_bq, value, spread,
                             tiac_h(value, administered_bq), tiac_h(spread, administered_bq), integral.model, flags,
                             recovery.coefficient if recovery else math.nan, note,
                             tuple(phases.amplitude[:, index].tolist()), tuple(phases.rate_per_s[:, index].tolist()),
                             float(phases.from_s[index]))


def _drawn(index: int, times_s: np.ndarray, activity_bq: np.ndarray, integral: TimeIntegral,
           settings: IntegrationParameters, decay_per_s: float) -> tuple[np.ndarray, np.ndarray]:
    """The curve that was integrated, from administration to where next to nothing is left; NaN where there is none."""
    amplitude, rate = integral.phases.amplitude[:, index], integral.phases.rate_per_s[:, index]
    from_s = float(integral.phases.from_s[index])
    slowest = rate[amplitude > 0].min(initial=np.inf)
    slowest = slowest if math.isfinite(slowest) else decay_per_s
    tail_s = np.linspace(from_s, times_s[-1] - math.log(_TAIL) / slowest, _POINTS)
    tail_bq = np.sum(amplitude[:, None] * np.exp(-np.outer(rate, tail_s - from_s)), axis=0)
    if math.isnan(integral.value[index]):
        return tail_s, np.full(_POINTS, np.nan)
    if not isinstance(settings, TrapezoidParameters):
        return tail_s, tail_bq
    if settings.negative != "keep":
        activity_bq = np.where(activity_bq < 0, 0.0 if settings.negative == "zero" else np.nan, activity_bq)
    usable = np.isfinite(activity_bq) & (times_s < from_s)
    points_s, points_bq = times_s[usable], activity_bq[usable]
    first_s, first_bq = (points_s[0], points_bq[0]) if len(points_s) else (from_s, tail_bq[0])
    before_s = np.linspace(0, first_s, 20, endpoint=False) if first_s > 0 else np.empty(0)
    before = {"physical": np.exp(decay_per_s * (first_s - before_s)), "constant": np.ones_like(before_s),
              "zero": before_s / max(first_s, 1.0)}[settings.start]
    return np.concatenate([before_s, points_s, tail_s]), np.concatenate([first_bq * before, points_bq, tail_bq])
