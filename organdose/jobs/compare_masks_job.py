"""Two segmentations of one patient, compared organ by organ."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from organdose.assess.mask_comparison import compare_masks
from organdose.errors import InputError
from organdose.export.mask_comparison_table import write_mask_comparison_csv
from organdose.progress import Progress
from organdose.segmentation.mask_images import is_mask_image, mask_image_grid
from organdose.segmentation.reading import read_masks
from organdose.study import read_ct
from organdose.study.ct_study import CTStudy
from organdose.study.facts import CTAcquisition


class CompareMasksJob(BaseModel):
    """Parameters of one comparison; `out` is a CSV file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    test: Path
    reference: Path
    out: Path
    ct: Path | None = None


def run_compare_masks_job(job: CompareMasksJob, progress: Progress | None = None) -> None:
    """`run_compare_masks` of a described job."""
    run_compare_masks(job.test, job.reference, job.out, job.ct, progress)


def run_compare_masks(test: Path, reference: Path, out: Path, ct: Path | None = None,
                      progress: Progress | None = None) -> None:
    """Write organ, Dice, Jaccard, precision, recall, HD95, surface Dice and volumes to `out`.

    Contours and DICOM SEG have no grid of their own: with one of them `ct` is needed. Without `ct` the grid is that of
    the reference file. Raises `InputError` for files that cannot be read or do not fit.
    """
    progress = progress or Progress()
    if not os.path.exists(reference):
        raise InputError("there is no such file or folder", where=reference, mend="Check the path of the masks.")
    if ct is not None:
        study = read_ct(ct, progress=progress)
    elif is_mask_image(reference) and reference.is_file():
        study = CTStudy(mask_image_grid(reference), CTAcquisition())
    else:
        raise InputError("the reference has no grid of its own", where=reference, mend="Give the CT with --ct.")
    rows = compare_masks(read_masks(test, study, progress=progress), read_masks(reference, study, progress=progress))
    write_mask_comparison_csv(out, rows)
