"""Averaging onto another grid: nothing is lost, whatever way the voxels stand."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.grid_overlap import averaged_onto, is_axis_aligned


def image_of(values, spacing=(1.0, 1.0, 1.0), origin=(0.0, 0.0, 0.0), direction=(1, 0, 0, 0, 1, 0, 0, 0, 1)):
    image = sitk.GetImageFromArray(np.asarray(values, dtype=np.float32))
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection(direction)
    return image


def total(image):
    return sitk.GetArrayViewFromImage(image).sum(dtype=float) * np.prod(image.GetSpacing())


def test_a_mean_worked_out_by_hand():
    fine = image_of(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).reshape(1, 1, 6))
    coarse = averaged_onto(fine, image_of(np.zeros((1, 1, 3)), (2.5, 1.0, 1.0), (0.75, 0.0, 0.0)))
    # Voxels of 2.5 mm from -0.5 mm: 1, 2 and half of 3; half of 3, 4, 5; 6 and 1.5 mm of nothing.
    assert sitk.GetArrayFromImage(coarse).ravel() == pytest.approx([4.5 / 2.5, 10.5 / 2.5, 6 / 2.5])


def test_the_total_is_kept_where_the_target_covers_the_image():
    values = np.random.default_rng(1).exponential(1000, (12, 17, 23))
    image = image_of(values, (4.1, 4.3, 3.3), (-40.0, 10.0, 300.0))
    target = image_of(np.zeros((21, 33, 45)), (3.0, 3.0, 3.0), (-55.0, 1.0, 290.0))
    assert total(averaged_onto(image, target)) == pytest.approx(total(image), rel=1e-7)


@pytest.mark.parametrize("order", ["RAI", "LAS", "PIR", "SAL"])
def test_the_patient_is_what_counts_not_the_order_of_the_voxels(order):
    image = image_of(np.random.default_rng(2).exponential(1000, (6, 7, 8)), (2.0, 3.0, 4.0), (5.0, 6.0, 7.0))
    target = image_of(np.zeros((9, 9, 9)), (2.5, 2.5, 2.5), (4.0, 7.0, 6.0))
    straight = averaged_onto(image, target)
    turned_image = averaged_onto(sitk.DICOMOrient(image, order), target)
    turned_target = averaged_onto(image, sitk.DICOMOrient(target, order))
    assert np.allclose(sitk.GetArrayFromImage(turned_image), sitk.GetArrayFromImage(straight))
    assert np.allclose(sitk.GetArrayFromImage(sitk.DICOMOrient(turned_target, "LPS")),
                       sitk.GetArrayFromImage(straight))
    assert turned_target.GetDirection() == sitk.DICOMOrient(target, order).GetDirection()


def test_a_grid_that_stands_askew_is_known():
    tilted = (1, 0, 0, 0, np.cos(0.1), -np.sin(0.1), 0, np.sin(0.1), np.cos(0.1))
    assert not is_axis_aligned(image_of(np.zeros((2, 2, 2)), direction=tilted))
    assert is_axis_aligned(image_of(np.zeros((2, 2, 2)), direction=(0, 1, 0, -1, 0, 0, 0, 0, -1)))
