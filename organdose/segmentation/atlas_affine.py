"""The affine map from an image to a reference patient that makes their tissues meet, from the best of a few places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from organdose.progress import Progress
from organdose.segmentation.atlas_place import Place
from organdose.segmentation.atlas_tissue import BODY, TissueMaps

WEIGHTS = np.array([1.0, 1.5, 2.0, 0.5], np.float32)  # of body, lung, bone, soft tissue
_SMOOTHINGS_MM, _STEPS = (18.0, 9.0, 5.0), 8
_POINTS = 40_000
_SURROUNDINGS_MM = 18.0
_ENOUGH_MM = 0.1
# How far the map may stray from the first guess: one standard deviation of each element, and how much one point counts
# against it (neighbouring points say the same).
_STRETCH, _SHEAR, _POINT = 0.08, 0.06, 0.02


@dataclass(frozen=True)
class Affine:
    """Takes points of the image (mm, LPS) to the reference: slid along z as `place` says, then `matrix` @ point +
    `shift_mm`. `misfit`: mean square difference of the tissues in and around the patient."""

    place: Place
    matrix: np.ndarray
    shift_mm: np.ndarray
    misfit: float = np.inf

    def slide_mm(self, z_mm: np.ndarray) -> np.ndarray:
        """How far each height is moved along z before `matrix`: the match of slices less its straight line."""
        slope, shift = self.place.line
        bend = (self.place.reference_z_mm - shift) / slope - self.place.z_mm
        return np.interp(z_mm, self.place.z_mm, bend)

    def moved(self, points_mm: np.ndarray) -> np.ndarray:
        """Points (n, 3; x, y, z) in the reference."""
        slid = points_mm + np.stack([np.zeros(len(points_mm))] * 2 + [self.slide_mm(points_mm[:, 2])], axis=1)
        return slid @ self.matrix.T + self.shift_mm


def affine(image: TissueMaps, reference: TissueMaps, starts: list[Place], progress: Progress) -> Affine:
    """The best map from any of the places. Raises `Cancelled`."""
    found = []
    for k, place in enumerate(starts):
        now = _first(image, reference, place)
        for level, smoothing_mm in enumerate(_SMOOTHINGS_MM):
            progress.report("atlas: affine", (k + level / len(_SMOOTHINGS_MM)) / len(starts))
            now = _Fit(image, reference, now, smoothing_mm).best(progress)
        found.append(now)
    return min(found, key=lambda each: each.misfit)


def _first(image: TissueMaps, reference: TissueMaps, place: Place) -> Affine:
    """The map of a place, which centres the sections on each other."""
    slope, shift = place.line
    ends_mm = place.reference_z_mm[[0, -1]]
    z_mm = _axis(reference.grid, 2)
    common = (z_mm >= ends_mm[0]) & (z_mm <= ends_mm[1])
    centre = _centre(image.maps[BODY], image.grid)
    other = _centre(reference.maps[BODY][common] if common.any() else reference.maps[BODY], reference.grid)
    across = other - centre / place.breadth
    return Affine(place, np.diag([1 / place.breadth, 1 / place.breadth, slope]), np.array([*across, shift]))


class _Fit:
    """Gauss-Newton steps, damped (Marquardt, J Soc Ind Appl Math 11 (1963) 431), on the squares of the differences of
    maps that are smoothed alike."""

    def __init__(self, image: TissueMaps, reference: TissueMaps, start: Affine, smoothing_mm: float):
        self.start, self.grid = start, reference.grid
        points, voxels = _points(image)
        self.points = points
        self.centre = points.mean(axis=0)
        self.size = np.append(np.abs(points - self.centre).mean(axis=0), 1.0)
        slid = points + np.stack([np.zeros(len(points))] * 2 + [start.slide_mm(points[:, 2])], axis=1)
        self.slid, self.away = slid, np.concatenate([slid - self.centre, np.ones((len(points), 1))], axis=1)
        self.moving = _smoothed(reference, smoothing_mm)
        self.fixed = _smoothed(image, smoothing_mm)[(slice(None), *voxels)]
        self.slopes = [np.gradient(each, *reference.grid.GetSpacing()[::-1]) for each in self.moving]
        spread = np.full((3, 4), _SHEAR)
        spread[range(3), range(3)] = _STRETCH
        spread[:, 3] = np.inf
        self.prior = 1 / spread.ravel() ** 2

    def best(self, progress: Progress) -> Affine:
        change, damping = np.zeros(12), 1e-3  # of the slid points, before the first map
        cost, rest, index = self._cost(change)
        for _ in range(_STEPS):
            if progress.cancelled:
                progress.report("atlas: affine", 0.0)
            normal, right = self._equations(rest, index)
            lhs = normal + np.diag(self.prior + damping * np.diag(normal))
            step = np.linalg.solve(lhs, right - self.prior * change)
            tried = self._cost(change + step)
            if tried[0] < cost:
                change, damping = change + step, damping / 3
                cost, rest, index = tried
            else:
                damping *= 10
            if (np.abs(step.reshape(3, 4)) @ self.size).max() < _ENOUGH_MM:
                break
        turn, shift = change.reshape(3, 4)[:, :3], change.reshape(3, 4)[:, 3]
        matrix = self.start.matrix @ (np.eye(3) + turn)
        shift_mm = self.start.matrix @ (shift - turn @ self.centre) + self.start.shift_mm
        misfit = float((WEIGHTS[:, None] * rest**2).sum() / rest.shape[1])
        return Affine(self.start.place, matrix, shift_mm, misfit)

    def _cost(self, change: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        moved = (self.slid + self.away @ change.reshape(3, 4).T) @ self.start.matrix.T + self.start.shift_mm
        index = ((moved - self.grid.GetOrigin()) / self.grid.GetSpacing()).T[::-1]
        rest = self.fixed - np.stack([_sampled(each, index) for each in self.moving])
        cost = _POINT * float((WEIGHTS[:, None] * rest**2).sum()) + float((self.prior * change**2).sum())
        return cost, rest, index

    def _equations(self, rest: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Normal matrix (12, 12) and right-hand side of the linearised differences."""
        normal, right = np.zeros((12, 12)), np.zeros(12)
        for weight, of_channel, left in zip(WEIGHTS, self.slopes, rest):
            slope = np.stack([_sampled(each, index) for each in of_channel[::-1]], axis=1) @ self.start.matrix
            columns = (slope[:, :, None] * self.away[:, None, :]).reshape(-1, 12)
            normal += _POINT * weight * columns.T @ columns
            right += _POINT * weight * columns.T @ left
        return normal, right


