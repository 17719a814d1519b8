"""One curve of activity as a sum of one or two decaying exponentials: amplitudes for given rates, and their rates.

Functions for numba, on one curve at a time. Columns and activities come divided by their standard uncertainty; a point
that does not count has the weight 0. Phase 0 is the faster one, phase 1 (or the only one) the slower.
"""

import math

import numpy as np
from numba import njit

# How the amplitudes of two phases came out.
NOTHING, ONE_PHASE, FREE, TIED = 0, 1, 2, 3  # TIED: uptake from nothing, the faster amplitude is minus the slower
_SINGULAR = 1e-11
_MOST_STEPS = 60
_SMALL_STEP = 1e-8
_SMALL_GAIN = 1e-8  # of chi squared: a ten-thousandth of a standard uncertainty
_STUCK = 1e4  # damping


@njit(nogil=True, cache=True, error_model="numpy")
def two_amplitudes(g00, g01, g11, b0, b1, uptake):
    """(kind, amplitude 0, amplitude 1, decrease of chi squared) of the best amplitudes that are allowed.

    `g` are the products of the columns, `b` those of columns and activities. Allowed is a curve that nowhere falls
    below zero: both amplitudes >= 0; with `uptake` the faster one also down to minus the slower one. Only solutions
    that need both phases count: kind is FREE or TIED, else ONE_PHASE.
    """
    det = g00 * g11 - g01 * g01
    if det <= _SINGULAR * g00 * g11:
        return ONE_PHASE, 0.0, 0.0, 0.0
    a0 = (g11 * b0 - g01 * b1) / det
    a1 = (g00 * b1 - g01 * b0) / det
    if a1 > 0.0 and (a0 > 0.0 or (uptake and a0 > -a1 and a0 != 0.0)):
        return FREE, a0, a1, a0 * b0 + a1 * b1
    if uptake and a1 > 0.0 and b1 > b0:
        norm = g00 + g11 - 2.0 * g01
        a1 = (b1 - b0) / norm
        return TIED, -a1, a1, (b1 - b0) * a1
    return ONE_PHASE, 0.0, 0.0, 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def solve_in_place(matrix, x, size, damping=0.0, damped_from=0):
    """Solve for a symmetric positive matrix by Cholesky; both are overwritten. False where it is singular.

    `damping` lengthens the pivots from row `damped_from` on: what is damped is a variable's own part, after those
    before it are eliminated. Damping the diagonal itself would stop phases of similar rates, whose own part is small.
    """
    for j in range(size):
        diagonal = matrix[j, j]
        pivot = diagonal
        for k in range(j):
            pivot -= matrix[j, k] * matrix[j, k]
        if not pivot > _SINGULAR * diagonal:
            return False
        matrix[j, j] = math.sqrt(pivot * (1.0 + damping) if j >= damped_from else pivot)
        for i in range(j + 1, size):
            total = matrix[i, j]
            for k in range(j):
                total -= matrix[i, k] * matrix[j, k]
            matrix[i, j] = total / matrix[j, j]
    for i in range(size):
        for k in range(i):
            x[i] -= matrix[i, k] * x[k]
        x[i] /= matrix[i, i]
    for i in range(size - 1, -1, -1):
        for k in range(i + 1, size):
            x[i] -= matrix[k, i] * x[k]
        x[i] /= matrix[i, i]
    return True


@njit(nogil=True, cache=True, error_model="numpy")
def evaluate(phases, log_rate, time, weight, measured, uptake, columns, amplitude, residual):
    """(kind, chi squared) of the best allowed amplitudes for these rates; fills columns, amplitudes and residuals."""
    g00, g01, g11, b0, b1 = 0.0, 0.0, 0.0, 0.0, 0.0
    for p in range(phases):
        rate = math.exp(log_rate[p])
        for k in range(len(time)):
            columns[p, k] = weight[k] * math.exp(-rate * time[k])
    for k in range(len(time)):
        g00 += columns[0, k] * columns[0, k]
        b0 += columns[0, k] * measured[k]
        if phases == 2:
            g01 += columns[0, k] * columns[1, k]
            g11 += columns[1, k] * columns[1, k]
            b1 += columns[1, k] * measured[k]
    if phases == 1:
        kind = ONE_PHASE if b0 > 0.0 and g00 > 0.0 else NOTHING
        amplitude[0] = b0 / g00 if kind == ONE_PHASE else 0.0
        amplitude[1] = 0.0
    else:
        kind, amplitude[0], amplitude[1], _ = two_amplitudes(g00, g01, g11, b0, b1, uptake)
    chi2 = 0.0
    for k in range(len(time)):
        residual[k] = measured[k]
        for p in range(phases):
            residual[k] -= amplitude[p] * columns[p, k]
        chi2 += residual[k] * residual[k]
    return kind, chi2


