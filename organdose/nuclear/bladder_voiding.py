"""Activity in the urinary bladder from what the body excretes: filled by excretion, emptied by voids."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from organdose.errors import InputError


@dataclass(frozen=True)
class ExcretionPhase:
    """A part of the administered activity that reaches the bladder, and the biological half-life it leaves the body
    with. `fraction` is of the administered activity, decay not counted; the half-life 0 means at once."""

    fraction: float
    half_life_h: float


class BladderVoiding(BaseModel):
    """When the bladder is emptied, and how well."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    interval_h: float = Field(3.5, gt=0, le=48, title="Voiding interval (h)",
                              description="time from one void to the next; 3.5 h: adults in ICRP publication 128")
    first_void_h: float | None = Field(None, gt=0, le=48, title="First void (h)",
                                       description="time of the first void after administration; empty: the interval")
    residual_percent: float = Field(0.0, ge=0, lt=100, title="Left behind (%)",
                                    description="part of the bladder's content that a void leaves behind")


def bladder_tiac_h(phases: Sequence[ExcretionPhase], decay_constant_per_s: float,
                   voiding: BladderVoiding | None = None, *, void_times_s: Sequence[float] = ()) -> float:
    """Time-integrated activity coefficient (h) of the bladder's content.

    With the physical decay constant p, phase i excretes the fraction f_i with the biological rate r_i. During an
    interval that begins at t_k with the activity s_k in the bladder and f_i exp(-(p + r_i) t_k) = e_ik still to come,
    its activity after the time u is s_k exp(-p u) + sum of e_ik (exp(-p u) - exp(-(p + r_i) u)). Over an interval T
    that integrates to (s_k + sum e_ik) (1 - exp(-p T)) / p - sum of e_ik (1 - exp(-(p + r_i) T)) / (p + r_i); a void
    leaves the residual part of the last activity as s of the next. Regular intervals form geometric series, summed in
    closed form. Without residual this is the formula of R. J. Cloutier, S. A. Smith, E. E. Watson, W. S. Snyder, G. G.
    Warner, Dose to the fetus from radionuclides in the bladder, Health Phys 25 (1973) 147 (re-derived here). First
    void, residual and irregular voids follow S. R. Thomas, M. G. Stabin, C.-T. Chen, R. C. Samaratunga, MIRD pamphlet
    no. 14 revised, J Nucl Med 40 (1999) 102S, as far as they change the time integral; its changing bladder volume
    changes the dose per decay, not this number.

    `void_times_s`: voids at these times first (a night, say), regular ones from the last of them on; they replace
    `first_void_h`. Raises `InputError` for fractions, half-lives or times that make no sense.
    """
    voiding = voiding or BladderVoiding()
    fraction, rate = _checked(phases, decay_constant_per_s)
    voids_s = [0.0, *_void_times(void_times_s, voiding)]
    p, kept = decay_constant_per_s, voiding.residual_percent / 100
    coming, inside, total_s = fraction, 0.0, 0.0
    for start_s, end_s in pairwise(voids_s):
        length_s = end_s - start_s
        total_s += _interval_s(inside, coming, p, rate, length_s)
        stays, left = math.exp(-p * length_s), np.exp(-(p + rate) * length_s)
        inside = kept * (inside * stays + float(np.sum(coming * (stays - left))))
        coming = coming * left
    length_s = 3600 * voiding.interval_h
    stays, left = math.exp(-p * length_s), np.exp(-(p + rate) * length_s)
    all_coming = coming / -np.expm1(-(p + rate) * length_s)
    all_inside = (inside + kept * float(np.sum(all_coming * (stays - left)))) / (1 - kept * stays)
    return (total_s + _interval_s(all_inside, all_coming, p, rate, length_s)) / 3600


def _interval_s(inside: float, coming: np.ndarray, p: float, rate: np.ndarray, length_s: float) -> float:
    """Integral over an interval; linear in what is inside and what is still coming, so that sums of them do as well."""
    inside_s = (inside + float(np.sum(coming))) * -math.expm1(-p * length_s) / p
    return inside_s - float(np.sum(coming * -np.expm1(-(p + rate) * length_s) / (p + rate)))


def _checked(phases: Sequence[ExcretionPhase], decay_constant_per_s: float) -> tuple[np.ndarray, np.ndarray]:
    """(fractions, biological rates per s)."""
    if not (math.isfinite(decay_constant_per_s) and decay_constant_per_s > 0):
        raise InputError(f"a decay constant of {decay_constant_per_s} per s", mend="Give ln 2 over the half-life in s.")
    fraction = np.array([phase.fraction for phase in phases])
    half_life_s = 3600 * np.array([phase.half_life_h for phase in phases])
    if not len(fraction) or not np.all(fraction >= 0) or fraction.sum() > 1 + 1e-6:
        raise InputError(f"excreted fractions {fraction.tolist()}",
                         mend="Give fractions of the administered activity that sum to 1 at most.")
    if not np.all(half_life_s >= 0) or not np.all(np.isfinite(half_life_s)):
        raise InputError("a biological half-life of excretion is below zero or not finite", mend="Give hours.")
    # What is excreted at once is there within a thousandth of a second, far below any interval.
    return fraction, math.log(2) / np.maximum(half_life_s, 1e-3)


def _void_times(void_times_s: Sequence[float], voiding: BladderVoiding) -> list[float]:
    times_s = [float(time_s) for time_s in void_times_s]
    if not times_s:
        return [3600 * (voiding.first_void_h or voiding.interval_h)]
    if not all(math.isfinite(time_s) for time_s in times_s) or any(b <= a for a, b in pairwise([0.0, *times_s])):
        raise InputError("the times of the voids do not rise from administration on", mend="Sort them, in seconds.")
    return times_s
