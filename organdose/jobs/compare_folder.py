"""The result folder of a comparison read back, with nothing but what every Slicer has installed."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass
from pathlib import Path

import SimpleITK as sitk

from organdose.errors import InputError
from organdose.jobs.result_folder import RECORD_NAME

_TEXT = ("quantity", "unit", "definition", "organ", "in_summary", "note")


@dataclass(frozen=True)
class ComparisonFolder:
    """What a comparison has written.

    `difference` (mGy) and `gamma` (global, of `criteria`) are NaN where there is none; `region` marks the voxels that
    were compared. `figures` and `organs` are the rows of `comparison.csv` and `organ_comparison.csv`, by column;
    numbers that have no meaning are NaN. `organs` is empty where there were no masks.
    """

    difference: sitk.Image
    region: sitk.Image
    gamma: sitk.Image
    criteria: str
    figures: list[dict[str, object]]
    organs: list[dict[str, object]]
    record: dict[str, object]


def read_comparison_folder(folder: Path) -> ComparisonFolder:
    """Read the folder of one comparison. Raises `InputError` for one that is not whole."""
    try:
        difference, region, gamma = (sitk.ReadImage(str(folder / f"{name}.nrrd"))
                                     for name in ("difference", "region", "gamma"))
        organs = folder / "organ_comparison.csv"
        return ComparisonFolder(difference, region, gamma, gamma.GetMetaData("criteria"),
                                _rows(folder / "comparison.csv"), _rows(organs) if organs.exists() else [],
                                json.loads((folder / RECORD_NAME).read_text(encoding="utf-8")))
    except (RuntimeError, OSError, ValueError) as error:
        raise InputError("the folder of the comparison is not whole", where=folder, mend="Compare again.") from error


def _rows(path: Path) -> list[dict[str, object]]:
    with open(path, encoding="utf-8", newline="") as file:
        return [{column: cell if column in _TEXT else float(cell) if cell else math.nan
                 for column, cell in line.items()} for line in csv.DictReader(file)]
