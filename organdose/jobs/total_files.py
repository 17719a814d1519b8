"""The files of a whole examination: maps, tables, pictures and report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from organdose.export.descriptor_tables import write_descriptors_csv
from organdose.export.image_file import write_image, write_map
from organdose.export.planes import PlaneViews, informative_planes
from organdose.export.plots import draw_dvh
from organdose.export.report import ReportContent, write_report
from organdose.export.slice_pictures import draw_dose
from organdose.export.tables import write_dvh_csv, write_organs_csv
from organdose.export.total_pictures import draw_shares
from organdose.export.total_table import shares_table, write_total_csv
from organdose.jobs.record import RunRecord
from organdose.jobs.total_job import TotalResult
from organdose.jobs.total_text import headline, limits, method
from organdose.progress import Progress

REACHED_NAME = "parts_reached.nrrd"  # how many parts each voxel of the sum holds, where not all hold all


def write_total_files(folder: Path, result: TotalResult, record: RunRecord, progress: Progress) -> None:
    """Fill `folder` with everything but `run.json`. Raises `OSError` or `InputError` when one cannot be written."""
    with record.timed("tables"):
        progress.report("Tables", 0.0)
        _write_maps(folder, result)
        write_total_csv(folder / "total.csv", [part.column for part in result.parts], result.totals)
        write_organs_csv(folder / "organs.csv", result.rows)
        if result.histograms:
            write_dvh_csv(folder / "dvh.csv", result.histograms)
        write_descriptors_csv(folder / "dose_descriptors.csv", result.effective)
    with record.timed("pictures"):
        pictures = _pictures(folder / "pictures", result, progress)
    names = [part.name for part in result.parts]
    write_report(ReportContent(
        title="Dose of the whole examination", acquisition=None,
        masks_origin=" / ".join(dict.fromkeys(str(part.facts.get("masks", "")) for part in result.parts)),
        rows=result.rows, dvhs=result.histograms, pictures=pictures, headline=headline(result), method=method(result),
        limits=limits(result), engine=result.map.dose.engine, descriptors=result.effective,
        descriptors_legend="Effective dose is a quantity of reference persons for comparing examinations, not a risk "
                           "of this patient. The same in dose_descriptors.csv.",
        tables=[shares_table(names, result.totals)], warnings=result.warnings, assumptions=result.assumptions,
        uncertainty_meaning="the relative standard uncertainty that the parts state for their means, added in squares",
        record=_without_parts(record)), folder / "report.html")


def _without_parts(record: RunRecord) -> dict[str, object]:
    """The record for the report: the parts' own records stand in run.json, and folders may bear names of patients."""
    shown = record.as_dict()
    shown["job"] = {key: value for key, value in shown["job"].items() if key not in ("folders", "out")}
    shown["facts"] = {name: {key: part[key] for key in ("organdose", "task", "started") if key in part}
                      for name, part in record.facts["parts"].items()}
    return shown


def _write_maps(folder: Path, result: TotalResult) -> None:
    dose = result.map.dose
    write_map(dose.dose_mgy, folder / "dose.nrrd", units="mGy", quantity=dose.quantity, engine=dose.engine)
    if dose.relative_uncertainty is not None:
        write_map(dose.relative_uncertainty, folder / "uncertainty.nrrd", units="1",
                  quantity="relative standard uncertainty", engine=dose.engine)
    write_map(_image(dose.density_g_cm3, dose.dose_mgy), folder / "density.nrrd", units="g/cm3", quantity="density",
              engine=dose.engine)
    if np.any(result.map.parts_reached < result.map.number_of_parts):
        write_image(_image(result.map.parts_reached, dose.dose_mgy), folder / REACHED_NAME)


def _image(values: np.ndarray, like: sitk.Image) -> sitk.Image:
    image = sitk.GetImageFromArray(values)
    image.CopyInformation(like)
    return image


def _pictures(folder: Path, result: TotalResult, progress: Progress) -> dict[str, Path]:
    """Caption -> file."""
    folder.mkdir(parents=True)
    progress.report("Pictures", 0.0)
    names = [part.name for part in result.parts]
    pictures = {"Organ doses, stacked from the parts; beside each bar their shares in this order: "
                f"{', '.join(names)}.": draw_shares(names, result.totals, folder / "shares.png")}
    if result.masked is None:
        return pictures
    views = PlaneViews(result.masked.study.image, result.map.dose, result.masked.masks)
    slices = draw_dose(views, informative_planes(views), folder / "dose.png")
    pictures["The summed absorbed dose over the CT: colours as computed, up to the 98th percentile in the body; "
             "isodose lines in mGy of the smoothed dose."] = slices
    if result.histograms:
        rows = [row for row in result.rows if any(each.organ == row.organ for each in result.histograms)]
        pictures["Cumulative dose-volume histograms of the summed map, main organs with the highest mean dose."] = (
            draw_dvh(result.histograms, rows, folder / "dvh.png"))
    return pictures
