"""The masks a job works with: somebody's file, or what the analytic engine can tell."""

from __future__ import annotations

from pathlib import Path

from organdose.anatomy.organ_masks import OrganMasks
from organdose.progress import Progress
from organdose.study.ct_study import CTStudy


def masks_for_study(study: CTStudy, segmentation: Path | None, *, progress: Progress | None = None) -> OrganMasks:
    """Masks read from `segmentation`, or drawn by the analytic engine without one.

    A body outline is added when the file has none: the table needs it for the mean dose and the remainder.
    Raises `InputError` as the readers and the engine do.
    """
    from organdose.segmentation.engines import engine
    from organdose.segmentation.reading import read_masks

    analytic = engine("analytic")
    if segmentation is None:
        return analytic.segment(study, analytic.parameters(), progress)
    masks = read_masks(segmentation, study, progress=progress)
    if "body" not in masks.segments:
        drawn = analytic.segment(study, analytic.parameters(organs=("body",)), progress)
        masks.add("body", drawn.mask("body"))
        masks.notes["body"] = "drawn by the analytic engine; not in the file"
    return masks
