"""Effective dose: from organ doses with the tissue weights of ICRP 103, and from the DLP with factors by region."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from organdose.anatomy.organs import organ, organs, tissue_weights
from organdose.assess.organ_dose import OrganDose
from organdose.assess.size_specific_dose import coefficients

REMAINDER, REMAINDER_TISSUES = "remainder", 13
_BONE_SURFACE = "bone_surface"
# Tissues that only one sex has stand for each other: 13 remainder tissues in each sex, gonads in both.
_OF_MEN, _OF_WOMEN = {"prostate", "testes"}, {"uterus", "ovaries"}
_WHOLE = 0.995  # part of an organ in the image from which it counts as whole


@dataclass(frozen=True)
class TissuePart:
    """What one tissue adds: its weight, the part of it that is known (0 to 1), its dose, and a note on why it is not
    whole, or what the organ table says of it."""

    tissue: str
    weight: float
    known_part: float
    dose_mgy: float
    note: str

    @property
    def effective_msv(self) -> float:
        return self.weight * self.known_part * self.dose_mgy if self.known_part else 0.0


@dataclass(frozen=True)
class EffectiveDose:
    """Sum of w_T D_T over what is known, in mSv (photons: radiation weight 1). Nothing is scaled up for what is not.

    `known_weight`: the part of the tissue weights (1: all) that the sum holds; below 1 the sum is a lower bound, as
    the rest is counted as zero; at 0 it is NaN. `remarks`: which tissues lack, what stands for the bone surface, and
    whose sex the organs are of.
    """

    effective_msv: float
    known_weight: float
    tissues: tuple[TissuePart, ...]
    remarks: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        return self.known_weight > 1 - 1e-9


def effective_dose_from_organs(rows: Sequence[OrganDose], sex: str = "") -> EffectiveDose:
    """Effective dose of the organ table `rows` (mean doses in mGy), by ICRP publication 103.

    The remainder is the arithmetic mean of its 13 tissues; each that lacks takes 1/13 of its weight away. An organ that
    the image cuts counts with the part that is shown (`in_image_percent`), the rest of it with no dose; where that part
    is not known, it lacks, unless it is as heavy as the reference organ. `sex`: 'M', 'F' or ''.
    """
    by_name = {row.organ: row for row in rows}
    parts = []
    for tissue, weight in tissue_weights().items():
        stand_ins = _organs_of(tissue, sex)
        if tissue != REMAINDER:
            parts.append(_of_tissue(tissue, weight, stand_ins, by_name))
            continue
        parts += [_of_tissue(f"remainder: {'/'.join(names)}", weight / REMAINDER_TISSUES, names, by_name)
                  for names in _remainder_tissues(stand_ins)]
    known = sum(part.weight * part.known_part for part in parts)
    total_msv = sum(part.effective_msv for part in parts) if known > 0 else math.nan
    return EffectiveDose(total_msv, known, tuple(parts), _remarks(parts, known, sex))


def _organs_of(tissue: str, sex: str) -> list[str]:
    others = {"M": _OF_WOMEN, "F": _OF_MEN}.get(sex, set())
    return [name for name, entry in organs().items() if entry.tissue_weight == tissue and name not in others]


def _remainder_tissues(names: list[str]) -> list[tuple[str, ...]]:
    """The 13 tissues: prostate and uterus are one, where both may be meant."""
    shared = tuple(name for name in names if name in _OF_MEN | _OF_WOMEN)
    return [(name,) for name in names if name not in shared] + ([shared] if shared else [])


def _of_tissue(title: str, weight: float, names: Sequence[str], rows: dict[str, OrganDose]) -> TissuePart:
    """The tissue from the first of its organs that has a dose."""
    row = next((rows[name] for name in names if name in rows and math.isfinite(rows[name].mean_mgy)), None)
    if row is None:
        return TissuePart(title, weight, 0.0, math.nan, "no mask")
    part = _part_shown(row)
    # What the table says of a whole organ matters here too: 'kidneys' may be one kidney, the other not drawn.
    note = {0.0: "part in the image not known", 1.0: row.note}.get(part, f"{100 * part:.0f} % in the image")
    return TissuePart(title, weight, part, row.mean_mgy, note)


def _part_shown(row: OrganDose) -> float:
    percent = row.in_image_percent
    if math.isnan(percent):
        reference_g = organ(row.organ).reference_mass_g.values()
        return 1.0 if reference_g and row.mass_g >= max(reference_g) else 0.0
    return 1.0 if percent >= 100 * _WHOLE else percent / 100


def _remarks(parts: Sequence[TissuePart], known: float, sex: str) -> tuple[str, ...]:
    said = []
    if known < 1 - 1e-9:
        lacking = ", ".join(f"{part.tissue} ({part.note}; {part.weight * (1 - part.known_part):.3f})"
                            for part in parts if part.known_part < 1)
        said.append(f"incomplete: {known:.3f} of the tissue weights are known, the rest is counted as zero. Lacking, "
                    f"with their share of the weights: {lacking}")
    if any(part.tissue == _BONE_SURFACE and part.known_part for part in parts):
        said.append("the mean dose to bone, which absorbs more than the cells on it, stands for the bone surface")
    whose = {"M": "a man's organs", "F": "a woman's organs"}.get(sex, "organs of one patient of unknown sex")
    said.append(f"{whose}: ICRP 103 averages the organ doses of the reference male and the reference female first")
    return tuple(said)


@dataclass(frozen=True)
class DLPEffectiveDose:
    """E = k DLP in mSv; `effective_msv` is NaN without a factor, `remark` says which one was taken or why none."""

    effective_msv: float
    k_msv_per_mgy_cm: float
    remark: str


def effective_dose_from_dlp(dlp_mgy_cm: float, phantom_cm: float, region: str | None,
                            age_group: str | None) -> DLPEffectiveDose:
    """Effective dose from the DLP (AAPM report 96, table 3).

    None, with the reason, where the region is not known or the DLP refers to another phantom than the factor. Without
    `age_group` the adult's factor is taken, and the remark says so.
    """
    table = coefficients()["effective_dose_per_dlp"]
    if region is None:
        return DLPEffectiveDose(math.nan, math.nan, "the region of the scan is not known (protocol key scan_region)")
    group = age_group or "adult"
    wanted_cm = table["adult_phantom_cm"][region] if group == "adult" else table["children_phantom_cm"]
    who = f"{group}, {region.replace('_', ' ')}"
    if phantom_cm != wanted_cm:
        why = f"the factor ({who}) refers to the {wanted_cm:g} cm phantom, the DLP to that of {phantom_cm:g} cm"
        return DLPEffectiveDose(math.nan, math.nan, why)
    k = table["msv_per_mgy_cm"][region][group]
    said = [f"k = {k:g} mSv/(mGy cm), {who}; {table['source']}"]
    if group != "adult" and region in table["unverified"]:
        said.append("unverified")
    if age_group is None:
        said.append("the patient's age is not known: adult taken")
    return DLPEffectiveDose(k * dlp_mgy_cm, k, "; ".join(said))
