"""The files of an internal dose result: maps, tables, pictures, report and scene."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from organdose.dose_map import DoseMap
from organdose.export.image_file import write_map
from organdose.export.tables import write_dvh_csv, write_organs_csv
from organdose.export.time_activity_tables import write_tiac_csv, write_time_activity_csv
from organdose.jobs.internal_dose_job import InternalDoseResult
from organdose.jobs.record import RunRecord
from organdose.progress import Progress

TIA_NAME = "time_integrated_activity.nrrd"
BESIDE = "engines"  # folder of the engines beside the chosen one, a folder each


def write_internal_dose_files(folder: Path, result: InternalDoseResult, record: RunRecord, *, scene: bool,
                              progress: Progress) -> None:
    """Fill `folder` with everything but `run.json`. Raises `OSError` or `InputError` when one cannot be written."""
    with record.timed("tables"):
        _write_maps(folder, result.dose)
        write_organs_csv(folder / "organs.csv", result.rows)
        write_dvh_csv(folder / "dvh.csv", result.histograms)
        mbq_h_per_ml = result.source.decays / np.float32(3.6e9 * result.study.lattice.voxel_ml)
        write_map(_image(mbq_h_per_ml, result.dose.dose_mgy), folder / TIA_NAME, units="MBq h/ml",
                  quantity="time-integrated activity concentration", engine=result.source.model)
        write_tiac_csv(folder / "time_integrated_activity.csv", result.source.curves)
        write_time_activity_csv(folder / "time_activity.csv", result.source.curves)
        for name, dose in result.others.items():
            beside = folder / BESIDE / name
            beside.mkdir(parents=True)
            _write_maps(beside, dose)
            write_organs_csv(beside / "organs.csv", result.other_rows[name])


def _write_maps(folder: Path, dose: DoseMap) -> None:
    write_map(dose.dose_mgy, folder / "dose.nrrd", units="mGy", quantity=dose.quantity, engine=dose.engine)
    if dose.relative_uncertainty is not None:
        write_map(dose.relative_uncertainty, folder / "uncertainty.nrrd", units="1",
                  quantity="relative standard uncertainty", engine=dose.engine)
    density = _image(np.asarray(dose.density_g_cm3, np.float32), dose.dose_mgy)
    write_map(density, folder / "density.nrrd", units="g/cm3", quantity="density", engine=dose.engine)


def _image(values: np.ndarray, like: sitk.Image) -> sitk.Image:
    image = sitk.GetImageFromArray(values)
    image.CopyInformation(like)
    return image
