"""Many organs on one grid, in as few arrays as overlaps allow."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.errors import InputError


@pytest.fixture
def masks():
    return OrganMasks(sitk.Image([6, 5, 4], sitk.sitkInt16), origin="test")


def box(z=slice(None), y=slice(None), x=slice(None)):
    mask = np.zeros((4, 5, 6), bool)
    mask[z, y, x] = True
    return mask


def test_a_mask_comes_back_as_it_was(masks):
    mask = np.random.default_rng(1).random((4, 5, 6)) > 0.5
    masks.add("liver", mask)
    assert np.array_equal(masks.mask("liver"), mask)
    assert masks.names == ("liver",) and masks.shape == (4, 5, 6)


def test_masks_apart_share_a_layer_and_masks_that_overlap_do_not(masks):
    masks.add("liver", box(x=slice(0, 2)))
    masks.add("spleen", box(x=slice(4, 6)))
    assert len(masks.layers) == 1
    masks.add("tumour_1", box(x=slice(1, 3)))
    assert len(masks.layers) == 2
    masks.add("heart", box(x=slice(3, 4)))  # fits between the first two
    assert len(masks.layers) == 2
    assert np.array_equal(masks.mask("tumour_1"), box(x=slice(1, 3)))
    assert np.array_equal(masks.mask("liver"), box(x=slice(0, 2)))


def test_a_box_is_put_at_its_corner(masks):
    masks.add("liver", np.ones((2, 2, 3), bool), corner=(1, 2, 3))
    assert np.array_equal(masks.mask("liver"), box(slice(1, 3), slice(2, 4), slice(3, 6)))


def test_an_empty_mask_stays_empty_and_disturbs_nobody(masks):
    masks.add("liver", box(x=slice(0, 2)))
    masks.add("spleen", box(x=slice(0, 0)))
    assert not masks.mask("spleen").any()
    assert np.array_equal(masks.mask("liver"), box(x=slice(0, 2)))


def test_three_hundred_organs_fit(masks):
    large = OrganMasks(sitk.Image([40, 10, 1], sitk.sitkInt16))
    for index in range(300):
        mask = np.zeros((1, 10, 40), bool)
        mask.flat[index] = True
        large.add(f"lesion_{index + 1}", mask)
    assert len(large.layers) == 2  # 255 labels in a layer of bytes
    assert all(np.flatnonzero(large.mask(f"lesion_{n}")).tolist() == [n - 1] for n in (1, 255, 256, 300))


@pytest.mark.parametrize(("mask", "corner"), [
    (np.ones((3, 5, 6), bool), None), (np.ones((5, 6), bool), None), (np.ones((2, 2, 2), bool), (3, 0, 0)),
    (np.ones((2, 2, 2), bool), (-1, 0, 0))])
def test_a_mask_that_does_not_fit_is_refused(masks, mask, corner):
    with pytest.raises(InputError, match=r"'liver' has the shape .* the CT has \(4, 5, 6\)"):
        masks.add("liver", mask, corner)
    assert masks.names == () and masks.layers == []


def test_an_organ_twice_is_refused(masks):
    masks.add("liver", box(x=slice(0, 2)))
    with pytest.raises(InputError, match="'liver' appears twice"):
        masks.add("liver", box(x=slice(3, 4)))


def test_an_organ_that_is_not_there_is_an_error(masks):
    with pytest.raises(KeyError):
        masks.mask("liver")


def test_a_union_joins_those_that_are_there(masks):
    masks.add("kidney_left", box(x=slice(0, 2)))
    masks.add("kidney_right", box(x=slice(1, 3)))
    assert np.array_equal(masks.union(["kidney_left", "kidney_right", "liver"]), box(x=slice(0, 3)))
    assert not masks.union(["liver"]).any()


def test_keeping_some_leaves_the_others_and_their_notes_behind(masks):
    masks.add("liver", box(x=slice(0, 2)))
    masks.add("spleen", box(x=slice(3, 4)))
    masks.notes.update(liver="a", spleen="b", lung_left="no left lung in the image")
    kept = masks.kept(["spleen", "heart"])
    assert kept.names == ("spleen",) and kept.origin == "test"
    assert kept.notes == {"spleen": "b", "lung_left": "no left lung in the image"}
    assert masks.names == ("liver", "spleen")  # the whole is as it was
