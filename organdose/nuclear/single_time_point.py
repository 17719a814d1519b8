"""Time-integrated activity from one measurement, with what a population tells of the kinetics."""

from __future__ import annotations

import math

import numpy as np

from organdose.errors import InputError

# Between these times, in effective half-lives, Hänscheid's approximation stays within HAENSCHEID_ERROR (see below).
HAENSCHEID_WINDOW = (0.75, 2.5)
HAENSCHEID_ERROR = (-0.12, 0.065)


def haenscheid_factor_s(time_s: float) -> float:
    """Seconds to multiply the activity at `time_s` with, for any effective half-life near the time of measurement.

    A mono-exponential curve of effective half-life T has the integral A(t) 2^(t/T) T / ln 2. With x = t/T that is
    A(t) t / ln 2 times 2^x / x, and 2^x / x is exactly 2 at x = 1 and x = 2, in between at least e ln 2 = 1.884 (at
    x = 1 / ln 2): hence the integral is about 2 t / ln 2 A(t), whatever T. Between x = 0.75 and 2.5 the approximation
    is between 11.6 % too low (at 2.5; 10.8 % at 0.75) and 6.2 % too high. Activity taken up later than the measurement,
    or a second phase, is not seen.

    Source: H. Hänscheid, C. Lapa, A. K. Buck, M. Lassmann, R. A. Werner, Dose mapping after endoradiotherapy with
    177Lu-DOTATATE/DOTATOC by a single measurement after 4 days, J Nucl Med 59 (2018) 75. Re-derived here.
    """
    return 2.0 * time_s / math.log(2)


def population_factor_s(time_s: float, half_life_s: float, half_life_sd_s: float = 0.0) -> tuple[float, float]:
    """(seconds to multiply the activity at `time_s` with, their standard uncertainty) for a population's half-life.

    With the effective rate r = ln 2 / T the integral is A(t) exp(r t) / r. Its derivative by r vanishes at r t = 1: a
    measurement at the mean life, t = T / ln 2 = 1.44 T, is spoilt least by a patient whose half-life is not the
    population's; the relative error of the integral is then about half the square of that of r. The uncertainty
    returned has the first and second order of a normal spread of T: by dT/T the relative derivatives of the integral
    are 1 - r t and (r t)^2.

    Source: M. T. Madsen, Y. Menda, T. M. O'Dorisio, M. S. O'Dorisio, Technical note: Single time point dose estimate
    for exponential clearance, Med Phys 45 (2018) 2318. Re-derived here.
    """
    rate = math.log(2) / half_life_s
    factor, spread = math.exp(rate * time_s) / rate, half_life_sd_s / half_life_s
    # For a normal dT/T: variance of a + b d + c d^2 / 2 is b^2 s^2 + c^2 s^4 / 2.
    relative = math.hypot((1 - rate * time_s) * spread, (rate * time_s) ** 2 * spread**2 / math.sqrt(2))
    return factor, factor * relative


def haenscheid_notes(time_s: float, physical_half_life_s: float) -> list[str]:
    """What has to be said of Hänscheid's formula at this time. Raises `InputError` where it can never hold."""
    shortest_s, longest_s = (time_s / x for x in reversed(HAENSCHEID_WINDOW))
    if shortest_s >= physical_half_life_s:
        raise InputError(
            f"Hänscheid's formula holds for effective half-lives of {shortest_s / 3600:.3g} h and more at this time, "
            f"but the nuclide has {physical_half_life_s / 3600:.3g} h", mend="Measure earlier or choose another model.")
    low, high = (100 * error for error in HAENSCHEID_ERROR)
    return [f"Single time point after Hänscheid (2018): {low:+.0f} % to {high:+.1f} % of the integral for effective "
            f"half-lives of {shortest_s / 3600:.3g} to {longest_s / 3600:.3g} h; this error of the method is not part "
            "of the uncertainty."]


def population_notes(time_s: float, half_life_s: float) -> list[str]:
    """What has to be said of a population's half-life at this time."""
    lives = time_s * math.log(2) / half_life_s
    wrong = max(abs(_relative_error(lives, part)) for part in np.array([0.75, 1.25]))
    return [f"Single time point after Madsen (2018): the population's effective half-life of {half_life_s / 3600:.4g} "
            f"h was assumed; the measurement lies at {lives:.2f} mean lives (best: 1), where 25 % off means "
            f"up to {100 * wrong:.0f} %."]


def _relative_error(lives: float, part: float) -> float:
    """Error of the integral where the true half-life is `part` of the population's."""
    true = np.exp(lives / part) * part
    return float(np.exp(lives) / true - 1)
