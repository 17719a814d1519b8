"""Boxes of voxels: three slices (z, y, x), each with a start and a stop."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

Box = tuple[slice, slice, slice]


def whole(shape: Iterable[int]) -> Box:
    """The box of an array of `shape`."""
    return tuple(slice(0, size) for size in shape)


def joined(boxes: Iterable[Box]) -> Box:
    """The smallest box around all of them."""
    boxes = list(boxes)
    return tuple(slice(min(box[axis].start for box in boxes), max(box[axis].stop for box in boxes))
                 for axis in range(3))


def common(one: Box, other: Box) -> Box | None:
    """The part that two boxes share, or None."""
    part = tuple(slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(one, other, strict=True))
    return part if all(side.start < side.stop for side in part) else None


def shape_of(box: Box) -> tuple[int, int, int]:
    return tuple(side.stop - side.start for side in box)


def voxels_in(box: Box) -> int:
    return math.prod(shape_of(box))


def corner_of(box: Box) -> tuple[int, int, int]:
    return tuple(side.start for side in box)


def moved(box: Box, by: Iterable[int]) -> Box:
    """The box shifted by so many voxels along each axis."""
    return tuple(slice(side.start + step, side.stop + step) for side, step in zip(box, by, strict=True))


def seen_from(box: Box, corner: Iterable[int]) -> Box:
    """The same voxels in an array that begins at `corner`."""
    return tuple(slice(side.start - start, side.stop - start) for side, start in zip(box, corner, strict=True))


def box_of(mask: np.ndarray) -> Box | None:
    """The smallest box around the true voxels of a boolean array, or None when there is none."""
    along_z = np.flatnonzero(mask.any(axis=(1, 2)))
    if not along_z.size:
        return None
    flat = mask[along_z[0]:along_z[-1] + 1].any(axis=0)
    places = along_z, np.flatnonzero(flat.any(axis=1)), np.flatnonzero(flat.any(axis=0))
    return tuple(slice(int(place[0]), int(place[-1]) + 1) for place in places)


def slabs(box: Box, voxels: int, axis: int = 0) -> Iterable[Box]:
    """The box cut across `axis` into slabs of at most about `voxels` voxels each, in rising order."""
    side = box[axis]
    thickness = max(1, voxels * (side.stop - side.start) // max(1, voxels_in(box)))
    for start in range(side.start, side.stop, thickness):
        yield (*box[:axis], slice(start, min(start + thickness, side.stop)), *box[axis + 1:])


def few(boxes: Iterable[Box]) -> list[Box]:
    """The same voxels in fewer boxes: those that share most of their voxels are joined."""
    kept: list[Box] = []
    for box in boxes:
        for other in [other for other in kept if _worth_joining(box, other)]:
            kept.remove(other)
            box = joined((box, other))
        kept.append(box)
    return kept


def _worth_joining(one: Box, other: Box) -> bool:
    return voxels_in(joined((one, other))) <= voxels_in(one) + voxels_in(other)
