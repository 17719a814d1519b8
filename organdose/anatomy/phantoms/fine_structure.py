"""Fine structure that the published equations leave out and that a CT shows: lung vessels, bowel loops. All added here.

Both keep the organ's outline and, within a few percent, its published mass.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from organdose.anatomy.phantoms.shapes import Solid, Tube

_BRANCHES_PER_LUNG = 160
_TWIGS_PER_BRANCH = 6


@dataclass(frozen=True)
class VesselTree:
    """Vessel segments of one lung (reference cm), each a short tapering tube."""

    tubes: tuple[Tube, ...]

    @classmethod
    def grow(cls, lung: Solid, seed: int) -> VesselTree:
        """Branches fan out from the hilum to points inside the lung and split near their ends; seeded by `seed`."""
        generator = np.random.default_rng([seed, 7])
        (x0, x1), _, (z0, z1) = lung.bounds
        medial_x = x0 if abs(x0) < abs(x1) else x1
        hilum = np.array([medial_x + 0.35 * ((x0 + x1) / 2 - medial_x), 0.8, z0 + 0.54 * (z1 - z0)])
        ends = _points_inside(lung, generator, _BRANCHES_PER_LUNG)
        tubes = []
        for end in ends:
            bend = hilum + 0.45 * (end - hilum) + generator.normal(0, 1.0, 3)
            radius = 0.30 * (0.6 + 0.4 * generator.random())
            root = hilum + generator.normal(0, 0.7, 3)
            tubes.append(Tube([[*root, radius * 0.9], [*bend, radius * 0.75], [*end, radius * 0.34]]))
            for _ in range(_TWIGS_PER_BRANCH):
                start = bend + generator.random() * (end - bend)
                tip = start + generator.normal(0, 1.6, 3)
                tubes.append(Tube([[*start, radius * 0.45], [*tip, radius * 0.22]]))
        return cls(tuple(tubes))

    @cached_property
    def _z_ranges(self) -> np.ndarray:
        return np.array([tube.bounds[2] for tube in self.tubes]).T

    def inside(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Which points of an upright grid (x, y, z as axes that broadcast) lie in a vessel."""
        axes = [np.asarray(a).ravel() for a in (x, y, z)]
        inside = np.zeros(tuple(len(a) for a in reversed(axes)), dtype=bool)
        low, high = self._z_ranges
        for i in np.flatnonzero((low <= axes[2][-1]) & (high >= axes[2][0])):
            tube = self.tubes[i]
            window = box_window(tube.bounds, axes)
            if window is not None:
                local = np.ix_(*(a[w] for a, w in zip(reversed(axes), window)))
                inside[window] |= tube.inside(local[2], local[1], local[0])
        return inside


def box_window(bounds, axes) -> tuple[slice, slice, slice] | None:
    """Slices (z, y, x) of the rising axes (x, y, z) that cover a bounding box, or None when it lies outside."""
    window = []
    for (low, high), axis in zip(bounds, axes):
        start, stop = np.searchsorted(axis, low), np.searchsorted(axis, high, side="right")
        if start >= stop:
            return None
        window.append(slice(int(start), int(stop)))
    return tuple(reversed(window))


def bowel_loops(x: np.ndarray, y: np.ndarray, z: np.ndarray, front_y: float) -> tuple[np.ndarray, np.ndarray]:
    """(lumen, gas) of small-bowel loops about 2.5 cm wide. Gas stands in some of the front ones (towards `front_y`)."""
    k = 2 * np.pi / 3.1
    waves = (np.cos(k * (0.94 * x + 0.30 * y + 0.16 * z) + 1.3 * np.sin(0.55 * y))
             + np.cos(k * (-0.25 * x + 0.93 * y - 0.27 * z) + 1.1 * np.sin(0.5 * z + 0.3 * x))
             + np.cos(k * (0.12 * x + 0.2 * y + 0.97 * z) + 1.2 * np.sin(0.45 * x)))
    lumen = waves > 0.25
    gas = (waves > 0.6) & (y < front_y + 2.6) & (np.sin(0.42 * x + 0.9) + np.cos(0.6 * z) > 0.5)
    return lumen, gas


def small_vessels(x: np.ndarray, y: np.ndarray, z: np.ndarray, width: float) -> np.ndarray:
    """Thin winding vessels (mesentery, liver): where two wavy sheets cross. `width` is near 0.2."""
    k = 2 * np.pi / 6.4
    u, v, w = k * x + 0.8 * np.sin(0.31 * z), k * y + 0.9 * np.sin(0.37 * x), k * z + 0.7 * np.sin(0.29 * y)
    first = np.sin(u) * np.cos(v) + np.sin(v) * np.cos(w) + np.sin(w) * np.cos(u)
    second = np.cos(1.7 * u) + np.cos(1.6 * v) + np.cos(1.5 * w + 1)
    return (np.abs(first) < width) & (np.abs(second) < 1.4 * width)


def _points_inside(solid: Solid, generator: np.random.Generator, count: int) -> np.ndarray:
    low, high = (np.array(side) for side in zip(*solid.bounds))
    points = np.empty((0, 3))
    while len(points) < count:
        tries = low + generator.random((4 * count, 3)) * (high - low)
        points = np.concatenate([points, tries[np.asarray(solid.inside(*tries.T))]])
    return points[:count]
