"""The parts of an examination: result folders of CT dose and internal dose, read back and checked."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.grid_overlap import is_axis_aligned
from organdose.assess.organ_dose import OrganDose
from organdose.assess.organ_table import checked_dose_mgy
from organdose.dose_map import DoseMap
from organdose.errors import InputError
from organdose.jobs.ct_dose_folder import read_ct_dose_folder
from organdose.jobs.result_folder import RECORD_NAME

CT_DOSE, INTERNAL_DOSE = "ct-dose", "internal-dose"
_NAMES = {CT_DOSE: "CT", INTERNAL_DOSE: "internal"}
_WHOLE = "Give the result folders of ct-dose and internal-dose."


@dataclass(frozen=True)
class DosePart:
    """One part: `task` computed it, `name` is what tables call it, `rows` is its organ table, `record` its run.json."""

    name: str
    task: str
    folder: Path
    dose: DoseMap = field(repr=False)
    rows: tuple[OrganDose, ...] = field(repr=False)
    record: dict = field(repr=False)

    @property
    def column(self) -> str:
        """The name as a column of a table begins."""
        return re.sub(r"[^0-9a-z]+", "_", self.name.lower()).strip("_")

    @property
    def files(self) -> list[Path]:
        """The files that were read."""
        names = ("dose.nrrd", "density.nrrd", "uncertainty.nrrd", "organs.csv", "dvh.csv", RECORD_NAME)
        return [self.folder / name for name in names if (self.folder / name).exists()]

    @property
    def facts(self) -> dict:
        return self.record.get("facts") or {}


def read_parts(folders: Sequence[Path], names: Sequence[str] | None = None) -> list[DosePart]:
    """Read all parts. Without `names` they are called CT and internal, with numbers where there are several.

    Raises `InputError` for a folder that is not whole, is no result of CT dose or internal dose, holds anything but
    absorbed dose in mGy, or is given twice; for fewer than two; and for names that do not fit.
    """
    if len(folders) < 2:
        raise InputError("one part is given, and there is nothing to add to it", mend=_WHOLE)
    resolved = [Path(folder).resolve() for folder in folders]
    for folder, count in Counter(resolved).items():
        if count > 1:
            raise InputError("the same part is given twice", where=folder, mend="Give each part once.")
    read = [_read(Path(folder)) for folder in folders]
    chosen = names or _default_names([part.task for part in read])
    if len(chosen) != len(read):
        raise InputError(f"{len(chosen)} names for {len(read)} parts", mend="Give one name for each folder.")
    parts = [DosePart(name.strip(), part.task, part.folder, part.dose, part.rows, part.record)
             for name, part in zip(chosen, read, strict=True)]
    if len({part.column for part in parts}) < len(parts) or not all(part.column for part in parts):
        raise InputError(f"the parts' names ({', '.join(chosen)}) cannot be told apart", mend="Give other names.")
    return parts


def _default_names(tasks: Sequence[str]) -> list[str]:
    counts, seen, names = Counter(tasks), Counter(), []
    for task in tasks:
        seen[task] += 1
        names.append(_NAMES[task] if counts[task] == 1 else f"{_NAMES[task]} {seen[task]}")
    return names


def _read(folder: Path) -> DosePart:
    if not folder.is_dir():
        raise InputError("there is no such folder", where=folder, mend=_WHOLE)
    _check_header(folder)
    dose, rows, _, record = read_ct_dose_folder(folder)
    task = record.get("task") if isinstance(record, dict) else None
    if task not in _NAMES:
        raise InputError(f"this is a result of {task!r}, no part of an examination", where=folder, mend=_WHOLE)
    _check_maps(dose, folder)
    if not rows:
        raise InputError("the organ table is empty", where=folder / "organs.csv", mend="Compute the dose again.")
    return DosePart("", task, folder, dose, tuple(rows), record)


def _check_header(folder: Path) -> None:
    """That the map says what it holds: doses of other units or quantities do not add up."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(folder / "dose.nrrd"))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:  # SimpleITK has no finer exception
        raise InputError("the result folder is not whole: there is no dose.nrrd that can be read", where=folder,
                         mend="Compute the dose again.") from error
    for key, wanted in (("units", "mGy"), ("quantity", "absorbed dose"), ("engine", None)):
        said = reader.GetMetaData(key) if reader.HasMetaDataKey(key) else ""
        if not said or (wanted and said != wanted):
            raise InputError(f"the dose map says {key} {said!r}" + (f", not {wanted!r}" if wanted else ""),
                             where=folder / "dose.nrrd", mend=_WHOLE)


def _check_maps(dose: DoseMap, folder: Path) -> None:
    image = dose.dose_mgy
    if image.GetDimension() != 3 or not is_axis_aligned(image):
        raise InputError("the dose map is not aligned with the patient's axes", where=folder / "dose.nrrd",
                         mend="Compute the dose again.")
    checked_dose_mgy(sitk.GetArrayViewFromImage(image))
    shapes = {"density.nrrd": dose.density_g_cm3.shape}
    if dose.relative_uncertainty is not None:
        shapes["uncertainty.nrrd"] = tuple(reversed(dose.relative_uncertainty.GetSize()))
    for name, shape in shapes.items():
        if shape != tuple(reversed(image.GetSize())):
            raise InputError("this map lies on another grid than the dose", where=folder / name,
                             mend="Compute the dose again.")


def doubtful_pairs(parts: Sequence[DosePart]) -> list[str]:
    """Warnings of parts that may be one and the same, and of noise that may not be independent."""
    said = []
    digests = [_digest(part.dose.dose_mgy) for part in parts]
    for i, one in enumerate(parts):
        for j, other in enumerate(parts[:i]):
            if digests[i] == digests[j]:
                said.append(f"{other.name} and {one.name} hold the same dose map: one exposure may be counted twice")
            elif one.task == other.task and _seed(one) is not None and _seed(one) == _seed(other):
                said.append(f"{other.name} and {one.name} were computed with the same seed: their noise may be the "
                            "same, and the uncertainty of the sum is then too small")
    return said


def _seed(part: DosePart) -> object:
    parameters = (part.record.get("job") or {}).get("engine_parameters") or {}
    own = parameters.get((part.record.get("job") or {}).get("engine"), parameters)
    return own.get("seed") if isinstance(own, dict) else None


def _digest(image: sitk.Image) -> str:
    return hashlib.sha256(np.ascontiguousarray(sitk.GetArrayViewFromImage(image))).hexdigest()
