"""Lesions outlined on PET voxels among the organs on CT voxels."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.organs import organ
from organdose.errors import InputError
from organdose.segmentation.lesion_seeds import BoxSeed, SphereSeed
from organdose.segmentation.lesions import lesion_masks
from organdose.segmentation.lesions_as_organs import add_lesions, lesion_on_grid


def image_of(values, spacing_mm, origin_mm=(0.0, 0.0, 0.0)):
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(spacing_mm)
    image.SetOrigin(origin_mm)
    return image


@pytest.fixture
def pet():
    """Two hot boxes on voxels of 4 mm: 3 x 4 x 5 and 2 x 2 x 2 voxels."""
    values = np.zeros((20, 20, 20), np.float32)
    values[3:8, 4:8, 5:8] = 10
    values[12:14, 12:14, 12:14] = 5
    return image_of(values, (4.0, 4.0, 4.0), (-38.0, -38.0, 102.0))


@pytest.fixture
def ct():
    return image_of(np.zeros((27, 80, 80), np.int16), (1.0, 1.0, 3.0), (-39.5, -39.5, 101.5))


def centre(pet, index):
    return pet.TransformContinuousIndexToPhysicalPoint(index)


def both(pet):
    return lesion_masks(pet, [SphereSeed(centre(pet, (6, 5.5, 5)), 16), SphereSeed(centre(pet, (12.5, 12.5, 12.5)), 8)])


def test_lesions_keep_volume_and_place_on_the_voxels_of_the_ct(pet, ct):
    masks = OrganMasks(ct)
    assert add_lesions(masks, both(pet)) == ("lesion_1", "lesion_2")
    for name, voxels in (("lesion_1", 60), ("lesion_2", 8)):
        mask = masks.mask(name)
        assert np.count_nonzero(mask) * 3 == pytest.approx(voxels * 64, rel=0.13)  # slices of 3 mm in voxels of 4 mm
    z, y, x = (axis.mean() for axis in np.nonzero(masks.mask("lesion_1")))
    assert ct.TransformContinuousIndexToPhysicalPoint((x, y, z)) == pytest.approx(centre(pet, (6, 5.5, 5)), abs=1.5)
    assert "42 % of the maximum" in masks.notes["lesion_1"] and "8 voxels only" in masks.notes["lesion_2"]
    assert organ("lesion_2").title == "Lesion 2"
    assert {name: review.drawn for name, review in masks.reviews.items()} == dict.fromkeys(masks.names, "automatic")


def test_numbers_go_on_behind_lesions_that_are_there(pet, ct, organ_masks):
    masks = OrganMasks(ct)
    first = np.zeros(masks.shape, bool)
    first[0, 0, :5] = True
    masks.add("lesion_1", first)
    masks.add("liver", np.ones(masks.shape, bool))
    assert add_lesions(masks, both(pet)) == ("lesion_2", "lesion_3")
    assert masks.mask("liver").all() and masks.mask("lesion_2").any()  # they may lie in an organ


def test_a_lesion_beyond_the_ct_is_left_out_and_told(pet, ct):
    masks = OrganMasks(ct[:, :, :8])  # ends below the second
    assert add_lesions(masks, both(pet)) == ("lesion_1",)
    assert "left out" in masks.notes["lesion_2"]


def test_half_a_voxel_decides_on_coarse_voxels(pet):
    coarse = image_of(np.zeros((10, 10, 10), np.int16), (8.0, 8.0, 8.0), (-36.0, -36.0, 104.0))
    inside, corner = lesion_on_grid(both(pet)[1].mask, coarse)
    assert np.count_nonzero(inside) == 1 and corner == (6, 6, 6)  # voxels 12 and 13 of the PET are voxel 6 here
    beside = image_of(np.zeros((10, 10, 10), np.int16), (8.0, 8.0, 8.0), (-40.0, -40.0, 100.0))
    assert not lesion_on_grid(both(pet)[1].mask, beside)[0].any()  # an eighth of each of eight voxels


def test_the_order_of_the_pets_voxels_does_not_matter(pet, ct):
    lesion, = lesion_masks(sitk.DICOMOrient(pet, "RAI"), [BoxSeed((-40, -40, 100), (0, 0, 140))])
    straight, = lesion_masks(pet, [BoxSeed((-40, -40, 100), (0, 0, 140))])
    for first, second in zip(lesion_on_grid(lesion.mask, ct), lesion_on_grid(straight.mask, ct)):
        assert np.array_equal(first, second)


def test_an_oblique_pet_is_refused(pet, ct):
    lesion = both(pet)[0]
    lesion.mask.SetDirection((1, 0, 0, 0, np.cos(0.2), -np.sin(0.2), 0, np.sin(0.2), np.cos(0.2)))
    with pytest.raises(InputError, match="oblique"):
        lesion_on_grid(lesion.mask, ct)
