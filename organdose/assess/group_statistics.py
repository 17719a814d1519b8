"""Differences of organ doses over many patients: are they normal, are they there, do they differ between groups?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from organdose.assess.error_statistics import ErrorStatistics, error_statistics

_FEWEST = 3  # Shapiro-Wilk needs three values; with fewer no test says anything
MULTIPLE_TESTING = ("One test an organ and pair of groups: with many organs some p-values fall below 0.05 by chance. "
                    "The adjusted p-values hold the chance of a single false finding among all of one kind at the "
                    "stated level (Holm, Scand J Stat 6 (1979) 65).")


@dataclass(frozen=True)
class OrganGroup:
    """Test and reference mean doses (n) in mGy of one organ in the patients of one group."""

    organ: str
    group: str
    test_mgy: np.ndarray
    reference_mgy: np.ndarray

    @property
    def difference_mgy(self) -> np.ndarray:
        return np.asarray(self.test_mgy) - np.asarray(self.reference_mgy)

    @property
    def relative_percent(self) -> np.ndarray:
        """(T - R) / R in percent, of the patients with R above zero."""
        test, reference = np.asarray(self.test_mgy, float), np.asarray(self.reference_mgy, float)
        return 100 * (test - reference)[reference > 0] / reference[reference > 0]


@dataclass(frozen=True)
class GroupErrors:
    """One organ over the patients of a group: errors, and whether the differences differ from none.

    `normality_p`: Shapiro-Wilk test of the differences. `paired_t_p` and `wilcoxon_p`: paired t-test and Wilcoxon's
    signed-rank test of test against reference; the second is the one to read where the differences are not normal.
    `*_adjusted_p`: after Holm, over all rows. NaN with fewer than three patients, or where all differ by the same.
    """

    organ: str
    group: str
    errors: ErrorStatistics
    normality_p: float
    paired_t_p: float
    wilcoxon_p: float
    paired_t_adjusted_p: float = math.nan
    wilcoxon_adjusted_p: float = math.nan


@dataclass(frozen=True)
class GroupDifference:
    """The relative errors of one organ in two groups of patients.

    `mann_whitney_u` of the first group and `mann_whitney_p` (two-sided): do the errors of one group tend to be larger?
    The normality of each group (Shapiro-Wilk) says whether means may be compared instead. `adjusted_p`: after Holm,
    over all rows. NaN with fewer than three patients in a group.
    """

    organ: str
    first: str
    second: str
    first_count: int
    second_count: int
    first_median_percent: float
    second_median_percent: float
    first_normality_p: float
    second_normality_p: float
    mann_whitney_u: float
    mann_whitney_p: float
    adjusted_p: float = math.nan


def group_errors(groups: Sequence[OrganGroup]) -> list[GroupErrors]:
    """A `GroupErrors` for each organ and group, in their order."""
    rows = [_errors(group) for group in groups]
    t_adjusted, w_adjusted = (holm_adjusted([getattr(row, name) for row in rows])
                              for name in ("paired_t_p", "wilcoxon_p"))
    return [GroupErrors(row.organ, row.group, row.errors, row.normality_p, row.paired_t_p, row.wilcoxon_p, t, w)
            for row, t, w in zip(rows, t_adjusted, w_adjusted)]


def group_differences(groups: Sequence[OrganGroup]) -> list[GroupDifference]:
    """A `GroupDifference` for each organ and pair of groups that have it; empty with one group only."""
    pairs = [(first, second) for at, first in enumerate(groups) for second in groups[at + 1:]
             if first.organ == second.organ]
    rows = [_between(first, second) for first, second in pairs]
    adjusted = holm_adjusted([row.mann_whitney_p for row in rows])
    return [GroupDifference(**{**vars(row), "adjusted_p": p}) for row, p in zip(rows, adjusted)]


def normality_p(values: np.ndarray) -> float:
    """p of the Shapiro-Wilk test; NaN with fewer than three values, or where all are equal."""
    values = np.asarray(values, float)
    if values.size < _FEWEST or np.ptp(values) == 0:
        return math.nan
    return float(stats.shapiro(values).pvalue)


def holm_adjusted(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment: p-values that may all be compared with one level. NaN stays and does not count."""
    p = np.asarray(p_values, float)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    adjusted = np.full(p.shape, np.nan)
    factors = len(order) - np.arange(len(order))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(factors * p[order]))
    return adjusted.tolist()


def _errors(group: OrganGroup) -> GroupErrors:
    difference = group.difference_mgy
    enough = difference.size >= _FEWEST and np.ptp(difference) > 0
    t_p = float(stats.ttest_rel(group.test_mgy, group.reference_mgy).pvalue) if enough else math.nan
    w_p = float(stats.wilcoxon(difference).pvalue) if enough else math.nan
    return GroupErrors(group.organ, group.group, error_statistics(group.test_mgy, group.reference_mgy),
                       normality_p(difference), t_p, w_p)


def _between(first: OrganGroup, second: OrganGroup) -> GroupDifference:
    one, other = first.relative_percent, second.relative_percent
    u = p = math.nan
    if min(one.size, other.size) >= _FEWEST:
        u, p = (float(value) for value in stats.mannwhitneyu(one, other, alternative="two-sided"))
    median = [float(np.median(values)) if values.size else math.nan for values in (one, other)]
    return GroupDifference(first.organ, first.group, second.group, one.size, other.size, *median, normality_p(one),
                           normality_p(other), u, p)
