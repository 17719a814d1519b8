"""Masks become one segmentation node with codes and colours and come back exactly."""

import numpy as np
import pytest
import SimpleITK as sitk
import slicer

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.organs import organ
from organdose.anatomy.review import ReviewStatus, approve, mark_drawn
from organdose.errors import InputError
from organdose.scene.segmentation_nodes import (
    masks_from_segmentation_node,
    organs_shown_in_3d,
    segmentation_node_from_masks,
)
from organdose.scene.volume_nodes import ct_volume_node


@pytest.fixture
def ct_node(scene, ct_image):
    return ct_volume_node(ct_image)


@pytest.fixture
def node(ct_node, masks):
    return segmentation_node_from_masks(masks, ct_node)


def test_masks_come_back_exactly_with_names_origin_and_notes(node, ct_node, masks):
    back = masks_from_segmentation_node(node, ct_node)
    assert sorted(back.names) == sorted(masks.names)
    assert all(np.array_equal(back.mask(name), masks.mask(name)) for name in masks.names)
    assert (back.origin, back.notes) == (masks.origin, masks.notes)


def test_layers_are_shared_as_they_were(node, masks):
    assert node.GetSegmentation().GetNumberOfLayers("Binary labelmap") == len(masks.layers) == 2


def test_the_fullest_layer_comes_first_for_slicer_saves_it_fastest(node):
    assert node.GetSegmentation().GetSegmentIDs() == ("liver", "kidney_left", "vertebrae_L1", "body")


def test_slicer_reads_the_same_voxels(node, ct_node, masks):
    array = slicer.util.arrayFromSegmentBinaryLabelmap(node, "kidney_left", ct_node)
    assert np.array_equal(array > 0, masks.mask("kidney_left"))


def test_colour_title_and_code_stand_on_each_segment(node):
    segment = node.GetSegmentation().GetSegment("kidney_left")
    assert segment.GetName() == "Left kidney"
    entry = slicer.vtkSlicerTerminologyEntry()
    slicer.vtkSlicerTerminologiesModuleLogic.DeserializeTerminologyEntry(segment.GetTerminology(), entry)
    # DICOM PS3.16: CID 7150 category, kidney, CID 244 left.
    assert entry.GetCategoryObject().GetCodeValue() == "123037004"
    assert entry.GetTypeObject().GetCodingSchemeDesignator() == "SCT"
    assert entry.GetTypeObject().GetCodeValue() == "64033007"
    assert entry.GetTypeModifierObject().GetCodeValue() == "7771000"
    assert segment.GetColor() == pytest.approx([component / 255 for component in organ("kidney_left").colour_rgb])


def test_the_reference_geometry_is_that_of_the_ct(node, ct_node):
    role = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
    assert node.GetNodeReference(role) is ct_node


def test_an_edit_in_slicer_comes_back(node, ct_node, masks):
    edited = masks.mask("liver").astype(np.uint8)
    edited[12] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(edited, node, "liver", ct_node)
    back = masks_from_segmentation_node(node, ct_node)
    assert np.array_equal(back.mask("liver"), edited > 0)
    assert np.array_equal(back.mask("kidney_left"), masks.mask("kidney_left"))


def test_an_approval_stays_with_its_segment_until_somebody_edits_it(ct_node, masks):
    mark_drawn(masks)
    for name in ("liver", "kidney_left"):
        approve(masks, name, "Dr. A: Müller|")
    node = segmentation_node_from_masks(masks, ct_node)
    assert masks_from_segmentation_node(node, ct_node).reviews == masks.reviews
    edited = masks.mask("liver").astype(np.uint8)
    edited[12] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(edited, node, "liver", ct_node)
    back = masks_from_segmentation_node(node, ct_node)
    assert back.reviews["liver"].status is ReviewStatus.EDITED
    assert back.reviews["kidney_left"].approved_by == "Dr. A: Müller|"


@pytest.mark.parametrize(("drawn_as", "organ"), [("Right kidney", "kidney_right"), ("Spleen", "spleen"),
                                                 ("my finding", "my_finding")])
def test_a_segment_drawn_in_slicer_is_known_by_its_name(node, ct_node, masks, drawn_as, organ):
    segment_id = node.GetSegmentation().AddEmptySegment("Segment_1", drawn_as)
    drawn = np.zeros(masks.shape, np.uint8)
    drawn[3:6, 20:25, 40:44] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(drawn, node, segment_id, ct_node)
    assert np.array_equal(masks_from_segmentation_node(node, ct_node).mask(organ), drawn > 0)


def test_a_segment_renamed_in_slicer_is_the_organ_it_is_called_now(node, ct_node, masks):
    node.GetSegmentation().GetSegment("kidney_left").SetName("Spleen")
    back = masks_from_segmentation_node(node, ct_node)
    assert "kidney_left" not in back.names
    assert np.array_equal(back.mask("spleen"), masks.mask("kidney_left"))


def test_the_same_organ_twice_is_refused(node, ct_node, masks):
    segment_id = node.GetSegmentation().AddEmptySegment("Segment_1", "Liver")
    slicer.util.updateSegmentBinaryLabelmapFromArray(masks.mask("liver").astype(np.uint8), node, segment_id, ct_node)
    with pytest.raises(InputError, match="'liver'"):
        masks_from_segmentation_node(node, ct_node)


def test_a_name_outside_the_vocabulary_is_kept_as_a_tissue(ct_node, masks):
    masks.add("insert_3", np.zeros(masks.shape, bool))
    node = segmentation_node_from_masks(masks, ct_node)
    assert "insert_3" in masks_from_segmentation_node(node, ct_node).names
    segment = node.GetSegmentation().GetSegment("insert_3")
    assert segment.GetName() == "Insert 3"
    assert "85756007^Tissue" in segment.GetTerminology()


def test_masks_on_another_grid_are_refused(ct_node, ct_image):
    moved = sitk.Image(ct_image)
    moved.SetOrigin((0, 0, 0))
    with pytest.raises(InputError, match="another grid"):
        segmentation_node_from_masks(OrganMasks(moved), ct_node)


def test_the_skin_is_never_a_surface_and_groups_do_not_hide_their_members(node):
    assert organs_shown_in_3d(["body", "skin", "kidneys", "kidney_left", "kidney_right"]) == [
        "kidney_left", "kidney_right"]
    display = node.GetDisplayNode()
    assert not display.GetSegmentVisibility3D("body")
    assert display.GetSegmentVisibility3D("liver")


def test_organs_are_outlines_and_bones_are_seen_through_in_3d(node):
    display = node.GetDisplayNode()
    assert not display.GetVisibility2DFill()
    assert display.GetSegmentOpacity3D("vertebrae_L1") < 0.5 < display.GetSegmentOpacity3D("liver") == 1
