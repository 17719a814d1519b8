"""The files of an internal dose result: maps, tables, pictures, report and scene."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import SimpleITK as sitk

from organdose.assess.engine_comparison import EngineComparison, engine_comparison
from organdose.dose_map import DoseMap
from organdose.export.descriptor_tables import write_descriptors_csv, write_effective_dose_csv
from organdose.export.engine_table import ENGINES_NAME, write_engines_csv
from organdose.export.image_file import write_map
from organdose.export.internal_dose_pictures import InternalDosePictures, write_internal_dose_pictures
from organdose.export.organ_level_tables import write_organ_level_csv, write_organ_level_json
from organdose.export.registration_picture import draw_registration
from organdose.export.report import ReportContent, write_report
from organdose.export.report_table import ReportTable
from organdose.export.seg_nrrd import write_seg_nrrd
from organdose.export.tables import write_dvh_csv, write_organs_csv
from organdose.export.therapy_table import write_therapy_csv
from organdose.export.time_activity_tables import write_tiac_csv, write_time_activity_csv
from organdose.export.time_point_table import write_time_points_csv
from organdose.jobs.ct_dose_folder import BODY_NAME
from organdose.jobs.ct_dose_text import mask_warnings
from organdose.jobs.internal_dose_folder import BESIDE, CURVES_NAME, TIA_NAME, TIAC_NAME
from organdose.jobs.internal_dose_job import InternalDoseResult
from organdose.jobs.internal_dose_method import engine_methods, method
from organdose.jobs.internal_dose_tables import further_tables
from organdose.jobs.internal_dose_text import (
    DESCRIPTORS_LEGEND,
    descriptors,
    engine_name,
    engine_table,
    engine_titles,
    headline,
    limits,
    time_point_table,
    uncertainty_meaning,
)
from organdose.jobs.record import RunRecord
from organdose.jobs.scene_file import write_scene_file
from organdose.progress import Progress
from organdose.segmentation.masks_for_study import BODY_ADDED
from organdose.study.activity_summary import frame_activities

# Facts of the record that the report shows in sections of their own.
_SHOWN_ELSEWHERE = ("study_assumptions", "activity_notes", "compared", "assumptions")


def write_internal_dose_files(folder: Path, result: InternalDoseResult, record: RunRecord, *, scene: bool,
                              progress: Progress) -> None:
    """Fill `folder` with everything but `run.json`. Raises `OSError` or `InputError` when one cannot be written."""
    comparison = _comparison(result)
    with record.timed("tables"):
        tia = _tia(result)
        _write_maps(folder, result.dose)
        write_map(tia, folder / TIA_NAME, units="MBq h/ml", quantity="time-integrated activity concentration",
                  engine=result.source.model)
        _write_tables(folder, result, comparison)
        _write_beside(folder / BESIDE, result)
    if result.masks.notes.get("body") == BODY_ADDED:
        with record.timed("masks written"):
            # Who gave the masks has no body among them, and the table has a row for it.
            write_seg_nrrd(result.masks.kept(["body"]), folder / BODY_NAME, compressed=False)
    with record.timed("pictures"):
        pictures = write_internal_dose_pictures(
            folder / "pictures",
            InternalDosePictures(result.study.ct.image, result.masks, result.dose, tia, result.rows, result.histograms,
                                 result.source.curves, comparison, engine_titles(result)), progress)
        pictures |= _registration_pictures(folder / "pictures", result)
    if scene:
        with record.timed("scene"):
            _write_scene(folder / "scene.mrb", result, tia, record, progress)
    write_report(_report(result, comparison, pictures, record), folder / "report.html")


def _comparison(result: InternalDoseResult) -> EngineComparison | None:
    """Engines side by side, where there are several."""
    if not result.others:
        return None
    chosen = engine_name(result.dose)
    return engine_comparison(chosen, {chosen: result.rows, **result.other_rows})


def _tia(result: InternalDoseResult) -> sitk.Image:
    """Time-integrated activity in MBq h/ml (float32) on the dose grid."""
    return _image(result.source.decays / np.float32(3.6e9 * result.study.lattice.voxel_ml), result.dose.dose_mgy)


def _write_tables(folder: Path, result: InternalDoseResult, comparison: EngineComparison | None) -> None:
    write_organs_csv(folder / "organs.csv", result.rows)
    write_dvh_csv(folder / "dvh.csv", result.histograms)
    write_tiac_csv(folder / TIAC_NAME, result.source.curves)
    write_time_activity_csv(folder / CURVES_NAME, result.source.curves)
    write_time_points_csv(folder / "time_points.csv", frame_activities(result.study.activity))
    write_descriptors_csv(folder / "dose_descriptors.csv", descriptors(result))
    write_effective_dose_csv(folder / "effective_dose.csv", result.effective_dose.dose)
    if comparison is not None:
        write_engines_csv(folder / ENGINES_NAME, comparison)
    if result.therapy:
        write_therapy_csv(folder / "therapy.csv", result.therapy)
    _write_organ_level(folder, result.dose)


def _write_organ_level(folder: Path, dose: DoseMap) -> None:
    """Doses by target with their sources, of an engine that computes organs."""
    if dose.organ_level is not None:
        write_organ_level_csv(folder / "organ_level.csv", dose.organ_level)
        write_organ_level_json(folder / "organ_level.json", dose.organ_level)


def _write_beside(folder: Path, result: InternalDoseResult) -> None:
    """Maps and organ tables of the other engines, a folder each."""
    for name, dose in result.others.items():
        (folder / name).mkdir(parents=True)
        _write_maps(folder / name, dose)
        write_organs_csv(folder / name / "organs.csv", result.other_rows[name])
        _write_organ_level(folder / name, dose)


def _write_maps(folder: Path, dose: DoseMap) -> None:
    write_map(dose.dose_mgy, folder / "dose.nrrd", units="mGy", quantity=dose.quantity, engine=dose.engine)
    if dose.relative_uncertainty is not None:
        write_map(dose.relative_uncertainty, folder / "uncertainty.nrrd", units="1",
                  quantity="relative standard uncertainty", engine=dose.engine)
    density = _image(np.asarray(dose.density_g_cm3, np.float32), dose.dose_mgy)
    write_map(density, folder / "density.nrrd", units="g/cm3", quantity="density", engine=dose.engine)


def _registration_pictures(folder: Path, result: InternalDoseResult) -> dict[str, Path]:
    """Each image that was compared with the reference, before and after."""
    pictures, reference = {}, result.reference_frame
    for number, (given, placed) in enumerate(zip(result.study.activity.frames, result.study.alignment.frames), 1):
        if placed.registration is not None:
            moved = placed.registration
            caption = (f"Time point {number} on the reference, before and after: {moved.method}, moved by "
                       f"{moved.displacement.mean_mm:.1f} mm at the mean.")
            pictures[caption] = draw_registration(reference.image, given.image, placed.frame.image,
                                                  folder / f"registration_{number}.png", kind="activity")
    return pictures


def _report(result: InternalDoseResult, comparison: EngineComparison | None, pictures: dict[str, Path],
            record: RunRecord) -> ReportContent:
    facts = {key: value for key, value in result.dose.facts.items() if key not in _SHOWN_ELSEWHERE}
    whole = record.as_dict()
    whole["facts"] = {key: value for key, value in record.facts.items() if key not in _SHOWN_ELSEWHERE}
    return ReportContent(
        title="Internal organ dose", acquisition=result.study.activity.acquisition, masks_origin=result.masks.origin,
        rows=result.rows, dvhs=result.histograms, pictures=pictures, headline=headline(result), method=method(result),
        engine_methods=engine_methods(result), limits=limits(result),
        engine=f"{engine_titles(result)[engine_name(result.dose)]} ({result.dose.engine})", engine_facts=facts,
        histories_title="Decays followed",
        uncertainty_meaning=uncertainty_meaning(result), assumptions=result.study.assumptions,
        warnings=[*result.warnings, *mask_warnings(result.masks)], descriptors=descriptors(result),
        descriptors_legend=DESCRIPTORS_LEGEND, tables=_tables(result, comparison), record=whole)


def _tables(result: InternalDoseResult, comparison: EngineComparison | None) -> list[ReportTable]:
    """Further tables of the report, in its order."""
    tables = [time_point_table(frame_activities(result.study.activity))]
    if comparison is not None:
        tables.insert(0, engine_table(comparison, engine_titles(result)))
    return tables + further_tables(result)


def _write_scene(path: Path, result: InternalDoseResult, tia: sitk.Image, record: RunRecord,
                 progress: Progress) -> None:
    def build():
        from organdose.scene.internal_dose_scene import EngineDose, InternalDose, build_internal_dose_scene, remove_run

        titles, chosen = engine_titles(result), engine_name(result.dose)
        engines = (EngineDose(chosen, titles[chosen], result.dose, result.rows, result.histograms),
                   *(EngineDose(name, titles[name], dose, result.other_rows[name])
                     for name, dose in result.others.items()))
        made = build_internal_dose_scene(
            result.study.ct.image, result.masks,
            InternalDose(engines, tia, result.source.curves, result.study.administered_bq * 1e-6))
        return SimpleNamespace(remove=lambda: remove_run(made))  # of every engine

    write_scene_file(path, build, record, progress)


def _image(values: np.ndarray, like: sitk.Image) -> sitk.Image:
    image = sitk.GetImageFromArray(values)
    image.CopyInformation(like)
    return image
