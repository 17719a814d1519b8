import numpy as np
import pytest
import SimpleITK as sitk

from organdose.errors import InputError
from organdose.segmentation.bundle_recipe import BundleRecipe, on_network_voxels, places_on, prepared, recipe_of

HU = np.random.default_rng(1).integers(-1024, 1500, (5, 6, 7)).astype(np.float32)


@pytest.mark.parametrize("axes", ["RAS", "LPS", "SAR", "PIL"])
def test_the_networks_axes_are_those_of_simpleitks_orientation(axes):
    turned = sitk.GetArrayFromImage(sitk.DICOMOrient(sitk.GetImageFromArray(HU), axes)).transpose(2, 1, 0)
    recipe = BundleRecipe(axes=axes)
    assert np.array_equal(recipe.to_network(HU), turned)
    assert np.array_equal(recipe.from_network(turned[None])[0], HU)


def test_sizes_of_voxels_and_tiles_go_with_the_networks_axes():
    recipe = BundleRecipe(axes="SAR", spacing_mm=(5.0, 2.0, 1.0), roi=(32, 64, 96))
    assert recipe.lps_spacing_mm == (1.0, 2.0, 5.0) and recipe.roi_zyx == (32, 64, 96)


@pytest.mark.parametrize("given", [
    {"_target_": "ScaleIntensityRanged", "a_min": -160, "a_max": 240, "b_min": 0.0, "b_max": 1.0, "clip": True},
    {"_target_": "monai.transforms.ScaleIntensityRanged", "a_min": -57, "a_max": 164, "b_min": -1.0, "b_max": 1.0},
    {"_target_": "NormalizeIntensityd", "nonzero": True},
    {"_target_": "NormalizeIntensityd", "subtrahend": 100.0, "divisor": 50.0},
    {"_target_": "ScaleIntensityd", "minv": -1.0, "maxv": 1.0}])
def test_intensities_are_those_of_monais_own_transforms(given):
    transforms = pytest.importorskip("monai.transforms", reason="MONAI is not installed (the extra 'segmentation')")
    name = given["_target_"].rpartition(".")[2][:-1]
    own = getattr(transforms, name)(**{key: value for key, value in given.items() if key != "_target_"})
    values = HU.copy()
    values[0] = 0  # voxels that nonzero leaves out
    expected = np.asarray(own(values[None].copy()))[0]
    assert np.allclose(prepared(values, recipe_of([given]).steps), expected, atol=1e-4)


def test_what_the_transforms_do_not_say_becomes_an_assumption():
    recipe = recipe_of([{"_target_": "LoadImaged"}, {"_target_": "EnsureChannelFirstd"}])
    assert (recipe.axes, recipe.spacing_mm) == ("RAS", (1.5, 1.5, 1.5))
    assert len(recipe.assumptions) == 3 and not recipe_of([
        {"_target_": "Orientationd", "axcodes": "LPS"}, {"_target_": "Spacingd", "pixdim": 3},
        {"_target_": "ScaleIntensityRanged", "a_min": 0, "a_max": 1, "b_min": 0, "b_max": 1}]).assumptions


@pytest.mark.parametrize(("transform", "words"), [
    ({"_target_": "HistogramNormalized"}, "HistogramNormalize"),
    ({"_target_": "ScaleIntensityRangePercentilesd"}, "ScaleIntensityRangePercentiles"),
    ({"_target_": "Orientationd", "axcodes": "RAX"}, "orientation"),
    ({"_target_": "ScaleIntensityRanged", "a_min": "@low", "a_max": 9}, "lacks a number"),
    ({"_target_": "ScaleIntensityRanged", "a_min": 0}, "lacks a number"),
    ({"_target_": "ScaleIntensityRanged", "a_min": 9, "a_max": 9}, "without width"),
    ({"_target_": "Spacingd", "pixdim": [1.0, -1.0, 1.0]}, "size of voxels"),
    ({"_target_": "Spacingd", "pixdim": "@nothing"}, "size of voxels")])
def test_a_preparation_that_is_not_known_is_refused_in_one_line(transform, words):
    with pytest.raises(InputError, match=words) as caught:
        recipe_of([transform])
    assert "\n" not in str(caught.value)


def test_network_voxels_begin_where_the_ct_begins_and_places_point_back():
    x, y, z = np.meshgrid(np.arange(24), np.arange(18), np.arange(15), indexing="ij")
    image = sitk.GetImageFromArray((10 * x + 7 * y + 3 * z).transpose(2, 1, 0).astype(np.float32))
    image.SetSpacing((1.0, 1.5, 2.0))
    image.SetOrigin((-30.0, 12.0, 100.0))
    coarse = on_network_voxels(image, (2.0, 3.0, 3.0))
    assert coarse.GetOrigin() == pytest.approx((-29.5, 12.75, 100.5))
    k, j, i = places_on(image, coarse)
    assert coarse.TransformPhysicalPointToContinuousIndex(image.TransformIndexToPhysicalPoint((5, 4, 3))) == \
        pytest.approx((i[5], j[4], k[3]))
    assert sitk.GetArrayFromImage(coarse)[4, 4, 4] == pytest.approx(10 * 8.5 + 7 * 8.5 + 3 * 6.25)
