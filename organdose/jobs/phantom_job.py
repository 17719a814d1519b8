"""The embedded test patient as a job: the parameters of `write_phantom_study`."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from organdose.jobs.phantom_study import PhantomStudyPaths, write_phantom_study
from organdose.progress import Progress


class PhantomJob(BaseModel):
    """Parameters of one phantom study; `z_range_mm` replaces `region`, `pixel_mm` None means a field of 500 mm."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    out: Path
    name: str = "adult-male"
    seed: int = Field(0, ge=0)
    region: str = "trunk"
    slice_mm: float = Field(5.0, gt=0)
    pixels: int = Field(512, ge=1)
    pixel_mm: float | None = Field(None, gt=0)
    z_range_mm: tuple[float, float] | None = None


def run_phantom(job: PhantomJob, progress: Progress | None = None) -> PhantomStudyPaths:
    """Write the study to `job.out`. Raises `InputError` as `write_phantom_study`, `Cancelled`."""
    return write_phantom_study(job.name, job.out, seed=job.seed, slice_mm=job.slice_mm, pixel_mm=job.pixel_mm,
                               pixels=job.pixels, region=job.region, z_range_mm=job.z_range_mm, progress=progress)
