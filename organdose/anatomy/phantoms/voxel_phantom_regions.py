"""Which labels of a voxel phantom make up which organ, by the names in its table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache

from organdose.anatomy.organs import is_known, organs
from organdose.anatomy.phantoms.voxel_phantom import PhantomLabel, PhantomMedium, Region
from organdose.resources import resource_path

RED_MARROW, BODY = "red_bone_marrow", "body"


def named_regions(entries: Mapping[int, PhantomLabel], media: Mapping[str, PhantomMedium],
                  outside: frozenset[int]) -> dict[str, Region]:
    """Regions by name: labels under their own names, organs of the vocabulary, groups of these, red marrow, the body.

    An organ of the vocabulary is found by its own name or by that of ICRP 110 (Resources/phantoms). A group is there
    when any of its members is. Red marrow is the part of each label's mass that its medium says.
    """
    regions: dict[str, dict[int, float]] = {}
    for label, entry in entries.items():
        if label not in outside:
            regions.setdefault(entry.name, {})[label] = 1.0
    for name, patterns in _patterns()["regions"].items():
        found = [label for label, entry in entries.items() if _matches(entry.name, patterns)]
        if found:
            regions.setdefault(name, dict.fromkeys(found, 1.0))
    for name in organs():
        if name not in regions and (members := _members(name, regions)):
            regions[name] = members
    marrow = {label: part for label, entry in entries.items() if (part := media[entry.medium].red_marrow_fraction) > 0}
    if marrow:
        regions[RED_MARROW] = marrow
    regions[BODY] = {label: 1.0 for label in entries if label not in outside}
    return regions


def content_labels(entries: Mapping[int, PhantomLabel]) -> frozenset[int]:
    """Labels of what fills hollow organs; blood in the heart belongs to the body."""
    return frozenset(label for label, entry in entries.items() if _matches(entry.name, _patterns()["contents"])
                     and not entry.name.lower().startswith("heart"))


def is_outside(name: str) -> bool:
    """Whether ICRP 110's label of that name is no part of the body."""
    return _matches(name, _patterns()["outside"])


def _members(name: str, regions: Mapping[str, Region]) -> dict[int, float]:
    found: dict[int, float] = {}
    for member in organs()[name].members:
        found |= regions[member] if member in regions else _members(member, regions) if is_known(member) else {}
    return found


def _matches(name: str, patterns) -> bool:
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)


@cache
def _patterns() -> dict:
    return json.loads(resource_path("phantoms", "icrp110_regions.json").read_text(encoding="utf-8"))
