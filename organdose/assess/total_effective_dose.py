"""The effective dose of a whole examination: the sum of those of its parts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from organdose.assess.dose_descriptors import Descriptor
from organdose.assess.effective_dose import EffectiveDose
from organdose.assess.organ_dose import OrganDose

_OF_ONE_SEX = {"M": ("testes", "testis_left", "testis_right", "prostate"),
               "F": ("ovaries", "ovary_left", "ovary_right", "uterus")}


def sex_of_organs(tables: Sequence[Sequence[OrganDose]]) -> str:
    """'M' or 'F' where the tables have organs of that sex alone, else ''."""
    names = {row.organ for rows in tables for row in rows}
    found = [sex for sex, organs in _OF_ONE_SEX.items() if names & set(organs)]
    return found[0] if len(found) == 1 else ""


def effective_dose_rows(parts: Mapping[str, EffectiveDose],
                        administered_mbq: Mapping[str, float]) -> tuple[Descriptor, ...]:
    """One row a part with its remarks, one per administered activity where that is known, then their sum: NaN where a
    part has none, a lower bound where one is."""
    rows = []
    for number, (part, dose) in enumerate(parts.items(), 1):
        rows.append(Descriptor(f"effective_dose_{number}_msv", f"Effective dose, {part}", dose.effective_msv, "mSv",
                               "; ".join(("ICRP 103", *dose.remarks))))
        if part in administered_mbq:
            rows.append(Descriptor(f"effective_dose_{number}_msv_per_mbq", f"Effective dose, {part}, per activity",
                                   dose.effective_msv / administered_mbq[part], "mSv/MBq",
                                   f"for {administered_mbq[part]:.4g} MBq administered"))
    total_msv = sum(dose.effective_msv for dose in parts.values())
    lacking = [part for part, dose in parts.items() if math.isnan(dose.effective_msv)]
    partial = [f"{part} ({dose.known_weight:.3f})" for part, dose in parts.items()
               if not dose.is_complete and part not in lacking]
    remarks = [f"sum of {len(parts)} parts"]
    if lacking:
        remarks = [f"not stated: there is none for {' and '.join(lacking)}"]
    elif partial:
        remarks.append(f"a lower bound: of the tissue weights only a part is known in {', '.join(partial)}")
    return (*rows, Descriptor("effective_dose_total_msv", "Effective dose of the whole", total_msv, "mSv",
                              "; ".join(remarks)))
