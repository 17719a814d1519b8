"""A dose map from a file or a result folder, with its unit, and what its run says of its uncertainty."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from organdose.assess.dose_map_pair import along_patient_axes
from organdose.assess.organ_dose import OrganDose
from organdose.errors import InputError
from organdose.export.tables import read_organs_csv
from organdose.jobs.result_folder import RECORD_NAME
from organdose.study.nifti_header import check_nifti
from organdose.study.volume_file import VOLUME_SUFFIXES

# What a map's unit is in mGy, by the names files give it.
UNITS_MGY = {"mGy": 1.0, "Gy": 1000.0, "cGy": 10.0, "uGy": 1e-3, "µGy": 1e-3}
_MAP, _UNCERTAINTY, _ORGANS = "dose.nrrd", "uncertainty.nrrd", "organs.csv"


@dataclass(frozen=True)
class DoseMapInput:
    """A dose map along the patient's axes, float32 mGy.

    `relative_uncertainty` (on the same grid), `organs` (its organ table) and `record` are those of the result folder
    that the map lies in, where there is one. `files` were read; `notes` say what was done to the numbers.
    """

    path: Path
    image: sitk.Image
    relative_uncertainty: sitk.Image | None = None
    organs: tuple[OrganDose, ...] = ()
    record: dict = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


def read_dose_map(path: Path, what: str, units: str | None = None) -> DoseMapInput:
    """Read the map `what` ('test', 'reference') from NRRD, NIfTI or a result folder.

    `units` is the unit of a file that does not say its own. Raises `InputError` for a file that is not there, cannot
    be read, has no unit or another than was given, is oblique, or is no volume of doses.
    """
    if not os.path.exists(path):
        raise InputError("there is no such file or folder", where=path, mend=f"Check the path of the {what} map.")
    file = path / _MAP if path.is_dir() else path
    if not file.is_file():
        raise InputError(f"this folder holds no {_MAP}", where=path, mend="Give a dose map or a folder of organdose.")
    stored = _read_image(file)
    factor, note = _unit(stored, units, file)
    image = along_patient_axes(stored, f"{what} dose map")
    notes = [f"The {what} map was converted from {note} to mGy."] if factor != 1 else []
    image = image * factor if factor != 1 else image
    if file.name != _MAP or not (file.parent / RECORD_NAME).is_file():
        return DoseMapInput(path, image, files=(file,), notes=tuple(notes))
    return _with_run(path, image, file, what, notes)


def read_dose_maps(test: Path, reference: Path, units: str | None = None) -> tuple[DoseMapInput, DoseMapInput]:
    """Both maps of a comparison; `units` is the unit of those that do not say their own. Raises as `read_dose_map`.

    A unit that contradicts a file is refused only where every file says its own: otherwise it was meant for the other.
    """
    speaks = [_says_its_unit(path) for path in (test, reference)]
    given = [None if says and not all(speaks) else units for says in speaks]
    return read_dose_map(test, "test", given[0]), read_dose_map(reference, "reference", given[1])


def _says_its_unit(path: Path) -> bool:
    """Whether the header has a unit; of what cannot be read `read_dose_map` tells more."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path / _MAP if path.is_dir() else path))
    try:
        reader.ReadImageInformation()
    except RuntimeError:  # SimpleITK has no finer exception
        return False
    return reader.HasMetaDataKey("units") and bool(reader.GetMetaData("units").strip())


def _with_run(path: Path, image: sitk.Image, file: Path, what: str, notes: list[str]) -> DoseMapInput:
    """The map with what lies beside it in its result folder."""
    folder, files = file.parent, [file]
    try:
        record = json.loads((folder / RECORD_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"the record cannot be read ({error})", where=folder / RECORD_NAME,
                         mend="Compute the dose again, or copy dose.nrrd alone to another folder.") from error
    uncertainty, organs = None, ()
    if (folder / _UNCERTAINTY).is_file():
        uncertainty = along_patient_axes(_read_image(folder / _UNCERTAINTY), f"{what} uncertainty map")
        if uncertainty.GetSize() != image.GetSize():
            raise InputError("the uncertainty map lies on another grid than the dose", where=folder / _UNCERTAINTY,
                             mend="Compute the dose again.")
        files.append(folder / _UNCERTAINTY)
    if (folder / _ORGANS).is_file():
        organs = tuple(read_organs_csv(folder / _ORGANS))
        files.append(folder / _ORGANS)
    return DoseMapInput(path, image, uncertainty, organs, record if isinstance(record, dict) else {}, tuple(files),
                        tuple(notes))


def _read_image(path: Path) -> sitk.Image:
    if not path.name.lower().endswith(VOLUME_SUFFIXES):
        raise InputError("this is no dose map in a format that can be read", where=path, mend="Give NRRD or NIfTI.")
    if path.name.lower().endswith((".nii", ".nii.gz")):
        from organdose.progress import Progress

        check_nifti(path, Progress())
    shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        return sitk.ReadImage(str(path))
    except RuntimeError as error:  # SimpleITK has no finer exception
        raise InputError("the file is truncated, damaged or no image", where=path, mend="Export it again.") from error
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(shown)


def _unit(image: sitk.Image, given: str | None, path: Path) -> tuple[float, str]:
    """(factor to mGy, unit). The file's own word is never overruled."""
    said = image.GetMetaData("units").strip() if image.HasMetaDataKey("units") else ""
    if not said and given is None:
        raise InputError("the file does not say the unit of its doses (header key 'units')", where=path,
                         mend=f"Give --units: {', '.join(unit for unit in UNITS_MGY if unit.isascii())}.")
    if said and said not in UNITS_MGY:
        raise InputError(f"doses in {said!r} cannot be compared", where=path, mend="Give absorbed dose in mGy.")
    if said and given is not None and UNITS_MGY[said] != UNITS_MGY.get(given):
        raise InputError(f"the file says its unit is {said}, --units says {given}", where=path,
                         mend="Leave --units out, or correct the file.")
    unit = said or given
    if unit not in UNITS_MGY:
        raise InputError(f"unknown unit {unit!r}", mend=f"Units: {', '.join(UNITS_MGY)}.")
    return UNITS_MGY[unit], unit


def same_noise(test: DoseMapInput, reference: DoseMapInput) -> bool:
    """Whether both maps come from the same engine with the same seed: their noise is then not independent."""
    seeds = [(each.record.get("job") or {}).get("engine_parameters", {}).get("seed") for each in (test, reference)]
    engines = [(each.record.get("facts") or {}).get("engine") for each in (test, reference)]
    return seeds[0] is not None and seeds[0] == seeds[1] and engines[0] == engines[1]


def other_ct(test: DoseMapInput, reference: DoseMapInput) -> bool:
    """Whether the records name different CTs."""
    digests = [((each.record.get("inputs") or {}).get("ct") or {}).get("sha256") for each in (test, reference)]
    return None not in digests and digests[0] != digests[1]


def stated_percent(read: DoseMapInput, means_mgy: dict[str, float]) -> dict[str, float]:
    """Relative standard uncertainty (%) of the organs whose table mean is the mean found here (to 2 %).

    A table of other masks than these says nothing of these organs.
    """
    return {row.organ: row.uncertainty_percent for row in read.organs
            if row.uncertainty_percent is not None and row.organ in means_mgy
            and np.isclose(row.mean_mgy, means_mgy[row.organ], rtol=0.02)}
