"""Fits of one or two decaying exponentials to many curves at once, compiled, each curve by itself.

Start: the best of a grid of rates (for two phases, of all pairs), amplitudes by linear least squares. Then
Levenberg-Marquardt (`exponential_phases`). The integral from 0 to infinity is the sum of amplitude over rate; its
uncertainty comes from the covariance of all parameters at the end point.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from organdose.nuclear.exponential_phases import (
    NOTHING,
    ONE_PHASE,
    TIED,
    fill_jacobian,
    normal_matrix,
    refine,
    solve_in_place,
    two_amplitudes,
)
from organdose.nuclear.integral_flags import (
    AT_PHYSICAL_DECAY,
    EMPTY,
    NEGATIVE_TO_ZERO,
    NO_DATA,
    NOT_CONVERGED,
    POINTS_LEFT_OUT,
    SIMPLER_MODEL,
)


class Work(NamedTuple):
    """What the fit of one curve writes to: one set for all curves of a thread."""

    measured: np.ndarray  # (points) activity over its uncertainty
    weight: np.ndarray  # (points) one over the uncertainty; 0: does not count
    residual: np.ndarray  # (points)
    columns: np.ndarray  # (2, points)
    jacobian: np.ndarray  # (4, points)
    normal: np.ndarray  # (4, 4)
    column: np.ndarray  # (rates of the grid, points)
    amplitude: np.ndarray  # (2)
    log_rate: np.ndarray  # (2)


_SAME_RATE = 0.05  # difference of the logarithms below which two phases are one
_POINTS_FOR = (1, 2, 4)  # points that physical decay, one phase and two phases need


@njit(nogil=True, cache=True, error_model="numpy")
def new_work(points, rates):
    return Work(np.empty(points), np.empty(points), np.empty(points), np.empty((2, points)), np.empty((4, points)),
                np.empty((4, 4)), np.empty((rates, points)), np.empty(2), np.empty(2))


@njit(nogil=True, cache=True, error_model="numpy")
def read_curve(activity, sigma, voxel, negative, measured, weight):
    """(points that count, largest absolute activity); fills activities and weights, both divided as the fit wants.

    `sigma` has one column for all voxels or one for each; a negative one is relative. `negative`: 0 keeps activities
    below zero, 1 sets them to zero, 2 leaves them out. Activities are divided by the largest one, weights are one over
    the standard uncertainty of the result.
    """
    largest = 0.0
    for k in range(len(measured)):
        value = float(activity[k, voxel])
        if math.isfinite(value) and not (negative != 0 and value < 0.0):
            largest = max(largest, abs(value))
    count = 0
    for k in range(len(measured)):
        value = float(activity[k, voxel])
        measured[k], weight[k] = 0.0, 0.0
        if not math.isfinite(value) or (negative == 2 and value < 0.0):
            continue
        if negative == 1 and value < 0.0:
            value = 0.0
        count += 1
        if largest == 0.0:
            continue
        spread = float(sigma[k, voxel if sigma.shape[1] > 1 else 0])
        if spread < 0.0:  # relative: of points near zero it is taken from a hundredth of the largest one
            spread = -spread * max(abs(value), 0.01 * largest)
        weight[k] = largest / spread
        measured[k] = value / largest * weight[k]
    return count, largest


@njit(nogil=True, cache=True, error_model="numpy")
def highest_rate(time, weight, log_grid):
    """Logarithm of the highest rate for a curve whose first points may be left out.

    The end of the grid belongs to the first time point; a curve that begins later has as much less to say of rates.
    """
    first = 0 if time[0] > 0.0 or len(time) == 1 else 1
    for k in range(first, len(time)):
        if weight[k] > 0.0:
            return max(log_grid[0], log_grid[-1] - (math.log(time[k] / time[first]) if k > first else 0.0))
    return log_grid[-1]


@njit(nogil=True, cache=True, error_model="numpy")
def start_rates(phases, grid, log_grid, high, weight, measured, uptake, column, log_rate):
    """Put the rates of the grid (rates, points), up to `high`, that fit best into `log_rate`; False where none does."""
    m = np.searchsorted(log_grid, high + 1e-9)
    best, found = 0.0, False
    for i in range(m):
        for k in range(len(weight)):
            column[i, k] = grid[i, k] * weight[k]
    for i in range(m):  # rates rise with i: i is the faster phase
        gii, bi = 0.0, 0.0
        for k in range(len(weight)):
            gii += column[i, k] * column[i, k]
            bi += column[i, k] * measured[k]
        if phases == 1:
            if bi > 0.0 and bi * bi / gii > best:
                best, found = bi * bi / gii, True
                log_rate[0] = log_grid[i]
            continue
        for j in range(i):
            gij, gjj, bj = 0.0, 0.0, 0.0
            for k in range(len(weight)):
                gij += column[i, k] * column[j, k]
                gjj += column[j, k] * column[j, k]
                bj += column[j, k] * measured[k]
            kind, _, _, gain = two_amplitudes(gii, gij, gjj, bi, bj, uptake)
            if kind != ONE_PHASE and gain > best:
                best, found = gain, True
                log_rate[0], log_rate[1] = log_grid[i], log_grid[j]
    return found


@njit(nogil=True, cache=True, error_model="numpy")
def integral_uncertainty(phases, kind, fixed, time, work):
    """(standard uncertainty of the integral where the weights are right, number of parameters).

    The uncertainty is negative where the data do not determine it. With `fixed` the rates are known.
    """
    linear = fill_jacobian(phases, kind, work.log_rate, time, work.columns, work.amplitude, work.jacobian)
    size = linear if fixed else linear + phases
    slope, solution = np.zeros(4), np.zeros(4)
    for p in range(phases):
        rate = math.exp(work.log_rate[p])
        if kind == TIED:
            slope[0] += (1.0 if p == 1 else -1.0) / rate
        else:
            slope[p] = 1.0 / rate
        if not fixed:
            slope[linear + p] = -work.amplitude[p] / rate
    normal_matrix(work.jacobian, size, work.normal)
    solution[:] = slope
    if not solve_in_place(work.normal, solution, size):
        return -1.0, size
    variance = 0.0
    for i in range(size):
        variance += slope[i] * solution[i]
    return math.sqrt(variance) if math.isfinite(variance) else -1.0, size


@njit(nogil=True, cache=True, error_model="numpy")
def try_phases(phases, count, time, grid, log_grid, high, uptake, is_scaled, work):
    """(kind, integral, its uncertainty, converged) of a fit; kind NOTHING: no such curve. 0 phases: physical decay."""
    fixed, used, low = phases == 0, max(phases, 1), log_grid[0]
    work.log_rate[:] = low
    if not fixed and not start_rates(phases, grid, log_grid, high, work.weight, work.measured, uptake, work.column,
                                     work.log_rate):
        return NOTHING, 0.0, -1.0, True
    kind, chi2, is_done = refine(used, work.log_rate, low, low if fixed else high, time, work.weight,
                                 work.measured, uptake, work.columns, work.amplitude, work.residual, work.jacobian,
                                 work.normal)
    if phases == 2 and (kind == ONE_PHASE or work.log_rate[0] - work.log_rate[1] < _SAME_RATE):
        return NOTHING, 0.0, -1.0, True
    spread, parameters = integral_uncertainty(used, kind, fixed, time, work)
    if is_scaled and spread >= 0.0:
        spread *= math.sqrt(chi2 / (count - parameters)) if count > parameters else np.nan
    total = 0.0
    for p in range(used):
        total += work.amplitude[p] * math.exp(-work.log_rate[p])
    return kind, total, spread, is_done


@njit(nogil=True, cache=True, error_model="numpy")
def fit_curve(wanted, count, time, grid, log_grid, high, uptake, is_scaled, worst_relative, work):
    """(phases, integral, its uncertainty, flags) of the curve in `work`: the most phases that the data determine.

    `high`: logarithm of the highest rate, at most the last of `log_grid`. The uncertainty may be NaN.
    """
    phases, flag = wanted, 0
    while count < _POINTS_FOR[phases]:
        phases -= 1
    while True:
        kind, total, spread, is_done = try_phases(phases, count, time, grid, log_grid, high, uptake, is_scaled, work)
        if phases == 0 or not (kind == NOTHING or spread < 0.0 or spread > worst_relative * total):
            break
        phases -= 1
    if phases < wanted:
        flag |= SIMPLER_MODEL
    if wanted > 0 and work.log_rate[max(phases, 1) - 1] <= log_grid[0]:
        flag |= AT_PHYSICAL_DECAY
    if not is_done:
        flag |= NOT_CONVERGED
    if kind == NOTHING:  # the amplitude that fits best is negative
        flag |= NEGATIVE_TO_ZERO
    return phases, total, spread if spread >= 0.0 else np.nan, flag


@njit(nogil=True, cache=True, error_model="numpy")
def fit_exponentials(activity, sigma, time, grid, log_grid, wanted, uptake, negative, is_scaled, worst_relative,
                     value, uncertainty, flags, amplitudes, rates):
    """Fit each column of `activity` (points, voxels); writes integral, its uncertainty, flags, amplitudes and rates.

    `wanted`: 0 physical decay alone, 1 or 2 phases. `log_grid`: rising, from the physical decay constant on. With
    `is_scaled` the weights are relative and the scatter about the curve gives the uncertainty (NaN where no point is
    spare). Fewer phases are taken where the points are too few, a phase has no place, its rate is not determined, or
    the integral would be more uncertain than `worst_relative`. `amplitudes`, `rates` (2, voxels; no voxels: not
    wanted).
    """
    work = new_work(len(time), len(log_grid))
    for v in range(activity.shape[1]):
        count, largest = read_curve(activity, sigma, v, negative, work.measured, work.weight)
        flag = 0 if count == len(time) else POINTS_LEFT_OUT
        if count == 0 or largest == 0.0:
            value[v] = uncertainty[v] = 0.0 if count else np.nan
            flags[v] = flag | (EMPTY if count else NO_DATA)
            continue
        high = highest_rate(time, work.weight, log_grid)
        phases, total, spread, more = fit_curve(wanted, count, time, grid, log_grid, high, uptake, is_scaled,
                                                worst_relative, work)
        value[v], uncertainty[v], flags[v] = largest * total, largest * spread, flag | more
        if amplitudes.shape[1] > 0:
            for p in range(max(phases, 1)):
                amplitudes[p, v], rates[p, v] = largest * work.amplitude[p], math.exp(work.log_rate[p])
