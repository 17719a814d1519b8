"""Effective dose of a radiopharmaceutical from the organ table, and per administered activity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from organdose.assess.effective_dose import EffectiveDose, effective_dose_from_organs
from organdose.assess.organ_dose import OrganDose

# Tissues of ICRP 103 that line a hollow organ: the dose meant is that of the wall, not of what is in it.
_HOLLOW = ("urinary_bladder", "stomach", "colon", "esophagus", "gallbladder", "heart", "small_intestine")
_ALPHA_WEIGHT = 20  # ICRP 103, table 2: radiation weighting factor of alpha particles


@dataclass(frozen=True)
class InternalEffectiveDose:
    """`dose`: as from any organ table, with the remarks of internal dose added. `msv_per_mbq`: NaN where the
    administered activity or the dose is not known."""

    dose: EffectiveDose
    msv_per_mbq: float


def internal_effective_dose(rows: Sequence[OrganDose], sex: str = "", *, administered_mbq: float | None = None,
                            alpha_emitters: Sequence[str] = ()) -> InternalEffectiveDose:
    """Effective dose of the organ table of internal dose (ICRP 103; see `effective_dose_from_organs`).

    `alpha_emitters`: nuclides of the decay whose alphas are in the dose: then there is none, as the table does not tell
    which part of a dose comes from alphas, to be weighted twentyfold.
    """
    dose = effective_dose_from_organs(rows, sex)
    remarks = [*dose.remarks, *_about_walls(rows)]
    if alpha_emitters:
        remarks.insert(0, f"not stated: part of the dose is from alphas ({', '.join(alpha_emitters)}), which ICRP 103 "
                          f"weights with {_ALPHA_WEIGHT}, and the organ doses do not tell how much")
        dose = replace(dose, effective_msv=math.nan)
    dose = replace(dose, remarks=tuple(remarks))
    return InternalEffectiveDose(dose, dose.effective_msv / administered_mbq if administered_mbq else math.nan)


def _about_walls(rows: Sequence[OrganDose]) -> list[str]:
    hollow = [row.organ for row in rows if row.organ in _HOLLOW]
    if not hollow:
        return []
    return [f"the mean over the mask, contents included, stands for the wall ({', '.join(hollow)}): too high where the "
            "contents hold the activity, about twofold for electrons"]
