"""Which voxels make up each row of the organ table: drawn masks, groups joined from them, and the remainder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from scipy import ndimage

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.organs import expand, organ
from organdose.anatomy.organs import organs as vocabulary
from organdose.assess.boxes import Box, joined
from organdose.errors import InputError

BODY = "body"
REMAINDER = "remainder"
_NAMED_MISSING = 4  # a note lists this many missing members by name, more only by number


@dataclass(frozen=True)
class Selection:
    """The voxels of one row: those whose label is chosen in some layer and not excluded in any.

    `members` are the drawn masks joined; `box` is their bounding box (z, y, x) in the CT. `chosen` and `excluded`
    hold, for each label layer, a table of 256 booleans (which label values count).
    """

    name: str
    members: tuple[str, ...]
    box: Box
    chosen: np.ndarray = field(repr=False)
    excluded: np.ndarray = field(repr=False)
    note: str = ""

    def mask(self, layers: Sequence[np.ndarray], box: Box) -> np.ndarray:
        """Boolean array (z, y, x) of the part of this row that lies in `box`."""
        inside = np.zeros(layers[0][box].shape, dtype=bool)
        for layer, table in zip(layers, self.chosen, strict=True):
            if table.any():
                inside |= _among(layer[box], table)
        for layer, table in zip(layers, self.excluded, strict=True):
            if table.any():
                inside &= ~_among(layer[box], table)
        return inside


def _among(labels: np.ndarray, table: np.ndarray) -> np.ndarray:
    """`table[labels]`, faster."""
    values = np.flatnonzero(table)
    return labels == values[0] if len(values) == 1 else np.take(table, labels, mode="clip")


def organ_selections(masks: OrganMasks, wanted: Sequence[str] | None = None) -> list[Selection]:
    """One `Selection` a row. Default: every mask, each group that has a drawn member, and the remainder of the body, in
    the order of the vocabulary.

    Raises `InputError` when there are no masks, a mask is empty, or a name in `wanted` cannot be made from them.
    """
    if not masks.segments:
        raise InputError("the segmentation holds no organ", mend="Give masks of at least one organ.")
    selections = {selection.name: selection for selection in
                  selections_of(masks.segments, len(masks.layers), _boxes(masks), masks.notes)}
    remainder = selections.get(REMAINDER)
    if remainder is not None and not remainder.mask(masks.layers, remainder.box).any():
        del selections[REMAINDER]
    if wanted is None:
        return list(selections.values())
    unknown = [name for name in wanted if name not in selections]
    if unknown:
        raise InputError(f"the segmentation does not hold: {', '.join(unknown)}",
                         mend=f"It holds: {', '.join(selections)}.")
    return [selections[name] for name in wanted]


def selections_of(segments: Mapping[str, tuple[int, int]], layers: int, boxes: Mapping[str, Box],
                  notes: Mapping[str, str]) -> list[Selection]:
    """The rows of masks that are not empty, without a look at their voxels: see `organ_selections`.

    `segments` gives (layer, label value) of each organ, `layers` how many label layers there are, `boxes` the bounding
    box of each organ. 'remainder' is among the rows even where the organs leave nothing of the body.
    """
    names = tuple(segments)
    selections = [_selection(name, parts, segments, layers, boxes, notes)
                  for name, parts in ({name: (name,) for name in names} | _groups(names)).items()]
    if BODY in names and len(names) > 1 and REMAINDER not in names:
        selections.append(_remainder(segments, layers, boxes, notes))
    return sorted(selections, key=lambda selection: table_place(selection.name))


def table_place(name: str) -> int:
    """Where a row stands in a table: the order of the vocabulary, then names that it does not know."""
    return _places().get(name, len(_places()))


@cache
def _places() -> dict[str, int]:
    return {name: place for place, name in enumerate(vocabulary())}


def _groups(drawn: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Groups of the vocabulary that are not drawn themselves, with the members that are."""
    present = {name: expand(name, drawn) for name, entry in vocabulary().items() if entry.members}
    return {name: members for name, members in present.items() if members and name not in drawn}


def _selection(name: str, parts: tuple[str, ...], segments: Mapping[str, tuple[int, int]], layers: int,
               boxes: Mapping[str, Box], notes: Mapping[str, str]) -> Selection:
    chosen, excluded = np.zeros((2, layers, 256), dtype=bool)
    for part in parts:
        layer, value = segments[part]
        chosen[layer, value] = True
    said = [notes.get(name, "")]
    if name not in segments:
        said.append(_missing_note(name, tuple(segments)))
    return Selection(name, parts, joined([boxes[part] for part in parts]), chosen, excluded,
                     "; ".join(note for note in said if note))


def _missing_note(group: str, drawn: Sequence[str]) -> str:
    """Which members of a group are not drawn: a kidney that is not there changes what 'kidneys' means."""
    missing = [member for member in organ(group).members if not expand(member, drawn)]
    if not missing:
        return ""
    named = ", ".join(missing) if len(missing) <= _NAMED_MISSING else f"{len(missing)} members"
    return f"without {named} (not drawn)"


def _remainder(segments: Mapping[str, tuple[int, int]], layers: int, boxes: Mapping[str, Box],
               notes: Mapping[str, str]) -> Selection:
    body = _selection(BODY, (BODY,), segments, layers, boxes, notes)
    for name, (layer, value) in segments.items():
        if name != BODY:
            body.excluded[layer, value] = True
    return Selection(REMAINDER, (BODY,), boxes[BODY], body.chosen, body.excluded, "body without all drawn organs")


def _boxes(masks: OrganMasks) -> dict[str, Box]:
    found = [ndimage.find_objects(layer) for layer in masks.layers]
    boxes = {}
    for name, (layer, value) in masks.segments.items():
        box = found[layer][value - 1] if value <= len(found[layer]) else None
        if box is None:
            raise InputError(f"the mask of {name!r} is empty", mend="Remove it or draw it.")
        boxes[name] = box
    return boxes
