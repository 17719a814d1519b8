"""A CT dose result folder read back, with nothing but what every Slicer has installed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import SimpleITK as sitk

from organdose.assess.organ_dose import DoseVolumeHistogram, OrganDose
from organdose.dose_map import DoseMap
from organdose.export.tables import read_dvh_csv, read_organs_csv
from organdose.jobs.dose_folder import read_dose_map, read_record

CONTRAST_NAME = "contrast.nrrd"  # the voxels of the CT that were taken for contrast medium, where there are any
BODY_NAME = "body.seg.nrrd"  # the body outline, where it was added to masks that have none


def read_ct_dose_folder(folder: Path) -> tuple[DoseMap, list[OrganDose], list[DoseVolumeHistogram], dict]:
    """Dose map, organ table, histograms and record of a result folder. Raises `InputError` for one that is not whole.

    The map's `organ_relative_uncertainty` is that of the table.
    """
    dose, record = read_ct_dose_map(folder)
    rows, histograms = read_organs_csv(folder / "organs.csv"), read_dvh_csv(folder / "dvh.csv")
    uncertainty = {row.organ: row.uncertainty_percent / 100 for row in rows if row.uncertainty_percent is not None}
    return replace(dose, organ_relative_uncertainty=uncertainty), rows, histograms, record


def read_ct_dose_map(folder: Path) -> tuple[DoseMap, dict]:
    """Dose map and record of a result folder, without its tables. Raises `InputError` for one that is not whole."""
    record = read_record(folder)
    return read_dose_map(folder, record["facts"]), record


def read_contrast(folder: Path) -> sitk.Image | None:
    """The voxels of the CT that were taken for contrast medium (uint8, 0 or 1); None where the folder has none."""
    path = folder / CONTRAST_NAME
    return sitk.ReadImage(str(path)) if path.exists() else None
