import numpy as np
import pytest

from organdose.assess.dvh import dose_volume_histograms
from organdose.assess.organ_weights import organ_weights
from organdose.errors import InputError


@pytest.fixture
def gradient(grid, make_masks, dose_map):
    """1000 voxels along x, dose rising linearly from 0 to 20 mGy."""
    ct = grid((1000, 1, 1))
    weights = organ_weights(make_masks(ct, liver=np.ones((1, 1, 1000), bool)), np.ones((1, 1, 1000), np.float32), ct)
    return dose_map(ct, ((np.arange(1000) + 0.5) / 50).reshape(1, 1, 1000)), weights


def test_the_histogram_of_a_linear_gradient_is_a_straight_line(gradient):
    (histogram,) = dose_volume_histograms(*gradient, bins=50)
    assert histogram.organ == "liver"
    assert histogram.volume_percent == pytest.approx(100 * (1 - histogram.dose_mgy / 20), abs=0.11)


def test_bins_run_from_zero_to_the_organs_own_maximum_and_the_volume_never_rises(gradient):
    (histogram,) = dose_volume_histograms(*gradient)
    assert len(histogram.dose_mgy) == len(histogram.volume_percent) == 201
    assert (histogram.dose_mgy[0], histogram.volume_percent[0]) == (0, 100)
    assert histogram.dose_mgy[-1] == pytest.approx(19.99)
    assert (np.diff(histogram.volume_percent) <= 0).all()


def test_a_voxel_counts_with_the_volume_that_the_organ_has_in_it(grid, make_masks, dose_map):
    """Three quarters of the organ in the voxel of 4 mGy, one quarter in that of 8 mGy."""
    ct, dose_grid = grid((8, 1, 1)), grid((2, 1, 1), (6, 1, 1))
    weights = organ_weights(make_masks(ct, liver=np.ones((1, 1, 8), bool)), np.ones((1, 1, 8), np.float32), dose_grid)
    (histogram,) = dose_volume_histograms(dose_map(dose_grid, np.array([[[4.0, 8.0]]])), weights, bins=8)
    assert histogram.volume_percent == pytest.approx([100] * 5 + [25] * 4)


def test_a_density_does_not_change_it(grid, make_masks, dose_map):
    ct = grid((2, 1, 1))
    weights = organ_weights(make_masks(ct, liver=np.ones((1, 1, 2), bool)), np.array([[[0.2, 1.9]]], np.float32), ct)
    (histogram,) = dose_volume_histograms(dose_map(ct, np.array([[[1.0, 2.0]]])), weights, bins=4)
    assert histogram.volume_percent == pytest.approx([100, 100, 100, 50, 50])


def test_negative_dose_is_refused(gradient, dose_map):
    _, weights = gradient
    with pytest.raises(InputError, match="negative"):
        dose_volume_histograms(dose_map(weights.dose_grid, np.full((1, 1, 1000), -2.0)), weights)
