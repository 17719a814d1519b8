"""Mean error, mean absolute error, relative error and relative absolute error of one set of doses against another.

With T the test and R the reference, of voxels or of organs:

    ME  = mean(T - R)             mGy         MAE = mean(|T - R|)            mGy
    RE  = mean((T - R) / R)       %           RAE = mean(|T - R| / R)        %

RE and RAE take only what has R >= the low dose, below which a ratio says nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Spread:
    """How many values, their mean, standard deviation (n - 1) and range; NaN where there are too few."""

    count: int
    mean: float
    sd: float
    minimum: float
    maximum: float

    @classmethod
    def of(cls, values: np.ndarray) -> Spread:
        """Of finite values of any shape."""
        values = np.asarray(values, dtype=np.float64)
        if not values.size:
            return cls(0, math.nan, math.nan, math.nan, math.nan)
        sd = float(values.std(ddof=1)) if values.size > 1 else math.nan
        return cls(int(values.size), float(values.mean()), sd, float(values.min()), float(values.max()))


@dataclass(frozen=True)
class ErrorStatistics:
    """ME and MAE (mGy), RE and RAE (%), the root mean square difference (mGy) and Pearson's correlation.

    `low_dose_mgy`: the reference dose from which on RE and RAE count.
    """

    me_mgy: Spread
    mae_mgy: Spread
    re_percent: Spread
    rae_percent: Spread
    rms_mgy: float
    correlation: float
    low_dose_mgy: float

    def named(self) -> dict[str, Spread]:
        """The four errors by the names they have in tables."""
        return {"me_mgy": self.me_mgy, "mae_mgy": self.mae_mgy, "re_percent": self.re_percent,
                "rae_percent": self.rae_percent}


def error_statistics(test_mgy: np.ndarray, reference_mgy: np.ndarray, low_dose_mgy: float = 0.0) -> ErrorStatistics:
    """Errors of doses (n) against reference doses (n), in mGy; both finite. A reference of 0 has no relative error."""
    test, reference = (np.asarray(values, dtype=np.float64).ravel() for values in (test_mgy, reference_mgy))
    difference = test - reference
    relative = relative_percent(test, reference, low_dose_mgy)
    relative = relative[np.isfinite(relative)]
    rms = float(np.sqrt(np.mean(difference ** 2))) if difference.size else math.nan
    return ErrorStatistics(Spread.of(difference), Spread.of(np.abs(difference)), Spread.of(relative),
                           Spread.of(np.abs(relative)), rms, _correlation(test, reference), low_dose_mgy)


def relative_percent(test_mgy: np.ndarray, reference_mgy: np.ndarray, low_dose_mgy: float) -> np.ndarray:
    """(T - R) / R in percent for each value; NaN where R is below the low dose, or zero."""
    test, reference = np.asarray(test_mgy, np.float64), np.asarray(reference_mgy, np.float64)
    counts = (reference >= low_dose_mgy) & (reference > 0)
    relative = np.full(reference.shape, np.nan)
    relative[counts] = 100 * (test[counts] - reference[counts]) / reference[counts]
    return relative


def _correlation(test: np.ndarray, reference: np.ndarray) -> float:
    if test.size < 2 or np.ptp(test) == 0 or np.ptp(reference) == 0:
        return math.nan
    return float(np.corrcoef(test, reference)[0, 1])
