"""dose_descriptors.csv, slices.csv and scan_range.csv: the result folder's tables beside organs.csv."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from organdose.assess.dose_descriptors import SLICE_COLUMNS, Descriptor, DoseDescriptors
from organdose.assess.effective_dose import EffectiveDose
from organdose.assess.scan_range import OrganRange


def write_descriptors_csv(path: Path, rows: Iterable[Descriptor]) -> None:
    """Write `dose_descriptors.csv`: name, title, value, unit, remark; an empty value cannot be said."""
    _write(path, ("name", "title", "value", "unit", "remark"),
           ((row.name, row.title, _digits(row.value), row.unit, row.remark) for row in rows))


def write_slices_csv(path: Path, descriptors: DoseDescriptors) -> None:
    """Write `slices.csv`: one line a slice from feet to head."""
    columns = [descriptors.slices[name] for name in SLICE_COLUMNS]
    _write(path, SLICE_COLUMNS,
           ([str(int(cell)) if name == "is_cut" else _digits(float(cell)) for name, cell in zip(SLICE_COLUMNS, line)]
            for line in zip(*columns)))


def write_effective_dose_csv(path: Path, dose: EffectiveDose) -> None:
    """Write `effective_dose.csv`: each tissue with its weight, the part of it that is known, its dose and its share."""
    _write(path, ("tissue", "tissue_weight", "known_part", "dose_mgy", "effective_msv", "note"),
           ((part.tissue, _digits(part.weight), _digits(part.known_part), _digits(part.dose_mgy),
             _digits(part.effective_msv), part.note) for part in dose.tissues))


def write_scan_range_csv(path: Path, ranges: Iterable[OrganRange]) -> None:
    """Write `scan_range.csv`: how much of each organ the beam reached directly and the image shows."""
    _write(path, ("organ", "mass_g", "in_beam_percent", "in_image_percent", "is_cut", "note"),
           ((each.organ, _digits(each.mass_g), _digits(each.in_beam_percent), _digits(each.in_image_percent),
             int(each.is_cut), each.note) for each in ranges))


def _write(path: Path, columns: Sequence[str], lines: Iterable[Sequence[object]]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(lines)


def _digits(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.5g}"
