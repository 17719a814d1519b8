"""Masks from one format into another: what others drew comes in, what was corrected here goes out."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from organdose.anatomy.organ_masks import OrganMasks
from organdose.errors import InputError
from organdose.export.dicom_seg import write_dicom_seg
from organdose.export.label_maps import write_label_map, write_organ_folder
from organdose.export.mask_findings_table import findings_path, write_findings_csv
from organdose.export.rtstruct import write_rtstruct
from organdose.export.seg_nrrd import write_seg_nrrd
from organdose.progress import Progress
from organdose.segmentation.mask_quality import mask_findings
from organdose.segmentation.reading import read_masks
from organdose.study import read_ct

MaskFormat = Literal["seg.nrrd", "nifti", "nifti-folder", "dicom-seg", "rtstruct"]


class ConvertMasksJob(BaseModel):
    """Parameters of one conversion.

    `ct`: the CT the masks were drawn on, as DICOM folder where they are to become DICOM. `compressed` is for .seg.nrrd.
    `format` 'nifti' is one label map with a legend beside, 'nifti-folder' a folder with a file an organ.
    `check`: write what the quality control finds beside the masks (see `findings_path`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    ct: Path
    masks: Path
    out: Path
    format: MaskFormat = "seg.nrrd"
    series: str | None = None
    compressed: bool = True
    check: bool = False


def run_convert_masks(job: ConvertMasksJob, progress: Progress | None = None) -> OrganMasks:
    """Read the masks and write them in the other format, whole or not at all. Raises `InputError`, `Cancelled`."""
    progress = progress or Progress()
    study = read_ct(job.ct, series=job.series, progress=progress)
    masks = read_masks(job.masks, study, progress=progress)
    if job.check:
        write_findings_csv(findings_path(job.out),
                           mask_findings(masks, study.image, sex=study.patient_sex, progress=progress))
    progress.report("Writing the masks", 0.0)
    if job.format == "seg.nrrd":
        write_seg_nrrd(masks, job.out, compressed=job.compressed)
    elif job.format == "nifti":
        write_label_map(masks, job.out)
    elif job.format == "nifti-folder":
        write_organ_folder(masks, job.out, progress)
    else:
        if not study.series_uid:
            raise InputError("DICOM masks refer to a DICOM series, and this CT is none", where=job.ct,
                             mend="Write .seg.nrrd, or give the CT's DICOM folder.")
        (write_dicom_seg if job.format == "dicom-seg" else write_rtstruct)(masks, study, job.out)
    progress.report("Writing the masks", 1.0)
    return masks
