import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.errors import InputError


@pytest.fixture
def masks() -> OrganMasks:
    return OrganMasks(sitk.GetImageFromArray(np.zeros((6, 8, 10), dtype=np.int16)))


def test_masks_that_do_not_overlap_share_a_layer_and_others_do_not(masks):
    one, other = np.zeros(masks.shape, dtype=bool), np.zeros(masks.shape, dtype=bool)
    one[:3], other[3:] = True, True
    masks.add("liver", one)
    masks.add("spleen", other)
    masks.add("body", one | other)
    assert len(masks.layers) == 2
    for name, mask in (("liver", one), ("spleen", other), ("body", one | other)):
        assert np.array_equal(masks.mask(name), mask)


def test_a_box_lands_where_its_corner_is(masks):
    box = np.ones((2, 3, 4), dtype=bool)
    box[0, 0, 0] = False
    masks.add("liver", box, (3, 2, 5))
    expected = np.zeros(masks.shape, dtype=bool)
    expected[3:5, 2:5, 5:9] = box
    assert np.array_equal(masks.mask("liver"), expected)


def test_an_empty_mask_is_kept_as_empty(masks):
    masks.add("liver", np.zeros(masks.shape, dtype=bool))
    assert not masks.mask("liver").any()


@pytest.mark.parametrize(("shape", "corner"), [((6, 8, 9), None), ((2, 2, 2), None), ((2, 2, 2), (5, 0, 0)),
                                               ((2, 2, 2), (-1, 0, 0)), ((8, 10), None)])
def test_a_mask_of_another_shape_is_refused(masks, shape, corner):
    with pytest.raises(InputError, match="has the shape"):
        masks.add("liver", np.ones(shape, dtype=bool), corner)


def test_the_same_organ_twice_is_refused(masks):
    masks.add("liver", np.ones(masks.shape, dtype=bool))
    with pytest.raises(InputError, match="appears twice"):
        masks.add("liver", np.ones(masks.shape, dtype=bool))
