"""The review of masks written to files and read back."""

from datetime import UTC, datetime

import numpy as np
import pydicom
import pytest

from organdose.anatomy.review import Drawn, ReviewStatus, approve, current_review, mark_drawn
from organdose.export.dicom_seg import write_dicom_seg
from organdose.export.rtstruct import write_rtstruct
from organdose.export.seg_nrrd import write_seg_nrrd
from organdose.segmentation.reading import read_masks
from organdose.study.ct_study import CTStudy
from organdose.study.facts import CTAcquisition


@pytest.fixture
def reviewed(organ_masks):
    """An automatic body, a liver corrected and approved, a tumour drawn by hand, a kidney nobody knows of."""
    mark_drawn(organ_masks, names=["body", "liver"])
    layer, _ = organ_masks.segments["liver"]
    organ_masks.layers[layer][6, 6, 6] = 0
    approve(organ_masks, "liver", "Dr. A. Müller")
    mark_drawn(organ_masks, Drawn.MANUAL, ["tumour_1"])
    return organ_masks


def check_same(found, reviewed):
    assert set(found.reviews) == {"body", "liver", "tumour_1"}
    for name in found.reviews:
        assert found.reviews[name] == current_review(reviewed, name)
    assert found.reviews["liver"].status is ReviewStatus.APPROVED and found.reviews["liver"].drawn is Drawn.EDITED


def test_reviews_survive_seg_nrrd(reviewed, ct_image, tmp_path):
    write_seg_nrrd(reviewed, tmp_path / "m.seg.nrrd")
    check_same(read_masks(tmp_path / "m.seg.nrrd", CTStudy(ct_image, CTAcquisition())), reviewed)


def test_an_edit_in_another_program_takes_the_approval_away(reviewed, ct_image, tmp_path):
    layer, _ = reviewed.segments["liver"]
    reviewed.layers[layer][6, 7, 7] = 0  # the tags in the header stay as they were
    write_seg_nrrd(reviewed, tmp_path / "m.seg.nrrd")
    found = read_masks(tmp_path / "m.seg.nrrd", CTStudy(ct_image, CTAcquisition()))
    assert found.reviews["liver"].status is ReviewStatus.EDITED
    assert "approved once, but changed since" in found.notes["liver"]


def test_reviews_survive_dicom_seg(reviewed, ct_image, dicom_ct, tmp_path):
    study = dicom_ct(ct_image)
    write_dicom_seg(reviewed, study, tmp_path / "m.seg.dcm")
    check_same(read_masks(tmp_path / "m.seg.dcm", study), reviewed)


def test_reviews_survive_rtstruct(reviewed, ct_image, dicom_ct, tmp_path):
    study = dicom_ct(ct_image)
    write_rtstruct(reviewed, study, tmp_path / "rs.dcm")
    check_same(read_masks(tmp_path / "rs.dcm", study), reviewed)


def test_a_structure_set_says_of_each_region_how_it_was_drawn_and_who_approved_it(reviewed, ct_image, dicom_ct,
                                                                                   tmp_path):
    write_rtstruct(reviewed, dicom_ct(ct_image), tmp_path / "rs.dcm")
    written = pydicom.dcmread(tmp_path / "rs.dcm")
    assert {roi.ROIName: roi.ROIGenerationAlgorithm for roi in written.StructureSetROISequence} == {
        "body": "AUTOMATIC", "liver": "SEMIAUTOMATIC", "tumour_1": "MANUAL", "kidney_left": "SEMIAUTOMATIC",
        "insert_3": "SEMIAUTOMATIC"}
    said = {roi.ROIName: observation.get("ROIObservationDescription", "") for roi, observation in
            zip(written.StructureSetROISequence, written.RTROIObservationsSequence)}
    assert said["liver"].startswith("approved by Dr. A. Müller on 20") and said["kidney_left"] == ""
    assert said["body"].startswith("automatic, not approved")


