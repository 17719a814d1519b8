"""Actions on one segment of the scene: what Slicer holds afterwards, and that no other organ lost a voxel."""

import numpy as np
import pytest
import slicer

from organdose.anatomy.organ_masks import OrganMasks
from organdose.errors import InputError
from organdose.scene import mask_actions
from organdose.scene.segmentation_nodes import masks_from_segmentation_node, segmentation_node_from_masks
from organdose.scene.volume_nodes import ct_volume_node


@pytest.fixture
def drawn(masks) -> OrganMasks:
    """Those of the fixture, the liver with two islands and a hole, and a kidney on the right."""
    liver = masks.mask("liver")
    liver[2, 5:7, 5:7] = liver[20, 40, 60] = True
    liver[12, 24, 19] = False
    again = OrganMasks(masks.reference, origin="synthetic")
    for name in masks.names:
        again.add(name, liver if name == "liver" else masks.mask(name))
    right = np.zeros_like(liver)
    right[10:14, 30:34, 14:18] = True
    again.add("kidney_right", right)
    return again


@pytest.fixture
def ct_node(scene, ct_image):
    return ct_volume_node(ct_image)


@pytest.fixture
def node(ct_node, drawn):
    return segmentation_node_from_masks(drawn, ct_node)


@pytest.fixture
def saved():
    """A list that grows when an undo state would be saved."""
    return []


@pytest.fixture
def masks_now(node, ct_node):
    return lambda: masks_from_segmentation_node(node, ct_node)


def assert_others_are_as_before(now, drawn, *changed):
    for name in set(drawn.names) - set(changed):
        assert np.array_equal(now.mask(name), drawn.mask(name)), name


def test_islands_go_and_are_told_by_name(node, drawn, saved, masks_now):
    line = mask_actions.keep_largest(node, "liver", lambda: saved.append(1))
    assert line == "Liver: 2 pieces of 0.8 ml removed"  # 5 voxels of 4 x 4.5 x 9 mm
    now = masks_now()
    assert not now.mask("liver")[2, 5, 5] and now.mask("liver").sum() == drawn.mask("liver").sum() - 5
    assert_others_are_as_before(now, drawn, "liver")
    assert saved == [1]


def test_holes_are_filled(node, drawn, saved, masks_now):
    assert mask_actions.fill_holes(node, "liver", lambda: saved.append(1)) == "Liver: 1 hole of 0.2 ml filled"
    assert masks_now().mask("liver")[12, 24, 19]
    assert_others_are_as_before(masks_now(), drawn, "liver")


def test_nothing_to_do_is_no_undo_step(node, saved):
    modified = node.GetMTime()
    assert mask_actions.keep_largest(node, "kidney_left", lambda: saved.append(1)).endswith("nothing to remove")
    assert saved == [] and node.GetMTime() == modified


def test_smoothing_may_reach_beyond_the_box_and_into_other_organs(node, drawn, saved, masks_now):
    """The closing of two halves of a kidney passes over a vertebra-sized gap that the body fills."""
    line = mask_actions.smooth(node, "kidney_right", lambda: saved.append(1), radius_mm=9, method="closing")
    assert line == "Right kidney: nothing to change at this radius" or line.startswith("Right kidney: closed")
    line = mask_actions.smooth(node, "liver", lambda: saved.append(1), radius_mm=9, method="median")
    assert line.startswith("Liver: smoothed: ")
    now = masks_now()
    assert not now.mask("liver")[20, 40, 60] and now.mask("liver")[12, 24, 19]
    assert_others_are_as_before(now, drawn, "liver", "kidney_right")


def test_a_cylinder_cut_by_the_image_keeps_its_end_when_smoothed(node, drawn, saved, masks_now):
    mask_actions.smooth(node, "body", lambda: saved.append(1), radius_mm=9)
    now = masks_now().mask("body")
    assert now[0].sum() == now[12].sum() > 0.95 * drawn.mask("body")[0].sum()


def test_emptied_the_segment_stays(node, drawn, saved, masks_now):
    assert mask_actions.empty(node, "kidney_right", lambda: saved.append(1)) == "Right kidney: emptied, 10.4 ml gone"
    now = masks_now()
    assert "kidney_right" in now.names and not now.mask("kidney_right").any()
    assert_others_are_as_before(now, drawn, "kidney_right")
    with pytest.raises(InputError, match="Right kidney is empty"):
        mask_actions.keep_largest(node, "kidney_right", lambda: saved.append(1))
    assert saved == [1]


def test_left_and_right_change_places_and_keep_their_segments(node, drawn, saved, masks_now):
    line = mask_actions.swap_sides(node, "kidney_right", lambda: saved.append(1))
    assert line == "Right kidney and Left kidney: swapped"
    now = masks_now()
    assert np.array_equal(now.mask("kidney_left"), drawn.mask("kidney_right"))
    assert np.array_equal(now.mask("kidney_right"), drawn.mask("kidney_left"))
    assert_others_are_as_before(now, drawn, "kidney_left", "kidney_right")
    assert saved == [1]


def test_an_organ_without_partner_cannot_be_swapped(node, saved):
    with pytest.raises(InputError, match="no partner of the other side"):
        mask_actions.swap_sides(node, "liver", lambda: saved.append(1))
    assert saved == []


def test_a_segment_that_is_gone_is_told(node, saved):
    with pytest.raises(InputError, match="no mask is chosen"):
        mask_actions.fill_holes(node, "spleen", lambda: saved.append(1))


def test_layers_cut_to_what_they_hold_grow_when_needed(node, ct_node, drawn, saved, masks_now):
    """Slicer keeps label maps no larger than their segments."""
    segment_id = node.GetSegmentation().AddEmptySegment("", "Spleen")
    small = np.zeros((24, 48, 64), np.uint8)
    small[4:7, 10:20, 40:50] = 1
    small[4:7, 14:16, 44:46] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(small, node, segment_id, ct_node)
    mask_actions.smooth(node, segment_id, lambda: saved.append(1), radius_mm=9, method="closing")
    now = masks_now()
    assert now.mask("spleen")[5, 14:16, 44:46].all()
    assert_others_are_as_before(now, drawn, "spleen")
