"""Time-integrated activity of many voxels or organs at once."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from pydantic import ValidationError

from organdose.errors import InputError
from organdose.nuclear.exponential_fit import fit_exponentials
from organdose.nuclear.integral_flags import FLAG_MEANINGS, NEGATIVE_TO_ZERO, NO_DATA, flag_counts
from organdose.nuclear.integration_models import FitParameters, IntegrationParameters, integration_model
from organdose.nuclear.single_time_point import (
    haenscheid_factor_s,
    haenscheid_notes,
    population_factor_s,
    population_notes,
)
from organdose.nuclear.trapezoid import START_CONSTANT, START_FROM_ZERO, START_PHYSICAL, integrate_trapezoids
from organdose.progress import Progress

_VOXELS_AT_ONCE = 20_000
_RATES = 16  # of the grid that fits start from
_MOST_MEAN_LIVES = 50
_NEGATIVE = {"keep": 0, "zero": 1, "leave_out": 2}
_STARTS = {"zero": START_FROM_ZERO, "constant": START_CONSTANT, "physical": START_PHYSICAL}
_PHASES = {"physical": 0, "mono": 1, "bi": 2}


@dataclass(frozen=True)
class Phases:
    """Curves as sums of decaying exponentials: activity(t) = sum of amplitude exp(-rate (t - from_s)), t >= from_s.

    `amplitude` (2, ...) in the unit of the activity, `rate_per_s` (2, ...); an unused phase has the amplitude 0.
    `from_s` (...): 0, or the last time point where trapezoids come before.
    """

    amplitude: np.ndarray
    rate_per_s: np.ndarray
    from_s: np.ndarray


@dataclass(frozen=True)
class TimeIntegral:
    """Activity integrated from administration to infinity.

    `value` and its standard `uncertainty` have the shape of one time point and the unit of the activity times s; the
    uncertainty is NaN where nothing tells it. `flags` (uint8): bits of `integral_flags`. `notes`: assumptions and
    counts for a report. `phases`: the curves, where they were asked for.
    """

    value: np.ndarray
    uncertainty: np.ndarray
    model: str
    flags: np.ndarray
    notes: tuple[str, ...]
    phases: Phases | None = None


@dataclass(frozen=True)
class _Curves:
    """Checked input: activity (points, voxels), sigma (points, 1 or voxels; negative: relative)."""

    time_s: np.ndarray
    activity: np.ndarray
    sigma: np.ndarray
    is_sigma_known: bool
    decay_per_s: float
    shape: tuple[int, ...]


def time_integrated(model: str, times_s: np.ndarray, activity: np.ndarray, decay_constant_per_s: float, *,
                    uncertainty: np.ndarray | float | None = None,
                    relative_uncertainty: np.ndarray | float | None = None, with_phases: bool = False,
                    threads: int | None = None, progress: Progress | None = None, **parameters: object) -> TimeIntegral:
    """Integrate activities over time, from administration at t = 0 to infinity.

    `activity` (n, ...): Bq or Bq/ml as it was at `times_s` (n), seconds since administration: NOT corrected for decay
    to another time. `uncertainty`: standard uncertainties in the unit of the activity, or `relative_uncertainty` as a
    fraction; one number, (n) or (n, ...). Without either all points weigh alike and the scatter about a fit tells the
    uncertainty. `parameters` are those of the model (`integration_models`). Activities that are not finite are left out
    voxel by voxel. Raises `InputError` when times, shapes or parameters do not fit, `Cancelled` from `progress`.
    """
    chosen = integration_model(model)
    settings = _checked_parameters(chosen.parameters, chosen.title, parameters)
    curves = _checked_curves(times_s, activity, decay_constant_per_s, uncertainty, relative_uncertainty)
    if len(curves.time_s) < chosen.least_points:
        raise InputError(f"{chosen.title} needs {chosen.least_points} time points, there are {len(curves.time_s)}",
                         mend="Choose a simpler model, or single time point.")
    run = {"trapezoid": _trapezoids, "single": _single}.get(model, _fitted)
    return run(model, curves, settings, with_phases, threads, progress or Progress())


def _fitted(model: str, curves: _Curves, settings: IntegrationParameters, with_phases: bool, threads: int | None,
            progress: Progress) -> TimeIntegral:
    wanted = _PHASES[model]
    rates = _rate_grid(curves, settings)[:None if wanted else 1]
    grid = np.exp(-np.outer(rates, curves.time_s))
    worst = settings.worst_uncertainty_percent / 100 if wanted else math.inf
    value, uncertainty, flags = _results(curves)
    kept = value.size if with_phases else 0
    amplitude, rate = np.zeros((2, kept)), np.full((2, kept), curves.decay_per_s)

    def work(part: slice) -> None:
        phases = part if with_phases else slice(0, 0)
        fit_exponentials(curves.activity[:, part], _part(curves.sigma, part), curves.time_s, grid, np.log(rates),
                         wanted, getattr(settings, "uptake", False), _NEGATIVE[settings.negative],
                         not curves.is_sigma_known, worst, value[part], uncertainty[part], flags[part],
                         amplitude[:, phases], rate[:, phases])

    _in_parts(work, value.size, threads, progress, "Time-activity fits")
    notes = [] if not wanted else [f"Fitted half-lives: {math.log(2) / rates[-1] / 3600:.3g} h to the physical "
                                   f"{math.log(2) / rates[0] / 3600:.4g} h."]
    phases = Phases(amplitude, rate, np.zeros(kept)) if with_phases else None
    return _integral(model, curves, settings, value, uncertainty, flags, notes, phases)


def _trapezoids(model: str, curves: _Curves, settings: IntegrationParameters, with_phases: bool, threads: int | None,
                progress: Progress) -> TimeIntegral:
    rates = _rate_grid(curves, FitParameters())
    grid = np.exp(-np.outer(rates, curves.time_s))
    value, uncertainty, flags = _results(curves)
    tail_activity, tail_rate = np.zeros(value.size), np.full(value.size, curves.decay_per_s)
    tail_from_s = np.zeros(value.size)
    tail_points = settings.tail_points if settings.tail == "fitted" else 0

    def work(part: slice) -> None:
        integrate_trapezoids(curves.activity[:, part], _part(curves.sigma, part), curves.time_s, grid, np.log(rates),
                             _STARTS[settings.start], tail_points, _NEGATIVE[settings.negative], value[part],
                             uncertainty[part], flags[part], tail_activity[part], tail_rate[part], tail_from_s[part])

    _in_parts(work, value.size, threads, progress, "Trapezoids")
    if not curves.is_sigma_known:
        uncertainty[:] = np.nan
    start = {"physical": "physical decay calculated back", "constant": "constant activity", "zero": "a rise from zero"}
    notes = [f"Before the first time point: {start[settings.start]}; behind the last: " +
             ("physical decay." if not tail_points else f"an exponential through the last {tail_points} points.")]
    phases = None
    if with_phases:
        phases = Phases(np.stack([tail_activity, 0 * tail_activity]), np.stack([tail_rate] * 2), tail_from_s)
    return _integral(model, curves, settings, value, uncertainty, flags, notes, phases)


def _single(model: str, curves: _Curves, settings: IntegrationParameters, with_phases: bool, threads: int | None,
            progress: Progress) -> TimeIntegral:
    index = _single_index(len(curves.time_s), settings.time_point)
    time_s, physical_s = float(curves.time_s[index]), math.log(2) / curves.decay_per_s
    factor_s, factor_sd_s, notes, rate = _single_factor(time_s, physical_s, settings)
    point = curves.activity[index].astype(np.float64)
    sigma = curves.sigma[index] if curves.is_sigma_known else np.nan
    sigma = np.where(sigma < 0, -sigma * np.abs(point), sigma)
    value, uncertainty = factor_s * point, np.hypot(factor_s * sigma, factor_sd_s * point)
    flags = np.where(np.isfinite(point), 0, NO_DATA).astype(np.uint8)
    value[~np.isfinite(point)] = uncertainty[~np.isfinite(point)] = np.nan
    below = value < 0
    if settings.negative == "leave_out":
        value[below] = uncertainty[below] = np.nan
        flags[below] |= np.uint8(NO_DATA)
    else:
        value[below] = 0.0
        flags[below] |= np.uint8(NEGATIVE_TO_ZERO)
    phases = None
    if with_phases:
        start = np.where(value > 0, value * rate, 0.0)  # the curve of that rate with the integral
        phases = Phases(np.stack([start, 0 * start]), np.full((2, start.size), rate), np.zeros(start.size))
    progress.report("Single time point", 1.0)
    return _integral(model, curves, settings, value, uncertainty, flags, notes, phases)


def _single_index(count: int, time_point: int | None) -> int:
    if time_point is None and count > 1:
        raise InputError(f"single time point, but there are {count} time points",
                         mend="Say which one to use (time_point), or choose a model for several.")
    if (time_point or 1) > count:
        raise InputError(f"time point {time_point} of {count}", mend="Give a number that there is.")
    return (time_point or 1) - 1


def _single_factor(time_s: float, physical_s: float, settings: IntegrationParameters
                   ) -> tuple[float, float, list[str], float]:
    """(factor s, its standard uncertainty s, notes, the effective rate per s that goes with it)."""
    if settings.method == "haenscheid":
        if time_s <= 0:
            raise InputError("Hänscheid's formula needs a time after administration", mend="Give the time of the scan.")
        # For a drawn curve: half-lives of the time and of half the time fit the formula exactly.
        rate = math.log(2) / time_s * (1 if time_s <= physical_s else 2)
        return haenscheid_factor_s(time_s), 0.0, haenscheid_notes(time_s, physical_s), rate
    if settings.half_life_h is None:
        raise InputError("the effective half-life of the population is not given", mend="Give half_life_h.")
    half_life_s = 3600 * settings.half_life_h
    if half_life_s > physical_s * (1 + 1e-9):
        raise InputError(f"an effective half-life of {settings.half_life_h:g} h is longer than the physical one, "
                         f"{physical_s / 3600:.4g} h", mend="Give the effective, not the biological half-life.")
    factor_s, sd_s = population_factor_s(time_s, half_life_s, 3600 * settings.half_life_sd_h)
    return factor_s, sd_s, population_notes(time_s, half_life_s), math.log(2) / half_life_s


def _rate_grid(curves: _Curves, settings: IntegrationParameters) -> np.ndarray:
    """Rates per s from the physical decay on, evenly spaced in their logarithm."""
    physical_s = math.log(2) / curves.decay_per_s
    shortest_h = getattr(settings, "shortest_half_life_h", None)
    if shortest_h is not None and 3600 * shortest_h >= physical_s:
        raise InputError(f"the shortest half-life, {shortest_h:g} h, is not below the physical one, "
                         f"{physical_s / 3600:.4g} h", mend="Give a shorter one, or choose physical decay only.")
    after = curves.time_s[curves.time_s > 0]
    shortest_s = 3600 * shortest_h if shortest_h else min([physical_s / 10, *(after[:1] / 2)])
    return np.geomspace(curves.decay_per_s, math.log(2) / shortest_s, _RATES)


def _results(curves: _Curves) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    size = curves.activity.shape[1]
    return np.zeros(size), np.zeros(size), np.zeros(size, np.uint8)


def _part(sigma: np.ndarray, part: slice) -> np.ndarray:
    return sigma if sigma.shape[1] == 1 else sigma[:, part]


def _in_parts(work: Callable[[slice], None], size: int, threads: int | None, progress: Progress, stage: str) -> None:
    """Run `work` on parts of all voxels, on threads; each voxel's result does not depend on how they are cut."""
    parts = [slice(first, min(first + _VOXELS_AT_ONCE, size)) for first in range(0, size, _VOXELS_AT_ONCE)]
    with ThreadPoolExecutor(max(1, threads or os.cpu_count() or 1)) as pool:
        waiting = [pool.submit(work, part) for part in parts]
        try:
            for done, future in enumerate(waiting, 1):
                future.result()
                progress.report(stage, done / len(parts))
        finally:
            for future in waiting:
                future.cancel()


