"""Overlap: voxels that two organs claim which cannot share any."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from organdose.anatomy.mask_finding import Finding, FindingKind, Severity
from organdose.anatomy.organs import describe, is_known
from organdose.segmentation.drawn_organs import Box, DrawnImage, DrawnOrgan
from organdose.segmentation.quality_limits import are_related, is_among, limits

_SLAB_VOXELS = 1 << 23


def overlap_findings(image: DrawnImage) -> Iterator[Finding]:
    """One finding for each pair. Masks of one label layer cannot overlap, so only pairs of layers are counted."""
    claiming = [organ for organ in image.organs.values()
                if is_known(organ.name) and not is_among(organ.name, limits()["overlap"]["may"]["organs"])]
    for first, second in combinations(range(len(image.layers)), 2):
        ones, others = ([organ for organ in claiming if organ.layer == layer] for layer in (first, second))
        box = _common([_joined(ones), _joined(others)]) if ones and others else None
        if box is None:
            continue
        voxels = _shared_voxels(image, first, second, box, _table(ones), _table(others))
        for one in ones:
            for other in others:
                if voxels[one.value, other.value] and not _may_overlap(one.name, other.name):
                    yield from _finding(one, other, int(voxels[one.value, other.value]))


def _finding(one: DrawnOrgan, other: DrawnOrgan, voxels: int) -> Iterator[Finding]:
    limit = limits()["overlap"]
    smaller, larger = sorted((one, other), key=lambda organ: organ.voxels)
    shared_ml, share = voxels * one.image.voxel_ml, voxels / smaller.voxels
    if shared_ml < limit["overlap_ml"] and share < limit["share_of_smaller"]:
        return
    box = _common([one.box, other.box])
    layers = one.image.layers
    both = np.argwhere((layers[one.layer][box] == one.value) & (layers[other.layer][box] == other.value))
    nearest = both[((both - both.mean(axis=0)) ** 2).sum(axis=1).argmin()]
    place_mm = one.image.place_mm(tuple(float(at) + side.start for at, side in zip(nearest, box)))
    yield Finding(smaller.name, FindingKind.OVERLAP, f"shares {shared_ml:.1f} ml ({100 * share:.0f} % of it) with "
                  f"{describe(larger.name).title}", place_mm,
                  Severity.BAD if share >= limit["bad_share"] else Severity.CHECK)


def _may_overlap(one: str, other: str) -> bool:
    if are_related(one, other):
        return True
    return any(is_among(a, pair[:1]) and is_among(b, pair[1:]) for pair in limits()["overlap"]["pairs"]
               for a, b in ((one, other), (other, one)))


def _shared_voxels(image: DrawnImage, first: int, second: int, box: Box, ones: np.ndarray,
                   others: np.ndarray) -> np.ndarray:
    """Voxels of each pair of label values of two layers, (256, 256), counted slab by slab."""
    counts = np.zeros(65536, dtype=np.int64)
    z, y, x = box
    step = max(1, _SLAB_VOXELS // ((y.stop - y.start) * (x.stop - x.start)))
    for start in range(z.start, z.stop, step):
        slab = slice(start, min(start + step, z.stop)), y, x
        one, other = image.layers[first][slab], image.layers[second][slab]
        both = ones[one] & others[other]
        counts += np.bincount(one[both].astype(np.uint16) * np.uint16(256) + other[both], minlength=65536)
    return counts.reshape(256, 256)


def _table(organs: list[DrawnOrgan]) -> np.ndarray:
    table = np.zeros(256, dtype=bool)
    table[[organ.value for organ in organs]] = True
    return table


def _joined(organs: list[DrawnOrgan]) -> Box:
    return tuple(slice(min(organ.box[a].start for organ in organs), max(organ.box[a].stop for organ in organs))
                 for a in range(3))


def _common(boxes: list[Box]) -> Box | None:
    box = tuple(slice(max(b[a].start for b in boxes), min(b[a].stop for b in boxes)) for a in range(3))
    return box if all(side.start < side.stop for side in box) else None
