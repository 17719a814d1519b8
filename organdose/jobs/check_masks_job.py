"""Masks checked again, after somebody edited them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from organdose.anatomy.mask_finding import Finding
from organdose.export.mask_findings_table import write_findings_csv
from organdose.progress import Progress
from organdose.segmentation.mask_quality import mask_findings
from organdose.segmentation.reading import read_masks
from organdose.study import read_ct


class CheckMasksJob(BaseModel):
    """Parameters of one check; `out` is a CSV file.

    `expected`: organs that should be there where the image shows their place. `organs`: those that are there, the
    empty ones too, which files leave out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    ct: Path
    masks: Path
    out: Path
    series: str | None = None
    expected: tuple[str, ...] = ()
    organs: tuple[str, ...] = ()


def run_check_masks(job: CheckMasksJob, progress: Progress | None = None) -> tuple[Finding, ...]:
    """Check the masks and write what was found. Raises `InputError` for input that cannot be used, `Cancelled`."""
    progress = progress or Progress()
    study = read_ct(job.ct, series=job.series, progress=progress)
    masks = read_masks(job.masks, study, progress=progress)
    for name in job.organs:
        if name not in masks.segments:
            masks.add(name, np.zeros(masks.shape, bool))
    findings = mask_findings(masks, study.image, sex=study.patient_sex, expected=job.expected, progress=progress)
    write_findings_csv(job.out, findings)
    return findings
