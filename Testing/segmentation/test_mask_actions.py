"""Mending of one organ's mask: pieces, holes, rough surfaces, told with volumes."""

import numpy as np
import pytest
from scipy import ndimage

from organdose.errors import InputError
from organdose.segmentation.mask_actions import closed, fill_holes, largest_component, margin_voxels, smoothed_by_median

VOXEL_ML = 0.027  # 3 mm
SPACING_MM = (3.0, 3.0, 3.0)


@pytest.fixture
def ball():
    """Radius 10 voxels in the middle of 41."""
    z, y, x = np.ogrid[:41, :41, :41]
    return (z - 20) ** 2 + (y - 20) ** 2 + (x - 20) ** 2 <= 100


def test_all_but_the_largest_piece_goes_and_its_volume_is_told(ball):
    mask = ball.copy()
    mask[1:3, 1:3, 1:3] = True  # 8 voxels
    mask[38, 38, 36:39] = True  # 3 voxels
    change = largest_component(mask, VOXEL_ML)
    assert np.array_equal(change.mask, ball)
    assert change.line == "2 pieces of 0.3 ml removed"  # 11 x 0.027 ml


def test_pieces_that_touch_at_a_corner_are_one():
    mask = np.zeros((4, 4, 4), bool)
    mask[1, 1, 1] = mask[2, 2, 2] = True
    change = largest_component(mask, VOXEL_ML)
    assert change.mask.sum() == 2 and "one piece" in change.line


def test_enclosed_background_is_filled_and_a_tunnel_is_not(ball):
    mask = ball.copy()
    mask[18:21, 18:21, 18:21] = False  # 27 voxels
    mask[20, 20, :12] = mask[20, 25, 20:] = False  # the second: open to the outside
    change = fill_holes(mask, VOXEL_ML)
    assert change.line == "1 hole of 0.7 ml filled"  # 27 x 0.027 ml
    assert change.mask[19, 19, 19] and not change.mask[20, 25, 22:].any()
    assert change.mask.sum() == mask.sum() + 27


def test_a_mask_without_holes_stays_as_it_is(ball):
    change = fill_holes(ball, VOXEL_ML)
    assert np.array_equal(change.mask, ball) and change.line == "no holes, nothing to fill"


def test_the_median_is_that_of_a_box(ball):
    rough = ball ^ (np.random.default_rng(1).random(ball.shape) < 0.05)
    change = smoothed_by_median(rough, SPACING_MM, 6.0)
    known = ndimage.median_filter(rough.astype(np.uint8), size=5, mode="nearest") > 0
    assert np.array_equal(change.mask, known)
    assert change.line.startswith("smoothed: ") and "ml" in change.line and "%" in change.line


def test_the_median_takes_millimetres_along_each_axis(ball):
    """5 mm thick slices: a radius of 4 mm is nothing across them and two voxels within."""
    rough = ball.copy()
    rough[20, 33, 20] = True
    change = smoothed_by_median(rough, (5.0, 2.0, 2.0), 4.0)
    known = ndimage.median_filter(rough.astype(np.uint8), size=(1, 5, 5), mode="nearest") > 0
    assert np.array_equal(change.mask, known) and not change.mask[20, 33, 20]


def test_an_organ_cut_by_the_image_keeps_its_end():
    """A cylinder from the first slice to the last of the array."""
    y, x = np.ogrid[:31, :31]
    mask = np.broadcast_to((y - 15) ** 2 + (x - 15) ** 2 <= 64, (12, 31, 31)).copy()
    for change in (smoothed_by_median(mask, SPACING_MM, 6.0), closed(mask, SPACING_MM, 6.0)):
        assert change.mask[0].sum() == change.mask[6].sum() > 0.9 * mask[0].sum()


def test_closing_is_that_of_a_ball(ball):
    rough = ball & ~(np.random.default_rng(2).random(ball.shape) < 0.02)
    change = closed(rough, SPACING_MM, 6.0)
    z, y, x = np.ogrid[-2:3, -2:3, -2:3]
    known = ndimage.binary_closing(rough, z * z + y * y + x * x <= 4)
    assert np.array_equal(change.mask, known)
    assert change.mask.sum() >= rough.sum() and change.line.startswith("closed: ")


def test_closing_joins_what_is_less_apart_than_its_diameter():
    mask = np.zeros((15, 15, 30), bool)
    mask[4:11, 4:11, 4:13] = mask[4:11, 4:11, 15:26] = True  # 2 voxels apart
    assert closed(mask, SPACING_MM, 6.0).mask[7, 7, 13:15].all()
    far = mask.copy()
    far[:, :, 11:17] = False  # 6 voxels apart
    assert not closed(far, SPACING_MM, 6.0).mask[7, 7, 14]


def test_what_would_leave_nothing_is_refused():
    mask = np.zeros((9, 9, 9), bool)
    mask[4, 4, 1:8] = True
    with pytest.raises(InputError, match="nothing would be left"):
        smoothed_by_median(mask, SPACING_MM, 3.0)


@pytest.mark.parametrize("act", [lambda mask: largest_component(mask, VOXEL_ML),
                                 lambda mask: fill_holes(mask, VOXEL_ML),
                                 lambda mask: smoothed_by_median(mask, SPACING_MM, 6.0),
                                 lambda mask: closed(mask, SPACING_MM, 6.0)])
def test_empty_masks_are_refused(act):
    with pytest.raises(InputError, match="the mask is empty"):
        act(np.zeros((5, 5, 5), bool))


@pytest.mark.parametrize("act", [smoothed_by_median, closed])
@pytest.mark.parametrize("radius_mm, words", [(2.0, "less than a voxel"), (0.0, "mm"), (31.0, "radius of 31 mm")])
def test_radii_that_make_no_sense_are_refused(ball, act, radius_mm, words):
    with pytest.raises(InputError, match=words):
        act(ball, SPACING_MM, radius_mm)


def test_the_margin_is_in_voxels_of_each_axis():
    assert margin_voxels(4.0, (5.0, 2.0, 0.8)) == (1, 2, 5)
