"""Tables of an internal dose beside that of its organs: therapy, lesions, and how time points were brought together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from organdose.export.organ_look import short_title
from organdose.export.report_table import ReportTable

if TYPE_CHECKING:
    from organdose.jobs.internal_dose_job import InternalDoseResult


def further_tables(result: InternalDoseResult) -> list[ReportTable]:
    """Those that there is something for."""
    tables = []
    if result.therapy:
        tables.append(_therapy(result))
    if result.study.lesions:
        tables.append(_lesions(result))
    if any(frame.registration is not None for frame in result.study.alignment.frames):
        tables.append(_registrations(result))
    return tables


def _therapy(result: InternalDoseResult) -> ReportTable:
    return ReportTable(
        "therapy", "Therapy quantities",
        (("Organ", ""), ("Mean", "Gy"), ("D98", "Gy"), ("D2", "Gy"), ("Maximum", "Gy"), ("α/β", "Gy"),
         ("Repair", "h"), ("T½ effective", "h"), ("BED", "Gy"), ("EQD2", "Gy")),
        [(short_title(row.organ), row.mean_gy, row.d98_gy, row.d2_gy, row.max_gy, row.alpha_beta_gy,
          row.repair_half_time_h, row.effective_half_life_h, row.bed_gy, row.eqd2_gy) for row in result.therapy],
        "BED = D (1 + G D / (α/β)) with the Lea-Catcheside factor G of the organ's own curve over time; "
        "EQD2 = BED / (1 + 2 Gy / (α/β)). α/β and repair half-times are the user's. All of it, with the sources of the "
        "parameters: therapy.csv.")


def _lesions(result: InternalDoseResult) -> ReportTable:
    lesions = result.study.lesions
    unit = lesions[0].numbers.unit
    return ReportTable(
        "lesions", "Lesions",
        (("Lesion", ""), ("Outlined by", ""), ("Volume", "ml"), ("Maximum", unit), ("Peak", unit), ("Mean", unit)),
        [(f"{number}", lesion.method, lesion.numbers.volume_ml, lesion.numbers.maximum, lesion.numbers.peak,
          lesion.numbers.mean) for number, lesion in enumerate(lesions, 1)],
        "In the image they were outlined in; peak: mean of the 1 ml sphere where it is highest. Their masks are drafts "
        "for correction by hand, and their doses stand in the organ table.")


def _registrations(result: InternalDoseResult) -> ReportTable:
    rows = []
    for number, frame in enumerate(result.study.alignment.frames, 1):
        found = frame.registration
        if found is None:
            rows.append((f"{number}", "reference", "", math.nan, math.nan, math.nan, math.nan,
                         f"{frame.change_percent:+.2f}"))
        else:
            rows.append((f"{number}", found.method, frame.compared, found.before, found.after,
                         f"{found.displacement.mean_mm:.1f}", f"{found.displacement.largest_mm:.1f}",
                         f"{frame.change_percent:+.2f}"))
    return ReportTable(
        "registration", "Time points brought together",
        (("Image", ""), ("Moved", ""), ("Compared", ""), ("Likeness before", ""), ("after", ""),
         ("Moved by, mean", "mm"), ("most", "mm"), ("Activity changed", "%")), rows,
        "Moved 'none': nothing better than where the scanner says it is was found, or what was found is not to be "
        "trusted (see the warnings). The pictures show each image before and after.")
