"""Organs drawn again in a box, joined with the masks there were."""

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.review import Drawn, approve, mark_drawn
from organdose.errors import InputError
from organdose.progress import Progress
from organdose.segmentation.analytic import AnalyticParameters
from organdose.segmentation.region import merged, segment_region, voxels_of_region
from organdose.study.ct_study import CTStudy
from organdose.study.facts import CTAcquisition

SPACING_MM, ORIGIN_MM = (2.0, 3.0, 5.0), (-100.0, -90.0, 10.0)  # x, y, z
SHAPE = (60, 50, 60)  # z, y, x
REGION_MM = ((-40.0, -30.0, 110.0), (0.0, 15.0, 160.0))
BOX = (slice(20, 31), slice(20, 36), slice(30, 51))  # of those corners, by hand


@pytest.fixture
def study():
    image = sitk.Image(SHAPE[::-1], sitk.sitkInt16)
    image.SetSpacing(SPACING_MM)
    image.SetOrigin(ORIGIN_MM)
    return CTStudy(image, CTAcquisition(), sop_instance_uids=tuple(map(str, range(SHAPE[0]))))


class Bright:
    """Calls liver what is above 100 HU, and keeps what it saw."""

    context = "surroundings"

    def segment(self, study, parameters, progress):
        self.seen = study
        masks = OrganMasks(study.image, origin="bright")
        bright = sitk.GetArrayFromImage(study.image) > 100
        if bright.any():
            masks.add("liver", bright)
        masks.notes["spleen"] = "never found"
        return masks


def with_bright(study, box):
    values = sitk.GetArrayViewFromImage(study.image).copy()
    values[box] = 200
    image = sitk.GetImageFromArray(values)
    image.CopyInformation(study.image)
    return CTStudy(image, CTAcquisition(), sop_instance_uids=study.sop_instance_uids)


def masks_of(study, **organs):
    masks = OrganMasks(study.image)
    for name, box in organs.items():
        mask = np.zeros(SHAPE, bool)
        mask[box] = True
        masks.add(name, mask)
    return masks


def test_a_box_in_mm_is_the_voxels_whose_centres_lie_in_it(study):
    assert voxels_of_region(study.image, REGION_MM) == BOX
    assert voxels_of_region(study.image, REGION_MM[::-1]) == BOX, "whichever corners"
    beyond = ((-1e4, -1e4, -1e4), (1e4, 1e4, 1e4))
    assert voxels_of_region(study.image, beyond) == tuple(slice(0, size) for size in SHAPE)


@pytest.mark.parametrize("region", [((500, 0, 50), (600, 10, 90)), ((-39.5, -30, 110), (-38.5, 15, 160)),
                                    ((float("nan"), 0, 0), (1, 1, 1))])
def test_a_box_without_a_voxel_is_refused(study, region):
    with pytest.raises(InputError, match="no voxel of the CT"):
        voxels_of_region(study.image, region)


@pytest.mark.parametrize(("context", "size"), [("surroundings", (55, 47, 31)), ("slices", (60, 50, 31)),
                                               ("ct", (60, 50, 60))])
def test_the_engine_sees_the_box_and_what_it_needs_around_and_draws_in_the_box(study, context, size):
    engine = Bright()
    engine.context = context
    everywhere = with_bright(study, (slice(None),) * 3)
    masks = segment_region(everywhere, REGION_MM, engine, AnalyticParameters(), Progress())
    assert np.argwhere(masks.mask("liver")).min(axis=0).tolist() == [20, 20, 30]
    assert masks.mask("liver").sum() == 11 * 16 * 21
    assert engine.seen.image.GetSize() == size, "50 mm around are 25, 17 and 10 voxels"
    assert len(engine.seen.sop_instance_uids) == size[2]
    assert engine.seen.sop_instance_uids[0] == ("0" if context == "ct" else "10")
    assert masks.notes["spleen"] == "never found"


def test_what_lies_in_the_margin_only_is_not_found_in_the_region(study):
    beside = with_bright(study, (slice(20, 31), slice(20, 36), slice(51, 55)))
    masks = segment_region(beside, REGION_MM, Bright(), AnalyticParameters(), Progress())
    assert masks.names == () and masks.notes["liver"] == "not found in the region"


def test_inside_the_box_the_new_voxels_outside_the_old_ones(study):
    old = masks_of(study, liver=(slice(10, 40), slice(25, 30), slice(35, 40)), spleen=(slice(0, 5),) * 3,
                   body=(slice(None),) * 3)
    new = masks_of(study, liver=(slice(22, 25), slice(26, 34), slice(37, 49)), spleen=(slice(22, 24),) * 3)
    joined = merged(old, new, REGION_MM, ["liver"])
    expected = old.mask("liver")
    expected[BOX] = new.mask("liver")[BOX]
    assert np.array_equal(joined.mask("liver"), expected)
    for name in ("spleen", "body"):
        assert np.array_equal(joined.mask(name), old.mask(name))
    assert old.mask("liver").sum() == 30 * 25, "what was given is not touched"
    assert joined.notes["liver"] == "drawn again in a region"


