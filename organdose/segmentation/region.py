"""Organs drawn again in a box of the CT, and what was drawn joined with the masks there were."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from pydantic import BaseModel

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.review import Drawn, estimated_names, mark_drawn, refresh_reviews
from organdose.errors import InputError
from organdose.progress import Progress
from organdose.segmentation.engine_needs import context_of
from organdose.segmentation.engines import SegmentationEngine
from organdose.study.ct_study import CTStudy

# What an engine sees around the box: engines tell an organ by its surroundings. A choice, not a measured optimum.
MARGIN_MM = 50.0
_ROUNDING = 1e-6  # voxels
_WHOLE = ("body", "skin")  # what they leave out is outside the patient

RegionMm = tuple[tuple[float, float, float], tuple[float, float, float]]
Box = tuple[slice, slice, slice]


def voxels_of_region(image, region_mm: RegionMm) -> Box:
    """The voxels (array axes z, y, x) whose centres lie in a box, given by two corners in LPS mm (x, y, z).

    The axes of the image may be turned and mirrored, but run along those of the patient. Raises `InputError` when there
    are none.
    """
    corners = np.array([image.TransformPhysicalPointToContinuousIndex(tuple(map(float, corner)))
                        for corner in region_mm])
    low = np.clip(np.ceil(corners.min(axis=0) - _ROUNDING), 0, image.GetSize())
    high = np.clip(np.floor(corners.max(axis=0) + _ROUNDING) + 1, 0, image.GetSize())
    if not (low < high).all():
        raise InputError("the region holds no voxel of the CT", mend="Give two corners in mm (left, posterior, "
                         "superior) with the organ between them.")
    return tuple(slice(int(low[axis]), int(high[axis])) for axis in (2, 1, 0))


def segment_region(study: CTStudy, region_mm: RegionMm, chosen: SegmentationEngine, parameters: BaseModel,
                   progress: Progress) -> OrganMasks:
    """Masks on the grid of the CT of what an engine draws in a box; outside it they are empty.

    The engine sees the box and `MARGIN_MM` around it, or more where it needs that (see `context_of`). Raises
    `InputError` for a region outside the CT, and as the engine does; `Cancelled`.
    """
    box = voxels_of_region(study.image, region_mm)
    around = _with_margin(box, study.image, context_of(chosen, parameters))
    z, y, x = around
    part = replace(study, image=study.image[x, y, z], sop_instance_uids=study.sop_instance_uids[z])
    drawn = chosen.segment(part, parameters, progress)
    masks = OrganMasks(study.image, origin=drawn.origin, notes=dict(drawn.notes))
    inside = tuple(slice(side.start - wide.start, side.stop - wide.start) for side, wide in zip(box, around))
    for name in drawn.segments:
        found = drawn.mask(name)[inside]
        if found.any():
            masks.add(name, found, tuple(side.start for side in box))
            if name in drawn.reviews:  # what the engine says of how it drew holds for this part too
                mark_drawn(masks, drawn.reviews[name].drawn, [name])
        else:
            masks.notes[name] = "not found in the region"
    return masks


def merged(existing: OrganMasks, drawn: OrganMasks, region_mm: RegionMm, names: Iterable[str] | None = None
           ) -> OrganMasks:
    """Existing masks with what was drawn in a box: there the organs have the new voxels, outside their old ones.

    `names`: the organs to take (default: all drawn). One that was not found in the box stays as it was, with a note;
    what is not taken is not touched. A body, or its skin, that the masks do not have is not taken: a computation of
    dose would hold all outside the box for couch and air. Reviews go with the voxels: an organ that changed is edited,
    a new one automatic.
    """
    box = voxels_of_region(existing.reference, region_mm)
    partial = {name for name in _WHOLE if name not in existing.segments}
    wanted = [name for name in (drawn.names if names is None else names) if name not in partial]
    taken = [name for name in wanted if name in drawn.segments]
    layers = [layer.copy() for layer in existing.layers]
    masks = OrganMasks(existing.reference, layers, dict(existing.segments), existing.origin, dict(existing.notes),
                       dict(existing.reviews))
    for name in taken:
        voxels = existing.mask(name) if name in existing.segments else np.zeros(existing.shape, bool)
        voxels[box] = drawn.mask(name)[box]
        if name in masks.segments:
            layer, value = masks.segments.pop(name)
            layers[layer][layers[layer] == value] = 0
        masks.add(name, voxels)
        masks.notes[name] = "; ".join(filter(None, (existing.notes.get(name, ""), "drawn again in a region")))
    for name in set(wanted) - set(taken):
        masks.notes[name] = "not found in the region: left as it was" if name in existing.segments else (
            "not found in the region")
    for name in partial.intersection(drawn.segments):
        masks.notes[name] = "not taken from a region: it would end at the box"
    refresh_reviews(masks)
    for name in taken:
        before, now = existing.reviews.get(name), masks.reviews.get(name)
        if now != before and now.drawn is Drawn.MANUAL:  # an engine had a part in it now
            masks.reviews[name] = replace(now, drawn=Drawn.EDITED)
    mark_drawn(masks, names=set(taken) - existing.segments.keys())
    mark_drawn(masks, Drawn.ESTIMATED, estimated_names(drawn).intersection(taken))
    return masks


def _with_margin(box: Box, image, context: str) -> Box:
    grown = []
    for axis, side in enumerate(box):
        size, spacing_mm = image.GetSize()[2 - axis], image.GetSpacing()[2 - axis]
        whole = context == "ct" or (context == "slices" and axis > 0)
        more = size if whole else int(np.ceil(MARGIN_MM / spacing_mm))
        grown.append(slice(max(0, side.start - more), min(size, side.stop + more)))
    return tuple(grown)
