"""Trapezoids between the time points, an exponential tail behind the last one; compiled, each curve by itself."""

import math

import numpy as np
from numba import njit

from organdose.nuclear.exponential_fit import fit_curve, new_work, read_curve
from organdose.nuclear.exponential_phases import ONE_PHASE, fill_jacobian, normal_matrix, solve_in_place
from organdose.nuclear.integral_flags import (
    AT_PHYSICAL_DECAY,
    EMPTY,
    NEGATIVE_TO_ZERO,
    NO_DATA,
    POINTS_LEFT_OUT,
    SIMPLER_MODEL,
)

START_FROM_ZERO, START_CONSTANT, START_PHYSICAL = 0, 1, 2


@njit(nogil=True, cache=True, error_model="numpy")
def trapezoid_shares(time, counts, start, physical_per_s, share):
    """Seconds by which each point's activity enters the integral up to the last point that counts; returns that point.

    `counts` (points): 0 where a point does not count. Before the first point: a straight rise from zero, constant, or
    the physical decay calculated back.
    """
    last = -1
    for k in range(len(time)):
        share[k] = 0.0
        if counts[k] == 0.0:
            continue
        if last < 0:
            if start == START_FROM_ZERO:
                share[k] += 0.5 * time[k]
            elif start == START_CONSTANT:
                share[k] += time[k]
            else:
                share[k] += math.expm1(physical_per_s * time[k]) / physical_per_s
        else:
            share[last] += 0.5 * (time[k] - time[last])
            share[k] += 0.5 * (time[k] - time[last])
        last = k
    return last


@njit(nogil=True, cache=True, error_model="numpy")
def tail_rate(points, tail_time, grid, log_grid, work, slope):
    """(rate per s, whether fitted) of one phase through the points whose weight is left; `slope`: d(log rate)/d(point).

    `slope` is to be multiplied with the activities in the units of `work`. Where the last points do not fall faster
    than the nuclide decays the rate is the physical one and does not depend on them.
    """
    slope[:] = 0.0
    if points < 2:
        return math.exp(log_grid[0]), False
    phases, _, _, _ = fit_curve(1, points, tail_time, grid, log_grid, log_grid[-1], False, False, np.inf, work)
    if phases == 0 or work.log_rate[0] <= log_grid[0]:
        return math.exp(log_grid[0]), False
    fill_jacobian(1, ONE_PHASE, work.log_rate, tail_time, work.columns, work.amplitude, work.jacobian)
    normal_matrix(work.jacobian, 2, work.normal)
    solution = np.array([0.0, 1.0])
    if not solve_in_place(work.normal, solution, 2):
        return math.exp(log_grid[0]), False
    for k in range(len(slope)):
        slope[k] = (solution[0] * work.jacobian[0, k] + solution[1] * work.jacobian[1, k]) * work.weight[k]
    return math.exp(work.log_rate[0]), True


@njit(nogil=True, cache=True, error_model="numpy")
def integrate_trapezoids(activity, sigma, time, grid, log_grid, start, tail_points, negative, value, uncertainty, flags,
                         tail_activity, tail_rates, tail_from_s):
    """Integrate each column of `activity` (points, voxels); writes integral, uncertainty, flags, and the tail.

    `tail_points`: how many of the last points the tail is fitted to; 0: the tail decays as the nuclide does (the first
    rate of `log_grid`). `sigma` as in `exponential_fit.read_curve`.
    """
    n, physical = len(time), math.exp(log_grid[0])
    work = new_work(n, len(log_grid))
    share, slope, counts, y, spread = np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    for v in range(activity.shape[1]):
        count, largest = read_curve(activity, sigma, v, negative, work.measured, work.weight)
        flag = 0 if count == n else POINTS_LEFT_OUT
        if count == 0 or largest == 0.0:
            value[v] = uncertainty[v] = 0.0 if count else np.nan
            flags[v] = flag | (EMPTY if count else NO_DATA)
            continue
        for k in range(n):
            counts[k] = work.weight[k]
            y[k] = work.measured[k] / counts[k] if counts[k] > 0.0 else 0.0
            spread[k] = 1.0 / counts[k] if counts[k] > 0.0 else 0.0
        last = trapezoid_shares(time, counts, start, physical, share)
        left = 0
        for k in range(last, -1, -1):
            if counts[k] > 0.0:
                left += 1
                if left > tail_points:
                    work.weight[k] = work.measured[k] = 0.0
        rate, is_fitted = tail_rate(min(left, tail_points), time, grid, log_grid, work, slope)
        if tail_points > 0 and not is_fitted:
            flag |= SIMPLER_MODEL | AT_PHYSICAL_DECAY
        total, variance = y[last] / rate, 0.0
        for k in range(n):
            total += share[k] * y[k]
            by_point = share[k] + (1.0 / rate if k == last else 0.0) - y[last] / rate * slope[k]
            variance += (by_point * spread[k]) ** 2
        if total < 0.0:
            total, flag = 0.0, flag | NEGATIVE_TO_ZERO
        value[v], uncertainty[v], flags[v] = largest * total, largest * math.sqrt(variance), flag
        tail_activity[v], tail_rates[v], tail_from_s[v] = largest * y[last], rate, time[last]
