"""The table of `compare-masks` as CSV, and back."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path

from organdose.assess.mask_comparison import MaskAgreement
from organdose.errors import InputError
from organdose.export.whole_file import whole_file

COLUMNS = tuple(field.name for field in fields(MaskAgreement))


def write_mask_comparison_csv(path: Path | str, rows: Iterable[MaskAgreement]) -> None:
    """Write one line an organ; an empty cell is a quantity that has no meaning. Raises `InputError`."""
    with whole_file(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for row in rows:
            writer.writerow({key: _cell(value) for key, value in asdict(row).items()})


def _cell(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return "" if math.isnan(value) else f"{value:.5g}"


def read_mask_comparison_csv(path: Path | str) -> list[MaskAgreement]:
    """The rows of a file that `write_mask_comparison_csv` wrote. Raises `InputError` for another file, or none."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return [MaskAgreement(row["organ"], *(float(row[name] or "nan") for name in COLUMNS[1:]))
                    for row in csv.DictReader(file)]
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise InputError(f"not a readable comparison of masks ({error})", where=path, mend="Compare again.") from error
