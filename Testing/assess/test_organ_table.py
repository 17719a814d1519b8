import numpy as np
import pytest
import SimpleITK as sitk

from organdose.assess.organ_table import organ_table
from organdose.assess.organ_weights import organ_weights
from organdose.errors import InputError


def _rows(dose, weights):
    return {row.organ: row for row in organ_table(dose, weights)}


@pytest.fixture
def gradient(grid, make_masks, dose_map):
    """A box of 100 x 4 x 4 mm in which the dose rises linearly along x from 0 to 10 mGy, on 1 mm voxels."""
    ct = grid((100, 4, 4))
    weights = organ_weights(make_masks(ct, liver=np.ones((4, 4, 100), bool)), np.ones((4, 4, 100), np.float32), ct)
    dose_mgy = np.broadcast_to((np.arange(100) + 0.5) / 10, (4, 4, 100))
    return dose_map(ct, dose_mgy, {"liver": 0.0123}), weights


def test_percentiles_of_a_linear_gradient_are_the_analytic_ones(gradient):
    row = _rows(*gradient)["liver"]
    assert (row.d98_mgy, row.d50_mgy, row.d2_mgy) == pytest.approx((0.2, 5.0, 9.8), rel=1e-5)
    assert row.mean_mgy == pytest.approx(5.0)
    assert row.sd_mgy == pytest.approx(10 / np.sqrt(12), rel=1e-4)
    assert (row.min_mgy, row.max_mgy) == pytest.approx((0.05, 9.95))


def test_the_uncertainty_is_the_engines_in_percent_and_none_where_it_states_none(gradient, dose_map):
    dose, weights = gradient
    assert _rows(dose, weights)["liver"].uncertainty_percent == pytest.approx(1.23)
    silent = dose_map(dose.dose_mgy, sitk.GetArrayFromImage(dose.dose_mgy))
    assert _rows(silent, weights)["liver"].uncertainty_percent is None


def test_the_mean_is_weighted_with_mass_and_the_median_with_volume(grid, make_masks, dose_map):
    """Two thirds of the volume at 0.3 g/cm3 and 2 mGy, one third at 1.5 g/cm3 and 6 mGy:
    mean = (2 x 0.3 x 2 + 1 x 1.5 x 6) / (2 x 0.3 + 1.5) = 10.2 / 2.1."""
    ct = grid((3, 1, 1), (10, 10, 10))
    density, dose_mgy = np.array([[[0.3, 0.3, 1.5]]], np.float32), np.array([[[2.0, 2.0, 6.0]]])
    weights = organ_weights(make_masks(ct, liver=np.ones((1, 1, 3), bool)), density, ct)
    row = _rows(dose_map(ct, dose_mgy), weights)["liver"]
    assert row.mean_mgy == pytest.approx(10.2 / 2.1)
    assert row.d50_mgy == pytest.approx(2.0)
    assert (row.volume_ml, row.mass_g) == pytest.approx((3.0, 2.1))


def test_an_aligned_grid_agrees_with_itks_label_statistics(grid, make_masks, dose_map, ball):
    shape = (20, 24, 28)
    ct = grid((28, 24, 20), (1.5, 1.5, 3.0))
    mask = ball(shape, (10, 12, 14), 7)
    dose = dose_map(ct, np.random.default_rng(5).gamma(4.0, 2.0, shape))
    row = _rows(dose, organ_weights(make_masks(ct, liver=mask), np.full(shape, 1.06, np.float32), ct))["liver"]
    labels = sitk.GetImageFromArray(mask.astype(np.uint8))
    labels.CopyInformation(ct)
    theirs = sitk.LabelIntensityStatisticsImageFilter()
    theirs.Execute(labels, dose.dose_mgy)
    assert row.mean_mgy == pytest.approx(theirs.GetMean(1), rel=1e-5)
    assert row.sd_mgy == pytest.approx(theirs.GetStandardDeviation(1), rel=1e-3)  # theirs divides by n - 1
    assert (row.min_mgy, row.max_mgy) == pytest.approx((theirs.GetMinimum(1), theirs.GetMaximum(1)), rel=1e-6)
    assert row.volume_ml == pytest.approx(theirs.GetPhysicalSize(1) / 1000, rel=1e-5)
    assert row.d50_mgy == pytest.approx(np.median(sitk.GetArrayFromImage(dose.dose_mgy)[mask]), rel=1e-5)


