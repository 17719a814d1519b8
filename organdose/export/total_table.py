"""total.csv: organ by organ the parts of an examination, their shares and their sum."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

from organdose.assess.total_organ_dose import TotalOrganDose
from organdose.export.main_organs import is_main_organ
from organdose.export.organ_look import title
from organdose.export.report_table import ReportTable

MISSING = "missing"  # a part has no such organ: neither zero nor a number nobody knows
_PART = ("mgy", "percent", "uncertainty_percent")
_SUM = ("total_mgy", "uncertainty_percent", "is_whole", "note", "mask")


def total_columns(parts: Sequence[str]) -> tuple[str, ...]:
    """The header of total.csv; `parts` are the beginnings of the parts' columns."""
    return ("organ", *(f"{part}_{name}" for part in parts for name in _PART), *_SUM)


def write_total_csv(path: Path, parts: Sequence[str], totals: Sequence[TotalOrganDose]) -> None:
    """Write one line an organ: for each part dose (mGy), share (%) and uncertainty (%), then the sum.

    'missing' stands where a part has no such organ; `is_whole` is then 'no', the total a lower bound, and there are no
    shares. An empty cell is a number nobody knows.
    """
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(total_columns(parts))
        for total in totals:
            cells = [total.organ]
            for mgy, share, uncertainty in zip(total.parts_mgy, total.shares_percent,
                                               total.parts_uncertainty_percent, strict=True):
                cells += [MISSING] * 3 if math.isnan(mgy) else [_digits(mgy), _digits(share), _digits(uncertainty)]
            writer.writerow([*cells, _digits(total.total_mgy), _digits(total.uncertainty_percent),
                             "yes" if total.is_whole else "no", total.note, total.mask])


def shares_table(parts: Sequence[str], totals: Sequence[TotalOrganDose]) -> ReportTable:
    """The same for the report: main organs and the body; `parts` are the parts' names."""
    shown = [each for each in totals if is_main_organ(each.organ) or each.organ == "body"] or list(totals)
    columns = [("Organ", ""), *((part, unit) for part in parts for unit in ("mGy", "%")), ("Total", "mGy"),
               ("± (k=1)", "%")]
    rows = [[title(total.organ) if total.is_whole else f"{title(total.organ)} (lower bound)",
             *(cell for mgy, share in zip(total.parts_mgy, total.shares_percent, strict=True)
               for cell in ((MISSING, "") if math.isnan(mgy) else (mgy, _share(share)))),
             total.total_mgy, total.uncertainty_percent] for total in shown]
    return ReportTable("parts", "Parts of the examination", columns, rows,
                       "Each part's dose and its share of the total. Missing: the part has no such organ, and the "
                       "total is that of the others alone. All organs, with the parts' uncertainties: total.csv.")


def _share(percent: float) -> str:
    return "" if math.isnan(percent) else f"{percent:.1f}"


def _digits(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.5g}"
