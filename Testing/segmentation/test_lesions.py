"""Blurred spheres whose profile is known, and regions that hold what a lesion should not."""

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.optimize import brentq
from scipy.special import erf

from organdose.errors import Cancelled, InputError
from organdose.progress import Progress
from organdose.segmentation.lesion_parameters import LesionParameters
from organdose.segmentation.lesion_seeds import BoxSeed, MaskSeed, SphereSeed
from organdose.segmentation.lesions import lesion_masks

FWHM_MM = 6.0
SIGMA_MM = FWHM_MM / np.sqrt(8 * np.log(2))
GRADIENT = LesionParameters(method="gradient", smoothing_mm=0)


def profile(r_mm, radius_mm):
    """A uniform sphere of 1 blurred with a Gaussian, at the distance r > 0 from its centre (the convolution in closed
    form: integrate the Gaussian over spherical shells)."""
    r = np.maximum(r_mm, 1e-3)
    outer, inner = (r + radius_mm) / (np.sqrt(2) * SIGMA_MM), (r - radius_mm) / (np.sqrt(2) * SIGMA_MM)
    tail = SIGMA_MM / (np.sqrt(2 * np.pi) * r) * (np.exp(-inner**2) - np.exp(-outer**2))
    return 0.5 * (erf(outer) - erf(inner)) - tail


