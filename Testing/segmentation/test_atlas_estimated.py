"""Estimated organs stay marked: in files, beside the masks of other engines, after edits."""

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.review import (
    Drawn,
    ReviewStatus,
    approve,
    estimated_names,
    mark_drawn,
    refresh_reviews,
    review_from_tags,
    review_tags,
)
from organdose.export.dicom_seg import write_dicom_seg
from organdose.export.seg_nrrd import write_seg_nrrd
from organdose.segmentation.atlas_overlap import may_share
from organdose.segmentation.combined import EngineTable, joined
from organdose.segmentation.reading import read_masks
from organdose.segmentation.region import merged
from organdose.study.ct_study import CTStudy
from organdose.study.facts import CTAcquisition


def box(low, high):
    mask = np.zeros((10, 4, 4), bool)
    mask[low:high] = True
    return mask


@pytest.fixture
def study():
    return CTStudy(sitk.Image(4, 4, 10, sitk.sitkInt16), CTAcquisition())


@pytest.fixture
def masks_of(study):
    def make(estimated=(), **masks):
        made = OrganMasks(study.image, origin="an engine")
        for name, mask in masks.items():
            made.add(name, mask)
            made.notes[name] = "a note"
        mark_drawn(made, Drawn.ESTIMATED, estimated)
        return made
    return make


def test_an_estimated_mask_says_so_and_an_edit_of_it_does_not_make_it_seen(organ_masks):
    mark_drawn(organ_masks, Drawn.ESTIMATED, ["liver"])
    assert organ_masks.reviews["liver"].line == "estimated, not approved"
    assert organ_masks.reviews["liver"].status is ReviewStatus.ESTIMATED
    layer, _ = organ_masks.segments["liver"]
    organ_masks.layers[layer][6, 6, 6] = 0
    refresh_reviews(organ_masks)
    assert organ_masks.reviews["liver"].status is ReviewStatus.ESTIMATED
    review = approve(organ_masks, "liver", "A. Smith")
    assert review.status is ReviewStatus.APPROVED and review.line.endswith("(estimated)")
    assert review_from_tags(review_tags(review)) == review


def test_the_mark_survives_seg_nrrd_and_dicom(organ_masks, ct_image, dicom_ct, tmp_path):
    mark_drawn(organ_masks)
    mark_drawn(organ_masks, Drawn.ESTIMATED, ["liver"])
    study = dicom_ct(ct_image)
    write_seg_nrrd(organ_masks, tmp_path / "m.seg.nrrd")
    write_dicom_seg(organ_masks, study, tmp_path / "m.seg.dcm")
    for name in ("m.seg.nrrd", "m.seg.dcm"):
        assert estimated_names(read_masks(tmp_path / name, study)) == {"liver"}
    segments = {each.SegmentLabel: each for each in pydicom.dcmread(tmp_path / "m.seg.dcm").SegmentSequence}
    assert segments["liver"].SegmentAlgorithmType == "AUTOMATIC"
    assert segments["liver"].SegmentDescription.endswith("estimated, not approved")
    family = segments["liver"].SegmentationAlgorithmIdentificationSequence[0].AlgorithmFamilyCodeSequence[0]
    assert family.CodeValue == "123111", "Deformable Models, PS3.16 CID 7162"


@pytest.mark.parametrize("order", [("res-u2net", "atlas"), ("atlas", "res-u2net")])
def test_a_seen_organ_is_taken_before_an_estimated_one_whatever_the_order(study, masks_of, order):
    drawn = {"res-u2net": masks_of(liver=box(0, 5)),
             "atlas": masks_of(["liver", "stomach", "adrenal_gland_left"], liver=box(0, 8), stomach=box(3, 7),
                               adrenal_gland_left=box(8, 9))}
    found = joined(study, EngineTable(engines={name: {} for name in order}), {name: drawn[name] for name in order})
    assert np.array_equal(found.mask("liver"), box(0, 5)) and "liver" not in estimated_names(found)
    assert np.array_equal(found.mask("stomach"), box(5, 7)), "not a voxel of the liver that was seen"
    assert "32 voxels are organs of engines that stand before it" in found.notes["stomach"]
    assert estimated_names(found) == {"stomach", "adrenal_gland_left"}


def test_seen_groups_lose_nothing_to_estimates_either(study, masks_of):
    seen = masks_of(colon=box(0, 4), bones=box(4, 6), body=box(0, 10))
    atlas = masks_of(["stomach", "vertebrae_L1", "red_bone_marrow", "colon_ascending"], stomach=box(2, 8),
                     vertebrae_L1=box(4, 5), red_bone_marrow=box(4, 6), colon_ascending=box(0, 1))
    found = joined(study, EngineTable(engines={"nnunet": {}, "atlas": {}}), {"nnunet": seen, "atlas": atlas})
    assert np.array_equal(found.mask("stomach"), box(6, 8))
    assert np.array_equal(found.mask("vertebrae_L1"), box(4, 5)) and found.mask("red_bone_marrow").sum() == 32


def test_an_estimated_organ_whose_parts_were_all_seen_is_left_out(study, masks_of):
    seen = masks_of(kidney_left=box(0, 2), kidney_right=box(5, 7))
    found = joined(study, EngineTable(engines={"nnunet": {}, "atlas": {}}),
                   {"nnunet": seen, "atlas": masks_of(["kidneys"], kidneys=box(0, 9))})
    assert found.names == ("kidney_left", "kidney_right")


def test_an_estimated_heart_does_not_stand_beside_chambers_that_were_seen(study, masks_of):
    seen = masks_of(heart_ventricle_left=box(1, 4), heart_atrium_left=box(6, 7))
    found = joined(study, EngineTable(engines={"monai-bundle": {}, "atlas": {}}),
                   {"monai-bundle": seen, "atlas": masks_of(["heart"], heart=box(0, 9))})
    assert "heart" not in found.names


def test_an_estimated_kidney_lies_in_the_kidneys_that_were_seen(study, masks_of):
    atlas = masks_of(["kidney_left", "kidney_right"], kidney_left=box(2, 5), kidney_right=box(8, 10))
    found = joined(study, EngineTable(engines={"monai-bundle": {}, "atlas": {}}),
                   {"monai-bundle": masks_of(kidneys=box(1, 4)), "atlas": atlas})
    assert np.array_equal(found.mask("kidney_left"), box(2, 4)) and "kidney_right" not in found.names


@pytest.mark.parametrize(("estimated", "seen", "shares"), [
    ("liver", "body", True), ("liver", "tumour_2", True), ("heart", "heart_atrium_left", True),
    ("red_bone_marrow", "vertebrae_L1", True), ("eye_lens_left", "eye_left", True), ("spleen", "bones", False),
    ("spleen", "kidney_left", False), ("red_bone_marrow", "liver", False)])
def test_what_may_lie_in_what(estimated, seen, shares):
    assert may_share(estimated, seen) is shares


def test_an_organ_estimated_again_in_a_region_is_estimated(masks_of):
    drawn = masks_of(["liver", "spleen"], liver=box(0, 2), spleen=box(3, 4))
    found = merged(masks_of(liver=box(0, 5)), drawn, ((-1, -1, -1), (5, 5, 5)))
    assert estimated_names(found) == {"liver", "spleen"}
