"""The masks a job works with: somebody's file, or what the analytic engine can tell."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.organs import describe
from organdose.anatomy.review import mark_drawn
from organdose.progress import Progress
from organdose.segmentation.analytic import AnalyticParameters
from organdose.segmentation.analytic_bones import bone_mask
from organdose.study.ct_study import CTStudy

BODY_ADDED = "drawn by the analytic engine; not in the file"
LABEL_MAP = "label map"  # the origin that `reading.read_masks` gives masks of a label map


def masks_for_study(study: CTStudy, segmentation: Path | None, *, progress: Progress | None = None) -> OrganMasks:
    """Masks read from `segmentation`, or drawn by the analytic engine without one.

    A body outline is added when the file has none: the table needs it for the mean dose and the remainder. The reviews
    are those of the file, compared with its voxels; what the analytic engine draws is automatic.
    Raises `InputError` as the readers and the engine do.
    """
    from organdose.segmentation.reading import read_masks

    if segmentation is None:
        masks = _analytic(study, progress)
        mark_drawn(masks)
        return masks
    masks = read_masks(segmentation, study, progress=progress)
    if "body" not in masks.segments:
        masks.add("body", _analytic(study, progress).mask("body"))
        masks.notes["body"] = BODY_ADDED
        mark_drawn(masks, names=["body"])
    elif masks.origin == LABEL_MAP:
        fill_body(masks)
    return masks


def thresholded_bones(study: CTStudy, masks: OrganMasks, progress: Progress | None = None) -> np.ndarray:
    """Bones by thresholds (bool, (z, y, x)): those of `masks` where the analytic engine drew them, else drawn now."""
    if masks.origin.startswith("analytic"):
        return masks.union(["bones"])
    settings = AnalyticParameters()
    return bone_mask(study.image, masks.mask("body"), settings.bone_low_hu, settings.bone_high_hu, progress)


def fill_body(masks: OrganMasks) -> None:
    """A label map gives each voxel to one organ only: the body is what it calls body and all organs together."""
    whole = masks.union(name for name in masks.names if describe(name).category_meaning != "Physical object")
    layer, value = masks.segments.pop("body")
    masks.layers[layer][masks.layers[layer] == value] = 0
    masks.add("body", whole)


def _analytic(study: CTStudy, progress: Progress | None) -> OrganMasks:
    from organdose.segmentation.engines import engine

    return engine("analytic").segment(study, engine("analytic").parameters(), progress or Progress())
