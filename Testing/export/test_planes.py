import numpy as np
import pytest

from organdose.export.planes import AXIAL, CORONAL, SAGITTAL, PlaneViews, informative_planes


@pytest.fixture
def views(example):
    return PlaneViews(example.ct, example.dose, example.masks)


def test_the_dose_in_a_plane_is_interpolated_linearly_to_the_cts_pixels(views):
    plane = views.plane(CORONAL, 18)
    dose_mgy = views.slice_dose_mgy(plane)
    z_mm = 1000 + 5.0 * np.arange(48)
    assert dose_mgy.shape == (48, 60)
    assert dose_mgy[2:-2, 30] == pytest.approx(2 + 0.05 * (z_mm[2:-2] - 1000), rel=1e-5)


def test_smoothing_leaves_a_linear_dose_as_it_is(views):
    plane = views.plane(AXIAL, 24)
    assert views.slice_dose_mgy(plane, smooth=True)[18, 30] == pytest.approx(2 + 0.05 * 120, rel=1e-5)


def test_a_plane_knows_its_position(views):
    assert views.plane(SAGITTAL, 30).title == "Sagittal, x = 0 mm"


def test_head_and_front_are_up_and_the_patients_right_is_left(views):
    """Extents are (left, right, bottom, top), as matplotlib wants them; LPS x grows to the left, y to the back."""
    assert views.extent_mm(views.plane(AXIAL, 0)) == (-122.0, 118.0, 72.0, -72.0)
    assert views.extent_mm(views.plane(CORONAL, 0)) == (-122.0, 118.0, 997.5, 1237.5)
    assert views.extent_mm(views.plane(SAGITTAL, 0)) == (-72.0, 72.0, 997.5, 1237.5)


def test_pictures_are_cropped_to_the_body_with_a_margin(views):
    assert views.window_mm(views.plane(AXIAL, 0)) == (-114.0, 110.0, 72.0, -72.0)


def test_the_chosen_planes_go_through_the_organs(views):
    axial, coronal, sagittal = informative_planes(views)
    assert 24 <= axial.index < 26  # liver and both kidneys
    assert 20 <= coronal.index < 22  # liver and both kidneys
    assert 16 <= sagittal.index < 22  # liver and right kidney


def test_a_part_of_the_body_without_dose_is_not_shown(example_of):
    """Only the pelvis was scanned: the axial plane lies there, though the organs are higher up."""
    study = example_of(lambda z, y, x: np.where(z < 1060, 10.0, 0.01))
    axial, *_ = informative_planes(PlaneViews(study.ct, study.dose, study.masks))
    assert axial.position_mm < 1065


def test_the_dose_profile_is_the_mean_in_the_body_of_each_slice(views):
    profile = views.mean_dose_profile_mgy(AXIAL)
    assert len(profile) == 48
    assert profile == pytest.approx(2 + 0.25 * np.arange(48), abs=0.26)  # nearest dose slice: 10 mm


def test_few_hot_voxels_do_not_set_the_colour_scale(example_of):
    study = example_of(lambda z, y, x: np.where((np.abs(x) < 6) & (np.abs(y) < 6) & (z < 1050), 900.0, 10.0))
    assert PlaneViews(study.ct, study.dose, study.masks).highest_shown_mgy == pytest.approx(10.0)


def test_without_a_drawn_body_the_ct_tells_where_it_is(example):
    masks = type(example.masks)(example.ct, list(example.masks.layers), dict(example.masks.segments))
    del masks.segments["body"]
    views = PlaneViews(example.ct, example.dose, masks)
    assert (views.body == example.masks.mask("body")).all()
