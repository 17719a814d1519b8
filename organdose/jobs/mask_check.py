"""What the quality control says of the masks that a dose is computed with."""

from __future__ import annotations

import SimpleITK as sitk

from organdose.anatomy.mask_finding import Severity
from organdose.anatomy.organ_masks import OrganMasks
from organdose.progress import Progress
from organdose.segmentation.mask_quality import mask_findings


def bad_mask_warnings(masks: OrganMasks, ct: sitk.Image, sex: str, progress: Progress | None = None
                      ) -> tuple[str, ...]:
    """One line for each finding that makes a mask unfit for a dose; what is only for a look stays with the masks.

    Raises `InputError` when the CT lies on another grid, `Cancelled`.
    """
    findings = mask_findings(masks, ct, sex=sex, progress=progress)
    return tuple(f"Mask {found.line} (a bad mask: correct it before using its dose)" for found in findings
                 if found.severity is Severity.BAD)