def _integral(model: str, curves: _Curves, settings: IntegrationParameters, value: np.ndarray, uncertainty: np.ndarray,
              flags: np.ndarray, notes: list[str], phases: Phases | None) -> TimeIntegral:
    """The result in the shape of the input, with lines that say how much of it carries which flag."""
    if not curves.is_sigma_known and model != "single":
        notes = [*notes, "No uncertainty of the activities was given: " +
                 ("none is stated for the integral." if model == "trapezoid" else
                  "that of the integral is from the scatter about the fit, where there are points to spare.")]
    words = {"keep": "kept", "zero": "set to zero", "leave_out": "left out"}
    if np.any(curves.activity < 0):
        notes = [*notes, f"Activities below zero were {words[settings.negative]}."]
    notes = [*notes, *(f"{count} of {flags.size} ({100 * count / flags.size:.3g} %): {FLAG_MEANINGS[bit]}."
                       for bit, count in flag_counts(flags).items())]
    if phases is not None:
        phases = Phases(phases.amplitude.reshape(2, *curves.shape), phases.rate_per_s.reshape(2, *curves.shape),
                        phases.from_s.reshape(curves.shape))
    return TimeIntegral(value.reshape(curves.shape), uncertainty.reshape(curves.shape), model,
                        flags.reshape(curves.shape), tuple(notes), phases)


