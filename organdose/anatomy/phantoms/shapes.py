"""Solids of the stylised phantoms: quadrics, planes, tori and tubes, read from JSON and asked voxel by voxel.

All lengths are centimetres in the coordinates of the phantom reports: x to the patient's left, y to the back, z to the
head, origin in the middle of the trunk's base. These are the axes of DICOM's LPS.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from organdose.errors import InputError

Bounds = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
_ENDLESS = (-math.inf, math.inf)
EVERYWHERE: Bounds = (_ENDLESS, _ENDLESS, _ENDLESS)


class Solid:
    """A set of points. `inside` takes coordinates (cm) that broadcast together and answers for each point."""

    bounds: Bounds = EVERYWHERE

    def inside(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        raise NotImplementedError


class Ellipsoid(Solid):
    def __init__(self, centre: Sequence[float], semi_axes: Sequence[float]):
        self.centre, self.semi_axes = tuple(centre), tuple(semi_axes)
        self.bounds = tuple((c - a, c + a) for c, a in zip(centre, semi_axes))

    def inside(self, x, y, z):
        return sum(((p - c) / a) ** 2 for p, c, a in zip((x, y, z), self.centre, self.semi_axes)) <= 1


class Cylinder(Solid):
    """Right elliptical cylinder along one axis; `centre` and `semi_axes` belong to the other two, in the order xyz."""

    def __init__(self, along: str, centre: Sequence[float], semi_axes: Sequence[float], span: Sequence[float]):
        self.along, self.across = "xyz".index(along), [i for i in range(3) if i != "xyz".index(along)]
        self.centre, self.semi_axes, self.span = tuple(centre), tuple(semi_axes), tuple(span)
        sides = [None, None, None]
        sides[self.along] = self.span
        for axis, c, a in zip(self.across, centre, semi_axes):
            sides[axis] = (c - a, c + a)
        self.bounds = tuple(sides)

    def inside(self, x, y, z):
        p = (x, y, z)
        low, high = self.span
        section = sum(((p[i] - c) / a) ** 2 for i, c, a in zip(self.across, self.centre, self.semi_axes)) <= 1
        return section & (p[self.along] >= low) & (p[self.along] <= high)


class Cone(Solid):
    """Horizontal elliptical sections whose centre and semi-axes change linearly from `bottom` to `top`."""

    def __init__(self, bottom: Sequence[float], top: Sequence[float],
                 bottom_axes: Sequence[float], top_axes: Sequence[float]):
        self.bottom, self.top = np.asarray(bottom, float), np.asarray(top, float)
        self.bottom_axes, self.top_axes = np.asarray(bottom_axes, float), np.asarray(top_axes, float)
        sides = [(min(b - ba, t - ta), max(b + ba, t + ta)) for b, t, ba, ta in
                 zip(self.bottom[:2], self.top[:2], self.bottom_axes, self.top_axes)]
        self.bounds = (*sides, (self.bottom[2], self.top[2]))

    def inside(self, x, y, z):
        up = (z - self.bottom[2]) / (self.top[2] - self.bottom[2])
        centre_x, centre_y = (self.bottom[i] + up * (self.top[i] - self.bottom[i]) for i in (0, 1))
        a, b = (np.maximum(self.bottom_axes[i] + up * (self.top_axes[i] - self.bottom_axes[i]), 1e-6) for i in (0, 1))
        return (((x - centre_x) / a) ** 2 + ((y - centre_y) / b) ** 2 <= 1) & (up >= 0) & (up <= 1)


class Torus(Solid):
    def __init__(self, centre: Sequence[float], axis: str, ring_radius: float, tube_radius: float):
        self.centre, self.axis = tuple(centre), "xyz".index(axis)
        self.ring_radius, self.tube_radius = ring_radius, tube_radius
        reach = ring_radius + tube_radius
        reaches = [tube_radius if i == self.axis else reach for i in range(3)]
        self.bounds = tuple((c - r, c + r) for c, r in zip(centre, reaches))

    def inside(self, x, y, z):
        p = [q - c for q, c in zip((x, y, z), self.centre)]
        height = p.pop(self.axis)
        return (np.sqrt(p[0] ** 2 + p[1] ** 2) - self.ring_radius) ** 2 + height**2 <= self.tube_radius**2


class HalfSpace(Solid):
    """Where normal . p <= value."""

    def __init__(self, normal: Sequence[float], value: float):
        self.normal, self.value = tuple(normal), value

    def inside(self, x, y, z):
        a, b, c = self.normal
        return a * x + b * y + c * z <= self.value


class Box(Solid):
    def __init__(self, x: Sequence[float] = _ENDLESS, y: Sequence[float] = _ENDLESS, z: Sequence[float] = _ENDLESS):
        self.bounds = tuple((-math.inf if low is None else low, math.inf if high is None else high)
                            for low, high in (x, y, z))

    def inside(self, x, y, z):
        inside = np.ones((), dtype=bool)
        for p, (low, high) in zip((x, y, z), self.bounds):
            inside = inside & (p >= low) & (p <= high)
        return inside


class Tube(Solid):
    """Round tube along a chain of points [x, y, z, radius]; the radius changes linearly between points."""

    def __init__(self, points: Sequence[Sequence[float]]):
        self.points = np.asarray(points, dtype=float)
        reach = self.points[:, 3:]
        low, high = (self.points[:, :3] - reach).min(0), (self.points[:, :3] + reach).max(0)
        self.bounds = tuple(zip(low, high))

    def inside(self, x, y, z):
        inside = np.zeros((), dtype=bool)
        for (x0, y0, z0, r0), (x1, y1, z1, r1) in zip(self.points[:-1], self.points[1:]):
            dx, dy, dz = x1 - x0, y1 - y0, z1 - z0
            along = ((x - x0) * dx + (y - y0) * dy + (z - z0) * dz) / (dx * dx + dy * dy + dz * dz)
            along = np.clip(along, 0, 1)
            distance2 = (x - x0 - along * dx) ** 2 + (y - y0 - along * dy) ** 2 + (z - z0 - along * dz) ** 2
            inside = inside | (distance2 <= (r0 + along * (r1 - r0)) ** 2)
        return inside


class Outline(Solid):
    """Horizontal superelliptical sections |x/a|^n + |(y - y0)/b|^n <= 1 given at heights z, smooth between them.

    `sections` rows are [z, a, b, y0, n] from feet to head; `inset_cm` moves the wall inwards.
    """

    def __init__(self, sections: Sequence[Sequence[float]], inset_cm: float = 0.0):
        from scipy.interpolate import PchipInterpolator

        rows = np.asarray(sections, dtype=float)
        self.sections, self.inset_cm = rows, inset_cm
        self._at = PchipInterpolator(rows[:, 0], rows[:, 1:])
        reach_x, reach_y = rows[:, 1].max() - inset_cm, (rows[:, 2] + np.abs(rows[:, 3])).max() - inset_cm
        self.bounds = ((-reach_x, reach_x), (-reach_y, reach_y), (rows[0, 0], rows[-1, 0]))

    def inside(self, x, y, z):
        low, high = self.bounds[2]
        a, b, y0, n = (v[..., 0] for v in np.split(self._at(np.clip(z, low, high)).astype(np.float32), 4, axis=-1))
        a, b = np.maximum(a - self.inset_cm, 0.01), np.maximum(b - self.inset_cm, 0.01)
        section = np.abs(x / a) ** n + np.abs((y - y0) / b) ** n <= 1
        return section & (z >= low) & (z <= high)


class AllOf(Solid):
    def __init__(self, parts: Sequence[Solid]):
        self.parts = tuple(parts)
        self.bounds = tuple((max(p.bounds[i][0] for p in parts), min(p.bounds[i][1] for p in parts)) for i in range(3))

    def inside(self, x, y, z):
        inside = self.parts[0].inside(x, y, z)
        for part in self.parts[1:]:
            inside = inside & part.inside(x, y, z)
        return inside


class AnyOf(Solid):
    def __init__(self, parts: Sequence[Solid]):
        self.parts = tuple(parts)
        self.bounds = tuple((min(p.bounds[i][0] for p in parts), max(p.bounds[i][1] for p in parts)) for i in range(3))

    def inside(self, x, y, z):
        inside = self.parts[0].inside(x, y, z)
        for part in self.parts[1:]:
            inside = inside | part.inside(x, y, z)
        return inside


class Outside(Solid):
    def __init__(self, shape: Solid):
        self.shape = shape

    def inside(self, x, y, z):
        return ~self.shape.inside(x, y, z)


class Turned(Solid):
    """A solid given in its own axes: p1 = axes . (p - origin), `axes` as three rows."""

    def __init__(self, origin: Sequence[float], axes: Sequence[Sequence[float]], shape: Solid):
        self.origin, self.axes, self.shape = np.asarray(origin, float), np.asarray(axes, float), shape
        corners = np.array([[shape.bounds[i][(k >> i) & 1] for i in range(3)] for k in range(8)])
        back = corners @ np.linalg.inv(self.axes).T + self.origin
        self.bounds = tuple(zip(back.min(0), back.max(0)))

    def inside(self, x, y, z):
        dx, dy, dz = x - self.origin[0], y - self.origin[1], z - self.origin[2]
        return self.shape.inside(*(a * dx + b * dy + c * dz for a, b, c in self.axes))


class Mirrored(Solid):
    """The solid on the other side of the body: x becomes -x."""

    def __init__(self, shape: Solid):
        self.shape = shape
        (low, high), *rest = shape.bounds
        self.bounds = ((-high, -low), *rest)

    def inside(self, x, y, z):
        return self.shape.inside(-x, y, z)


class Slanted(Solid):
    """Sheared so that the front hangs lower: z1 = z + slope (pivot_y - y). Volumes do not change."""

    def __init__(self, slope: float, pivot_y: float, shape: Solid):
        self.slope, self.pivot_y, self.shape = slope, pivot_y, shape
        x_range, y_range, (low, high) = shape.bounds
        drops = [slope * (pivot_y - y) for y in y_range]
        self.bounds = (x_range, y_range, (low - max(drops), high - min(drops)))

    def inside(self, x, y, z):
        return self.shape.inside(x, y, z + self.slope * (self.pivot_y - y))


class ThyroidLobes(Solid):
    """Both lobes of the thyroid as in ORNL/TM-8381: between two upright cylinders, cut by a surface that narrows them.

    (y1 - |x|)^2 >= 2 (x^2 + y1^2) tau^2 with y1 = y - axis_y, and tau falling linearly from 1 at the base to sqrt(2)/2
    at a quarter of the height, then rising to 1 at the top.
    """

    def __init__(self, axis_y: float, inner_radius: float, outer_radius: float, base_z: float, height: float):
        self.axis_y, self.inner_radius, self.outer_radius = axis_y, inner_radius, outer_radius
        self.base_z, self.height = base_z, height
        self.bounds = ((-outer_radius, outer_radius), (axis_y - outer_radius, axis_y), (base_z, base_z + height))

    def inside(self, x, y, z):
        y1, up = y - self.axis_y, (z - self.base_z) / self.height
        fall = (math.sqrt(2) - 2) / 2
        tau = np.where(up <= 0.25, 1 + fall * up / 0.25, math.sqrt(0.5) - fall * (up - 0.25) / 0.75)
        radius2 = x**2 + y1**2
        ring = (radius2 <= self.outer_radius**2) & (radius2 >= self.inner_radius**2) & (y1 <= 0)
        return ring & ((y1 - np.abs(x)) ** 2 >= 2 * radius2 * tau**2) & (up >= 0) & (up <= 1)


@dataclass(frozen=True)
class Adjusted(Solid):
    """A solid moved by `shift_cm` and grown about `centre_cm` by `growth`: one patient's variant of an organ."""

    shape: Solid
    centre_cm: tuple[float, float, float]
    growth: float
    shift_cm: tuple[float, float, float]

    @property
    def bounds(self) -> Bounds:
        return tuple(tuple((edge - c) * self.growth + c + s for edge in side)
                     for side, c, s in zip(self.shape.bounds, self.centre_cm, self.shift_cm))

    def inside(self, x, y, z):
        moved = ((p - c - s) / self.growth + c for p, c, s in zip((x, y, z), self.centre_cm, self.shift_cm))
        return self.shape.inside(*moved)


