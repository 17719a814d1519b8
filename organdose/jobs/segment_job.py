"""Masks of a CT on disk, drawn by an engine and written as .seg.nrrd."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from organdose.anatomy.mask_finding import Finding
from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.organs import organ
from organdose.anatomy.review import mark_drawn
from organdose.errors import InputError
from organdose.export.mask_findings_table import findings_path, write_findings_csv
from organdose.export.seg_nrrd import write_seg_nrrd
from organdose.jobs.parameters import checked
from organdose.progress import Progress
from organdose.segmentation.engines import engine
from organdose.segmentation.mask_quality import mask_findings
from organdose.segmentation.reading import read_masks
from organdose.segmentation.region import RegionMm, merged, segment_region
from organdose.study import read_ct
from organdose.study.ct_study import CTStudy


class SegmentJob(BaseModel):
    """Parameters of one segmentation.

    `organs`: those wanted, all the engine can draw without; what this CT does not show is left out with a note.

    `region_mm`: two corners of a box in LPS mm; only there the CT is segmented. With `masks`, a file of masks of this
    CT, what is drawn takes the place of the organ's voxels in the box, and all else is kept.

    `engine_parameters` are those the engine declares. `compressed` costs seconds for a large CT and saves disk space.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    ct: Path
    out: Path
    engine: str = "analytic"
    organs: tuple[str, ...] | None = Field(None, min_length=1)
    series: str | None = None
    model: Path | None = None
    device: str = "auto"
    engine_parameters: dict[str, object] = Field(default_factory=dict)
    compressed: bool = True
    region_mm: RegionMm | None = None
    masks: Path | None = None


def run_segment(job: SegmentJob, progress: Progress | None = None) -> OrganMasks:
    """Draw, check and write the masks. Raises `InputError` for input that cannot be used or shows none, `Cancelled`.

    What the quality control found lies beside the masks (see `findings_path`).
    """
    return segment_and_check(job, progress)[0]


def segment_and_check(job: SegmentJob, progress: Progress | None = None) -> tuple[OrganMasks, tuple[Finding, ...]]:
    """As `run_segment`; gives the findings too."""
    progress = progress or Progress()
    if not job.out.name.endswith(".seg.nrrd"):
        raise InputError("masks are written as .seg.nrrd", where=job.out, mend="Give -o a name with that ending.")
    if job.masks is not None and job.region_mm is None:
        raise InputError("masks to correct, but no region to correct them in", where=job.masks, mend="Give a region.")
    chosen = engine(job.engine)
    _check_organs(job, chosen.organs)
    wanted = {"model": job.model, "device": None if job.device == "auto" else job.device}
    given = {name: value for name, value in wanted.items() if value is not None}
    foreign = [name for name in given if name not in chosen.parameters.model_fields and given[name] != "cpu"]
    if foreign:
        raise InputError(f"the {chosen.name} engine has no use for --{foreign[0]} {given[foreign[0]]}",
                         mend="Leave it out.")
    own = {name: value for name, value in given.items() if name in chosen.parameters.model_fields}
    parameters = checked(chosen.parameters, **job.engine_parameters, **own)
    study = read_ct(job.ct, series=job.series, progress=progress)
    masks = _drawn(job, study, parameters, progress)
    findings: tuple[Finding, ...] = ()
    if job.region_mm is None or job.masks is not None:  # a box full of an organ says nothing of the organ
        expected = job.organs or [name for name in chosen.organs if not getattr(chosen, "organs_by_model", False)
                                  or name in masks.segments or name in masks.notes]
        findings = mask_findings(masks, study.image, sex=study.patient_sex, expected=expected, progress=progress)
    write_seg_nrrd(masks, job.out, compressed=job.compressed)
    write_findings_csv(findings_path(job.out), findings)
    return masks, findings


def _drawn(job: SegmentJob, study: CTStudy, parameters: BaseModel, progress: Progress) -> OrganMasks:
    """The masks the job asks for: of the whole CT, of a box of it, or of the box joined with masks there were."""
    # Read first: drawing may take an hour.
    existing = None if job.masks is None else read_masks(job.masks, study, progress=progress)
    if job.region_mm is None:
        masks, place = engine(job.engine).segment(study, parameters, progress), "CT"
    else:
        masks, place = segment_region(study, job.region_mm, engine(job.engine), parameters, progress), "region"
    if job.organs is not None:
        masks = masks.kept(job.organs)
        if not masks.segments:
            raise InputError(f"not found in this {place}: {', '.join(job.organs)}", where=job.ct,
                             mend="Leave them out.")
    if existing is None:
        # What an engine says of its own masks (estimated) stays.
        mark_drawn(masks, names=[name for name in masks.names if name not in masks.reviews])
        return masks
    return merged(existing, masks, job.region_mm, job.organs)


def _check_organs(job: SegmentJob, offered: tuple[str, ...]) -> None:
    for name in job.organs or ():
        organ(name)
        if name not in offered:
            raise InputError(f"the {job.engine} engine does not draw {name!r}", mend=f"It draws: {', '.join(offered)}.")
