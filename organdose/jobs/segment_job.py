"""Masks of a CT on disk, drawn by an engine and written as .seg.nrrd."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from organdose.anatomy.mask_finding import Finding
from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.organs import organ
from organdose.anatomy.review import mark_drawn
from organdose.errors import InputError
from organdose.export.mask_findings_table import write_findings_csv
from organdose.export.seg_nrrd import write_seg_nrrd
from organdose.jobs.parameters import checked
from organdose.progress import Progress
from organdose.segmentation.engines import engine
from organdose.segmentation.mask_quality import mask_findings
from organdose.study import read_ct


class SegmentJob(BaseModel):
    """Parameters of one segmentation.

    `organs`: those wanted, all the engine can draw without; what this CT does not show is left out with a note.

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


def run_segment(job: SegmentJob, progress: Progress | None = None) -> OrganMasks:
    """Draw, check and write the masks. Raises `InputError` for input that cannot be used or shows none, `Cancelled`.

    What the quality control found lies beside the masks (see `findings_path`).
    """
    return segment_and_check(job, progress)[0]


def findings_path(masks: Path) -> Path:
    """Where the findings lie: `m.seg.nrrd` -> `m.findings.csv`, so that masks in one folder keep their own."""
    return masks.with_name(masks.name.removesuffix(".seg.nrrd") + ".findings.csv")


def segment_and_check(job: SegmentJob, progress: Progress | None = None) -> tuple[OrganMasks, tuple[Finding, ...]]:
    """As `run_segment`; gives the findings too."""
    progress = progress or Progress()
    if not job.out.name.endswith(".seg.nrrd"):
        raise InputError("masks are written as .seg.nrrd", where=job.out, mend="Give -o a name with that ending.")
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
    masks = chosen.segment(study, parameters, progress)
    if job.organs is not None:
        masks = masks.kept(job.organs)
        if not masks.segments:
            raise InputError(f"not found in this CT: {', '.join(job.organs)}", where=job.ct, mend="Leave them out.")
    expected = job.organs or [name for name in chosen.organs if not getattr(chosen, "organs_by_model", False)
                              or name in masks.segments or name in masks.notes]
    findings = mask_findings(masks, study.image, sex=study.patient_sex, expected=expected, progress=progress)
    mark_drawn(masks)
    write_seg_nrrd(masks, job.out, compressed=job.compressed)
    write_findings_csv(findings_path(job.out), findings)
    return masks, findings


def _check_organs(job: SegmentJob, offered: tuple[str, ...]) -> None:
    for name in job.organs or ():
        organ(name)
        if name not in offered:
            raise InputError(f"the {job.engine} engine does not draw {name!r}", mend=f"It draws: {', '.join(offered)}.")