def test_a_structure_set_is_approved_only_when_one_person_approved_all_of_it(organ_masks, ct_image, dicom_ct, tmp_path):
    study, path = dicom_ct(ct_image), tmp_path / "rs.dcm"

    def written():
        write_rtstruct(organ_masks, study, path)
        found = pydicom.dcmread(path)
        return found.ApprovalStatus, str(found.get("ReviewerName", "")), found.get("ReviewDate", "")

    *most, last = organ_masks.names
    for name in most:
        approve(organ_masks, name, "Müller^A", datetime(2026, 3, 1, 12, tzinfo=UTC))
    assert written() == ("UNAPPROVED", "", "")
    approve(organ_masks, last, "B. Jones")
    assert written() == ("UNAPPROVED", "", "")
    approve(organ_masks, last, "Müller^A", datetime(2026, 3, 4, 12, tzinfo=UTC))
    assert written() == ("APPROVED", "Müller A", "20260304")
    layer, _ = organ_masks.segments["liver"]
    organ_masks.layers[layer][6, 7, 7] = 0  # edited since
    assert written() == ("UNAPPROVED", "", "")


def test_an_approval_by_another_program_is_noted_and_approves_no_mask(organ_masks, ct_image, dicom_ct, tmp_path):
    study, path = dicom_ct(ct_image), tmp_path / "rs.dcm"
    write_rtstruct(organ_masks, study, path)
    foreign = pydicom.dcmread(path)
    foreign.ApprovalStatus, foreign.ReviewerName, foreign.ReviewDate = "APPROVED", "Planner^A", "20260301"
    foreign.save_as(path)
    found = read_masks(path, study)
    assert found.reviews == {}
    assert "contours approved in the structure set by Planner^A on 20260301" in found.notes["liver"]


def test_a_damaged_review_is_no_review(reviewed, ct_image, dicom_ct, tmp_path):
    study, path = dicom_ct(ct_image), tmp_path / "rs.dcm"
    write_rtstruct(reviewed, study, path)
    damaged = pydicom.dcmread(path)
    for observation in damaged.RTROIObservationsSequence:
        if "ROIObservationDescription" in observation:
            observation.ROIObservationDescription = observation.ROIObservationDescription.replace("{", "[")
    damaged.save_as(path)
    assert read_masks(path, study).reviews == {}


def test_dicom_says_how_each_segment_was_drawn(reviewed, ct_image, dicom_ct, tmp_path):
    write_dicom_seg(reviewed, dicom_ct(ct_image), tmp_path / "m.seg.dcm")
    segments = {item.SegmentLabel: item for item in pydicom.dcmread(tmp_path / "m.seg.dcm").SegmentSequence}
    assert {name: item.SegmentAlgorithmType for name, item in segments.items()} == {
        "body": "AUTOMATIC", "liver": "SEMIAUTOMATIC", "tumour_1": "MANUAL", "kidney_left": "SEMIAUTOMATIC",
        "insert_3": "SEMIAUTOMATIC"}
    assert segments["liver"].SegmentDescription.startswith("Liver: approved by Dr. A. Müller on 20")
    assert "SegmentAlgorithmName" not in segments["tumour_1"]
    assert segments["kidney_left"].SegmentDescription == "Left kidney"


def test_who_approved_everything_is_the_content_creator(organ_masks, ct_image, dicom_ct, tmp_path):
    study = dicom_ct(ct_image)
    for name in organ_masks.names:
        approve(organ_masks, name, "Müller^A")
    write_dicom_seg(organ_masks, study, tmp_path / "all.seg.dcm")
    assert str(pydicom.dcmread(tmp_path / "all.seg.dcm").ContentCreatorName) == "Müller A"
    approve(organ_masks, "liver", "B. Jones")
    write_dicom_seg(organ_masks, study, tmp_path / "two.seg.dcm")
    assert not pydicom.dcmread(tmp_path / "two.seg.dcm").get("ContentCreatorName")


def test_voxels_are_the_same_with_and_without_reviews(reviewed, ct_image, tmp_path):
    write_seg_nrrd(reviewed, tmp_path / "m.seg.nrrd")
    found = read_masks(tmp_path / "m.seg.nrrd", CTStudy(ct_image, CTAcquisition()))
    assert all(np.array_equal(found.mask(name), reviewed.mask(name)) for name in reviewed.names)
