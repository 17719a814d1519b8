"""Masks of a CT on disk, drawn by an engine and written as .seg.nrrd."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from organdose.anatomy.organ_masks import OrganMasks
from organdose.errors import InputError
from organdose.export.seg_nrrd import write_seg_nrrd
from organdose.jobs.parameters import checked
from organdose.progress import Progress
from organdose.segmentation.engines import engine
from organdose.study import read_ct


class SegmentJob(BaseModel):
    """Parameters of one segmentation. `organs`: those wanted; all the engine can draw without."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ct: Path
    out: Path
    engine: str = "analytic"
    organs: tuple[str, ...] | None = None
    series: str | None = None
    model: Path | None = None
    device: str = "auto"


def run_segment(job: SegmentJob, progress: Progress | None = None) -> OrganMasks:
    """Draw and write the masks. Raises `InputError` for input that cannot be used, `Cancelled`."""
    progress = progress or Progress()
    if not job.out.name.endswith(".seg.nrrd"):
        raise InputError("masks are written as .seg.nrrd", where=job.out, mend="Give -o a name with that ending.")
    chosen = engine(job.engine)
    offered = chosen.parameters.model_fields
    wanted = {"organs": job.organs, "model": job.model, "device": None if job.device == "auto" else job.device}
    given = {name: value for name, value in wanted.items() if value is not None}
    foreign = [name for name in given if name not in offered]
    if foreign:
        raise InputError(f"the {chosen.name} engine has no option --{foreign[0]}", mend="Leave it out.")
    parameters = checked(chosen.parameters, **given)
    study = read_ct(job.ct, series=job.series, progress=progress)
    masks = chosen.segment(study, parameters, progress)
    write_seg_nrrd(masks, job.out)
    return masks
