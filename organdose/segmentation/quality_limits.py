"""The limits of the quality control of masks: `Resources/mask_quality.json`, where each says its source."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, TypeVar

from organdose.anatomy.organs import is_known, organs
from organdose.resources import resource_path

Value = TypeVar("Value")


@cache
def limits() -> Mapping[str, Any]:
    """The whole file, by the subject of its groups."""
    return json.loads(resource_path("mask_quality.json").read_text(encoding="utf-8"))


def is_among(name: str, patterns: Iterable[str]) -> bool:
    """Whether an organ is one of `patterns`, in which * stands for any letters."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def of_organ(name: str, table: Mapping[str, Value]) -> Value | None:
    """The entry of an organ: under its own name, else under the first pattern that fits; None without one.

    Names outside the vocabulary have none, whatever pattern they fit: 'lung_left_blood' is no lung.
    """
    if not is_known(name):
        return None
    if name in table:
        return table[name]
    return next((value for pattern, value in table.items() if fnmatchcase(name, pattern)), None)


@cache
def all_members(name: str) -> frozenset[str]:
    """The members of a group, their members too; empty for an organ that is none."""
    direct = organs()[name].members if name in organs() else ()
    return frozenset(direct).union(*(all_members(member) for member in direct))


def are_related(one: str, other: str) -> bool:
    """Whether one is part of the other by the groups of the vocabulary (or both are the same)."""
    return one == other or one in all_members(other) or other in all_members(one)


def partner(name: str) -> str | None:
    """The organ of the other side: kidney_left -> kidney_right; None for organs without a side."""
    swapped = {"left": "right", "right": "left"}
    words = name.split("_")
    if not swapped.keys() & set(words):
        return None
    other = "_".join(swapped.get(word, word) for word in words)
    return other if other in organs() else None
