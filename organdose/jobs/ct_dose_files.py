"""The files of a CT dose result: maps, tables, pictures, report and scene."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from organdose.dose_map import DoseMap
from organdose.export.descriptor_tables import (
    write_descriptors_csv,
    write_effective_dose_csv,
    write_scan_range_csv,
    write_slices_csv,
)
from organdose.export.image_file import write_image, write_map
from organdose.export.pictures import write_pictures
from organdose.export.report import ReportContent, write_report
from organdose.export.seg_nrrd import write_seg_nrrd
from organdose.export.tables import write_dvh_csv, write_organs_csv
from organdose.jobs.ct_dose_folder import BODY_NAME, CONTRAST_NAME
from organdose.jobs.ct_dose_job import CTDoseResult
from organdose.jobs.ct_dose_text import DESCRIPTORS_LEGEND, headline, limits, mask_warnings, method
from organdose.jobs.record import RunRecord
from organdose.jobs.scene_file import write_scene_file
from organdose.progress import Progress
from organdose.segmentation.masks_for_study import BODY_ADDED


def write_ct_dose_files(folder: Path, result: CTDoseResult, record: RunRecord, *, scene: bool,
                        progress: Progress) -> None:
    """Fill `folder` with everything but `run.json`. Raises `OSError` or `InputError` when one cannot be written."""
    dose = result.dose
    with record.timed("tables"):
        write_map(dose.dose_mgy, folder / "dose.nrrd", units="mGy", quantity=dose.quantity, engine=dose.engine)
        if dose.relative_uncertainty is not None:
            write_map(dose.relative_uncertainty, folder / "uncertainty.nrrd", units="1",
                       quantity="relative standard uncertainty", engine=dose.engine)
        write_map(_density(dose), folder / "density.nrrd", units="g/cm3", quantity="density", engine=dose.engine)
        write_organs_csv(folder / "organs.csv", result.rows)
        write_dvh_csv(folder / "dvh.csv", result.histograms)
        write_scan_range_csv(folder / "scan_range.csv", result.ranges)
        if result.descriptors is not None:
            write_descriptors_csv(folder / "dose_descriptors.csv", result.descriptors.rows)
            write_slices_csv(folder / "slices.csv", result.descriptors)
            write_effective_dose_csv(folder / "effective_dose.csv", result.descriptors.effective_dose)
    if result.contrast is not None:
        with record.timed("contrast written"):
            write_image(result.contrast, folder / CONTRAST_NAME)
    if result.masks.notes.get("body") == BODY_ADDED:
        with record.timed("masks written"):
            # Who gave the masks has no body among them, and the table has a row for it.
            write_seg_nrrd(result.masks.kept(["body"]), folder / BODY_NAME, compressed=False)
    with record.timed("pictures"):
        pictures = write_pictures(folder / "pictures", result.study.image, dose, result.masks, result.rows,
                                  result.histograms, result.study.acquisition, result.study.slice_positions_mm,
                                  progress=progress)
    if scene:
        with record.timed("scene"):
            _write_scene(folder / "scene.mrb", result, record, progress)
    write_report(ReportContent(
        title="CT organ dose", acquisition=result.study.acquisition, masks_origin=result.masks.origin,
        rows=result.rows, dvhs=result.histograms, pictures=pictures, headline=headline(result), method=method(result),
        limits=limits(result), engine=dose.engine, engine_facts=dose.facts,
        descriptors=() if result.descriptors is None else result.descriptors.rows,
        descriptors_legend=DESCRIPTORS_LEGEND, warnings=[*result.warnings, *mask_warnings(result.masks)],
        record=record.as_dict()), folder / "report.html")


def _density(dose: DoseMap) -> sitk.Image:
    image = sitk.GetImageFromArray(np.asarray(dose.density_g_cm3, np.float32))
    image.CopyInformation(dose.dose_mgy)
    return image


def _write_scene(path: Path, result: CTDoseResult, record: RunRecord, progress: Progress) -> None:
    def build():
        from organdose.scene.ct_dose_scene import build_ct_dose_scene

        return build_ct_dose_scene(result.study.image, result.dose, result.masks, result.rows, result.histograms,
                                   descriptors=() if result.descriptors is None else result.descriptors.rows,
                                   contrast=result.contrast)

    write_scene_file(path, build, record, progress)
