"""organs.csv and dvh.csv: the result folder's tables, written and read back."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import fields
from itertools import zip_longest
from pathlib import Path
from typing import TypeVar

import numpy as np

from organdose.assess.organ_dose import DoseVolumeHistogram, OrganDose
from organdose.errors import InputError

DVH_COLUMNS = ("organ", "dose_percent_of_maximum", "dose_mgy", "volume_percent")
_TEXT = ("organ", "snomed", "note", "mask")
_LATER = ("mask",)  # columns that tables of earlier versions lack
_MAY_LACK = ("uncertainty_percent", "in_image_percent", "mean_mgy_per_mbq", "tia_mbq_h", "tiac_h",
             "sd_mgy", "min_mgy", "max_mgy", "d98_mgy", "d50_mgy", "d2_mgy")  # a sum of tables has no spread
Row = TypeVar("Row", bound=OrganDose)


def write_organs_csv(path: Path, rows: Sequence[OrganDose]) -> None:
    """Write `organs.csv`: five significant digits, UTF-8; an empty cell is a number nobody knows. Rows of internal dose
    have further columns; the review of the mask is the last."""
    names = [f.name for f in fields(rows[0] if rows else OrganDose)]
    columns = sorted(names, key=_LATER.__contains__)
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in rows:
            writer.writerow([getattr(row, c) if c in _TEXT else _digits(getattr(row, c)) for c in columns])


def read_organs_csv(path: Path, kind: type[Row] = OrganDose) -> list[Row]:
    """Read `organs.csv` as rows of `kind` (`OrganDose`, `InternalOrganDose`); further columns are left aside. Raises
    `InputError`."""
    columns = tuple(f.name for f in fields(kind))
    lines = read_lines(path, [column for column in columns if column not in _LATER])
    return [_organ(line, path, number, kind, columns) for number, line in lines]


def write_dvh_csv(path: Path, histograms: Iterable[DoseVolumeHistogram]) -> None:
    """Write `dvh.csv`, one line a bin: organ, bin as percent of the organ's maximum, dose, volume reaching it."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(DVH_COLUMNS)
        for histogram in histograms:
            percent = np.linspace(0, 100, len(histogram.dose_mgy))
            for line in zip(percent, histogram.dose_mgy, histogram.volume_percent, strict=True):
                writer.writerow([histogram.organ, *(_digits(number) for number in line)])


def read_dvh_csv(path: Path) -> list[DoseVolumeHistogram]:
    """Read `dvh.csv`. Raises `InputError`."""
    bins: dict[str, list[tuple[float, float]]] = {}
    for number, line in read_lines(path, DVH_COLUMNS):
        pair = _number(line["dose_mgy"], path, number, "dose_mgy"), _number(line["volume_percent"], path, number,
                                                                            "volume_percent")
        bins.setdefault(line["organ"], []).append(pair)
    return [DoseVolumeHistogram(organ, *np.array(pairs).T) for organ, pairs in bins.items()]


def _digits(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.5g}"


def read_lines(path: Path, columns: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """(line number, cells by column) of each line below the header; a cell that a short line lacks is None. Raises
    `InputError` for a file that cannot be read or lacks one of `columns`."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            # Not csv.DictReader: a DVH has ten thousands of lines, and it takes four times as long.
            reader = csv.reader(file)
            header = next(reader, [])
            missing = [c for c in columns if c not in header]
            if missing:
                raise InputError(f"the table lacks the columns {', '.join(missing)}", where=path)
            return [(reader.line_num, dict(zip_longest(header, line[:len(header)]))) for line in reader if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"the table cannot be read ({error})", where=path) from error


def _organ(line: dict[str, str], path: Path, number: int, kind: type[Row], columns: Sequence[str]) -> Row:
    cells = {c: line.get(c) or "" for c in columns if c in _LATER}
    cells |= {c: line[c] if c in _TEXT else _number(line[c], path, number, c) for c in columns if c not in _LATER}
    if math.isnan(cells["uncertainty_percent"]):
        cells["uncertainty_percent"] = None
    return kind(**cells)


def _number(cell: str | None, path: Path, number: int, column: str) -> float:
    if cell == "" and column in _MAY_LACK:
        return math.nan
    try:
        return float(cell)
    except (TypeError, ValueError):
        raise InputError(f"line {number}: {column} is {cell!r}, not a number", where=path) from None
