"""Biologically effective dose of a protracted exposure in the linear-quadratic model: BED, EQD2, protraction factor."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from organdose.errors import InputError

_NODES = 16  # of the Gauss-Legendre rule on each piece of a measured curve
_LONGEST_PIECE = 2.0  # in mean repair times: so short that the rule is exact to the last digits
_MEND = "Give {\"organs\": {\"kidneys\": {\"alpha_beta_gy\": ..., \"repair_half_time_h\": ..., \"source\": \"...\"}}}."


class TissueParameters(BaseModel):
    """The linear-quadratic parameters of one tissue, and where their user has them from. There are no defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    alpha_beta_gy: float = Field(gt=0, le=1000, allow_inf_nan=False)
    repair_half_time_h: float = Field(gt=0, le=1000, allow_inf_nan=False)
    source: str = Field(min_length=1)

    @property
    def repair_per_h(self) -> float:
        """Rate of the mono-exponential repair of sublethal damage."""
        return math.log(2) / self.repair_half_time_h


class Radiobiology(BaseModel):
    """`organs`: parameters by the name of the organ's row. An entry 'tumour' or 'lesion' is that of every numbered one
    (tumour_1, lesion_2 ...) without an entry of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    organs: dict[str, TissueParameters] = Field(min_length=1)

    def of(self, name: str) -> TissueParameters | None:
        """The parameters of a row; None where nobody gave any."""
        base, _, number = name.rpartition("_")
        numbered = number.isdigit() and base in ("tumour", "lesion")
        return self.organs.get(name) or (self.organs.get(base) if numbered else None)


def read_radiobiology(path: Path) -> Radiobiology:
    """Read the parameter file. Raises `InputError` naming the first value that does not fit."""
    try:
        return Radiobiology.model_validate(json.loads(Path(path).read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{'.'.join(map(str, first['loc']))}: {first['msg'].lower()}", where=path,
                         mend=_MEND) from error
    except (OSError, ValueError) as error:
        raise InputError(f"not a readable parameter file ({error})", where=path, mend=_MEND) from error


@dataclass(frozen=True)
class DoseRate:
    """The course of a dose rate over time, in any unit: straight lines between the points (`times_h`, `rates`), then
    from `from_h` on the sum of amplitude exp(-decay (t - from_h)). Nothing before the first point."""

    amplitudes: tuple[float, ...]
    decays_per_h: tuple[float, ...]
    from_h: float = 0.0
    times_h: tuple[float, ...] = ()
    rates: tuple[float, ...] = ()

    @property
    def effective_half_life_h(self) -> float:
        """Of a single decaying exponential; NaN for any other course."""
        phases = [decay for amplitude, decay in zip(self.amplitudes, self.decays_per_h, strict=True) if amplitude]
        return math.log(2) / phases[0] if len(phases) == 1 and not self.times_h else math.nan

    @property
    def integral(self) -> float:
        """The dose, in the unit of the rate times h."""
        lines = float(np.trapezoid(self.rates, self.times_h)) if self.times_h else 0.0
        return lines + sum(a / decay for a, decay in zip(self.amplitudes, self.decays_per_h, strict=True))


def protraction_factor(rate: DoseRate, repair_per_h: float) -> float:
    """The Lea-Catcheside factor G: 1 for an acute dose, towards 0 for one much slower than repair.

    G = 2 / D^2 times the integral over t of R(t), times the integral over w < t of R(w) exp(-mu (t - w)), with the
    dose rate R and the repair rate mu. For a sum of exponentials it is the double sum of 2 a_i a_j / ((l_i + mu)
    (l_i + l_j)) over D^2, for one lambda / (lambda + mu) (Dale, Br J Radiol 58 (1985) 515; Millar, Radiat Res 126
    (1991) 206; Wessels et al., MIRD pamphlet 20, J Nucl Med 49 (2008) 1884). Measured points are integrated piece by
    piece. NaN without a dose.
    """
    dose = rate.integral
    if not (math.isfinite(dose) and dose > 0):
        return math.nan
    pairs, unrepaired = _between_points(rate.times_h, rate.rates, repair_per_h)
    for a, decay in zip(rate.amplitudes, rate.decays_per_h, strict=True):
        pairs += a * unrepaired / (decay + repair_per_h)
        pairs += sum(a * b / ((decay + repair_per_h) * (decay + other))
                     for b, other in zip(rate.amplitudes, rate.decays_per_h))
    return 2 * pairs / dose ** 2


def _between_points(times_h: Sequence[float], rates: Sequence[float], mu: float) -> tuple[float, float]:
    """(the double integral over straight lines between points, the damage that is not yet repaired at the last)."""
    nodes, shares = np.polynomial.legendre.leggauss(_NODES)
    pairs = unrepaired = 0.0
    for start, stop, first, last in zip(times_h[:-1], times_h[1:], rates[:-1], rates[1:]):
        if stop <= start:
            continue
        slope = (last - first) / (stop - start)
        pieces = max(1, math.ceil(mu * (stop - start) / _LONGEST_PIECE))
        length = (stop - start) / pieces
        since = 0.5 * length * (nodes + 1)
        for piece in range(pieces):
            at_start = first + slope * piece * length
            along = _unrepaired(unrepaired, at_start, slope, since, mu)
            pairs += 0.5 * length * float(shares @ ((at_start + slope * since) * along))
            unrepaired = float(_unrepaired(unrepaired, at_start, slope, np.array(length), mu))
    return pairs, unrepaired


def _unrepaired(before: float, rate: float, slope: float, since_h: np.ndarray, mu: float) -> np.ndarray:
    """What is left of all damage so far, `since_h` after a rate that rises by `slope` began: y' = R - mu y."""
    built = -np.expm1(-mu * since_h) / mu
    return before * np.exp(-mu * since_h) + rate * built + slope * (since_h - built) / mu


def biologically_effective_dose_gy(dose_gy: float, alpha_beta_gy: float, protraction: float) -> float:
    """BED = D (1 + G D / (alpha/beta)) of low-LET radiation, without repopulation."""
    return dose_gy * (1 + protraction * dose_gy / alpha_beta_gy)


def equivalent_dose_2gy_gy(bed_gy: float, alpha_beta_gy: float) -> float:
    """EQD2 = BED / (1 + 2 Gy / (alpha/beta)): the dose in fractions of 2 Gy with the same BED."""
    return bed_gy / (1 + 2 / alpha_beta_gy)
