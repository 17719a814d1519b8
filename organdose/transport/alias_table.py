"""Drawing from a table in constant time: Walker's alias method.

Walker, ACM Trans Math Softw 3 (1977) 253, set up as in Vose, IEEE Trans Softw Eng 17 (1991) 972. One random number
finds the cell and, by what is left of it, the place inside the cell.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from organdose.transport.compiled import scalar_function


def alias_rows(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`chance` (float32) and `alias` (int16, or int32 for n above 32767), both (..., n), for weights (..., n) that need
    not be normalised.

    A row of zeros is drawn from evenly: such a row must never be reached.
    """
    rows = np.ascontiguousarray(weights, dtype=float).reshape(-1, np.shape(weights)[-1])
    index_type = np.int16 if rows.shape[1] <= np.iinfo(np.int16).max else np.int32
    chance, alias = np.empty(rows.shape, np.float32), np.empty(rows.shape, index_type)
    _fill(rows, chance, alias)
    return chance.reshape(np.shape(weights)), alias.reshape(np.shape(weights))


@njit(cache=True)
def _fill(rows, chance, alias):
    count = rows.shape[1]
    scaled, small, large = np.empty(count), np.empty(count, np.int32), np.empty(count, np.int32)
    for row in range(rows.shape[0]):
        total = rows[row].sum()
        smalls = larges = 0
        for k in range(count):
            scaled[k] = rows[row, k] * count / total if total > 0.0 else 1.0
            if scaled[k] < 1.0:
                small[smalls], smalls = k, smalls + 1
            else:
                large[larges], larges = k, larges + 1
        while smalls > 0 and larges > 0:
            low, high = small[smalls - 1], large[larges - 1]
            smalls -= 1
            chance[row, low], alias[row, low] = scaled[low], high
            scaled[high] -= 1.0 - scaled[low]
            if scaled[high] < 1.0:
                larges -= 1
                small[smalls], smalls = high, smalls + 1
        for k in large[:larges]:
            chance[row, k], alias[row, k] = 1.0, k
        for k in small[:smalls]:  # rounding leaves them a hair below 1
            chance[row, k], alias[row, k] = 1.0, k


@scalar_function
def drawn(chance, alias, row, r):
    """Cell of a row of the tables for a number r in (0, 1), and a number in [0, 1) that is left of it."""
    count = chance.shape[1]
    place = r * count
    cell = min(int(place), count - 1)
    part = place - cell
    limit = chance[row, cell]
    if part < limit:
        return cell, part / limit
    return int(alias[row, cell]), (part - limit) / (1.0 - limit)