@njit(nogil=True, cache=True, error_model="numpy")
def fill_jacobian(phases, kind, log_rate, time, columns, amplitude, jacobian):
    """Derivatives of the curve by its amplitudes, then by the logarithms of its rates; returns how many amplitudes."""
    linear = 2 if kind == FREE else 1
    for k in range(len(time)):
        if kind == TIED:
            jacobian[0, k] = columns[1, k] - columns[0, k]
        else:
            for p in range(phases):
                jacobian[p, k] = columns[p, k]
        for p in range(phases):
            jacobian[linear + p, k] = -amplitude[p] * math.exp(log_rate[p]) * time[k] * columns[p, k]
    return linear


@njit(nogil=True, cache=True, error_model="numpy")
def normal_matrix(jacobian, size, normal):
    """Products of the first `size` rows of the Jacobian (its lower triangle)."""
    for i in range(size):
        for j in range(i + 1):
            total = 0.0
            for k in range(jacobian.shape[1]):
                total += jacobian[i, k] * jacobian[j, k]
            normal[i, j] = total


@njit(nogil=True, cache=True, error_model="numpy")
def rate_steps(phases, linear, log_rate, low, high, damping, jacobian, residual, normal, step):
    """Damped Gauss-Newton steps of the rates to `step[linear:]`; 0 for a rate that would leave its bounds.

    Returns the decrease of chi squared that the linearised problem promises, negative where it cannot be solved. Only
    rates are damped and amplitudes are at their best already: that is variable projection after Kaufman (BIT 15 (1975)
    49).
    """
    normal_matrix(jacobian, linear + phases, normal)
    step[:linear] = 0.0
    slope = np.zeros(2)
    for p in range(phases):
        row = linear + p
        for k in range(len(residual)):
            slope[p] += jacobian[row, k] * residual[k]
        if (log_rate[p] <= low and slope[p] <= 0.0) or (log_rate[p] >= high and slope[p] >= 0.0):
            slope[p] = 0.0
            normal[row, :row] = 0.0
            normal[row, row] = 1.0
            if p == 0 and phases == 2:
                normal[row + 1, row] = 0.0
        step[row] = slope[p]
    if not solve_in_place(normal, step, linear + phases, damping, linear):
        return -1.0
    promised = 0.0
    for p in range(phases):
        step[linear + p] = min(max(step[linear + p], -1.0), 1.0)
        promised += slope[p] * step[linear + p]
    return promised


@njit(nogil=True, cache=True, error_model="numpy")
def refine(phases, log_rate, low, high, time, weight, measured, uptake, columns, amplitude, residual, jacobian, normal):
    """Levenberg-Marquardt in the logarithms of the rates between `low` and `high`, from `log_rate` on.

    Returns (kind, chi squared, whether it converged); the arrays hold the end point.
    """
    step, trial = np.empty(4), np.empty(2)
    kind, chi2 = evaluate(phases, log_rate, time, weight, measured, uptake, columns, amplitude, residual)
    damping = 1e-3
    for _ in range(_MOST_STEPS):
        if kind == NOTHING or (phases == 2 and kind == ONE_PHASE):
            return kind, chi2, True
        linear = fill_jacobian(phases, kind, log_rate, time, columns, amplitude, jacobian)
        promised = rate_steps(phases, linear, log_rate, low, high, damping, jacobian, residual, normal, step)
        longest = 0.0
        for p in range(phases):
            trial[p] = min(max(log_rate[p] + step[linear + p], low), high) if promised >= 0.0 else log_rate[p]
            longest = max(longest, abs(trial[p] - log_rate[p]))
        if promised >= 0.0 and longest < _SMALL_STEP:
            return kind, chi2, True
        if phases == 2 and trial[0] < trial[1]:
            trial[0], trial[1] = trial[1], trial[0]
        new_kind, new_chi2 = evaluate(phases, trial, time, weight, measured, uptake, columns, amplitude, residual)
        gained = chi2 - new_chi2
        if promised >= 0.0 and gained >= 0.0:
            log_rate[:] = trial
            kind, chi2 = new_kind, new_chi2
            if gained <= _SMALL_GAIN * chi2:
                return kind, chi2, True
        else:
            evaluate(phases, log_rate, time, weight, measured, uptake, columns, amplitude, residual)
        # A step that gains less than promised goes too far, as across a narrow valley: the next ones are shorter.
        damping = max(damping, 0.1) * 4.0 if gained < 0.5 * promised or promised < 0.0 else 0.2 * damping
        if damping > _STUCK:
            # Even small steps leave what two phases allow, or gain nothing that numbers can show.
            return ONE_PHASE if phases == 2 and new_kind == ONE_PHASE else kind, chi2, promised >= 0.0
    return kind, chi2, False
