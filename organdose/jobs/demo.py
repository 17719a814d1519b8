"""The whole job on the embedded study: what a new user runs first."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from organdose.jobs.ct_dose_job import run_ct_dose
from organdose.jobs.parameters import ct_dose_job
from organdose.jobs.phantom_study import write_phantom_study
from organdose.jobs.result_folder import check_result_folder
from organdose.progress import Progress


@dataclass(frozen=True)
class DemoPaths:
    """What the demo leaves: the generated study, the result folder, and the two files to open first."""

    study: Path
    result: Path
    report: Path
    scene: Path


def run_demo(out: Path, *, seed: int = 0, histories: int = 20_000_000, progress: Progress | None = None) -> DemoPaths:
    """Write the phantom study to `out`/study and its CT dose, with the phantom's RTSTRUCT, to `out`/ct-dose.

    A demo that is there already is replaced. Raises `InputError` when `out` holds anything else, `Cancelled`.
    """
    study, result = out / "study", out / "ct-dose"
    check_result_folder(result)
    new = not out.exists()
    try:
        paths = write_phantom_study("adult-male", study, seed=seed, progress=progress)
        job = ct_dose_job(ct=paths.ct, out=result, segmentation=paths.rtstruct, histories=histories)
        run_ct_dose(job, progress)
    except BaseException:
        if new:
            shutil.rmtree(out, ignore_errors=True)
        raise
    return DemoPaths(study, result, result / "report.html", result / "scene.mrb")
