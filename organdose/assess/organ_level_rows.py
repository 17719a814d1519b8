"""Organ-level doses as rows of the organ table, so that the effective dose can be taken from them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from organdose.anatomy.organs import is_known, organ
from organdose.assess.organ_dose import OrganDose

# What effective dose asks for, and the targets whose dose it has in phantoms that do not tell it apart.
_STAND_INS = {"heart": ("heart_myocardium",), "skeletal_muscle": ("soft_tissue",), "skin": ("soft_tissue",),
              "lymphatic_nodes": ("soft_tissue",)}


def organ_level_rows(mean_mgy: Mapping[str, float], mass_g: Mapping[str, float],
                     relative_uncertainty: Mapping[str, float] | None = None) -> list[OrganDose]:
    """One row for each target of the vocabulary, whole and evenly irradiated.

    The wall stands for 'heart', as ICRP 103 weights it; soft tissue stands for muscle, skin and lymph nodes where a
    phantom has them not; each such row says so.
    """
    rows = []
    wanted = dict.fromkeys([*mean_mgy, *_STAND_INS])
    for name in wanted:
        place = name if name in mean_mgy and name != "heart" else next(
            (other for other in _STAND_INS.get(name, ()) if other in mean_mgy), name)
        if place not in mean_mgy or not is_known(name):
            continue
        dose_mgy, uncertainty = mean_mgy[place], (relative_uncertainty or {}).get(place)
        note = "" if place == name else f"dose of {place}"
        rows.append(OrganDose(name, organ(name).snomed_code, math.nan, mass_g.get(place, math.nan), dose_mgy,
                              None if uncertainty is None else 100 * uncertainty, math.nan, dose_mgy, dose_mgy,
                              math.nan, math.nan, math.nan, 100.0, note))
    return rows
