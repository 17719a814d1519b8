"""Statistics of groups beside published tables and worked examples."""

import math

import numpy as np
import pytest

from organdose.assess.group_statistics import (
    OrganGroup,
    group_differences,
    group_errors,
    holm_adjusted,
    normality_p,
)


def test_holm_adjusts_as_worked_out_by_hand():
    # Holm 1979: smallest p times n, next times n - 1, never falling.
    assert holm_adjusted([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm_adjusted([0.6, 0.9]) == pytest.approx([1.0, 1.0])
    with_gap = holm_adjusted([0.02, math.nan, 0.5])
    assert with_gap[0] == pytest.approx(0.04) and math.isnan(with_gap[1]) and with_gap[2] == pytest.approx(0.5)
    assert holm_adjusted([]) == []


def test_shapiro_wilk_gives_the_p_of_the_paper():
    # Shapiro and Wilk, Biometrika 52 (1965) 591, example 2: weights of 11 men in pounds, W = 0.79, p below 0.01.
    weights = [148, 154, 158, 160, 161, 162, 166, 170, 182, 195, 236]
    assert normality_p(weights) == pytest.approx(0.0067, abs=0.001)
    assert math.isnan(normality_p([1.0, 2.0])) and math.isnan(normality_p([2.0, 2.0, 2.0]))


def test_mann_whitney_counts_pairs():
    # Relative errors 1..4 % against 5..8 %: no pair in which the first is larger, so U = 0 and p = 2 / C(8, 4).
    low, high = np.array([1.01, 1.02, 1.03, 1.04]), np.array([1.05, 1.06, 1.07, 1.08])
    (row,) = group_differences([OrganGroup("liver", "A", low, np.ones(4)), OrganGroup("liver", "B", high, np.ones(4))])
    assert row.mann_whitney_u == 0 and row.mann_whitney_p == pytest.approx(2 / math.comb(8, 4))
    assert row.first_median_percent == pytest.approx(2.5) and row.second_median_percent == pytest.approx(6.5)
    assert row.adjusted_p == row.mann_whitney_p


def test_paired_tests_give_exact_p_values():
    # All six differences positive: the signed-rank statistic is 0 and its exact two-sided p is 2 / 2^6.
    reference = np.array([10.0, 11, 12, 13, 14, 15])
    difference = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    (row,) = group_errors([OrganGroup("liver", "A", reference + difference, reference)])
    assert row.wilcoxon_p == pytest.approx(2 / 2 ** 6)
    t = difference.mean() / (difference.std(ddof=1) / math.sqrt(6))
    assert t == pytest.approx(4.583, abs=0.001) and row.paired_t_p == pytest.approx(0.0059, abs=0.0002)
    assert row.errors.me_mgy.mean == pytest.approx(0.35) and row.errors.me_mgy.count == 6
    assert row.wilcoxon_adjusted_p == row.wilcoxon_p


def test_only_groups_of_the_same_organ_are_compared_and_all_p_values_are_adjusted_together():
    random = np.random.default_rng(2)
    groups = [OrganGroup(organ, group, 10 + random.random(5), np.full(5, 10.0))
              for organ in ("liver", "spleen") for group in ("A", "B", "C")]
    rows = group_differences(groups)
    assert [(row.organ, row.first, row.second) for row in rows] == [
        (organ, *pair) for organ in ("liver", "spleen") for pair in (("A", "B"), ("A", "C"), ("B", "C"))]
    assert [row.adjusted_p for row in rows] == pytest.approx(holm_adjusted([row.mann_whitney_p for row in rows]))
    assert group_differences(groups[:1]) == []


def test_too_few_patients_have_figures_and_no_tests():
    (row,) = group_errors([OrganGroup("liver", "A", np.array([11.0, 12.0]), np.array([10.0, 10.0]))])
    assert row.errors.me_mgy.mean == pytest.approx(1.5)
    assert math.isnan(row.normality_p) and math.isnan(row.paired_t_p) and math.isnan(row.wilcoxon_p)
    one, two = OrganGroup("liver", "A", [1.0], [1.0]), OrganGroup("liver", "B", [1.0] * 5, [0.0] * 5)
    (between,) = group_differences([one, two])
    assert math.isnan(between.mann_whitney_p) and between.second_count == 0, "a reference of zero has no relative error"
