"""Which voxels of two dose maps are compared, and what is said of the others."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.assess.dose_map_pair import along_patient_axes, dose_map_pair
from organdose.errors import InputError


def _map(dose_mgy, spacing_mm=(2.0, 2.0, 2.0), origin_mm=(0.0, 0.0, 0.0)) -> sitk.Image:
    image = sitk.GetImageFromArray(np.asarray(dose_mgy, np.float32))
    image.SetSpacing(spacing_mm)
    image.SetOrigin(origin_mm)
    return image


@pytest.fixture
def ramp():
    """2 to 20 mGy along z, by 2 mGy a slice of 2 mm."""
    return np.broadcast_to(2.0 * np.arange(1, 11)[:, None, None], (10, 6, 8)).astype(np.float32)


def test_the_same_map_twice_is_compared_where_it_reaches_the_low_dose(ramp):
    pair = dose_map_pair(_map(ramp), _map(ramp), low_dose_percent=45)
    assert pair.same_grid and pair.normalisation_mgy == 20 and pair.low_dose_mgy == pytest.approx(9)
    assert np.array_equal(pair.region, ramp >= 9)
    assert pair.counts.compared == pair.counts.wanted == 6 * 6 * 8
    assert pair.counts.outside_test == pair.counts.not_finite == pair.counts.outside_reference == 0
    assert pair.warnings == () and "45 % of the maximum of the reference, 20 mGy" in pair.assumptions[0]


def test_a_body_replaces_the_threshold_and_its_maximum_the_maps(ramp):
    body = np.zeros(ramp.shape, bool)
    body[:5] = True
    pair = dose_map_pair(_map(ramp), _map(ramp), body=body)
    assert np.array_equal(pair.region, body) and pair.normalisation_mgy == 10
    assert "inside the body mask" in pair.assumptions[0]
    given = dose_map_pair(_map(ramp), _map(ramp), body=body, normalisation_mgy=40)
    assert given.normalisation_mgy == 40 and given.low_dose_mgy == pytest.approx(4)


def test_a_test_map_on_another_grid_is_interpolated_by_its_geometry(ramp):
    # 3 mm voxels that begin elsewhere: the dose 2 + z is linear, so interpolation gives it back.
    z = -1.0 + 3.0 * np.arange(9)
    other = np.broadcast_to((2 + z)[:, None, None], (9, 10, 10))
    pair = dose_map_pair(_map(other, (3.0, 3.0, 3.0), (-4.0, -4.0, -1.0)), _map(ramp))
    assert not pair.same_grid and pair.counts.outside_test == 0
    inside = pair.region.copy()
    inside[0] = False  # within half a voxel of the map's end its last value holds
    np.testing.assert_allclose(pair.test_mgy[inside], ramp[inside], atol=1e-4)
    assert any("interpolated linearly" in line and "3 x 3 x 3 mm" in line for line in pair.assumptions)


def test_a_map_stored_with_other_axes_is_the_same_map(ramp):
    stored = sitk.DICOMOrient(_map(ramp + np.arange(8, dtype=np.float32)), "ASR")
    assert stored.GetSize() != (8, 6, 10)
    pair = dose_map_pair(along_patient_axes(stored, "test"), _map(ramp + np.arange(8)))
    assert pair.same_grid
    np.testing.assert_allclose(pair.test_mgy, pair.reference_mgy)


def test_voxels_where_the_test_map_ends_are_left_out_and_counted(ramp):
    pair = dose_map_pair(_map(ramp[:4]), _map(ramp), low_dose_percent=5)
    assert pair.counts.compared == 4 * 48 and pair.counts.outside_test == 6 * 48
    assert not pair.region[4:].any() and np.isnan(pair.test_mgy[5:]).all()
    assert any("covers only 40 % of the region" in line for line in pair.warnings)
    pair = dose_map_pair(_map(ramp), _map(ramp[:4]), low_dose_percent=5)
    assert pair.counts.outside_reference == 6 * 48
    assert any("288 voxels of the test" in line for line in pair.warnings)


def test_voxels_that_hold_no_number_are_left_out_and_counted(ramp):
    test, reference = ramp.copy(), ramp.copy()
    test[9, 0, :3], reference[8, 0, 0] = np.nan, np.inf
    pair = dose_map_pair(_map(test), _map(reference))
    assert pair.counts.not_finite == 4 and not pair.region[9, 0, :3].any() and not pair.region[8, 0, 0]
    assert pair.normalisation_mgy == 20 and any("4 voxels were left out" in line for line in pair.warnings)


def test_dose_that_only_the_test_has_is_told(ramp):
    test = ramp.copy()
    test[0] = 15.0
    pair = dose_map_pair(_map(test), _map(ramp), low_dose_percent=15)
    assert pair.counts.only_test == 48 and any("outside the region the test" in line for line in pair.warnings)


def test_a_maximum_of_a_single_voxel_is_told_unless_a_normalisation_is_given(ramp):
    lonely = np.tile(ramp, (1, 4, 4))
    lonely[5, 3, 3] = 100.0
    pair = dose_map_pair(_map(lonely), _map(lonely))
    assert pair.normalisation_mgy == 100 and any("far above 20 mGy" in line for line in pair.warnings)
    assert not dose_map_pair(_map(lonely), _map(lonely), normalisation_mgy=20).warnings


def test_negative_dose_and_much_finer_voxels_are_told(ramp):
    pair = dose_map_pair(_map(np.where(ramp == 20, -1, ramp)), _map(ramp))
    assert any("the test is negative in 48" in line for line in pair.warnings)
    fine = _map(np.full((40, 24, 32), 5.0), (0.5, 0.5, 0.5), (-0.75, -0.75, -0.75))
    assert any("4.0 times" in line for line in dose_map_pair(fine, _map(ramp)).warnings)


def test_maps_that_cannot_be_compared_are_refused_in_one_line(ramp):
    with pytest.raises(InputError, match="no voxel in common"):
        dose_map_pair(_map(ramp, origin_mm=(500.0, 0, 0)), _map(ramp))
    with pytest.raises(InputError, match="zero everywhere"):
        dose_map_pair(_map(ramp), _map(np.zeros_like(ramp)))
    with pytest.raises(InputError, match="zero everywhere in the body"):
        dose_map_pair(_map(ramp), _map(np.where(ramp > 4, ramp, 0)), body=ramp <= 4)
    with pytest.raises(InputError, match="does not meet"):
        dose_map_pair(_map(ramp), _map(ramp), body=np.zeros(ramp.shape, bool))
    with pytest.raises(InputError, match="holds no number"):
        dose_map_pair(_map(ramp), _map(np.full_like(ramp, np.nan)))
    with pytest.raises(InputError, match="a dose in both maps"):
        dose_map_pair(_map(np.full_like(ramp, np.nan)), _map(ramp))
    for values in ({"low_dose_percent": 100}, {"normalisation_mgy": -1}):
        with pytest.raises(InputError):
            dose_map_pair(_map(ramp), _map(ramp), **values)


def test_oblique_and_flat_maps_are_refused(ramp):
    oblique = _map(ramp)
    oblique.SetDirection((0.8, 0.6, 0, -0.6, 0.8, 0, 0, 0, 1))
    with pytest.raises(InputError, match="test map grid is not aligned"):
        along_patient_axes(oblique, "test map")
    with pytest.raises(InputError, match="single voxel across"):
        along_patient_axes(_map(ramp[:1]), "test map")
    with pytest.raises(InputError, match="2 values a voxel"):
        along_patient_axes(sitk.Compose(_map(ramp), _map(ramp)), "test map")
