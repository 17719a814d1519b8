"""What every dose result folder has: a record, and maps; read with nothing but what every Slicer has installed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import SimpleITK as sitk

from organdose.dose_map import DoseMap
from organdose.errors import InputError
from organdose.jobs.result_folder import RECORD_NAME

_MEND = "Compute the dose again."


def read_record(folder: Path) -> dict:
    """The content of run.json, with facts. Raises `InputError` where there is none."""
    try:
        record = json.loads((folder / RECORD_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise not_whole(folder) from error
    if not isinstance(record, dict) or not isinstance(record.setdefault("facts", {}), dict):
        raise not_whole(folder)
    return record


def read_dose_map(folder: Path, facts: Mapping[str, object]) -> DoseMap:
    """Dose, density and, where there is one, uncertainty of a folder. Raises `InputError`."""
    stated = folder / "uncertainty.nrrd"
    dose_mgy, density = read_map(folder / "dose.nrrd"), read_map(folder / "density.nrrd")
    try:
        named = dose_mgy.GetMetaData("engine"), dose_mgy.GetMetaData("quantity")
    except RuntimeError as error:
        raise not_whole(folder) from error
    return DoseMap(dose_mgy, sitk.GetArrayFromImage(density), *named, read_map(stated) if stated.exists() else None,
                   facts=dict(facts))


def read_map(path: Path) -> sitk.Image:
    """One map. Raises `InputError`."""
    try:
        return sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise not_whole(path.parent) from error


def not_whole(folder: Path) -> InputError:
    return InputError("the result folder is not whole", where=folder, mend=_MEND)