def test_labels_of_the_old_voxels_are_not_left_behind(study):
    old = masks_of(study, liver=(slice(22, 30), slice(25, 30), slice(35, 40)), spleen=(slice(0, 5),) * 3)
    joined = merged(old, masks_of(study, liver=(slice(22, 24), slice(25, 27), slice(35, 37))), REGION_MM)
    labelled = sum(np.count_nonzero(layer) for layer in joined.layers)
    assert labelled == sum(joined.mask(name).sum() for name in joined.names) == 8 + 125


def test_an_organ_that_is_not_found_stays_and_says_so(study):
    old = masks_of(study, liver=(slice(22, 30), slice(25, 30), slice(35, 40)))
    joined = merged(old, masks_of(study), REGION_MM, ["liver", "spleen"])
    assert np.array_equal(joined.mask("liver"), old.mask("liver"))
    assert joined.notes == {"liver": "not found in the region: left as it was", "spleen": "not found in the region"}


def test_an_approval_falls_with_the_voxels_and_a_new_organ_is_automatic(study):
    old = masks_of(study, liver=(slice(22, 30), slice(25, 30), slice(35, 40)), spleen=(slice(0, 5),) * 3)
    mark_drawn(old)
    for name in old.names:
        approve(old, name, "A. Smith")
    new = masks_of(study, liver=(slice(22, 24), slice(25, 27), slice(35, 37)),
                   kidney_left=(slice(26, 28), slice(26, 28), slice(44, 46)))
    joined = merged(old, new, REGION_MM)
    assert joined.reviews["liver"].drawn is Drawn.EDITED and not joined.reviews["liver"].approved_by
    assert joined.reviews["spleen"].approved_by == "A. Smith"
    assert joined.reviews["kidney_left"].drawn is Drawn.AUTOMATIC


def test_a_box_is_the_same_place_whichever_way_the_axes_run(study):
    turned = sitk.DICOMOrient(study.image, "PSR")
    values = sitk.GetArrayFromImage(study.image)
    values[BOX] = 1
    image = sitk.GetImageFromArray(values)
    image.CopyInformation(study.image)
    expected = sitk.GetArrayFromImage(sitk.DICOMOrient(image, "PSR")) == 1
    found = np.zeros_like(expected)
    found[voxels_of_region(turned, REGION_MM)] = True
    assert np.array_equal(found, expected)


def test_what_an_engine_says_of_how_it_drew_goes_with_the_part_of_it(study):
    class Estimating(Bright):
        def segment(self, study, parameters, progress):
            masks = super().segment(study, parameters, progress)
            mark_drawn(masks, Drawn.ESTIMATED)
            return masks

    everywhere = with_bright(study, (slice(None),) * 3)
    masks = segment_region(everywhere, REGION_MM, Estimating(), AnalyticParameters(), Progress())
    assert masks.reviews["liver"].drawn is Drawn.ESTIMATED


def test_a_body_that_would_end_at_the_box_is_not_taken(study):
    """Masks of organs alone get a body when their dose is computed; one cut to the box would make couch of the rest."""
    whole = (slice(None),) * 3
    old, new = masks_of(study, liver=(slice(22, 30),) * 3), masks_of(study, body=BOX, liver=(slice(22, 25),) * 3)
    joined = merged(old, new, REGION_MM)
    assert joined.names == ("liver",) and "end at the box" in joined.notes["body"]
    assert merged(old, new, REGION_MM, ["body"]).names == ("liver",)
    with_body = merged(masks_of(study, body=whole), new, REGION_MM, ["body"])
    assert with_body.mask("body").all(), "one that is there is mended in the box"


def test_a_mask_by_hand_that_an_engine_drew_in_part_is_edited_not_manual(study):
    old = masks_of(study, liver=(slice(22, 30), slice(25, 30), slice(35, 40)), spleen=(slice(0, 5),) * 3)
    mark_drawn(old, Drawn.MANUAL)
    joined = merged(old, masks_of(study, liver=(slice(22, 24), slice(25, 27), slice(35, 37))), REGION_MM)
    assert joined.reviews["liver"].drawn is Drawn.EDITED
    assert joined.reviews["spleen"].drawn is Drawn.MANUAL
    again = merged(old, masks_of(study, liver=(slice(22, 30), slice(25, 30), slice(35, 40))), REGION_MM)
    assert again.reviews["liver"] == old.reviews["liver"], "the same voxels"
