"""Where along the body an image lies: its slices' sections matched in order with those of a reference patient.

Slices follow each other from feet to head in both, so the match is a shortest path (dynamic time warping: Sakoe and
Chiba, IEEE Trans Acoust Speech Signal Process 26 (1978) 43) whose slope is how much longer the reference is there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from organdose.segmentation.atlas_tissue import BODY, BONE, LUNG, TissueMaps

_STEP_MM = 6.0  # of the image
_FINE = 4  # places of the reference for each step
_SLOPES = np.arange(2, 9) / _FINE  # mm of the reference for each of the image: 0.5 to 2
_SLOPE_SPREAD = 0.5
_SLICE = 0.25  # how much one slice counts: its neighbours say the same
_BREADTHS = (0.85, 1.0, 1.15, 1.3)
_SMOOTHING_MM, _PATH_SMOOTHING_MM = 8.0, 25.0
_BEYOND = 20  # steps
_APART_MM = 40.0
# What a difference of one counts: log of the section's width and depth; lung and bone as shares of it; how far bones
# spread to the sides and from front to back, and lie behind the middle, in widths and depths.
_SPREADS = np.array([0.25, 0.25, 0.08, 0.06, 0.05, 0.06, 0.08])
_MOST = 9.0  # a quantity of a slice counts no more than this, squared


@dataclass(frozen=True)
class Place:
    """A match: slices of the image at `z_mm` (rising) lie at `reference_z_mm` of the reference (rising). `breadth`:
    width of the patient over that of the reference. `misfit`: mean square difference of the sections."""

    z_mm: np.ndarray
    reference_z_mm: np.ndarray
    breadth: float
    misfit: float

    @property
    def line(self) -> tuple[float, float]:
        """Slope and shift (mm) of the straight line through the match: reference z = slope z + shift."""
        if len(self.z_mm) < 2:
            return 1.0, float(self.reference_z_mm[0] - self.z_mm[0])
        slope, shift = np.polyfit(self.z_mm, self.reference_z_mm, 1)
        return float(slope), float(shift)


def places(image: TissueMaps, reference: TissueMaps, most: int = 3) -> list[Place]:
    """The likeliest places of the image along the reference's body, best first, at least 40 mm from each other."""
    z_mm, found = _sections(image, _STEP_MM)
    reference_z_mm, wanted = _sections(reference, _STEP_MM / _FINE)
    if not len(z_mm):
        return []
    ends = []
    for breadth in _BREADTHS:
        cost, came_from = _paths(_SLICE * _misfits(found, wanted, breadth))
        ends += [(float(cost[end]), breadth, int(end), came_from) for end in np.flatnonzero(np.isfinite(cost))]
    chosen: list[Place] = []
    for _, breadth, end, came_from in sorted(ends, key=lambda each: each[0]):
        if any(abs(reference_z_mm[end] - other.reference_z_mm[-1]) < _APART_MM for other in chosen):
            continue
        path = _walked_back(came_from, end)
        smooth_mm = ndimage.gaussian_filter1d(_extended(reference_z_mm[path]), _PATH_SMOOTHING_MM / _STEP_MM)
        smooth_mm = smooth_mm[_BEYOND:-_BEYOND]
        misfit = float(_misfits(found, wanted, breadth)[np.arange(len(path)), path].mean())
        chosen.append(Place(z_mm, smooth_mm, breadth, misfit))
        if len(chosen) == most:
            break
    return chosen


def _misfits(found: np.ndarray, wanted: np.ndarray, breadth: float) -> np.ndarray:
    """Mean square difference (slices, places of the reference)."""
    scaled = found - np.log(breadth) * (np.arange(found.shape[1]) < 2)
    away = ((scaled[:, None, :] - wanted[None]) / _SPREADS) ** 2
    return np.minimum(away, _MOST).mean(axis=2)


def _paths(misfits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cost of the best path to each place for the last slice, and for every slice and place the step that led to it."""
    steps = np.rint(_SLOPES * _FINE).astype(int)
    penalties = (np.log(_SLOPES) / _SLOPE_SPREAD) ** 2 * _SLICE
    cost, came_from = misfits[0], np.zeros(misfits.shape, np.int8)
    for k in range(1, len(misfits)):
        options = np.full((len(steps), len(cost)), np.inf)
        for row, (step, penalty) in enumerate(zip(steps, penalties)):
            options[row, step:] = cost[:-step] + penalty
        best = options.argmin(axis=0)
        came_from[k] = steps[best]
        cost = options[best, np.arange(len(cost))] + misfits[k]
    return cost, came_from


def _walked_back(came_from: np.ndarray, end: int) -> np.ndarray:
    path = [end]
    for k in range(len(came_from) - 1, 0, -1):
        path.append(path[-1] - int(came_from[k, path[-1]]))
    return np.array(path[::-1])


def _extended(values: np.ndarray) -> np.ndarray:
    """`values` carried on with a slope of one step of the image at both ends."""
    steps = _STEP_MM * np.arange(1, _BEYOND + 1)
    return np.concatenate([values[0] - steps[::-1], values, values[-1] + steps])


def _sections(tissue: TissueMaps, step_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """z of sections with body in them, `step_mm` apart, and what `_SPREADS` lists of each."""
    x_mm, y_mm, z_step_mm = tissue.grid.GetSpacing()
    body, bone = tissue.maps[BODY], tissue.maps[BONE]
    area, bone_area = body.sum(axis=(1, 2)), bone.sum(axis=(1, 2))
    inside = body > 0.5
    width, depth = (np.maximum(inside.any(axis=axis).sum(axis=1), 1) for axis in (1, 2))
    side, _ = _spread(bone.sum(axis=1), body.sum(axis=1))
    front, behind = _spread(bone.sum(axis=2), body.sum(axis=2))
    rows = np.stack([np.log(width * x_mm), np.log(depth * y_mm), tissue.maps[LUNG].sum(axis=(1, 2)) / (area + 1e-6),
                     bone_area / (area + 1e-6), side / width, front / depth, behind / depth], axis=1)
    rows = ndimage.gaussian_filter1d(rows, _SMOOTHING_MM / z_step_mm, axis=0, mode="nearest")
    there = np.flatnonzero(inside.any(axis=(1, 2)))
    if not there.size:
        return np.zeros(0), rows[:0]
    all_z_mm = tissue.grid.GetOrigin()[2] + z_step_mm * np.arange(len(rows))
    z_mm = np.arange(all_z_mm[there[0]], all_z_mm[there[-1]] + 1e-3, step_mm)
    return z_mm, np.stack([np.interp(z_mm, all_z_mm, column) for column in rows.T], axis=1)


def _spread(bone: np.ndarray, body: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Root mean square distance of bone from the middle of the body along an axis, and of its mean; in voxels."""
    places = np.arange(bone.shape[1])
    middle = (body * places).sum(axis=1) / (body.sum(axis=1) + 1e-6)
    away = places[None] - middle[:, None]
    amount = bone.sum(axis=1) + 1e-3
    return np.sqrt((bone * away**2).sum(axis=1) / amount), (bone * away).sum(axis=1) / amount
