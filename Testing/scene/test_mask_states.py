"""The states of masks in the scene: fingerprints as in files, volumes, approvals that fall with an edit."""

import numpy as np
import pytest
import slicer

from organdose.anatomy.mask_finding import Finding, FindingKind, Severity
from organdose.anatomy.review import Drawn, fingerprints, mark_drawn
from organdose.errors import InputError
from organdose.scene.at_once import at_once
from organdose.scene.mask_findings_node import FINDINGS_ROLE, mask_check_of, put_mask_check
from organdose.scene.mask_states import MaskStates
from organdose.scene.segmentation_nodes import review_of_segment, segmentation_node_from_masks
from organdose.scene.volume_nodes import ct_volume_node


@pytest.fixture
def ct_node(scene, ct_image):
    return ct_volume_node(ct_image)


@pytest.fixture
def node(ct_node, masks):
    mark_drawn(masks, names=["body", "liver"])
    return segmentation_node_from_masks(masks, ct_node)


@pytest.fixture
def states(node, ct_node):
    followed = MaskStates(node, ct_node)
    at_once(followed.follow())
    return followed


def draw(node, ct_node, segment_id, shape=(24, 48, 64)):
    labels = np.zeros(shape, np.uint8)
    labels[4:8, 10:20, 30:40] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(labels, node, segment_id, ct_node)


def kept(node, segment_id):
    return review_of_segment(node.GetSegmentation().GetSegment(segment_id))


def test_fingerprints_are_those_of_the_masks_in_files(states, masks):
    assert {name: state.fingerprint for name, state in states.states.items()} == fingerprints(masks)


def test_volumes_are_those_of_the_voxels(states, masks):
    for name, state in states.states.items():
        assert state.volume_ml == pytest.approx(masks.mask(name).sum() * 4 * 4.5 * 9 / 1000)


def test_masks_nobody_knows_of_stay_unknown_until_they_are_drawn_on(states, node, ct_node):
    assert states.states["kidney_left"].review is None
    draw(node, ct_node, "kidney_left")
    assert at_once(states.follow()) == ()
    assert states.states["kidney_left"].review.drawn is Drawn.EDITED and kept(node, "kidney_left").drawn is Drawn.EDITED


def test_an_edit_takes_an_approval_and_says_so(states, node, ct_node):
    states.approve(["liver", "body"], "  A.  Smith ")
    assert kept(node, "liver").approved_by == "A. Smith" and kept(node, "liver").drawn is Drawn.AUTOMATIC
    assert at_once(states.follow()) == (), "an approval is no edit"
    draw(node, ct_node, "liver")
    assert at_once(states.follow()) == ("liver",)
    assert not kept(node, "liver").approved_by and kept(node, "liver").drawn is Drawn.EDITED
    assert kept(node, "body").approved_by == "A. Smith"


def test_an_edit_of_a_time_when_nobody_followed_is_found(states, node, ct_node):
    states.approve(["liver"], "A. Smith")
    draw(node, ct_node, "liver")
    again = MaskStates(node, ct_node)
    assert at_once(again.follow()) == ("liver",)


def test_many_approvals_are_one_event(states, node):
    events = []
    tag = node.AddObserver(slicer.vtkSegmentation.SegmentModified, lambda *_: events.append(1))
    states.approve(states.states, "A. Smith")
    node.RemoveObserver(tag)
    assert len(events) == 1 and all(kept(node, name).approved_by for name in states.states)


def test_without_a_name_or_a_mask_nothing_is_approved(states, node):
    with pytest.raises(InputError, match="needs a name"):
        states.approve(["liver"], "  ")
    with pytest.raises(InputError, match="no mask of 'spleen'"):
        states.approve(["liver", "spleen"], "A. Smith")
    assert not kept(node, "liver").approved_by


def test_a_withdrawn_approval_leaves_how_it_was_drawn(states, node):
    states.approve(["liver"], "A. Smith")
    states.withdraw(["liver", "kidney_left", "spleen"])
    assert kept(node, "liver").drawn is Drawn.AUTOMATIC and not kept(node, "liver").approved_by
    assert kept(node, "kidney_left") is None


def test_who_draws_while_the_masks_are_looked_at_is_looked_at_too(node, ct_node, masks):
    followed = MaskStates(node, ct_node)
    work = followed.follow()
    next(work)
    draw(node, ct_node, "liver")
    for _ in work:
        pass
    assert followed.states["liver"].volume_ml == pytest.approx(4 * 10 * 10 * 0.162)


FOUND = (Finding("liver", FindingKind.HOLES, 'a "hole"', (1.5, -2.5, 300.0), Severity.BAD),
         Finding("spleen", FindingKind.MISSING, "not drawn", (0.0, 0.0, 0.0), Severity.NOTE))


def test_findings_are_tied_by_reference_and_read_back(node, states):
    now = {name: state.fingerprint for name, state in states.states.items()}
    table = put_mask_check(node, FOUND, now)
    assert node.GetNodeReference(FINDINGS_ROLE) is table
    check = mask_check_of(node)
    assert [found.place_mm for found in check.findings] == [(1.5, -2.5, 300.0), (0.0, 0.0, 0.0)]
    assert check.findings[1] == FOUND[1] and check.edited_since(now) == set()
    assert check.edited_since({**now, "liver": "other"}) == {"liver"}
    assert check.edited_since({name: text for name, text in now.items() if name != "body"}) == {"body"}


def test_a_later_check_takes_the_place_of_the_earlier(node):
    table = put_mask_check(node, FOUND, {})
    assert put_mask_check(node, FOUND[:1], {"a b=c;d": "12"}) is table
    assert len(mask_check_of(node).findings) == 1 and mask_check_of(node).fingerprints == {"a b=c;d": "12"}


def test_a_copy_of_a_segmentation_gets_a_table_of_its_own(node):
    put_mask_check(node, FOUND, {})
    copy = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    copy.Copy(node)
    assert len(mask_check_of(copy).findings) == 2
    put_mask_check(copy, (), {})
    assert len(mask_check_of(node).findings) == 2 and mask_check_of(copy).findings == ()


def test_a_table_that_somebody_changed_is_no_check(node):
    put_mask_check(node, FOUND, {}).GetTable().GetColumnByName("severity").SetValue(0, "terrible")
    assert mask_check_of(node) is None
    put_mask_check(node, FOUND, {}).GetTable().RemoveColumnByName("reason")
    assert mask_check_of(node) is None


def test_masks_without_a_check_have_none(node):
    assert mask_check_of(node) is None
