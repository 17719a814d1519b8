"""z-scores of dose maps whose noise is known."""

import math

import numpy as np
import pytest

from organdose.assess.statistical_agreement import EXPECTED_PERCENT, statistical_agreement


@pytest.fixture
def noisy():
    """(test, reference, relative uncertainties of both) of 50 000 voxels that estimate one dose."""
    random = np.random.default_rng(11)
    truth = random.uniform(5, 20, 50_000)
    sigmas = 0.02 * truth, 0.05 * truth
    test, reference = (truth + sigma * random.standard_normal(truth.shape) for sigma in sigmas)
    return test, reference, sigmas[0] / test, sigmas[1] / reference


def test_maps_that_differ_by_noise_alone_are_explained_by_statistics(noisy):
    found = statistical_agreement(*noisy)
    assert found.maps == "both" and found.voxels == 50_000 and found.without == 0
    assert found.mean_z == pytest.approx(0, abs=0.02) and found.sd_z == pytest.approx(1, abs=0.02)
    for limit, expected in EXPECTED_PERCENT.items():
        assert found.within_percent[limit] == pytest.approx(expected, abs=0.7)
    assert found.explained_percent == pytest.approx(100, abs=2)
    assert found.z_counts.sum() == 50_000


def test_a_systematic_difference_is_found_beneath_the_noise(noisy):
    test, reference, *relative = noisy
    found = statistical_agreement(test + 2.0, reference, relative[0] * test / (test + 2.0), relative[1])
    assert found.systematic_rms_mgy == pytest.approx(2.0, abs=0.05)
    expected_square = np.mean((0.02 ** 2 + 0.05 ** 2) * test ** 2)
    assert found.explained_percent == pytest.approx(100 * expected_square / (expected_square + 4), abs=1.5)
    assert found.mean_z > 1 and found.within_percent[1] < 30


def test_voxels_without_a_score_have_no_z(noisy):
    test, reference, one, other = (values.copy() for values in noisy)
    one[:10], test[10:15] = 1.0, 0.0
    assert statistical_agreement(test, reference, one, other).without == 15


def test_one_stated_uncertainty_is_used_alone_and_said(noisy):
    test, reference, one, other = noisy
    found = statistical_agreement(test, reference, one, None)
    assert found.maps == "test" and found.sd_z > 1.5
    assert statistical_agreement(test, reference, None, other).maps == "reference"
    assert statistical_agreement(test, reference, None, None) is None
    assert statistical_agreement(test, reference, np.ones_like(one), None) is None


def test_identical_maps_have_no_share_to_explain():
    same = np.full(5, 3.0)
    found = statistical_agreement(same, same, np.full(5, 0.1), np.full(5, 0.1))
    assert math.isnan(found.explained_percent) and found.systematic_rms_mgy == 0 and found.mean_z == 0
