"""From energy in shells around a decay to energy in voxels around the voxel that decays happen in.

The decay lies evenly in its voxel. Energy left at a displacement s from it is then shared between voxels with weights
that fall linearly from 1 at s = 0 to 0 one voxel away, along each axis (the overlap of a voxel with itself displaced).
Near voxels get their part of each shell by directions spread over it; for far ones the density of energy at the
distance is averaged over the same weights by three points an axis, which are exact up to the fifth power.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numba import njit
from scipy.signal import savgol_filter

from organdose.nuclear.radial_photons import SHELL_EDGES_MM, SHELLS

NEAR_VOXELS = 4.0  # voxels (the longest edge counts) up to this distance are near
_DIRECTIONS, _RADII = 2000, 4
_SMOOTHED = 9  # shells, 5 % of the distance each, that one point of the far part is fitted to
_STEP_MM = 0.1
# Gauss's rule for the linear weights on (-1, 1): second and fourth moments 1/6 and 1/15.
_NODES = (-math.sqrt(0.4), 0.0, math.sqrt(0.4))
_WEIGHTS = (5 / 24, 7 / 12, 5 / 24)


def near_shape(voxel_mm: tuple[float, float, float], counts: tuple[int, int, int]) -> tuple[int, int, int]:
    """Voxels (z, y, x) of an octant of `counts` that `shell_shares` serves."""
    reach_mm = NEAR_VOXELS * max(voxel_mm)
    return tuple(min(n, math.ceil(reach_mm / size) + 1) for n, size in zip(counts, voxel_mm[::-1]))


@lru_cache(maxsize=4)
def shell_shares(voxel_mm: tuple[float, float, float], shape: tuple[int, int, int]) -> np.ndarray:
    """Part of each shell's energy in each voxel of an octant (z, y, x), (voxels, SHELLS); `voxel_mm` is (x, y, z)."""
    shares = np.zeros((math.prod(shape), SHELLS))
    sizes = np.array(voxel_mm[::-1])
    furthest_mm = float(np.linalg.norm(sizes * np.array(shape)))
    alike = np.where(np.indices(shape) > 0, 2.0, 1.0).prod(axis=0)
    for shell in range(SHELLS):
        inner, outer = SHELL_EDGES_MM[shell:shell + 2]
        if inner > furthest_mm:
            break
        radii = inner + (outer - inner) * (np.arange(_RADII) + 0.5) / _RADII
        places = np.concatenate([radius * _directions(_RADII * shell + n) for n, radius in enumerate(radii)]) / sizes
        shares[:, shell] = (_shared_out(places, shape) / len(places) / alike).ravel()
    shares.flags.writeable = False
    return shares


def _directions(turn: int) -> np.ndarray:
    """Unit vectors (n, 3) spread evenly over an octant, other ones each `turn` (a sequence of low discrepancy)."""
    steps = (np.arange(_DIRECTIONS)[:, None] + _DIRECTIONS * turn) * np.array([0.7548776662466927, 0.5698402909980532])
    cosine, angle = (steps % 1.0).T
    sine, angle = np.sqrt(1 - cosine**2), 0.5 * math.pi * angle
    return np.stack([cosine, sine * np.sin(angle), sine * np.cos(angle)], axis=1)


def _shared_out(places: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Each place (n, 3; in voxels, z, y, x) shared linearly between the eight voxels around it."""
    lower = np.floor(places).astype(int)
    part = places - lower
    total = np.zeros(math.prod(shape))
    for corner in np.ndindex(2, 2, 2):
        voxel = lower + corner
        weight = np.prod(np.where(np.array(corner) == 1, part, 1 - part), axis=1)
        inside = np.all(voxel < shape, axis=1)
        flat = np.ravel_multi_index(voxel[inside].T, shape)
        total += np.bincount(flat, weight[inside], len(total))
    return total.reshape(shape)


def far_octant(shell_kev: np.ndarray, voxel_mm: tuple[float, float, float], counts: tuple[int, int, int]) -> np.ndarray:
    """Energy (keV) in each voxel of an octant (z, y, x) with `counts` voxels, right from NEAR_VOXELS on.

    `shell_kev` (SHELLS): energy in each shell.
    """
    octant = np.empty(counts)
    nodes = np.array([(a, b, c) for a in _NODES for b in _NODES for c in _NODES]) * voxel_mm[::-1]
    weights = np.array([a * b * c for a in _WEIGHTS for b in _WEIGHTS for c in _WEIGHTS]) * math.prod(voxel_mm)
    _average(octant, np.array(voxel_mm[::-1], float), nodes, weights, _density_table(shell_kev), _STEP_MM)
    return octant


def _density_table(shell_kev: np.ndarray) -> np.ndarray:
    """Energy density times distance squared (keV/mm) at multiples of _STEP_MM: the logarithm of what shells hold a mm,
    fitted by parabolas to the shells around, linear between them."""
    widths, middles = np.diff(SHELL_EDGES_MM), 0.5 * (SHELL_EDGES_MM[1:] + SHELL_EDGES_MM[:-1])
    distances = np.arange(0.0, SHELL_EDGES_MM[-1], _STEP_MM)
    held = np.flatnonzero(shell_kev > 0)
    if len(held) < _SMOOTHED:
        return np.zeros_like(distances)
    # Shells that were never hit in between are few and far in; the parabolas bridge them.
    shells = np.arange(held[0], held[-1] + 1)
    per_mm = np.interp(shells, held, np.log(shell_kev[held] / widths[held]))
    per_mm = savgol_filter(per_mm, _SMOOTHED, 2)
    table = np.exp(np.interp(np.log(np.maximum(distances, _STEP_MM)), np.log(middles[shells]), per_mm))
    table[distances > middles[held[-1]]] = 0.0
    return table / (4 * math.pi)


@njit(nogil=True, cache=True)
def _average(octant, sizes, nodes, weights, table, step):
    for k in range(octant.shape[0]):
        for j in range(octant.shape[1]):
            for i in range(octant.shape[2]):
                total = 0.0
                for n in range(nodes.shape[0]):
                    z, y, x = k * sizes[0] + nodes[n, 0], j * sizes[1] + nodes[n, 1], i * sizes[2] + nodes[n, 2]
                    squared = max(z * z + y * y + x * x, step * step)
                    place = math.sqrt(squared) / step
                    row = int(place)
                    if row + 1 < table.shape[0]:
                        part = place - row
                        total += weights[n] * (table[row] * (1.0 - part) + table[row + 1] * part) / squared
                octant[k, j, i] = total