_LEAVES: dict[str, Callable[..., Solid]] = {
    "ellipsoid": Ellipsoid, "cylinder": Cylinder, "cone": Cone, "torus": Torus, "half_space": HalfSpace, "box": Box,
    "tube": Tube, "outline": Outline, "thyroid_lobes": ThyroidLobes}


def solid_from_json(data: Mapping, known: Mapping[str, Solid], where: object = None) -> Solid:
    """The solid that one JSON object {kind: arguments} describes.

    `known` holds the solids that {"organ": name} may refer to. Raises `InputError` naming what is not understood.
    """
    def read(part: Mapping) -> Solid:
        return solid_from_json(part, known, where)

    try:
        (kind, given), = data.items()
        if kind in _LEAVES:
            return _LEAVES[kind](**given)
        if kind == "organ":
            return known[given]
        if kind in ("all_of", "any_of"):
            return (AllOf if kind == "all_of" else AnyOf)([read(part) for part in given])
        if kind == "outside":
            return Outside(read(given))
        if kind == "mirrored":
            return Mirrored(read(given))
        if kind in ("turned", "slanted"):
            rest = {key: value for key, value in given.items() if key != "shape"}
            return (Turned if kind == "turned" else Slanted)(**rest, shape=read(given["shape"]))
    except (TypeError, ValueError, KeyError, IndexError) as error:
        raise InputError(f"not a solid: {data!r:.120} ({type(error).__name__}: {error})", where=where,
                         mend="Correct the phantom file.") from error
    raise InputError(f"unknown kind of solid {kind!r}", where=where, mend="Correct the phantom file.")
