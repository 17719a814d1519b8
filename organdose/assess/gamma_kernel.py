"""The gamma index of single voxels by branch and bound over the cells of the test map, compiled.

Lengths are in units of the distance criterion, doses in units of the dose criterion: gamma is then the distance from
the reference point to the surface of the test dose in four dimensions (Low et al., Med Phys 25 (1998) 656).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

GAMMA_TOLERANCE = 0.01  # how far above the exact minimum a gamma may lie
_SMALL = 1e-7  # of the dose criterion
_MOST_BOXES = 96  # waiting in one cell; halving a box so often leaves nothing of it


@njit(nogil=True, cache=True)
def gamma_of_voxels(places, reference, criterion, test, step, cells, cells_away, max_gamma, gamma):
    """Write the gamma of each reference voxel to `gamma` (n, float32): NaN where the test has no dose within reach.

    `places` (n, 3): where the voxels lie, in voxels of the test (z, y, x). `reference` (n): their dose. `criterion`
    (n): the dose criterion of each, in the unit of the dose. `test` (z, y, x): trilinear between its voxel centres;
    cells with a NaN corner do not count. `step` (3): voxel size of the test over the distance criterion. `cells`
    (m, 3): cells around a voxel's own, nearest first; `cells_away` (m): the least distance at which each can lie.
    """
    boxes = np.empty((_MOST_BOXES, 6))
    cell = np.empty(3, np.int64)
    for voxel in range(len(reference)):
        best, seen = max_gamma, False
        for axis in range(3):
            cell[axis] = min(max(math.floor(places[voxel, axis]), 0), test.shape[axis] - 2)
        # A first look at every cell finds nearly the smallest gamma, with which the search rules most boxes out.
        for look_only in (True, False):
            for number in range(len(cells)):
                if cells_away[number] >= best:
                    break
                k, j, i = cell[0] + cells[number, 0], cell[1] + cells[number, 1], cell[2] + cells[number, 2]
                if min(k, j, i) < 0 or k > test.shape[0] - 2 or j > test.shape[1] - 2 or i > test.shape[2] - 2:
                    continue
                known, best = _gamma_in_cell(k, j, i, places[voxel], reference[voxel], criterion[voxel], test, step,
                                             best, boxes, look_only)
                seen = seen or known
        gamma[voxel] = best if seen else np.nan


@njit(nogil=True, cache=True)
def _gamma_in_cell(k, j, i, place, dose, criterion, test, step, best, boxes, look_only):
    """(whether the cell has a dose, the smaller of `best` and the cell's smallest gamma)."""
    corner = ((k - place[0]) * step[0], (j - place[1]) * step[1], (i - place[2]) * step[2])
    away = 0.0
    for axis in range(3):
        away += max(corner[axis], -corner[axis] - step[axis], 0.0) ** 2
    if away >= best * best:
        return False, best
    corners = test[k:k + 2, j:j + 2, i:i + 2]
    low = high = corners[0, 0, 0]
    for value in corners.flat:
        if math.isnan(value):
            return False, best
        low, high = min(low, value), max(high, value)
    gap = max(low - dose, dose - high, 0.0) / criterion
    if away + gap * gap >= best * best:
        return True, best
    for axis in range(3):
        boxes[0, axis], boxes[0, 3 + axis] = max(corner[axis], -best), min(corner[axis] + step[axis], best)
    return True, _search(_polynomial(corners, corner, step, dose, criterion), best, boxes, look_only)


@njit(nogil=True, cache=True)
def _polynomial(c, corner, step, dose, criterion):
    """The difference to the reference dose in a cell of corners `c` (2, 2, 2), over the criterion.

    Coefficients of 1, z, y, x, zy, zx, yx, zyx; z, y, x are lengths from the reference voxel over the distance
    criterion, in which the cell begins at `corner` and has the sides `step`.
    """
    sz, sy, sx = 1.0 / step[0], 1.0 / step[1], 1.0 / step[2]
    per = 1.0 / criterion
    a = (c[0, 0, 0] - dose) * per
    z, y, x = (c[1, 0, 0] - dose) * per - a, (c[0, 1, 0] - dose) * per - a, (c[0, 0, 1] - dose) * per - a
    zy = (c[1, 1, 0] - dose) * per - a - z - y
    zx = (c[1, 0, 1] - dose) * per - a - z - x
    yx = (c[0, 1, 1] - dose) * per - a - y - x
    zyx = (c[1, 1, 1] - dose) * per - a - z - y - x - zy - zx - yx
    # Taylor's series about the reference voxel, which a trilinear function equals.
    k, j, i = -corner[0] * sz, -corner[1] * sy, -corner[2] * sx
    return (a + z * k + y * j + x * i + zy * k * j + zx * k * i + yx * j * i + zyx * k * j * i,
            (z + zy * j + zx * i + zyx * j * i) * sz, (y + zy * k + yx * i + zyx * k * i) * sy,
            (x + zx * k + yx * j + zyx * k * j) * sx,
            (zy + zyx * i) * sz * sy, (zx + zyx * j) * sz * sx, (yx + zyx * k) * sy * sx, zyx * sz * sy * sx)


@njit(nogil=True, cache=True)
def _search(polynomial, best, boxes, look_only):
    """The smaller of `best` and the smallest gamma in `boxes[0]` (lower corner, upper corner; from the voxel).

    With `look_only` the place that the linear dose points to is tried, and no other.
    """
    waiting = 1
    while waiting > 0:
        waiting -= 1
        box = boxes[waiting]
        offset, slope, rest = _linear(polynomial, box)
        residual, point = _nearest(offset, slope, box, 0.0)
        if _length(residual, point) - rest >= best - GAMMA_TOLERANCE:
            continue
        best = min(best, _length(_value(polynomial, point[0], point[1], point[2]), point))
        if look_only:
            continue
        least = _length(*_nearest(offset, slope, box, rest))
        if least >= best - GAMMA_TOLERANCE or waiting > _MOST_BOXES - 2:
            continue
        widest = 0
        for axis in range(6):
            boxes[waiting + 1, axis] = box[axis]
            if axis < 3 and box[3 + axis] - box[axis] > box[3 + widest] - box[widest]:
                widest = axis
        middle = 0.5 * (box[widest] + box[3 + widest])
        # The half in which the linear dose has its minimum is looked at first: it is popped first.
        lower_first = point[widest] < middle
        boxes[waiting, (widest if lower_first else 3 + widest)] = middle
        boxes[waiting + 1, (3 + widest if lower_first else widest)] = middle
        waiting += 2
    return best


@njit(nogil=True, cache=True)
def _linear(polynomial, box):
    """The polynomial made linear about the middle of `box`: (value at the voxel's own place, slope (3)), and the most
    that this leaves out in the box."""
    _, az, ay, ax, azy, azx, ayx, azyx = polynomial
    mz, my, mx = 0.5 * (box[0] + box[3]), 0.5 * (box[1] + box[4]), 0.5 * (box[2] + box[5])
    hz, hy, hx = box[3] - mz, box[4] - my, box[5] - mx
    zy, zx, yx = azy + azyx * mx, azx + azyx * my, ayx + azyx * mz
    slope = az + zy * my + azx * mx, ay + zy * mz + ayx * mx, ax + zx * mz + ayx * my
    rest = abs(zy) * hz * hy + abs(zx) * hz * hx + abs(yx) * hy * hx + abs(azyx) * hz * hy * hx
    offset = _value(polynomial, mz, my, mx) - slope[0] * mz - slope[1] * my - slope[2] * mx
    return offset, slope, rest


@njit(nogil=True, cache=True)
def _nearest(offset, slope, box, slack):
    """(r, u) that minimise r^2 + |u|^2 over u in the box, with r = offset + slope.u brought nearer to 0 by `slack`.

    The solution is u = clip(-r slope), which leaves one equation in r whose left side rises.
    """
    u0, u1, u2 = min(max(0.0, box[0]), box[3]), min(max(0.0, box[1]), box[4]), min(max(0.0, box[2]), box[5])
    base = offset + slope[0] * u0 + slope[1] * u1 + slope[2] * u2
    if abs(base) <= slack:
        return 0.0, (u0, u1, u2)
    offset -= slack if base > 0 else -slack
    # r lies between 0 and what it is at the place of the box nearest to the voxel.
    residual = base - (slack if base > 0 else -slack)
    low, high = min(residual, 0.0), max(residual, 0.0)
    for _ in range(60):
        u0 = min(max(-residual * slope[0], box[0]), box[3])
        u1 = min(max(-residual * slope[1], box[1]), box[4])
        u2 = min(max(-residual * slope[2], box[2]), box[5])
        error = residual - offset - slope[0] * u0 - slope[1] * u1 - slope[2] * u2
        if abs(error) < _SMALL:
            break
        rise = 1.0
        rise += slope[0] ** 2 if box[0] < u0 < box[3] else 0.0
        rise += slope[1] ** 2 if box[1] < u1 < box[4] else 0.0
        rise += slope[2] ** 2 if box[2] < u2 < box[5] else 0.0
        # Newton's method on a rising line of straight pieces, kept between the bounds that it narrows.
        if error > 0:
            high = residual
        else:
            low = residual
        residual -= error / rise
        if not low < residual < high:
            residual = 0.5 * (low + high)
    return residual, (u0, u1, u2)


@njit(nogil=True, cache=True)
def _length(residual, point):
    return math.sqrt(residual * residual + point[0] * point[0] + point[1] * point[1] + point[2] * point[2])


@njit(nogil=True, cache=True)
def _value(polynomial, z, y, x):
    a, az, ay, ax, azy, azx, ayx, azyx = polynomial
    return a + az * z + ay * y + ax * x + azy * z * y + azx * z * x + ayx * y * x + azyx * z * y * x
