"""The whole job on the embedded study: what a new user runs first."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from organdose.errors import InputError
from organdose.jobs.ct_dose_job import run_ct_dose
from organdose.jobs.demo_segmentation import MASKS, DemoMasks, demo_masks
from organdose.jobs.internal_dose_job import run_internal_dose
from organdose.jobs.parameters import ct_dose_job, internal_dose_job
from organdose.jobs.phantom_study import PhantomStudyPaths, write_phantom_study
from organdose.jobs.result_folder import check_result_folder, missing_folders, remove_empty
from organdose.jobs.total_job import TotalJob, run_total
from organdose.progress import Progress


@dataclass(frozen=True)
class DemoPaths:
    """What the demo leaves: the generated study, its masks, the result folders of CT, PET and both, and the files to
    open first.

    `picture` is None where the machine cannot draw the scene.
    """

    study: Path
    masks: DemoMasks
    result: Path
    internal: Path
    total: Path
    picture: Path | None

    @property
    def report(self) -> Path:
        return self.result / "report.html"

    @property
    def scene(self) -> Path:
        return self.result / "scene.mrb"


def run_demo(out: Path, *, seed: int = 0, histories: int = 20_000_000, decays: int = 1_000_000,
             progress: Progress | None = None) -> DemoPaths:
    """Write the phantom study to `out`/study, masks that the shipped network draws on its CT to `out`/segmentation, the
    dose of the CT to `out`/ct-dose, that of its PET to `out`/internal-dose, and their sum to `out`/total.

    The doses are those of the drawn organs, as a user would have them; the phantom's own masks are only compared with.
    A demo that is there already is replaced. Raises `InputError` when `out` holds anything else, `Cancelled`.
    """
    study, *results = folders = [out / name for name in ("study", "segmentation", "ct-dose", "internal-dose", "total")]
    for folder in results:
        check_result_folder(folder)
    drawn, result, internal, total = results
    planned = PhantomStudyPaths(study)
    job = ct_dose_job(ct=planned.ct, out=result, segmentation=drawn / MASKS, histories=histories)
    pet_job = internal_dose_job(pet=(planned.pet,), ct=planned.ct, out=internal, segmentation=drawn / MASKS,
                                compare_with=("local",), histories=decays)
    new = [folder for folder in folders if not folder.exists()]
    above = missing_folders(out.absolute())
    try:
        write_phantom_study("adult-male", study, seed=seed, progress=progress)
        masks = demo_masks(planned, drawn, progress)
        run_ct_dose(job, progress)
        run_internal_dose(pet_job, progress)
        run_total(TotalJob(folders=(result, internal), out=total), progress)
        picture = _picture_of_scene(result / "scene.mrb", out / "scene.png", progress or Progress())
    except BaseException:
        for folder in new:
            shutil.rmtree(folder, ignore_errors=True)
        remove_empty(above)
        raise
    return DemoPaths(study, masks, result, internal, total, picture)


def _picture_of_scene(scene: Path, picture: Path, progress: Progress) -> Path | None:
    """Open the saved scene again and draw it as Slicer's four views would show it."""
    if not scene.is_file():
        return None
    from organdose.scene.ct_dose_scene import open_scene
    from organdose.scene.screenshot import save_picture, scene_picture

    progress.report("Picture of the scene", 0.0)
    opened = open_scene(scene)
    try:
        save_picture(scene_picture(opened), picture)
    except InputError:
        return None  # no graphics library on this machine: the scene itself is complete
    finally:
        opened.remove()
    progress.report("Picture of the scene", 1.0)
    return picture
