from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.review import (
    Drawn,
    ReviewStatus,
    approve,
    current_review,
    fingerprints,
    mark_drawn,
    refresh_reviews,
    review_from_json,
    review_from_tags,
    review_tags,
    review_to_json,
)
from organdose.errors import InputError

WHEN = datetime(2026, 3, 1, 13, 5, 7, tzinfo=timezone(timedelta(hours=2)))


def shift_one_voxel(masks, name):
    layer, _ = masks.segments[name]
    k, j, i = np.argwhere(masks.mask(name))[0]
    masks.layers[layer][k, j, i] = 0


def test_what_an_engine_drew_is_automatic_until_a_voxel_changes(organ_masks):
    mark_drawn(organ_masks)
    assert {current_review(organ_masks, name).status for name in organ_masks.names} == {ReviewStatus.AUTOMATIC}
    shift_one_voxel(organ_masks, "liver")
    assert current_review(organ_masks, "liver").status is ReviewStatus.EDITED
    assert current_review(organ_masks, "kidney_left").status is ReviewStatus.AUTOMATIC


def test_an_approval_says_who_and_when_and_falls_with_an_edit(organ_masks):
    mark_drawn(organ_masks)
    review = approve(organ_masks, "liver", "  A.  Smith ", WHEN)
    assert (review.status, review.approved_by, review.approved_at) == ("approved", "A. Smith", "20260301T110507Z")
    assert review.line == "approved by A. Smith on 2026-03-01 (automatic)"
    assert refresh_reviews(organ_masks) == ()
    shift_one_voxel(organ_masks, "liver")
    assert refresh_reviews(organ_masks) == ("liver",)
    assert organ_masks.reviews["liver"].status is ReviewStatus.EDITED
    assert organ_masks.reviews["liver"].approved_by == ""


def test_a_mask_drawn_by_hand_stays_so_after_an_edit(organ_masks):
    mark_drawn(organ_masks, Drawn.MANUAL, ["tumour_1"])
    shift_one_voxel(organ_masks, "tumour_1")
    assert current_review(organ_masks, "tumour_1").drawn is Drawn.MANUAL


def test_masks_from_elsewhere_have_no_status(organ_masks):
    assert current_review(organ_masks, "liver") is None


def test_the_fingerprint_is_of_the_voxels_not_of_how_they_are_kept(organ_masks, ct_image):
    again = OrganMasks(ct_image)
    for name in reversed(organ_masks.names):
        again.add(name, organ_masks.mask(name))
    assert again.segments != organ_masks.segments
    assert fingerprints(again) == {name: fingerprints(organ_masks)[name] for name in again.names}
    assert len(set(fingerprints(organ_masks).values())) == len(organ_masks.names)


def test_the_same_shape_elsewhere_is_another_mask(ct_image):
    one, other = np.zeros((2, 20, 30, 40), bool)
    one[2:5, 3:6, 4:7] = other[3:6, 3:6, 4:7] = True
    marks = []
    for mask in (one, other):
        masks = OrganMasks(ct_image)
        masks.add("liver", mask)
        marks.append(fingerprints(masks)["liver"])
    assert marks[0] != marks[1]


@pytest.mark.parametrize("axes", ["SAR", "RAI", "PSL"])
def test_an_image_with_turned_axes_has_the_same_fingerprints(organ_masks, axes):
    turned = OrganMasks(sitk.DICOMOrient(organ_masks.reference, axes))
    for name in organ_masks.names:
        mask = sitk.GetImageFromArray(organ_masks.mask(name).astype(np.uint8))
        mask.CopyInformation(organ_masks.reference)
        turned.add(name, sitk.GetArrayFromImage(sitk.DICOMOrient(mask, axes)) > 0)
    assert turned.shape != organ_masks.shape or axes == "RAI"
    assert fingerprints(turned) == fingerprints(organ_masks)


def test_a_review_survives_json_and_tags_with_any_name(organ_masks):
    review = approve(organ_masks, "liver", "Dr. Åsa Ö|: ~%^ Müller", WHEN)
    assert review_from_json(review_to_json(review)) == review
    tags = review_tags(review)
    assert not {"|", ":"} & set("".join(tags.values()))
    assert review_from_tags(tags) == review
    assert review_from_tags({"OrganDose.Drawn": "by magic", "OrganDose.Fingerprint": "0"}) is None


@pytest.mark.parametrize("data", [{}, {"drawn": "edited"}, {"drawn": "x", "fingerprint": "0"}, [],
                                  {"drawn": "edited", "fingerprint": 3},
                                  {"drawn": "edited", "fingerprint": "0", "more": ""}])
def test_json_that_is_no_review_is_refused(data):
    with pytest.raises(InputError, match="not a readable review"):
        review_from_json(data)


def test_an_approval_needs_a_name_and_a_mask(organ_masks):
    with pytest.raises(InputError, match="needs a name"):
        approve(organ_masks, "liver", "  ")
    with pytest.raises(InputError, match="no mask of 'spleen'"):
        approve(organ_masks, "spleen", "A. Smith")


def test_reviews_go_with_the_masks_that_are_kept(organ_masks):
    mark_drawn(organ_masks)
    assert set(organ_masks.kept(["liver"]).reviews) == {"liver"}
