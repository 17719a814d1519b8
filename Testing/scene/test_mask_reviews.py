"""The column 'mask' of organ tables goes with edits and approvals, and only what changed is looked at again."""

import dataclasses
import json

import numpy as np
import pytest
import SimpleITK as sitk
import slicer

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.review import Drawn, Review, approve, mark_drawn
from organdose.scene import mask_reviews
from organdose.scene.ct_dose_scene import CTDoseScene, build_ct_dose_scene, open_scene, save_scene
from organdose.scene.dose_display import QUANTITY_ATTRIBUTE
from organdose.scene.live_results import LiveResult, UnfollowedResult, live_result
from organdose.scene.organ_table_node import rows_from_table_node
from organdose.scene.segmentation_nodes import masks_from_segmentation_node, put_review

SIGNED = "approved by A. Smith on 2026-11-21 (automatic)"


@pytest.fixture
def reviewed(masks):
    """Body and liver automatic, the vertebra drawn by hand, nothing known of the kidney."""
    mark_drawn(masks, names=["body", "liver"])
    mark_drawn(masks, Drawn.MANUAL, ["vertebrae_L1"])
    return masks


@pytest.fixture
def result(scene, ct_image, dose_map, reviewed, rows, dvhs):
    made = build_ct_dose_scene(ct_image, dose_map, reviewed, rows, dvhs)
    made.organ_table.SetAttribute("OrganDose.Record", json.dumps({"job": {"organs": None}}))  # all rows
    return made


@pytest.fixture
def live(result):
    live = LiveResult.of(result)
    list(live.follow())
    return live


@pytest.fixture
def looked_at(monkeypatch):
    """How many voxels each mask had whose fingerprint was taken."""
    sizes, really = [], mask_reviews.fingerprint_steps

    def counted(labels, value, box, direction):
        sizes.append(int((labels == value).sum()))
        return really(labels, value, box, direction)

    monkeypatch.setattr(mask_reviews, "fingerprint_steps", counted)
    return sizes


def said(result):
    return {row.organ: row.mask for row in rows_from_table_node(result.organ_table)}


def sign(result, organ):
    """Approve a mask as a window does."""
    segment = result.segmentation.GetSegmentation().GetSegment(organ)
    masks = masks_from_segmentation_node(result.segmentation, result.ct)
    review = approve(masks, organ, "A. Smith")
    put_review(segment, dataclasses.replace(review, approved_at="20261121T194418Z"))


def take_away(result, organ, k):
    """Erase slices of a mask; gives what it was."""
    labels = slicer.util.arrayFromSegmentBinaryLabelmap(result.segmentation, organ, result.ct)
    before = labels.copy()
    labels[k] = 0
    draw(result, organ, labels)
    return before


def draw(result, organ, labels):
    slicer.util.updateSegmentBinaryLabelmapFromArray(labels, result.segmentation, organ, result.ct)


def test_what_is_known_of_the_masks_stands_in_the_table(result, live):
    shown = said(result)
    assert shown["body"] == shown["liver"] == "automatic" and shown["vertebrae_L1"] == shown["bones"] == "manual"
    assert shown["kidney_left"] == shown["kidneys"] == shown["remainder"] == ""


def test_an_approval_comes_into_the_table_and_changes_nothing_else(result, live):
    before = rows_from_table_node(result.organ_table)
    sign(result, "liver")
    list(live.follow())
    after = rows_from_table_node(result.organ_table)
    assert said(result)["liver"] == SIGNED
    assert [repr(dataclasses.replace(row, mask="")) for row in after] == [
        repr(dataclasses.replace(row, mask="")) for row in before]


def test_an_edit_takes_the_approval_away_and_undoing_it_brings_it_back(result, live):
    sign(result, "liver")
    list(live.follow())
    before = take_away(result, "liver", slice(0, 10))
    list(live.follow())
    assert said(result)["liver"] == "edited" and said(result)["body"] == "automatic"
    draw(result, "liver", before)
    list(live.follow())
    assert said(result)["liver"] == SIGNED


