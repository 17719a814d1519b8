"""Sizes of cylinders whose diameters are known."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.assess.patient_size import slice_sizes
from organdose.errors import InputError


def cylinder(half_x_mm=160.0, half_y_mm=160.0, hu=0, pixel_mm=2.0, size=220, centre_mm=(0.0, 0.0)):
    place = (np.arange(size) - 0.5 * (size - 1)) * pixel_mm
    x, y = (place - centre_mm[0])[None, :] / half_x_mm, (place - centre_mm[1])[:, None] / half_y_mm
    inside = x**2 + y**2 <= 1
    body = np.repeat(inside[None], 3, axis=0)
    image = sitk.GetImageFromArray(np.where(body, hu, -1000).astype(np.int16))
    image.SetSpacing((pixel_mm, pixel_mm, 5.0))
    return image, body


def test_a_cylinder_of_water_has_its_own_diameter():
    sizes = slice_sizes(*cylinder())
    assert sizes.water_equivalent_cm == pytest.approx(32.0, abs=0.05)
    assert sizes.effective_cm == pytest.approx(32.0, abs=0.2)
    assert not sizes.is_cut.any()


def test_an_ellipse_has_the_effective_diameter_of_the_circle_of_its_area():
    sizes = slice_sizes(*cylinder(half_x_mm=180.0, half_y_mm=110.0))
    assert sizes.lateral_cm == pytest.approx(36.0, abs=0.2) and sizes.ap_cm == pytest.approx(22.0, abs=0.2)
    assert sizes.effective_cm == pytest.approx(np.sqrt(36.0 * 22.0), abs=0.2)
    assert sizes.water_equivalent_cm == pytest.approx(np.sqrt(36.0 * 22.0), abs=0.05)


@pytest.mark.parametrize("hu", [-700, 120])
def test_the_water_equivalent_diameter_goes_with_the_root_of_the_attenuation(hu):
    # AAPM 220: Aw = (HU/1000 + 1) A. PMMA at 120 kV has 120 HU: the 32 cm phantom is 33.9 cm of water.
    sizes = slice_sizes(*cylinder(hu=hu))
    assert sizes.water_equivalent_cm == pytest.approx(32.0 * np.sqrt(1 + hu / 1000), abs=0.05)
    assert sizes.effective_cm == pytest.approx(32.0, abs=0.2)


def test_air_inside_the_body_counts_as_air():
    image, body = cylinder()
    hu = sitk.GetArrayFromImage(image)
    hu[:, 90:130, 90:130] = -1000
    hollow = sitk.GetImageFromArray(hu)
    hollow.CopyInformation(image)
    area_cm2 = np.pi * 16.0**2 - 8.0**2
    assert slice_sizes(hollow, body).water_equivalent_cm == pytest.approx(2 * np.sqrt(area_cm2 / np.pi), abs=0.05)


def test_a_body_that_reaches_the_edge_of_the_image_is_cut():
    assert slice_sizes(*cylinder(centre_mm=(100.0, 0.0))).is_cut.all()


def test_a_body_that_reaches_the_reconstruction_circle_is_cut():
    image, body = cylinder()
    hu = sitk.GetArrayFromImage(image)
    hu[:, :, 170:] = -2000
    body[:, :, 170:] = False
    circle = sitk.GetImageFromArray(hu)
    circle.CopyInformation(image)
    assert slice_sizes(circle, body).is_cut.all()


def test_slices_without_body_have_no_size():
    image, body = cylinder()
    body[1] = False
    sizes = slice_sizes(image, body)
    assert np.isnan(sizes.water_equivalent_cm[1]) and np.isfinite(sizes.water_equivalent_cm[[0, 2]]).all()


def test_a_mask_of_another_grid_is_refused():
    image, body = cylinder()
    with pytest.raises(InputError, match="mask has the shape"):
        slice_sizes(image, body[:, :-1])