def _points(image: TissueMaps) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """Points (n, 3; x, y, z in mm) in and around the body where the image is known, evenly chosen; their voxels."""
    reach = [max(1, round(_SURROUNDINGS_MM / s)) for s in image.grid.GetSpacing()[::-1]]
    near = ndimage.maximum_filter(image.maps[BODY] > 0.5, [2 * r + 1 for r in reach]) & image.known
    voxels = np.nonzero(near)
    every = max(1, len(voxels[0]) // _POINTS)
    voxels = tuple(each[::every] for each in voxels)
    return np.stack([_axis(image.grid, axis)[voxels[2 - axis]] for axis in range(3)], axis=1), voxels


def _smoothed(tissue: TissueMaps, smoothing_mm: float) -> np.ndarray:
    sigma = [smoothing_mm / s for s in tissue.grid.GetSpacing()[::-1]]
    return np.stack([ndimage.gaussian_filter(each, sigma, mode="nearest") for each in tissue.maps])


def _axis(grid: sitk.Image, axis: int) -> np.ndarray:
    return grid.GetOrigin()[axis] + grid.GetSpacing()[axis] * np.arange(grid.GetSize()[axis])


def _sampled(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    return ndimage.map_coordinates(values, index, order=1, mode="constant", cval=0.0)


def _centre(body: np.ndarray, grid: sitk.Image) -> np.ndarray:
    """x and y of the middle of some slices of a body, in mm."""
    return np.array([(body.sum(axis=(0, 1 + axis)) * _axis(grid, axis)).sum() / max(body.sum(), 1e-6)
                     for axis in (0, 1)])