def test_a_stroke_looks_at_the_mask_it_changed_alone(result, live, looked_at):
    before = take_away(result, "liver", slice(0, 10))
    list(live.follow())
    assert looked_at == [before[10:].sum()]
    list(live.follow())
    sign(result, "body")
    list(live.follow())
    assert len(looked_at) == 1


def test_the_status_changes_with_the_numbers_and_not_only_at_the_end(result, live, monkeypatch):
    monkeypatch.setattr("organdose.scene.live_results._STEP_S", 0.0)
    take_away(result, "liver", slice(0, 10))
    volumes = {row.organ: row.volume_ml for row in rows_from_table_node(result.organ_table)}
    for _ in live.follow():
        row = next(row for row in rows_from_table_node(result.organ_table) if row.organ == "liver")
        if row.volume_ml != volumes["liver"]:
            break
    assert row.mask == "edited"


def test_work_left_at_any_step_is_finished_the_next_time(result, live):
    steps = 0
    while True:
        take_away(result, "liver", slice(steps, steps + 1))
        for taken, _ in enumerate(live.follow()):
            if taken == steps:
                break
        else:
            break
        list(live.follow())
        assert said(result)["liver"] == "edited"
        steps += 1


def test_a_scene_edited_while_nobody_followed_says_so_when_it_is_opened(result, live, tmp_path):
    sign(result, "liver")
    list(live.follow())
    take_away(result, "liver", slice(0, 10))
    save_scene(tmp_path / "s.mrb")
    open_scene(tmp_path / "s.mrb")
    again, = CTDoseScene.in_scene()
    assert said(again)["liver"] == SIGNED  # as it was saved
    list(LiveResult.of(again).follow())
    assert said(again)["liver"] == "edited" and said(again)["body"] == "automatic"


def test_a_table_of_an_earlier_version_gets_the_column(result):
    table = result.organ_table.GetTable()
    table.RemoveColumnByName("mask")
    assert set(said(result).values()) == {""}
    list(LiveResult.of(result).follow())
    assert said(result)["liver"] == "automatic"
    assert result.organ_table.GetColumnTitle("mask") == "Mask"


def test_doses_by_organs_say_it_too_though_they_do_not_follow(result):
    result.dose.SetAttribute(QUANTITY_ATTRIBUTE, "organ mean absorbed dose")
    live = live_result(result)
    assert isinstance(live, UnfollowedResult)
    list(live.follow())
    sign(result, "liver")
    list(live.follow())
    assert said(result)["liver"] == SIGNED
    take_away(result, "liver", slice(0, 10))
    list(live.follow())
    assert said(result)["liver"] == "edited"


def test_a_segment_whose_review_holds_for_other_voxels_is_edited(result, live):
    segment = result.segmentation.GetSegmentation().GetSegment("kidney_left")
    put_review(segment, Review(Drawn.AUTOMATIC, "0" * 32, "A. Smith", "20261121T194418Z"))
    list(live.follow())
    assert said(result)["kidney_left"] == "edited" and said(result)["kidneys"] == "edited"


@pytest.mark.parametrize("order", [(2, 1, 0), (1, 2, 0)])
def test_the_axes_in_which_a_ct_is_stored_do_not_matter(scene, ct_image, dose_map, reviewed, rows, dvhs, order):
    turned = sitk.PermuteAxes(ct_image, order)
    masks = OrganMasks(turned, reviews=dict(reviewed.reviews))
    for name in reviewed.names:
        masks.add(name, np.transpose(reviewed.mask(name), [2 - order[2 - axis] for axis in range(3)]))
    result = build_ct_dose_scene(turned, dose_map, masks, rows, dvhs)
    list(LiveResult.of(result).follow())
    assert said(result)["liver"] == "automatic"
