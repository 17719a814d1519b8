"""What an estimated organ may share with organs that were seen: nothing, unless one lies in the other by right."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.organs import is_known, organ
from organdose.segmentation.atlas_organs import MARROW
from organdose.segmentation.network_labels import members

_AROUND = ("body", "skin", "air_internal")
ALTERED = "Morphologically Altered Structure"  # tumours, lesions, cysts
# Beginnings of names of what lies in an organ without being listed as its member.
INSIDE = (("femoral_head", "femur"), ("eye_lens", "eye_"), ("brainstem", "brain"), ("spinal_cord", "vertebrae"))


def without_seen(name: str, mask: np.ndarray, masks: OrganMasks, seen: Iterable[str]) -> np.ndarray:
    """The mask (z, y, x; bool) of an estimated organ without the voxels of seen organs of `masks`."""
    sides = [np.flatnonzero(mask.any(axis=tuple(o for o in range(3) if o != axis))) for axis in range(3)]
    if not sides[0].size:
        return mask
    box = tuple(slice(int(side[0]), int(side[-1]) + 1) for side in sides)
    left = mask.copy()
    for other in seen:
        if not may_share(name, other):
            layer, value = masks.segments[other]
            left[box] &= masks.layers[layer][box] != value
    return left


def may_share(name: str, seen: str) -> bool:
    """Whether an estimated organ may have voxels of a seen one: the body around it, its group, its parts, what lies in
    it."""
    if {name, seen} & set(_AROUND) or seen.endswith("_contents"):
        return True
    if is_known(seen) and organ(seen).category_meaning == ALTERED:
        return True
    if name in members(seen) or seen in members(name):
        return True
    if name == MARROW and (seen == "bones" or seen in members("bones")):
        return True
    return any(part.startswith(inside) and whole.startswith(outside) for part, whole in ((name, seen), (seen, name))
               for inside, outside in INSIDE)