def blurred_sphere(radius_mm, *, centres_mm=((0.0, 0.0, 0.0),), heights=(10.0,), background=0.0, voxel_mm=2.0,
                   half_mm=45.0):
    count = 2 * int(half_mm / voxel_mm) + 1
    axis = voxel_mm * (np.arange(count) - 0.5 * (count - 1))
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    values = np.full(x.shape, float(background))
    for (cx, cy, cz), height in zip(centres_mm, heights):
        distance = np.sqrt((x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2)
        values += height * profile(distance, radius_mm)
    image = sitk.GetImageFromArray(values.astype(np.float32))
    image.SetSpacing((voxel_mm,) * 3)
    image.SetOrigin((float(axis[0]),) * 3)
    return image


def around(radius_mm, centre_mm=(0.0, 0.0, 0.0)):
    return SphereSeed(centre_mm, radius_mm + 15)


def sphere_ml(radius_mm):
    return 4 / 3 * np.pi * radius_mm**3 / 1000


@pytest.mark.parametrize("radius_mm", [5.0, 8.0, 11.0, 14.0, 18.5])
@pytest.mark.parametrize("percent", [42.0, 60.0])
def test_the_volume_at_a_threshold_is_that_of_the_blurred_sphere(radius_mm, percent):
    image = blurred_sphere(radius_mm, voxel_mm=radius_mm / 12, half_mm=radius_mm + 16)
    lesion, = lesion_masks(image, [around(radius_mm)], LesionParameters(percent=percent), suv=True)
    edge_mm = brentq(lambda r: profile(r, radius_mm) - 0.01 * percent * profile(0, radius_mm), 0.5, radius_mm + 10)
    assert lesion.numbers.volume_ml == pytest.approx(sphere_ml(edge_mm), rel=0.03)
    assert lesion.edge == pytest.approx(0.01 * percent * lesion.numbers.maximum)
    assert not lesion.warnings


@pytest.mark.parametrize("radius_mm", [8.5, 11.0, 14.0, 18.5])
@pytest.mark.parametrize("background", [0.0, 2.0])
def test_the_steepest_gradient_of_a_blurred_sphere_is_found_whatever_the_background(radius_mm, background):
    image = blurred_sphere(radius_mm, background=background, voxel_mm=1.0, half_mm=radius_mm + 16)
    lesion, = lesion_masks(image, [around(radius_mm)], GRADIENT, suv=True)
    r = np.arange(0.5, radius_mm + 10, 0.01)
    steepest_mm = r[np.argmin(np.gradient(profile(r, radius_mm)))]
    assert (lesion.numbers.volume_ml / sphere_ml(steepest_mm)) ** (1 / 3) == pytest.approx(1, abs=0.5 / radius_mm)
    assert lesion.edge is None and not lesion.warnings


def test_a_fixed_value_is_counted_in_suv_where_the_suv_is_known():
    image = blurred_sphere(11.0)
    chosen = LesionParameters(method="absolute", value=4)
    suv, = lesion_masks(image, [around(11.0)], chosen, suv=True)
    bq, = lesion_masks(image * 5000, [around(11.0)], chosen, bq_per_ml_of_suv=5000.0)
    assert (sitk.GetArrayFromImage(suv.mask) == sitk.GetArrayFromImage(bq.mask)).all()
    assert bq.numbers.unit == suv.numbers.unit == "SUV"
    assert bq.numbers.maximum == pytest.approx(suv.numbers.maximum, rel=1e-6)
    inside = sitk.GetArrayFromImage(image) >= 4
    assert suv.numbers.volume_ml == pytest.approx(np.count_nonzero(inside) * 0.008)
    assert suv.numbers.mean == pytest.approx(sitk.GetArrayFromImage(image)[inside].mean(), rel=1e-6)
    assert suv.numbers.total == pytest.approx(suv.numbers.mean * suv.numbers.volume_ml)


def test_becquerels_in_all_without_an_suv():
    image = blurred_sphere(11.0)
    lesion, = lesion_masks(image, [around(11.0)])
    values = sitk.GetArrayFromImage(image)
    assert lesion.numbers.unit == "Bq/ml"
    assert lesion.numbers.total == pytest.approx(values[values >= 0.42 * values.max()].sum(dtype=float) * 0.008)


def test_the_peak_is_the_mean_of_a_millilitre_at_the_best_place():
    """Of a ramp the best millilitre lies at the highest voxel of the lesion: the mean of a sphere is its middle."""
    ramp = np.broadcast_to(np.arange(1, 61, dtype=np.float32), (40, 40, 60)).copy()
    image = sitk.GetImageFromArray(ramp)
    lesion, = lesion_masks(image, [BoxSeed((5, 5, 5), (45, 35, 35))], LesionParameters(percent=50), suv=True)
    assert lesion.numbers.maximum == 46
    assert lesion.numbers.peak == pytest.approx(46, rel=1e-6)
    flat, = lesion_masks(blurred_sphere(18.5), [around(18.5)], suv=True)
    assert flat.numbers.peak == pytest.approx(10, rel=0.01)
    # Of a lesion smaller than a millilitre (5 mm radius): the mean of the profile over 6.2 mm.
    small, = lesion_masks(blurred_sphere(5.0, voxel_mm=1.5), [around(5.0)], suv=True)
    r = np.linspace(0.001, (3000 / (4 * np.pi)) ** (1 / 3), 2000)
    assert small.numbers.peak == pytest.approx(np.average(10 * profile(r, 5.0), weights=r**2), rel=0.02)


def test_a_sphere_a_box_and_a_rough_mask_find_the_same_lesion():
    image = blurred_sphere(11.0)
    rough = sitk.Image([30, 30, 30], sitk.sitkUInt8) + 7  # another grid around the sphere
    rough.SetOrigin((-22.0, -22.0, -22.0))
    rough.SetSpacing((1.5, 1.5, 1.5))
    seeds = [around(11.0), BoxSeed((-25, -25, -25), (25, 25, 25)), MaskSeed(rough)]
    masks = [sitk.GetArrayFromImage(lesion.mask) for lesion in lesion_masks(image, seeds)]
    assert masks[0].any() and (masks[0] == masks[1]).all() and (masks[0] == masks[2]).all()


def test_the_order_of_the_voxels_does_not_matter():
    image = blurred_sphere(8.0, centres_mm=((12.0, -6.0, 4.0),))
    turned = sitk.DICOMOrient(image, "RAI")
    straight, other = (lesion_masks(each, [SphereSeed((12.0, -6.0, 4.0), 20)])[0] for each in (image, turned))
    back = sitk.GetArrayFromImage(sitk.DICOMOrient(other.mask, "LPS"))
    assert (back == sitk.GetArrayFromImage(straight.mask)).all()
    assert straight.hottest_mm == pytest.approx((12, -6, 4), abs=1.01)
    assert other.hottest_mm == pytest.approx((12, -6, 4), abs=1.01)


def test_another_focus_in_the_region_is_told_and_left_out():
    image = blurred_sphere(8.0, centres_mm=((-16.0, 0.0, 0.0), (18.0, 0.0, 0.0)), heights=(10.0, 8.0))
    lesion, = lesion_masks(image, [BoxSeed((-40, -20, -20), (40, 20, 20))])
    alone, = lesion_masks(image, [SphereSeed((-16.0, 0.0, 0.0), 17)])
    assert lesion.numbers.volume_ml == pytest.approx(alone.numbers.volume_ml)
    assert any("1 more foci" in line and "80 %" in line for line in lesion.warnings)
    assert not alone.warnings


def test_two_foci_grown_together_are_told():
    image = blurred_sphere(8.0, centres_mm=((-9.0, 0.0, 0.0), (9.0, 0.0, 0.0)), heights=(10.0, 9.0))
    lesion, = lesion_masks(image, [BoxSeed((-40, -30, -30), (40, 30, 30))], LesionParameters(percent=30))
    assert any("several maxima" in line for line in lesion.warnings)


def test_a_threshold_that_floods_the_region_is_told():
    image = blurred_sphere(8.0, background=8.0)
    lesion, = lesion_masks(image, [around(8.0)])
    assert lesion.numbers.volume_ml == pytest.approx(sphere_ml(23.0), rel=0.02)
    assert any("reaches the border" in line for line in lesion.warnings)


def test_a_lesion_of_few_voxels_is_told():
    lesion, = lesion_masks(blurred_sphere(4.0, voxel_mm=6.0), [around(4.0)])
    assert any("voxels only" in line for line in lesion.warnings)


def test_what_cannot_be_outlined_is_refused_in_one_line():
    image = blurred_sphere(8.0)
    with pytest.raises(InputError, match="lesion 2: no uptake"):
        cold = sitk.Cast(image > 5, sitk.sitkFloat32) * 3 - 1
        lesion_masks(cold, [around(8.0), SphereSeed((35, 35, 35), 6)])
    with pytest.raises(InputError, match=r"nothing in the seed region reaches 40 SUV, the highest value is 9\.\d"):
        lesion_masks(image, [around(8.0)], LesionParameters(method="absolute", value=40), suv=True)
    with pytest.raises(InputError, match="no voxel of the image"):
        lesion_masks(image, [SphereSeed((500, 0, 0), 10)])
    with pytest.raises(InputError, match="no voxel of the image"):
        lesion_masks(image, [MaskSeed(sitk.Image([5, 5, 5], sitk.sitkUInt8))])
    with pytest.raises(InputError, match="no seed"):
        lesion_masks(image, [])
    with pytest.raises(InputError, match="not above what surrounds it"):
        lesion_masks(image * 0 + 1, [around(8.0)], GRADIENT)
    broken = sitk.GetArrayFromImage(image)
    broken[1, 2, 3] = np.nan
    with pytest.raises(InputError, match="no numbers"):
        lesion_masks(sitk.GetImageFromArray(broken), [around(8.0)])


def test_cancel():
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        lesion_masks(blurred_sphere(8.0), [around(8.0)], progress=progress)
