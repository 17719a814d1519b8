"""Masks of a CT on disk, drawn by an engine and written as .seg.nrrd."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.organs import organ
from organdose.errors import InputError
from organdose.export.seg_nrrd import write_seg_nrrd
from organdose.jobs.parameters import checked
from organdose.progress import Progress
from organdose.segmentation.engines import engine
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
    """Draw and write the masks. Raises `InputError` for input that cannot be used or shows none, `Cancelled`."""
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
    write_seg_nrrd(masks, job.out, compressed=job.compressed)
    return masks


def _check_organs(job: SegmentJob, offered: tuple[str, ...]) -> None:
    for name in job.organs or ():
        organ(name)
        if name not in offered:
            raise InputError(f"the {job.engine} engine does not draw {name!r}", mend=f"It draws: {', '.join(offered)}.")
