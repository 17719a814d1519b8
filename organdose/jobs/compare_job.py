"""Two dose maps of one patient, compared voxel by voxel and organ by organ, to a result folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import SimpleITK as sitk
from pydantic import BaseModel, ConfigDict, Field

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.tissues import schneider2000
from organdose.assess.dose_map_comparison import DoseMapComparison, compare_dose_maps
from organdose.assess.dose_map_pair import LOW_DOSE_PERCENT, dose_map_pair
from organdose.assess.error_statistics import ErrorStatistics
from organdose.assess.gamma_index import GammaCriteria
from organdose.assess.organ_dose_comparison import (
    OrganDoseDifference,
    body_region,
    organ_dose_differences,
    organ_errors,
    with_uncertainty,
)
from organdose.errors import InputError
from organdose.jobs.dose_map_input import DoseMapInput, other_ct, read_dose_maps, same_noise, stated_percent
from organdose.jobs.record import RunRecord
from organdose.jobs.result_folder import RECORD_NAME, check_result_folder, result_folder
from organdose.progress import Progress
from organdose.segmentation.mask_images import is_mask_image, mask_image_grid
from organdose.segmentation.masks_for_study import LABEL_MAP, fill_body, masks_for_study
from organdose.segmentation.reading import read_masks
from organdose.study import read_ct
from organdose.study.ct_study import CTStudy
from organdose.study.facts import CTAcquisition


class CompareOptions(BaseModel):
    """How maps are compared, whichever they are.

    `units`: of files that do not say their own. `low_dose_percent`: of the normalisation (the reference's maximum in
    the region unless `normalisation_mgy` is given); below it there is neither gamma nor relative error, and without
    a body mask no comparison.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    units: Literal["mGy", "Gy", "cGy", "uGy"] | None = None
    gamma_mm: float = Field(1.0, gt=0)
    gamma_percent: float = Field(1.0, gt=0)
    max_gamma: float = Field(2.0, ge=1)
    low_dose_percent: float = Field(LOW_DOSE_PERCENT, ge=0, lt=100)
    normalisation_mgy: float | None = Field(None, gt=0)
    organs: tuple[str, ...] | None = Field(None, min_length=1)


class CompareJob(CompareOptions):
    """Parameters of one comparison. `ct` weights organ means with mass and lies under the scene; contours need it."""

    test: Path
    reference: Path
    out: Path
    segmentation: Path | None = None
    ct: Path | None = None
    series: str | None = None
    scene: bool = True


@dataclass(frozen=True)
class ComparisonResult:
    """Everything a comparison consists of, before it is written; organ parts are None without masks."""

    comparison: DoseMapComparison
    organs: list[OrganDoseDifference] | None
    organ_errors: ErrorStatistics | None
    masks: OrganMasks | None
    ct: sitk.Image | None
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]


def run_compare(job: CompareJob, progress: Progress | None = None) -> ComparisonResult:
    """Compare two maps and write the result folder `job.out`, whole or not at all.

    Raises `InputError` for input that cannot be used, `Cancelled`.
    """
    from organdose.jobs.compare_files import write_comparison_files

    progress = progress or Progress()
    record = RunRecord("compare", json.loads(job.model_dump_json()))
    check_result_folder(job.out)
    check_inputs_outside(job.out, (job.test, job.reference, job.segmentation, job.ct))
    result = compute_comparison(job, record, progress)
    with result_folder(job.out) as folder:
        write_comparison_files(folder, result, record, scene=job.scene, progress=progress)
        record.write(folder / RECORD_NAME)
        progress.report("Done", 1.0)
    return result


def compute_comparison(job: CompareJob, record: RunRecord, progress: Progress, role: str = "") -> ComparisonResult:
    """Read and compare without writing; notes inputs (their names begin with `role`), facts and times in `record`."""
    with record.timed("read"):
        progress.report("Reading", 0.0)
        test, reference = read_dose_maps(job.test, job.reference, job.units)
        record.add_input(f"{role}test", job.test, test.files)
        record.add_input(f"{role}reference", job.reference, reference.files)
        masks, study = _masks(job, record, role, progress)
    with record.timed("voxels"):
        body = None if masks is None else body_region(masks, reference.image, progress)
        pair = dose_map_pair(test.image, reference.image, body=body, low_dose_percent=job.low_dose_percent,
                             normalisation_mgy=job.normalisation_mgy)
        criteria = GammaCriteria(job.gamma_mm, job.gamma_percent, max_gamma=job.max_gamma)
        found = compare_dose_maps(pair, criteria, test_uncertainty=test.relative_uncertainty,
                                  reference_uncertainty=reference.relative_uncertainty, progress=progress)
    with record.timed("organs"):
        rows = None if masks is None else _organs(job, found, masks, study, test, reference, progress)
    assumptions = (*test.notes, *reference.notes, *pair.assumptions, *_about_organs(rows, study, masks),
                   *([f"No z-scores: {found.no_statistics}."] if found.no_statistics else []))
    warnings = (*pair.warnings, *_about_runs(test, reference, found))
    record.facts.update({f"{role}assumptions": assumptions, f"{role}warnings": warnings})
    return ComparisonResult(found, rows, None if rows is None else organ_errors(rows, pair.low_dose_mgy), masks,
                            None if study is None else study.image, assumptions, warnings)


