"""therapy.csv: maximum, D98, D2, mean, BED and EQD2 of the organs and lesions that parameters were given for."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

from organdose.assess.therapy import TherapyRow

THERAPY_COLUMNS = tuple(f.name for f in fields(TherapyRow))


def write_therapy_csv(path: Path, rows: Iterable[TherapyRow]) -> None:
    """Write one line a row: five significant digits, UTF-8; an empty cell is a number nobody knows."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(THERAPY_COLUMNS)
        for row in rows:
            writer.writerow([_cell(getattr(row, column)) for column in THERAPY_COLUMNS])


def _cell(value: str | float | None) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None or math.isnan(value) else f"{value:.5g}"
