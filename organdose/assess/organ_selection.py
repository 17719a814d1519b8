"""Which voxels make up each row of the organ table: drawn masks, groups joined from them, and the remainder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.organs import expand, organ
from organdose.anatomy.organs import organs as vocabulary
from organdose.errors import InputError

BODY = "body"
REMAINDER = "remainder"
_NAMED_MISSING = 4  # a note lists this many missing members by name, more only by number

Box = tuple[slice, slice, slice]


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
                inside |= table[layer[box]]
        for layer, table in zip(layers, self.excluded, strict=True):
            if table.any():
                inside &= ~table[layer[box]]
        return inside


def organ_selections(masks: OrganMasks, wanted: Sequence[str] | None = None) -> list[Selection]:
    """One `Selection` a row. Default: every mask, each group that has a drawn member, and the remainder of the body, in
    the order of the vocabulary.

    Raises `InputError` when there are no masks, a mask is empty, or a name in `wanted` cannot be made from them.
    """
    if not masks.segments:
        raise InputError("the segmentation holds no organ", mend="Give masks of at least one organ.")
    members = {name: (name,) for name in masks.names} | _groups(masks.names)
    boxes = _boxes(masks)
    selections = {name: _selection(masks, name, parts, boxes) for name, parts in members.items()}
    if BODY in masks.names and len(masks.names) > 1 and REMAINDER not in masks.names:
        remainder = _remainder(masks, boxes)
        if remainder.mask(masks.layers, remainder.box).any():
            selections[REMAINDER] = remainder
    if wanted is None:
        order = {name: place for place, name in enumerate(vocabulary())}
        return sorted(selections.values(), key=lambda selection: order.get(selection.name, len(order)))
    unknown = [name for name in wanted if name not in selections]
    if unknown:
        raise InputError(f"the segmentation does not hold: {', '.join(unknown)}",
                         mend=f"It holds: {', '.join(selections)}.")
    return [selections[name] for name in wanted]


def _groups(drawn: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Groups of the vocabulary that are not drawn themselves, with the members that are."""
    present = {name: expand(name, drawn) for name, entry in vocabulary().items() if entry.members}
    return {name: members for name, members in present.items() if members and name not in drawn}


def _selection(masks: OrganMasks, name: str, parts: tuple[str, ...], boxes: dict[str, Box]) -> Selection:
    chosen, excluded = np.zeros((2, len(masks.layers), 256), dtype=bool)
    for part in parts:
        layer, value = masks.segments[part]
        chosen[layer, value] = True
    notes = [masks.notes.get(name, "")]
    if name not in masks.segments:
        notes.append(_missing_note(name, masks.names))
    return Selection(name, parts, _joined([boxes[part] for part in parts]), chosen, excluded,
                     "; ".join(note for note in notes if note))


def _missing_note(group: str, drawn: Sequence[str]) -> str:
    """Which members of a group are not drawn: a kidney that is not there changes what 'kidneys' means."""
    missing = [member for member in organ(group).members if not expand(member, drawn)]
    if not missing:
        return ""
    named = ", ".join(missing) if len(missing) <= _NAMED_MISSING else f"{len(missing)} members"
    return f"without {named} (not drawn)"


def _remainder(masks: OrganMasks, boxes: dict[str, Box]) -> Selection:
    body = _selection(masks, BODY, (BODY,), boxes)
    for name, (layer, value) in masks.segments.items():
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


def _joined(boxes: Sequence[Box]) -> Box:
    return tuple(slice(min(box[axis].start for box in boxes), max(box[axis].stop for box in boxes))
                 for axis in range(3))
