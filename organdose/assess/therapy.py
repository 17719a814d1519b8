"""What a therapy is judged by, organ by organ: maximum, D98, D2 and mean in Gy, BED and EQD2 with given parameters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.organs import is_known, organ
from organdose.assess.organ_dose import OrganDose
from organdose.assess.organ_table import flat_dose_mgy
from organdose.assess.organ_weights import OrganWeights
from organdose.assess.radiobiology import (
    DoseRate,
    Radiobiology,
    TissueParameters,
    biologically_effective_dose_gy,
    equivalent_dose_2gy_gy,
    protraction_factor,
)
from organdose.dose_map import DoseMap

MARROW = "red_bone_marrow"
_FAST_REPAIR = 0.5  # G above which the exposure is so short that its course early on decides


class Curve(Protocol):
    """What is needed of an organ's time-activity curve (`nuclear.time_activity.TimeActivityCurve`, a room not known
    here): the drawn curve, and the phases that it ends in from `phase_from_s` on."""

    organ: str
    model: str
    curve_s: np.ndarray
    curve_bq: np.ndarray
    phase_bq: tuple[float, ...]
    phase_per_s: tuple[float, ...]
    phase_from_s: float


@dataclass(frozen=True)
class TherapyRow:
    """One organ or lesion. Doses in Gy; NaN is a number nobody can say, and `note` tells why.

    `bed_gy` and `eqd2_gy` are those of the mean dose, `voxel_bed_gy` is the mass-weighted mean of the voxels' BEDs.
    `bed_uncertainty_percent` carries on the uncertainty of the mean dose alone (None: none stated). `protraction` is
    the Lea-Catcheside factor; `effective_half_life_h` is NaN where the activity has more than one phase.
    `parameter_source`: where the user has the parameters from.
    """

    organ: str
    mean_gy: float
    uncertainty_percent: float | None
    max_gy: float
    d98_gy: float
    d2_gy: float
    alpha_beta_gy: float
    repair_half_time_h: float
    effective_half_life_h: float
    protraction: float
    bed_gy: float
    bed_uncertainty_percent: float | None
    eqd2_gy: float
    voxel_bed_gy: float
    parameter_source: str
    note: str


def therapy_rows(rows: Sequence[OrganDose], curves: Iterable[Curve], parameters: Radiobiology, *,
                 dose: DoseMap | None = None, weights: OrganWeights | None = None,
                 alpha_emitters: Sequence[str] = ()) -> list[TherapyRow]:
    """One row for each organ that `parameters` names, in the order of `rows`, those without a dose at the end.

    `curves`: of the organs, for the course of the dose rate. With `dose` and its `weights` there is also the mean of
    the voxels' BEDs. `alpha_emitters`: nuclides of the decay whose alphas are in the dose; then there is no BED, as
    these parameters are those of low-LET radiation. Raises `InputError` for an entry that is no organ at all.
    """
    by_organ = {curve.organ: curve for curve in curves}
    voxels = None if dose is None or weights is None else _Voxels(dose, weights)
    found = [_row(row, chosen, by_organ.get(row.organ), voxels, alpha_emitters) for row in rows
             if (chosen := parameters.of(row.organ)) is not None]
    named = {row.organ for row in found}
    for name, chosen in parameters.organs.items():
        if name not in named and not any(each.startswith(f"{name}_") and parameters.of(each) is chosen
                                         for each in named):
            found.append(_without_dose(name, chosen))
    return found


def _without_dose(name: str, chosen: TissueParameters) -> TherapyRow:
    if not is_known(name):
        organ(name)  # raises, with the names that are near
    note = "no mask, and so no dose"
    if name == MARROW:
        note += ": a marrow dose from blood or plasma samples is not computed here"
    nothing = math.nan
    return TherapyRow(name, nothing, None, nothing, nothing, nothing, chosen.alpha_beta_gy, chosen.repair_half_time_h,
                      nothing, nothing, nothing, None, nothing, nothing, chosen.source, note)


def _row(row: OrganDose, chosen: TissueParameters, curve: Curve | None, voxels: _Voxels | None,
         alpha_emitters: Sequence[str]) -> TherapyRow:
    rate = None if curve is None else dose_rate(curve)
    factor = math.nan if rate is None or alpha_emitters else protraction_factor(rate, chosen.repair_per_h)
    mean_gy, ratio_gy = row.mean_mgy / 1000, chosen.alpha_beta_gy
    bed_gy = biologically_effective_dose_gy(mean_gy, ratio_gy, factor)
    spread = None
    if row.uncertainty_percent is not None and bed_gy > 0:
        # d(BED)/dD = 1 + 2 G D / (alpha/beta), relative to BED / D.
        spread = row.uncertainty_percent * (1 + 2 * factor * mean_gy / ratio_gy) * mean_gy / bed_gy
    return TherapyRow(
        row.organ, mean_gy, row.uncertainty_percent, row.max_mgy / 1000, row.d98_mgy / 1000, row.d2_mgy / 1000,
        ratio_gy, chosen.repair_half_time_h, math.nan if rate is None else rate.effective_half_life_h, factor, bed_gy,
        spread, equivalent_dose_2gy_gy(bed_gy, ratio_gy),
        math.nan if voxels is None else voxels.mean_bed_gy(row.organ, ratio_gy, factor), chosen.source,
        _note(row, curve, factor, alpha_emitters))


def _note(row: OrganDose, curve: Curve | None, factor: float, alpha_emitters: Sequence[str]) -> str:
    said = [row.note]
    if alpha_emitters:
        said.append(f"no BED: the dose holds alphas ({', '.join(alpha_emitters)}), whose biological effectiveness is "
                    "not in the linear-quadratic parameters")
    elif curve is None:
        said.append("no BED: there is no curve of this organ's activity")
    elif math.isnan(factor):
        said.append("no BED: the organ's curve has no integral")
    elif curve.model == "physical":
        said.append("the activity is taken to decay with the physical half-life alone: BED is then a lower bound "
                    "for the same dose")
    elif factor > _FAST_REPAIR:
        said.append("most of the dose comes faster than it is repaired: BED hangs on the first hours of the curve")
    return "; ".join(part for part in said if part)


def dose_rate(curve: Curve) -> DoseRate:
    """The course of the organ's dose rate: that of its own activity."""
    before = np.asarray(curve.curve_s) < curve.phase_from_s
    times_h = tuple(np.asarray(curve.curve_s)[before] / 3600)
    rates = tuple(np.asarray(curve.curve_bq)[before])
    if times_h:
        times_h, rates = (*times_h, curve.phase_from_s / 3600), (*rates, sum(curve.phase_bq))
    return DoseRate(tuple(curve.phase_bq), tuple(3600 * decay for decay in curve.phase_per_s),
                    curve.phase_from_s / 3600, times_h, rates)


class _Voxels:
    """The dose map, for means of what is not linear in dose."""

    def __init__(self, dose: DoseMap, weights: OrganWeights) -> None:
        self._weights, self._organ_means = weights, dose.organ_mean_mgy
        self._dose_gy = flat_dose_mgy(dose, weights) / 1000
        relative = dose.relative_uncertainty
        self._noise_gy2 = np.zeros(1) if relative is None else (
            sitk.GetArrayViewFromImage(relative).ravel() * self._dose_gy) ** 2

    def mean_bed_gy(self, name: str, ratio_gy: float, factor: float) -> float:
        """Mass-weighted mean of D + G D^2 / (alpha/beta); NaN for organs that the engine gives no voxels for."""
        if name not in self._weights.names or name in self._organ_means:
            return math.nan
        indices, mass_g, _ = self._weights.row(name)
        dose_gy = self._dose_gy[indices]
        # The square of a noisy dose is too large by its variance, on average.
        noise_gy2 = self._noise_gy2[indices] if self._noise_gy2.size > 1 else 0.0
        return float(np.average(dose_gy + factor * (dose_gy ** 2 - noise_gy2) / ratio_gy, weights=mass_g))