def test_a_sliver_of_a_voxel_sets_no_extreme(grid, make_masks, dose_map):
    """The organ fills one dose voxel and 0.5 % of its neighbour, whose dose is wild."""
    ct = grid((201, 1, 1), (1, 10, 10))
    dose_grid = grid((2, 1, 1), (200, 10, 10))
    liver = np.ones((1, 1, 201), bool)
    weights = organ_weights(make_masks(ct, liver=liver), liver.astype(np.float32), dose_grid)
    row = _rows(dose_map(dose_grid, np.array([[[5.0, 500.0]]])), weights)["liver"]
    assert row.max_mgy == 5.0
    assert row.mean_mgy == pytest.approx((200 * 5 + 500) / 201)


def test_an_organ_smaller_than_a_sliver_still_has_its_row(grid, make_masks, dose_map):
    ct, dose_grid = grid((20, 20, 20)), grid((1, 1, 1), (20, 20, 20))
    lens = np.zeros((20, 20, 20), bool)
    lens[5, 5, 5:8] = True
    weights = organ_weights(make_masks(ct, eye_lens_left=lens), np.ones((20, 20, 20), np.float32), dose_grid)
    row = _rows(dose_map(dose_grid, np.array([[[7.0]]])), weights)["eye_lens_left"]
    assert (row.mean_mgy, row.min_mgy, row.max_mgy, row.d50_mgy) == (7.0, 7.0, 7.0, 7.0)


def test_an_organ_that_no_dose_reached_says_so(grid, make_masks, dose_map):
    ct = grid((4, 1, 1))
    liver, spleen = np.zeros((2, 1, 1, 4), bool)
    liver[..., :2], spleen[..., 2:] = True, True
    weights = organ_weights(make_masks(ct, liver=liver, spleen=spleen), np.ones((1, 1, 4), np.float32), ct)
    rows = _rows(dose_map(ct, np.array([[[1.0, 1.0, 0.0, 0.0]]])), weights)
    assert "no dose scored" in rows["spleen"].note
    assert "no dose scored" not in rows["liver"].note


def test_the_code_is_that_of_the_vocabulary(gradient):
    assert _rows(*gradient)["liver"].snomed == "10200004"


def test_a_mask_outside_the_vocabulary_has_its_row_without_a_code(grid, make_masks, dose_map):
    ct = grid((4, 1, 1))
    weights = organ_weights(make_masks(ct, left_knob=np.ones((1, 1, 4), bool)), np.ones((1, 1, 4), np.float32), ct)
    row = _rows(dose_map(ct, np.full((1, 1, 4), 3.0)), weights)["left_knob"]
    assert (row.mean_mgy, row.snomed) == (3.0, "")


@pytest.mark.parametrize(("value", "complaint"), [(np.nan, "not finite"), (np.inf, "not finite"), (-1.0, "negative")])
def test_impossible_dose_is_refused(gradient, dose_map, value, complaint):
    dose, weights = gradient
    dose_mgy = sitk.GetArrayFromImage(dose.dose_mgy)
    dose_mgy[1, 2, 3] = value
    with pytest.raises(InputError, match=complaint):
        organ_table(dose_map(weights.dose_grid, dose_mgy), weights)


def test_a_dose_map_of_zeros_is_refused(gradient, dose_map):
    _, weights = gradient
    with pytest.raises(InputError, match="zero everywhere"):
        organ_table(dose_map(weights.dose_grid, np.zeros((4, 4, 100))), weights)


def test_dose_and_weights_of_different_grids_are_refused(gradient, grid, dose_map):
    _, weights = gradient
    with pytest.raises(InputError, match="different grids"):
        organ_table(dose_map(grid((100, 4, 4), corner=(5, 0, 0)), np.ones((4, 4, 100))), weights)
