"""Organ doses of two maps with masks drawn on another grid."""

import math

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.assess.dose_map_pair import dose_map_pair
from organdose.assess.organ_dose_comparison import (
    body_region,
    organ_dose_differences,
    organ_errors,
    with_uncertainty,
)
from organdose.errors import InputError


def _map(grid: sitk.Image, dose_mgy) -> sitk.Image:
    image = sitk.GetImageFromArray(np.asarray(dose_mgy, np.float32))
    image.CopyInformation(grid)
    return image


@pytest.fixture
def masks(grid, make_masks):
    """2 mm voxels over 40 mm: the body, liver in its lower and spleen in its upper half, both lungs' lobes above."""
    fine = grid((20, 20, 20), (2.0, 2.0, 2.0))
    organs = {name: np.zeros((20, 20, 20), bool) for name in ("body", "liver", "spleen", "lung_upper_lobe_left",
                                                              "lung_lower_lobe_left")}
    organs["body"][:, 2:18, 2:18] = True
    organs["liver"][:10, 2:10, 2:10] = True
    organs["spleen"][10:20, 2:10, 2:10] = True
    organs["lung_upper_lobe_left"][10:20, 12:18, 12:18] = True
    organs["lung_lower_lobe_left"][:10, 12:18, 12:18] = True
    return make_masks(fine, **organs)


@pytest.fixture
def maps(grid):
    """Dose grid of 8 mm: 10 mGy below 20 mm (middle of the third voxel), 30 above; the test 1 mGy more."""
    coarse = grid((5, 5, 5), (8.0, 8.0, 8.0))
    dose = np.full((5, 5, 5), 10.0)
    dose[2], dose[3:] = 20.0, 30.0
    return _map(coarse, dose + 1), _map(coarse, dose)


def _rows(pair, masks, **more):
    gamma = np.where(pair.region, 0.5, np.nan).astype(np.float32)
    return {row.organ: row for row in organ_dose_differences(pair, masks, gamma, **more)}


def test_organ_means_share_dose_voxels_out_exactly(maps, masks):
    rows = _rows(dose_map_pair(*maps), masks)
    # The liver reaches 20 mm up: 16 mm at 10 mGy, 4 mm at 20 mGy.
    assert rows["liver"].reference_mgy == pytest.approx((16 * 10 + 4 * 20) / 20)
    assert rows["spleen"].reference_mgy == pytest.approx((4 * 20 + 16 * 30) / 20)
    assert rows["liver"].difference_mgy == pytest.approx(1)
    assert rows["liver"].relative_percent == pytest.approx(100 / 12)
    assert rows["liver"].compared_percent == pytest.approx(100) and rows["liver"].gamma_pass_percent == 100
    assert rows["liver"].volume_ml == pytest.approx(20 * 16 * 16 / 1000)


def test_only_organs_as_drawn_count_in_the_summary(maps, masks):
    rows = _rows(dose_map_pair(*maps), masks)
    assert {name for name, row in rows.items() if row.in_summary} == {
        "liver", "spleen", "lung_upper_lobe_left", "lung_lower_lobe_left"}
    assert {"body", "remainder", "lungs"} <= set(rows)
    errors = organ_errors(list(rows.values()), 0.0)
    assert errors.me_mgy.count == 4 and errors.me_mgy.mean == pytest.approx(1)
    assert (errors.rae_percent.minimum, errors.rae_percent.maximum) == pytest.approx((100 / 28, 100 / 12))
    asked = _rows(dose_map_pair(*maps), masks, organs=("lungs", "liver"))
    assert set(asked) == {"lungs", "liver"} and all(row.in_summary for row in asked.values())


def test_with_the_cts_density_the_mean_is_that_of_the_mass(maps, masks):
    density = np.ones(masks.shape, np.float32)
    density[:8] = 3.0  # the lower 16 mm of the liver, at 10 mGy
    rows = _rows(dose_map_pair(*maps), masks, density_g_cm3=density)
    assert rows["liver"].reference_mgy == pytest.approx((3 * 16 * 10 + 4 * 20) / (3 * 16 + 4))


def test_an_organ_beyond_the_dose_maps_is_compared_where_both_are_and_says_so(grid, masks):
    lower = grid((5, 5, 3), (8.0, 8.0, 8.0))  # 24 mm of 40
    dose = _map(lower, np.full((3, 5, 5), 10.0))
    rows = _rows(dose_map_pair(dose, dose), masks)
    assert rows["spleen"].compared_percent == pytest.approx(20)
    assert "only 20 % of the organ" in rows["spleen"].note
    assert rows["spleen"].reference_mgy == pytest.approx(10) and rows["liver"].compared_percent == pytest.approx(100)
    lowest = _map(grid((5, 5, 2), (8.0, 8.0, 8.0)), np.full((2, 5, 5), 10.0))
    outside = _rows(dose_map_pair(lowest, lowest), masks)["spleen"]
    assert outside.compared_percent == 0 and math.isnan(outside.test_mgy) and math.isnan(outside.difference_mgy)
    assert organ_errors([outside], 0.0).me_mgy.count == 0


def test_an_organ_below_the_low_dose_has_no_relative_error(maps, masks):
    rows = _rows(dose_map_pair(*maps, low_dose_percent=50), masks)
    assert math.isnan(rows["liver"].relative_percent) and "below the low dose" in rows["liver"].note
    assert rows["liver"].difference_mgy == pytest.approx(1) and not math.isnan(rows["spleen"].relative_percent)


def test_z_is_the_difference_over_both_uncertainties(maps, masks):
    rows = list(_rows(dose_map_pair(*maps), masks).values())
    told = {row.organ: row for row in with_uncertainty(rows, {"liver": 3.0, "spleen": 1.0}, {"liver": 4.0})}
    assert told["liver"].z == pytest.approx(1 / math.hypot(0.03 * 13, 0.04 * 12))
    assert told["spleen"].test_uncertainty_percent == 1.0 and math.isnan(told["spleen"].z)


def test_the_body_is_what_lies_at_least_half_inside_the_mask(maps, masks, make_masks, grid):
    inside = body_region(masks, maps[1])
    # The mask spans 4 to 36 mm across: half of the first and of the last voxel of 8 mm in each direction.
    expected = np.zeros((5, 5, 5), bool)
    expected[:, 1:4, :] = expected[:, :, 1:4] = True
    assert np.array_equal(inside, expected)
    assert body_region(make_masks(masks.reference, liver=masks.mask("liver")), maps[1]) is None


def test_masks_far_from_the_dose_are_refused(maps, make_masks, grid):
    far = grid((20, 20, 20), (2.0, 2.0, 2.0), (90_000.0, 90_000.0, 0.0))
    masks = make_masks(far, liver=np.ones((20, 20, 20), bool))
    with pytest.raises(InputError, match="far away"):
        _rows(dose_map_pair(*maps), masks)
