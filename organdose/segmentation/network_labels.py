"""The organs the Res-U2Net tells apart, and how they lie in one label map."""

from __future__ import annotations

from functools import cache

import numpy as np

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.organs import expand, is_known, organ, organs

NETWORK_ORGANS = (
    "body", "bones", "liver", "heart", "pancreas", "kidney_left", "kidney_right", "spleen", "urinary_bladder",
    "esophagus", "femoral_head_left", "femoral_head_right", "spinal_cord", "aorta", "gallbladder",
    "inferior_vena_cava", "colon", "portal_vein_and_splenic_vein", "rectum", "stomach", "thymus", "duodenum",
    "small_bowel", "lung_left", "lung_right", "brain")


def organ_values(names: tuple[str, ...] = NETWORK_ORGANS) -> dict[str, int]:
    """Label value of each organ: 1 for the first; 0 is what is outside the body."""
    return {name: value for value, name in enumerate(names, start=1)}


def label_map(masks: OrganMasks, names: tuple[str, ...] = NETWORK_ORGANS) -> np.ndarray:
    """One label map (uint8, (z, y, x)) of masks that may overlap: later names in `names` are drawn over earlier ones.

    A group ('bones') is drawn as the union of its members where only these are there.
    """
    labels = np.zeros(masks.shape, dtype=np.uint8)
    for name, value in organ_values(names).items():
        parts = expand(name, masks.names) if is_known(name) else (name,) if name in masks.names else ()
        for part in parts:
            labels[masks.mask(part)] = value
    return labels


def organs_drawn(masks: OrganMasks, names: tuple[str, ...] = NETWORK_ORGANS) -> tuple[str, ...]:
    """Those of `names` that `masks` hold, by themselves or as members."""
    return tuple(name for name in names if (expand(name, masks.names) if is_known(name) else name in masks.names))


def voxels_of(name: str, labels: np.ndarray, names: tuple[str, ...] = NETWORK_ORGANS) -> np.ndarray:
    """Boolean array of one organ, or of a group, of a label map: the body is all of it, bones hold femoral heads."""
    if name == "body":
        return labels > 0
    wanted = [value for part, value in organ_values(names).items() if part == name or part in members(name)]
    return np.isin(labels, wanted)


@cache
def members(name: str) -> frozenset[str]:
    """All organs of the vocabulary that are part of `name`, at any depth, without itself."""
    if name not in organs():
        return frozenset()
    found = set(organ(name).members)
    for part in organ(name).members:
        found |= members(part)
    return frozenset(found)