def check_inputs_outside(out: Path, inputs: tuple[Path | None, ...]) -> None:
    """A result replaces its folder: raises `InputError` when an input lies in it."""
    for path in inputs:
        if path is not None and path.absolute().is_relative_to(out.absolute()):
            raise InputError("the output folder holds an input of this run", where=out,
                             mend="Give another folder with -o.")


def _masks(job: CompareJob, record: RunRecord, role: str,
           progress: Progress) -> tuple[OrganMasks | None, CTStudy | None]:
    """Masks and the CT, as far as they were given; with a CT the body is drawn where the masks have none."""
    if job.ct is not None:
        study = read_ct(job.ct, series=job.series, progress=progress)
        record.add_input(f"{role}ct", job.ct, study.files)
        masks = masks_for_study(study, job.segmentation, progress=progress)
    elif job.segmentation is None:
        if job.organs is not None:
            raise InputError("organs are asked for, and there are no masks", mend="Give them with --segmentation.")
        return None, None
    elif is_mask_image(job.segmentation) and job.segmentation.is_file():
        study = None
        masks = read_masks(job.segmentation, CTStudy(mask_image_grid(job.segmentation), CTAcquisition()),
                           progress=progress)
        if masks.origin == LABEL_MAP and "body" in masks.segments:
            fill_body(masks)
    elif not job.segmentation.exists():
        raise InputError("there is no such file or folder", where=job.segmentation, mend="Check the path of the masks.")
    else:
        raise InputError("the masks have no grid of their own", where=job.segmentation, mend="Give the CT with --ct.")
    if job.segmentation is not None:
        files = job.segmentation.rglob("*") if job.segmentation.is_dir() else [job.segmentation]
        record.add_input(f"{role}segmentation", job.segmentation, sorted(file for file in files if file.is_file()))
    return masks, study


def _organs(job: CompareJob, found: DoseMapComparison, masks: OrganMasks, study: CTStudy | None, test: DoseMapInput,
            reference: DoseMapInput, progress: Progress) -> list[OrganDoseDifference]:
    density = None if study is None else schneider2000().density_g_cm3(sitk.GetArrayViewFromImage(study.image))
    rows = organ_dose_differences(found.pair, masks, found.gamma_global.gamma, density_g_cm3=density,
                                  organs=job.organs, progress=progress)
    return with_uncertainty(rows, stated_percent(test, {row.organ: row.test_mgy for row in rows}),
                            stated_percent(reference, {row.organ: row.reference_mgy for row in rows}))


def _about_organs(rows: list[OrganDoseDifference] | None, study: CTStudy | None,
                  masks: OrganMasks | None) -> tuple[str, ...]:
    if rows is None or masks is None:
        return ()
    weighted = "mass (density from the CT)" if study is not None else "volume (no CT was given)"
    counted = sum(row.in_summary and bool(np.isfinite(row.difference_mgy)) for row in rows)
    return (f"Organ means are weighted with {weighted}. Masks: {masks.origin or 'origin not stated'}.",
            f"The figures over organs take {counted} organs as drawn, without the body, its remainder and groups."
            if not all(row.in_summary for row in rows) else f"The figures over organs take {counted} organs.")


def _about_runs(test: DoseMapInput, reference: DoseMapInput, found: DoseMapComparison) -> tuple[str, ...]:
    told = []
    if other_ct(test, reference):
        told.append("the two maps were computed on different CTs, by their records")
    if found.statistics is not None and same_noise(test, reference):
        told.append("both runs used the same seed: their noise may be the same, and z-scores then say nothing")
    if found.statistics is not None and found.statistics.maps != "both":
        told.append(f"only the {found.statistics.maps} states an uncertainty: z-scores take the other map as exact")
    return tuple(told)
