"""Outlines of a mask in one slice as closed polygons whose holes hang on a channel: the keyhole technique.

A structure set may describe a hole by one contour that runs from the outer line along a channel of no width to the
inner one and back (PS3.3 C.8.8.6). Readers that join the contours of a slice by 'or', and those that join them by
exclusive or, then both see the hole; of a contour of its own only the latter know that it is one.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np


def slice_outlines(mask: np.ndarray) -> list[np.ndarray]:
    """Polygons (n, 2) in pixels (x, y) around the True pixels of a mask (y, x), last point not repeated.

    They run midway between the centres of pixels inside and outside, so that whoever asks which centres lie inside gets
    the mask back; so do the channels, between two rows of pixels.
    """
    from contourpy import FillType, contour_generator

    padded = np.pad(mask, 1).astype(np.float32)  # a rim of background closes outlines at the edge
    points, offsets = contour_generator(z=padded, fill_type=FillType.OuterOffset).filled(0.5, 2.0)
    outlines = []
    for of_part, starts in zip(points, offsets, strict=True):
        rings = [_without_collinear(of_part[first:last - 1] - 1.0) for first, last in pairwise(starts)]
        outlines.append(_with_holes(rings[0], rings[1:]))
    return outlines


def _without_collinear(points: np.ndarray) -> np.ndarray:
    """The corners of a closed polygon (n, 2): points on a straight line between their neighbours are dropped."""
    before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    return points[np.abs(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]) > 1e-9]


def _with_holes(outer: np.ndarray, holes: list[np.ndarray]) -> np.ndarray:
    """One polygon of an outer line and its holes.

    Each channel runs along +x from the last of the hole's points with the smallest y to the next line. What it meets is
    the outer line or a hole whose own channel starts at a smaller y, or as low and further on: these are joined first.
    """
    turned = [np.roll(hole, -_channel_start(hole), axis=0) for hole in holes]
    for hole in sorted(turned, key=lambda hole: (hole[0, 1], -hole[0, 0])):
        edge, x = _next_line(outer, *hole[0])
        end = [[x, hole[0, 1]]]
        outer = _without_repeats(np.concatenate([outer[:edge + 1], end, hole, hole[:1], end, outer[edge + 1:]]))
    return outer


def _channel_start(hole: np.ndarray) -> int:
    return int(np.lexsort((-hole[:, 0], hole[:, 1]))[0])


def _next_line(polygon: np.ndarray, x: float, y: float) -> tuple[int, float]:
    """The edge (by its first point) that a ray from (x, y) along +x meets first, and where (its x)."""
    (x0, y0), (x1, y1) = polygon.T, np.roll(polygon, -1, axis=0).T
    level = y1 == y0
    part = np.where(level, 0.0, (y - y0) / np.where(level, 1.0, y1 - y0))
    met = np.where(level, np.where(np.minimum(x0, x1) > x, np.minimum(x0, x1), np.maximum(x0, x1)),
                   x0 + part * (x1 - x0))
    reached = np.where(level, y0 == y, (part >= 0) & (part <= 1)) & (met > x)
    edge = int(np.argmin(np.where(reached, met, np.inf)))
    return edge, float(met[edge])


def _without_repeats(polygon: np.ndarray) -> np.ndarray:
    return polygon[(polygon != np.roll(polygon, 1, axis=0)).any(axis=1)]