def _checked_parameters(form: type[IntegrationParameters], title: str, values: dict) -> IntegrationParameters:
    try:
        return form(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{title}: {name}: {first['msg'].lower()} (given: {first['input']})",
                         mend="Correct the value.") from error


def _checked_curves(times_s, activity, decay_per_s: float, uncertainty, relative) -> _Curves:
    time_s, activity = np.atleast_1d(np.asarray(times_s, np.float64)), np.asarray(activity)
    if time_s.ndim != 1 or activity.ndim < 1 or activity.shape[0] != len(time_s) or not activity.size:
        raise InputError(f"{time_s.size} times, but activities of shape {activity.shape}",
                         mend="The first axis of the activities is time.")
    if not np.all(np.isfinite(time_s)) or np.any(time_s < 0):
        raise InputError("times must be finite and not before administration",
                         mend="Give seconds since administration, or check the dates and clocks.")
    if np.any(np.diff(time_s) <= 0):
        raise InputError("the times do not rise from one point to the next",
                         mend="Sort the time points, and leave out or average those of equal time.")
    if not (math.isfinite(decay_per_s) and decay_per_s > 0):
        raise InputError(f"a decay constant of {decay_per_s} per s", mend="Give ln 2 over the half-life in seconds.")
    if decay_per_s * time_s[0] > _MOST_MEAN_LIVES:
        raise InputError(f"the first time point lies {decay_per_s * time_s[0] / math.log(2):.3g} physical half-lives "
                         "after administration, when nothing is left",
                         mend="Check the units of times and decay constant.")
    if not np.issubdtype(activity.dtype, np.floating):
        activity = activity.astype(np.float64)
    flat = activity.reshape(len(time_s), -1)
    return _Curves(time_s, flat, _sigma(uncertainty, relative, activity.shape),
                   uncertainty is not None or relative is not None, float(decay_per_s), activity.shape[1:])


def _sigma(uncertainty, relative, shape: tuple[int, ...]) -> np.ndarray:
    """(points, 1 or voxels), relative ones negative; ones where nothing is known."""
    if uncertainty is not None and relative is not None:
        raise InputError("both absolute and relative uncertainties are given", mend="Give one of them.")
    if uncertainty is None and relative is None:
        return np.ones((shape[0], 1))
    given = np.asarray(uncertainty if uncertainty is not None else relative)
    if not np.all(np.isfinite(given)) or np.any(given <= 0):
        raise InputError("uncertainties must be above zero and finite",
                         mend="Give voxels without counts the uncertainty of the noise beside them.")
    if given.ndim == 0 or given.shape == shape[:1]:
        sigma = np.broadcast_to(given, shape[:1]).astype(np.float64).reshape(-1, 1)
    elif given.shape == shape:
        sigma = given.reshape(shape[0], -1)
    else:
        raise InputError(f"uncertainties of shape {given.shape} for activities of shape {shape}",
                         mend="Give one number, one a time point, or one an activity.")
    return sigma if uncertainty is not None else -sigma
