"""Rows of the organ table of internal dose: the dose, per administered activity, and the decays it came from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

from organdose.assess.organ_dose import OrganDose


@dataclass(frozen=True)
class InternalOrganDose(OrganDose):
    """`mean_mgy_per_mbq`: per administered activity. `tia_mbq_h`: time-integrated activity in the organ, `tiac_h` over
    the administered activity; NaN where nobody knows."""

    mean_mgy_per_mbq: float = math.nan
    tia_mbq_h: float = math.nan
    tiac_h: float = math.nan


def internal_organ_doses(rows: Sequence[OrganDose], decays: Mapping[str, float], administered_bq: float | None,
                         activity_uncertainty: Mapping[str, float]) -> list[InternalOrganDose]:
    """`rows` with the `decays` (Bq s) of each organ.

    `activity_uncertainty`: relative standard uncertainty of the organ's time-integrated activity, where the fit tells
    it; it is added in squares to the engine's own, as if all of the organ's dose came from its own activity.
    """
    return [_row(row, decays.get(row.organ, math.nan), administered_bq or math.nan,
                 activity_uncertainty.get(row.organ)) for row in rows]


def _row(row: OrganDose, decays: float, administered_bq: float, of_activity: float | None) -> InternalOrganDose:
    joined = with_activity(row, decays / 3.6e9, administered_bq * 1e-6)
    if of_activity is None:
        return joined
    return replace(joined, uncertainty_percent=math.hypot(row.uncertainty_percent or 0.0, 100 * of_activity))


def with_activity(row: OrganDose, tia_mbq_h: float, administered_mbq: float) -> InternalOrganDose:
    """`row` with the time-integrated activity of its organ; NaN where TIA or administered activity are not known."""
    known = {each.name: getattr(row, each.name) for each in fields(OrganDose)}
    return InternalOrganDose(**known, mean_mgy_per_mbq=row.mean_mgy / administered_mbq, tia_mbq_h=tia_mbq_h,
                             tiac_h=tia_mbq_h / administered_mbq)
